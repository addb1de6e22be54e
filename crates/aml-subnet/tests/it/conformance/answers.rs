//! Signed answers of both forms: what a miner writes, and what the validator that asked makes of what came.

use aml_miner::digest::Digest;
use aml_subnet::beacon::{Beacon, BeaconRound};
use aml_subnet::protocol::answer::{self, Answered, Asked, SIGNATURE_HEADER};
use aml_subnet::protocol::second_answer::{self, Came, Encoding, Stated, Subject, is_second};
use aml_subnet::protocol::{Nonce, Refusal};
use aml_subnet::wallet::Hotkey;
use http::StatusCode;
use serde_json::{Value, json};

use super::{ALICE, BOB, EDDIE, Headers, Key, NOW, again, flip, headers_of, judged, keys, listed, value, without};
use crate::vectors_kit::Vectors;

const ASKED: &str = r#"{"alerts":[{"alert_id":"alert_1"}]}"#;
const PLAIN: &str = r#"[{"alert_id":"alert_1","score":0.5}]"#;
/// What stands for sealed bytes: only their digest is signed.
const SENT: &str = "sealed bytes";
const ROUND: u64 = 29_000_000;

fn asked() -> Asked {
    Asked { nonce: Nonce::new(NOW), validator: ALICE.hotkey(), body: Digest::of(ASKED.as_bytes()) }
}

fn subject() -> Subject {
    Subject { task: Digest::of(b"task"), commitment: Digest::of(b"traps"), decoded: Digest::of(ASKED.as_bytes()) }
}

fn open() -> Stated {
    let digest = Digest::of(PLAIN.as_bytes());
    Stated { status: StatusCode::OK, plain: digest, sent: digest, encoding: Encoding::Identity, beacon: None }
}

fn sealed() -> Stated {
    let beacon = Some(BeaconRound { beacon: Beacon::Quicknet, round: ROUND });
    Stated { sent: Digest::of(SENT.as_bytes()), encoding: Encoding::Sealed, beacon, ..open() }
}

/// What came, and what the validator asked for.
#[derive(Clone)]
struct Got {
    miner: Hotkey,
    headers: Headers,
    status: u16,
    body: &'static str,
    asked: Asked,
    subject: Subject,
}

fn first(key: &Key, status: StatusCode) -> Got {
    let answered = Answered { status, body: Digest::of(PLAIN.as_bytes()) };
    let headers = answer::sign(&key.signer(), answered, &asked());
    let text = answer::payload(key.scheme, &key.hotkey(), answered, &asked());
    let headers = listed(&headers, (SIGNATURE_HEADER, key.sign(&text)));
    Got { miner: key.hotkey(), headers, status: status.as_u16(), body: PLAIN, asked: asked(), subject: subject() }
}

fn second(key: &Key, stated: &Stated) -> Got {
    let headers = second_answer::sign(&key.signer(), stated, &asked(), &subject());
    let text = second_answer::payload(key.scheme, &key.hotkey(), stated, &asked(), &subject());
    let body = if stated.encoding == Encoding::Sealed { SENT } else { PLAIN };
    let headers = listed(&headers, (SIGNATURE_HEADER, key.sign(&text)));
    Got { headers, body, status: stated.status.as_u16(), ..first(key, StatusCode::OK) }
}

impl Got {
    fn verdict(&self) -> Result<Value, Refusal> {
        let (headers, status) = (headers_of(&self.headers), StatusCode::from_u16(self.status).expect("a status"));
        let sent = Digest::of(self.body.as_bytes());
        if is_second(&headers) {
            let came = Came { status, sent };
            let (_, stated) = second_answer::verify_answer(&headers, &self.miner, came, &self.asked, &self.subject)?;
            let beacon = stated.beacon.map(|round| round.to_string());
            let plain = stated.plain.to_string();
            return Ok(json!({ "form": 2, "plain": plain, "encoding": stated.encoding.name(), "beacon": beacon }));
        }
        answer::verify_answer(&headers, &self.miner, Answered { status, body: sent }, &self.asked)?;
        Ok(json!({ "form": 1 }))
    }

