//! Descriptors of tasks that are fetched, and the objects that they lead to.

use aml_miner::digest::Digest;
use aml_subnet::protocol::reference::{Described, Descriptor, Object, ObjectKey, encrypt};
use serde_json::{Value, json};

use crate::vectors_kit::Vectors;

/// A packed task and what its miner is told of it.
struct Case {
    descriptor: Vec<u8>,
    object: Vec<u8>,
}

fn good() -> (Descriptor, Vec<u8>) {
    // One frame of zstd that holds its content as it is, so that every zstd reads it and none had to write it.
    let form = b"--edge--\r\n";
    let body = [&[0x28, 0xb5, 0x2f, 0xfd, 0x20, 10, 0x51, 0, 0][..], form].concat();
    let (task, key) = (Digest::of(b"the task as JSON"), ObjectKey::new([9; 32]));
    let object = encrypt(&body, &key, &task).expect("short");
    let (media, encoding) = ("multipart/form-data; boundary=edge".to_owned(), "zstd".to_owned());
    let about = Described { task, media, encoding, sent: Digest::of(&body), decoded: Digest::of(form) };
    let named = Object { sha256: Digest::of(&object), bytes: object.len() as u64 };
    let places = vec![format!("https://mirror.example.com/{}", named.sha256)];
    (Descriptor::of(about, named, key, places), object)
}

impl Case {
    fn judged(&self) -> Value {
        let refused = |code: &str, says: String| json!({ "refused": code, "says": says });
        let descriptor = match Descriptor::read(&self.descriptor) {
            Ok(descriptor) => descriptor,
            Err(error) => return refused("descriptor", error.to_string()),
        };
        match descriptor.open(self.object.clone()) {
            Ok(body) => json!({ "body": hex::encode(body) }),
            Err(error) => refused(error.code(), error.to_string()),
        }
    }

    fn case(&self, name: &str, why: &str) -> Value {
        let descriptor = String::from_utf8(self.descriptor.clone()).expect("text");
        json!({ "name": name, "why": why, "descriptor": descriptor, "sha256": Digest::of(&self.descriptor).to_string(),
            "object": hex::encode(&self.object), "expected": self.judged() })
    }
}

/// With a descriptor that says otherwise.
fn changed(change: impl Fn(&mut Descriptor)) -> Case {
    let (mut descriptor, object) = good();
    change(&mut descriptor);
    Case { descriptor: descriptor.to_bytes(), object }
}

/// With a descriptor whose JSON is changed.
fn reworded(change: impl Fn(&mut Value)) -> Case {
    let (descriptor, object) = good();
    let mut told = serde_json::to_value(descriptor).expect("JSON");
    change(&mut told);
    Case { descriptor: told.to_string().into_bytes(), object }
}

/// With another object, which the descriptor names by its length and digest.
fn exchanged(change: impl Fn(&mut Vec<u8>)) -> Case {
    let (mut descriptor, mut object) = good();
    change(&mut object);
    descriptor.object = Object { sha256: Digest::of(&object), bytes: object.len() as u64 };
    Case { descriptor: descriptor.to_bytes(), object }
}

fn cases() -> Vec<Value> {
    let other = Digest::of(b"other");
    let remove = |it: &mut Value, name: &str| drop(it.as_object_mut().expect("an object").remove(name));
    let (descriptor, object) = good();
    let longer = Case { descriptor: descriptor.to_bytes(), object: [&object[..], &[0]].concat() };
    let four = changed(|it| it.places = vec![it.places[0].clone(); 4]);
    let cases = [
        ("good", "an object that opens to the body that would have been sent", changed(|_| ())),
        ("four_places", "as many as there may be", four),
        ("longer", "a byte more than was said", longer),
        ("another_object", "other bytes of that length", changed(|it| it.object.sha256 = other)),
        ("another_key", "which opens nothing", changed(|it| it.key = ObjectKey::new([8; 32]))),
        ("another_task", "an object is bound to its task", changed(|it| it.task = other)),
        ("another_body", "it opens to another body than is said", changed(|it| it.sent = other)),
        ("a_bit_changed", "the cipher notices", exchanged(|object| object[0] ^= 1)),
        ("a_bit_of_the_tag_changed", "and its tag", exchanged(|object| *object.last_mut().expect("a tag") ^= 1)),
        ("cut_off", "so it does when the end is missing", exchanged(|object| object.truncate(object.len() - 1))),
        ("shorter_than_a_tag", "which is no object", exchanged(|object| object.truncate(15))),
        ("version_2", "there is no second version", changed(|it| it.v = 2)),
        ("no_place", "one at least", changed(|it| it.places.clear())),
        ("five_places", "four at most", changed(|it| it.places = vec![it.places[0].clone(); 5])),
        ("a_long_place", "1024 characters at most", changed(|it| it.places[0] = "h".repeat(1025))),
        ("too_long", "16 KiB at most", changed(|it| it.media = "m".repeat(1 << 14))),
        ("a_key_too_many", "keys that are not known are refused", reworded(|it| it["more"] = 1.into())),
        ("without_a_key", "all are there", reworded(|it| remove(it, "key"))),
        ("a_short_key", "32 bytes", reworded(|it| it["key"] = "09".into())),
        ("upper_case", "hex is lower-case", reworded(|it| it["sent"] = "AB".repeat(32).into())),
        ("a_negative_length", "bytes are counted from 0", reworded(|it| it["object"]["bytes"] = (-1).into())),
        ("a_list", "one object", reworded(|it| *it = json!([]))),
    ];
    cases.iter().map(|(name, why, case)| case.case(name, why)).collect()
}

#[test]
fn references_are_those_of_the_package() {
    Vectors { name: "references.json", pages: &["docs/tasks.md"], shared: vec![], cases: cases() }.must_be_stored();
}
