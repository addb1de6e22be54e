//! The bytes of sealed answers: what opens, and the code of what does not.
//!
//! Sealing is random. The good bytes are those of the page's vector, which was made in Python; all others are changes of them.

use aml_miner::digest::Digest;
use aml_subnet::beacon::{Beacon, BeaconRound, Pulse};
use aml_subnet::protocol::sealed::{HEAD, Parties, Plain, Sealed, Spoiled};
use aml_subnet::wallet::Hotkey;
use serde_json::{Value, json};

use crate::vectors_kit::Vectors;

/// Two rounds of quicknet, whose signatures are public.
const ROUNDS: [(u64, &str); 2] = [
    (123, "b75c69d0b72a5d906e854e808ba7e2accb1542ac355ae486d591aa9d43765482e26cd02df835d3546d23c4b13e0dfc92"),
    (1000, "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"),
];

#[derive(Clone)]
struct Got {
    bytes: Vec<u8>,
    /// The round that the signed headers name.
    signed_for: u64,
    /// The round whose signature is at hand.
    pulse: u64,
    parties: Parties,
    most: u64,
}

fn good() -> Got {
    let vector: Value = serde_json::from_str(include_str!("../../fixtures/sealed/quicknet_1000.json")).expect("JSON");
    let text = |name: &str| vector[name].as_str().expect("text");
    let (miner, validator) =
        (text("miner").parse().expect("an address"), text("validator").parse().expect("an address"));
    let parties = Parties { miner, validator, task: text("task").parse().expect("a digest") };
    Got { bytes: hex::decode(text("sealed")).expect("hex"), signed_for: 1000, pulse: 1000, parties, most: 1 << 20 }
}

fn signature(round: u64) -> &'static str {
    ROUNDS.iter().find(|(known, _)| *known == round).expect("a known round").1
}

impl Got {
    fn opened(&self) -> Result<Plain, Spoiled> {
        let of = |round| BeaconRound { beacon: Beacon::Quicknet, round };
        let signature = hex::decode(signature(self.pulse)).expect("hex");
        let pulse = Pulse::checked(of(self.pulse), &signature).expect("quicknet's");
        Sealed::read(&self.bytes, of(self.signed_for))?.open(&pulse, &self.parties, self.most)
    }

    fn case(&self, name: &str, why: &str) -> Value {
        let expected = match self.opened() {
            Ok(plain) => json!({ "receipt": plain.receipt, "plain": String::from_utf8(plain.body).expect("text") }),
            Err(spoiled) => json!({ "refused": spoiled.code(), "says": spoiled.to_string() }),
        };
        let Parties { miner, validator, task } = self.parties;
        json!({
            "name": name, "why": why, "bytes": hex::encode(&self.bytes),
            "beacon": format!("quicknet:{}", self.signed_for), "signature_of": self.pulse,
            "signature": signature(self.pulse), "miner": miner.to_string(), "validator": validator.to_string(),
            "task": task.to_string(), "most": self.most, "expected": expected,
        })
    }
}

/// A bit of a byte, changed.
fn flipped(at: usize) -> impl Fn(&mut Got) {
    move |got| got.bytes[at] ^= 1
}

type Change = Box<dyn Fn(&mut Got)>;

fn changes() -> Vec<(&'static str, &'static str, Change)> {
    let boxed = |change: fn(&mut Got)| Box::new(change) as Change;
    vec![
        ("magic", "another form", Box::new(flipped(0))),
        ("chain", "another beacon's chain", Box::new(flipped(12))),
        ("round", "another round than was signed", Box::new(flipped(51))),
        ("key_v", "the locked key was changed", Box::new(flipped(150))),
        ("key_w", "in its last part", Box::new(flipped(200))),
        ("nonce", "the nonce is bound", Box::new(flipped(212))),
        ("length", "so is the length", Box::new(flipped(HEAD - 1))),
        ("text", "and every byte behind it", Box::new(flipped(HEAD))),
        ("empty", "nothing came", boxed(|got| got.bytes.clear())),
        ("head_cut", "it ends within its head", boxed(|got| got.bytes.truncate(100))),
        ("no_tag", "it ends within its tag", boxed(|got| got.bytes.truncate(HEAD + 15))),
        ("tag_cut", "its last byte is missing", boxed(|got| got.bytes.truncate(got.bytes.len() - 1))),
        ("more_behind", "a byte too many", boxed(|got| got.bytes.push(0))),
        (
            "plain_answer",
            "an answer that is not sealed",
            boxed(|got| got.bytes = b"[{\"alert_id\":\"alert_1\",\"score\":0.5}]".to_vec()),
        ),
        ("signed_for_another", "the headers name another round", boxed(|got| got.signed_for = 123)),
        (
            "other_miner",
            "copied from the wire by another miner",
            boxed(|got| got.parties.miner = Hotkey::from_bytes([3; 32])),
        ),
        ("other_validator", "for another validator", boxed(|got| got.parties.validator = Hotkey::from_bytes([3; 32]))),
        ("other_task", "for another task", boxed(|got| got.parties.task = Digest::of(b"another task"))),
        (
            "exchanged",
            "miner and validator exchanged",
            boxed(|got| std::mem::swap(&mut got.parties.miner, &mut got.parties.validator)),
        ),
    ]
}

#[test]
fn sealed_answers_are_those_of_the_package() {
    let mut cases = vec![good().case("good", "the vector of docs/sealing.md")];
    for (name, why, change) in changes() {
        let mut got = good();
        change(&mut got);
        assert!(got.opened().is_err(), "{name}");
        cases.push(got.case(name, why));
    }
    let codes: std::collections::BTreeSet<&str> =
        cases.iter().filter_map(|case| case["expected"]["refused"].as_str()).collect();
    let all = ["locked_otherwise", "not_its_own", "other_beacon", "other_form", "other_round", "truncated"];
    assert!(codes.into_iter().eq(all));
    Vectors { name: "sealed.json", pages: &["docs/sealing.md"], shared: Vec::new(), cases }.must_be_stored();
}