    fn case(&self, name: &str, why: &str) -> Value {
        let Asked { nonce, validator, body } = self.asked;
        let Subject { task, commitment, decoded } = self.subject;
        json!({
            "name": name, "why": why, "do": "verify", "miner": self.miner.to_string(),
            "asked": { "nonce": nonce.nanoseconds(), "validator": validator.to_string(), "body_sha256": body.to_string(),
                "decoded_sha256": decoded.to_string(), "task": task.to_string(), "commitment": commitment.to_string() },
            "came": { "status": self.status, "headers": self.headers, "body": self.body },
            "expected": judged(self.verdict(), |value| value),
        })
    }
}

type Change = fn(&mut Got);

/// Changes of an answer of either form.
fn changes() -> Vec<(&'static str, &'static str, Change)> {
    vec![
        ("other_body", "the signature covers what was sent", |got| got.body = "[]"),
        ("other_status", "and the status", |got| got.status = 201),
        ("of_another_miner", "the headers name somebody else", |got| got.miner = BOB.hotkey()),
        ("to_another_validator", "and who asked", |got| got.asked.validator = BOB.hotkey()),
        ("to_another_request", "and the request", |got| got.asked.body = Digest::of(b"other")),
        ("to_another_nonce", "the headers name another request", |got| got.asked.nonce = Nonce::new(NOW + 1)),
        ("nonce_with_zeros", "the number counts, not its spelling; what is signed has none", |got| {
            value(&mut got.headers, "x-aml-answer-nonce").insert(0, '0');
        }),
        ("no_hotkey", "whose is it?", |got| without(&mut got.headers, "x-aml-answer-hotkey")),
        ("no_nonce", "to what?", |got| without(&mut got.headers, "x-aml-answer-nonce")),
        ("no_signature", "nothing is proven", |got| without(&mut got.headers, SIGNATURE_HEADER)),
        ("hotkey_twice", "no header stands there twice", |got| again(&mut got.headers, "x-aml-answer-hotkey")),
        ("signature_twice", "no header stands there twice", |got| again(&mut got.headers, SIGNATURE_HEADER)),
        ("signature_flipped", "one bit", |got| flip(value(&mut got.headers, SIGNATURE_HEADER))),
        ("signature_without_0x", "answers are written with the prefix", |got| {
            let signature = value(&mut got.headers, SIGNATURE_HEADER);
            *signature = signature[2..].to_owned();
        }),
        ("scheme_unknown", "two schemes are known", |got| {
            got.headers.retain(|(name, _)| name != "x-aml-answer-crypto");
            got.headers.push(("x-aml-answer-crypto".to_owned(), "ecdsa".to_owned()));
        }),
    ]
}

/// Changes of what the second form says beside.
fn second_changes() -> Vec<(&'static str, &'static str, Change)> {
    vec![
        ("other_task", "the signature covers the task", |got| got.subject.task = Digest::of(b"other")),
        ("other_commitment", "and the commitment", |got| got.subject.commitment = Digest::of(b"other")),
        ("other_decoded", "and the request as it is read", |got| got.subject.decoded = Digest::of(b"other")),
        ("other_plain", "and the plain answer", |got| {
            *value(&mut got.headers, "x-aml-answer-plain") = Digest::of(b"other").to_string();
        }),
        ("no_plain", "which is to be named", |got| without(&mut got.headers, "x-aml-answer-plain")),
        ("plain_no_digest", "by its digest", |got| "[]".clone_into(value(&mut got.headers, "x-aml-answer-plain"))),
        ("version_3", "another version", |got| "3".clone_into(value(&mut got.headers, "x-aml-answer-version"))),
        ("version_twice", "no header stands there twice", |got| again(&mut got.headers, "x-aml-answer-version")),
        ("encoding_unknown", "two encodings are known", |got| {
            "gzip".clone_into(value(&mut got.headers, "x-aml-answer-encoding"));
        }),
        ("no_encoding", "which is to be named", |got| without(&mut got.headers, "x-aml-answer-encoding")),
        ("version_left_out", "then it is read as one of the first form, which it is not", |got| {
            without(&mut got.headers, "x-aml-answer-version");
        }),
    ]
}

fn sealed_changes() -> Vec<(&'static str, &'static str, Change)> {
    vec![
        ("other_beacon_round", "the signature covers when it opens", |got| {
            "quicknet:29000001".clone_into(value(&mut got.headers, "x-aml-answer-beacon"));
        }),
        ("other_beacon", "and by which beacon", |got| {
            "development:29000000".clone_into(value(&mut got.headers, "x-aml-answer-beacon"));
        }),
        ("beacon_unreadable", "BEACON:ROUND", |got| {
            "quicknet".clone_into(value(&mut got.headers, "x-aml-answer-beacon"));
        }),
        ("beacon_round_with_zeros", "written in one way", |got| {
            "quicknet:029000000".clone_into(value(&mut got.headers, "x-aml-answer-beacon"));
        }),
        ("no_beacon", "sealed to nothing", |got| without(&mut got.headers, "x-aml-answer-beacon")),
        ("said_to_be_open", "identity and a round do not go together", |got| {
            "identity".clone_into(value(&mut got.headers, "x-aml-answer-encoding"));
        }),
    ]
}

fn signs(key: &Key, stated: Option<&Stated>) -> Value {
    let (name, text, got) = match stated {
        None => {
            let answered = Answered { status: StatusCode::OK, body: Digest::of(PLAIN.as_bytes()) };
            let text = answer::payload(key.scheme, &key.hotkey(), answered, &asked());
            ("first".to_owned(), text, first(key, StatusCode::OK))
        }
        Some(stated) => {
            let text = second_answer::payload(key.scheme, &key.hotkey(), stated, &asked(), &subject());
            (format!("second_{}", if stated.beacon.is_some() { "sealed" } else { "open" }), text, second(key, stated))
        }
    };
    let mut case = got.case(&format!("{name}_{}_signs", key.scheme.name()), "what is signed, and how it is written");
    case["do"] = "sign".into();
    case["key"] = key.name.into();
    case["expected"] = json!({ "payload": String::from_utf8(text).expect("text"), "headers": got.headers });
    if let Some(stated) = stated {
        case["plain"] = PLAIN.into();
        case["beacon"] = stated.beacon.map(|round| round.to_string()).into();
    }
    case
}

fn cases() -> Vec<Value> {
    let mut cases = Vec::new();
    for key in [BOB, EDDIE] {
        cases.push(signs(&key, None));
        cases.extend([open(), sealed()].iter().map(|stated| signs(&key, Some(stated))));
        let scheme = key.scheme.name();
        cases.push(first(&key, StatusCode::OK).case(&format!("first_{scheme}"), "an answer of the first form"));
        cases.push(second(&key, &open()).case(&format!("open_{scheme}"), "of the second form, open"));
        cases.push(second(&key, &sealed()).case(&format!("sealed_{scheme}"), "of the second form, sealed"));
    }
    let refused = Stated { status: StatusCode::UNPROCESSABLE_ENTITY, ..open() };
    cases.push(first(&EDDIE, StatusCode::UNPROCESSABLE_ENTITY).case("first_refusal", "refusals of the API are signed"));
    cases.push(second(&EDDIE, &refused).case("open_refusal", "in the second form too"));
    let mut add = |form: &str, good: &Got, changes: Vec<(&str, &str, Change)>| {
        for (name, why, change) in changes {
            let mut got = good.clone();
            change(&mut got);
            cases.push(got.case(&format!("{form}_{name}"), why));
        }
    };
    add("first", &first(&EDDIE, StatusCode::OK), changes());
    add("open", &second(&EDDIE, &open()), [changes(), second_changes()].concat());
    add("sealed", &second(&EDDIE, &sealed()), [changes(), second_changes(), sealed_changes()].concat());
    cases.push(
        second(&EDDIE, &Stated { beacon: None, ..sealed() })
            .case("signed_without_a_round", "well signed, and no answer"),
    );
    let contradictory = Stated { sent: Digest::of(SENT.as_bytes()), ..open() };
    let mut got = second(&EDDIE, &contradictory);
    got.body = SENT;
    cases.push(got.case("signed_open_with_two_digests", "identity says that what was sent is the plain answer"));
    cases
}

#[test]
fn signed_answers_are_those_of_the_package() {
    let cases = cases();
    let accepted = cases.iter().filter(|case| case["expected"]["form"].is_u64()).count();
    assert!(accepted >= 8 && cases.len() > 60, "{accepted} of {} are accepted", cases.len());
    let pages = &["docs/running_a_miner.md", "docs/sealing.md"];
    Vectors { name: "answers.json", pages, shared: vec![("keys", keys())], cases }.must_be_stored();
}
