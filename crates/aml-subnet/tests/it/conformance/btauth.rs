//! Signed requests, both ways: what a sender writes, and what a receiver makes of what it got.

use std::time::Duration;

use aml_miner::digest::Digest;
use aml_subnet::protocol::replay::MemoryNonces;
use aml_subnet::protocol::signed_request::{self, Claim, Envelope, SIGNATURE_HEADER, Target, payload};
use aml_subnet::protocol::{Nonce, Refusal, Window};
use aml_subnet::wallet::{Hotkey, Scheme};
use serde_json::{Value, json};

use super::{
    ALICE, BOB, EDDIE, Headers, Key, NOW, SECOND, again, flip, headers_of, judged, keys, listed, value, without,
};
use crate::vectors_kit::Vectors;

const PATH: &str = "/7/score/alerts?explain=top";
const BODY: &str = r#"{"alerts":[{"alert_id":"alert_1"}]}"#;
/// Alice's key as another network writes it.
const ALICE_ELSEWHERE: &str = "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5";

/// What a receiver got, and what it knows.
#[derive(Clone)]
struct Received {
    method: String,
    path: String,
    body: String,
    headers: Headers,
    /// How the receiver knows that this sender signs.
    scheme: Scheme,
    now: u64,
    started: u64,
    used: Vec<(Hotkey, u64)>,
}

fn signed(key: &Key, method: &str, receiver: Option<Hotkey>, nonce: u64) -> Received {
    let target = Target { method, path_and_query: PATH, body: Digest::of(BODY.as_bytes()) };
    let nonce = Nonce::new(nonce);
    let envelope = Envelope { scheme: key.scheme, nonce, sender: key.hotkey(), receiver };
    let headers = signed_request::sign(&key.signer(), &target, receiver, nonce);
    Received {
        method: method.to_owned(),
        path: PATH.to_owned(),
        body: BODY.to_owned(),
        headers: listed(&headers, (SIGNATURE_HEADER, key.sign(&payload(&envelope, &target)))),
        scheme: key.scheme,
        now: NOW,
        started: 0,
        used: Vec::new(),
    }
}

fn good() -> Received {
    signed(&ALICE, "POST", Some(BOB.hotkey()), NOW)
}

impl Received {
    fn verdict(&self) -> Result<Hotkey, Refusal> {
        self.judged_by(BOB.hotkey(), self.body.as_bytes())
    }

    /// What a receiver of this key makes of it with this body.
    fn judged_by(&self, us: Hotkey, body: &[u8]) -> Result<Hotkey, Refusal> {
        let now = Duration::from_nanos(self.now);
        let claim = Claim::parse(&headers_of(&self.headers))?;
        claim.expect(self.scheme, &us, Window::default(), now)?;
        let body = Digest::of(body);
        claim.verify(&Target { method: &self.method, path_and_query: &self.path, body })?;
        let store = MemoryNonces::new(Duration::from_nanos(self.started));
        for (sender, nonce) in &self.used {
            store.record(*sender, Nonce::new(*nonce), now)?;
        }
        store.record(claim.envelope().sender, claim.envelope().nonce, now)?;
        Ok(claim.envelope().sender)
    }

    fn case(&self, name: &str, why: &str) -> Value {
        let used: Vec<Value> = self.used.iter().map(|(sender, nonce)| json!([sender.to_string(), nonce])).collect();
        json!({
            "name": name, "why": why, "do": "verify",
            "received": { "method": self.method, "target": self.path, "headers": self.headers, "body": self.body },
            "server": { "hotkey": BOB.hotkey().to_string(), "scheme": self.scheme.name(), "now_ns": self.now,
                "back_ns": 10 * SECOND, "ahead_ns": 2 * SECOND, "started_ns": self.started, "used": used },
            "expected": judged(self.verdict(), |sender| json!({ "sender": sender.to_string() })),
        })
    }
}

fn header(name: &'static str, to: &'static str) -> impl Fn(&mut Received) {
    move |received| *value(&mut received.headers, name) = to.to_owned()
}

type Change = Box<dyn Fn(&mut Received)>;

/// Changes of a good request by Alice that a receiver must look at.
#[expect(clippy::too_many_lines, reason = "a list of cases, and nothing else")]
fn changes() -> Vec<(&'static str, &'static str, Change)> {
    let boxed = |change: fn(&mut Received)| Box::new(change) as Change;
    vec![
        ("other_body", "the signature covers the body", boxed(|it| it.body.push(' '))),
        ("other_path", "and the path", boxed(|it| it.path = "/8/score/alerts?explain=top".to_owned())),
        ("other_query", "and the query", boxed(|it| it.path = "/7/score/alerts?explain=all".to_owned())),
        ("no_query", "which may not be left out", boxed(|it| it.path = "/7/score/alerts".to_owned())),
        ("other_method", "and the method", boxed(|it| it.method = "PUT".to_owned())),
        ("method_lower_case", "methods are signed in upper case", boxed(|it| it.method = "post".to_owned())),
        (
            "other_nonce",
            "and the nonce",
            boxed(|it| *value(&mut it.headers, "x-bittensor-nonce") = (NOW + 1).to_string()),
        ),
        (
            "other_sender",
            "and the sender",
            boxed(|it| *value(&mut it.headers, "x-bittensor-hotkey") = EDDIE.hotkey().to_string()),
        ),
        (
            "other_receiver",
            "signed for somebody else",
            boxed(|it| *value(&mut it.headers, "x-bittensor-receiver") = ALICE.hotkey().to_string()),
        ),
        ("no_receiver", "signed for nobody", boxed(|it| without(&mut it.headers, "x-bittensor-receiver"))),
        ("unreadable_receiver", "surely not us", Box::new(header("x-bittensor-receiver", "nobody"))),
        ("no_version", "the version is demanded", boxed(|it| without(&mut it.headers, "x-bittensor-version"))),
        ("version_2", "another version", Box::new(header("x-bittensor-version", "2"))),
        ("version_with_zeros", "1 and nothing else", Box::new(header("x-bittensor-version", "01"))),
        ("version_twice", "no header stands there twice", boxed(|it| again(&mut it.headers, "x-bittensor-version"))),
        ("no_hotkey", "who sends?", boxed(|it| without(&mut it.headers, "x-bittensor-hotkey"))),
        ("empty_hotkey", "an empty value is none", Box::new(header("x-bittensor-hotkey", ""))),
        (
            "hotkey_of_another_network",
            "addresses of this network alone",
            Box::new(header("x-bittensor-hotkey", ALICE_ELSEWHERE)),
        ),
        (
            "hotkey_with_a_wrong_checksum",
            "addresses have a checksum",
            Box::new(header("x-bittensor-hotkey", "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQZ")),
        ),
        (
            "hotkey_in_hex",
            "an address, not the key",
            Box::new(header(
                "x-bittensor-hotkey",
                "0xd43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d",
            )),
        ),
        ("hotkey_twice", "no header stands there twice", boxed(|it| again(&mut it.headers, "x-bittensor-hotkey"))),
        ("no_nonce", "when was it signed?", boxed(|it| without(&mut it.headers, "x-bittensor-nonce"))),
        ("nonce_in_words", "decimal digits alone", Box::new(header("x-bittensor-nonce", "now"))),
        ("nonce_with_a_sign", "decimal digits alone", Box::new(header("x-bittensor-nonce", "+1795000000000000000"))),
        ("nonce_negative", "decimal digits alone", Box::new(header("x-bittensor-nonce", "-1"))),
        (
            "nonce_with_a_fraction",
            "decimal digits alone",
            Box::new(header("x-bittensor-nonce", "1795000000000000000.0")),
        ),
        (
            "nonce_with_underscores",
            "decimal digits, not a literal of Python's",
            Box::new(header("x-bittensor-nonce", "1_795_000_000_000_000_000")),
        ),
        ("nonce_beyond_64_bits", "a nonce has 64 bits", Box::new(header("x-bittensor-nonce", "18446744073709551616"))),
        ("nonce_of_21_digits", "at most twenty digits", Box::new(header("x-bittensor-nonce", "001795000000000000000"))),
        ("nonce_twice", "no header stands there twice", boxed(|it| again(&mut it.headers, "x-bittensor-nonce"))),
        (
            "scheme_upper_case",
            "names of schemes are lower-case",
            boxed(|it| it.headers.push(("x-bittensor-crypto".to_owned(), "SR25519".to_owned()))),
        ),
        (
            "scheme_by_number",
            "a scheme has a name",
            boxed(|it| it.headers.push(("x-bittensor-crypto".to_owned(), "1".to_owned()))),
        ),
        (
            "scheme_named_though_usual",
            "sr25519 may be named",
            boxed(|it| it.headers.push(("x-bittensor-crypto".to_owned(), "sr25519".to_owned()))),
        ),
        (
            "scheme_not_the_senders",
            "a sender may not change its scheme",
            boxed(|it| it.headers.push(("x-bittensor-crypto".to_owned(), "ed25519".to_owned()))),
        ),
        ("no_signature", "nothing is proven", boxed(|it| without(&mut it.headers, "x-bittensor-signature"))),
        ("signature_flipped", "one bit", boxed(|it| flip(value(&mut it.headers, "x-bittensor-signature")))),
        (
            "signature_of_zeros",
            "64 bytes that sign nothing",
            boxed(|it| *value(&mut it.headers, "x-bittensor-signature") = format!("0x{}", "0".repeat(128))),
        ),
        ("signature_short", "64 bytes", boxed(|it| value(&mut it.headers, "x-bittensor-signature").truncate(128))),
        ("signature_long", "64 bytes", boxed(|it| value(&mut it.headers, "x-bittensor-signature").push_str("00"))),
        (
            "signature_no_hex",
            "hex digits",
            boxed(|it| *value(&mut it.headers, "x-bittensor-signature") = format!("0x{}", "g".repeat(128))),
        ),
        (
            "signature_without_0x",
            "the prefix may be left out",
            boxed(|it| {
                *value(&mut it.headers, "x-bittensor-signature") =
                    value(&mut it.headers, "x-bittensor-signature")[2..].to_owned()
            }),
        ),
        (
            "signature_with_0X",
            "but is written in one way",
            boxed(|it| {
                *value(&mut it.headers, "x-bittensor-signature") =
                    value(&mut it.headers, "x-bittensor-signature").replacen("0x", "0X", 1)
            }),
        ),
        (
            "signature_upper_case",
            "hex digits of either case",
            boxed(|it| {
                *value(&mut it.headers, "x-bittensor-signature") =
                    format!("0x{}", value(&mut it.headers, "x-bittensor-signature")[2..].to_uppercase())
            }),
        ),
        (
            "signature_twice",
            "no header stands there twice",
            boxed(|it| again(&mut it.headers, "x-bittensor-signature")),
        ),
        (
            "value_of_257_characters",
            "values have at most 256",
            boxed(|it| *value(&mut it.headers, "x-bittensor-nonce") = "1".repeat(257)),
        ),
        ("ten_seconds_old", "the window's end belongs to it", boxed(|it| it.now += 10 * SECOND)),
        ("a_nanosecond_too_old", "behind the window", boxed(|it| it.now += 10 * SECOND + 1)),
        ("two_seconds_ahead", "clocks differ", boxed(|it| it.now -= 2 * SECOND)),
        ("a_nanosecond_too_far_ahead", "before the window", boxed(|it| it.now -= 2 * SECOND + 1)),
        ("used_before", "no nonce counts twice", boxed(|it| it.used.push((ALICE.hotkey(), NOW)))),
        ("used_by_another_sender", "nonces are each sender's own", boxed(|it| it.used.push((EDDIE.hotkey(), NOW)))),
        (
            "signed_before_the_start",
            "what came before the server did may have been used",
            boxed(|it| it.started = NOW + 1),
        ),
    ]
}

/// What a sender writes of a request.
fn sent(key: &Key) -> Value {
    let receiver = BOB.hotkey();
    let target = Target { method: "POST", path_and_query: PATH, body: Digest::of(BODY.as_bytes()) };
    let envelope =
        Envelope { scheme: key.scheme, nonce: Nonce::new(NOW), sender: key.hotkey(), receiver: Some(receiver) };
    let text = String::from_utf8(payload(&envelope, &target)).expect("text");
    json!({
        "name": format!("{}_signs", key.scheme.name()), "do": "sign",
        "why": "a signature of ed25519 is the same each time; one of sr25519 is verified, not compared",
        "key": key.name, "receiver": receiver.to_string(), "nonce": NOW,
        "method": "POST", "target": PATH, "body": BODY,
        "expected": { "payload": text, "headers": signed(key, "POST", Some(receiver), NOW).headers },
    })
}

fn cases() -> Vec<Value> {
    let mut cases = vec![sent(&ALICE), sent(&EDDIE)];
    cases.push(good().case("good", "a request by an sr25519 key"));
    cases.push(signed(&EDDIE, "POST", Some(BOB.hotkey()), NOW).case("good_ed25519", "a request by an ed25519 key"));
    cases.push(signed(&ALICE, "POST", None, NOW).case("unbound", "well signed, for nobody"));
    for (name, why, change) in changes() {
        let mut received = good();
        change(&mut received);
        cases.push(received.case(name, why));
    }
    let mut wrapped = good();
    let target = Target { method: "POST", path_and_query: PATH, body: Digest::of(BODY.as_bytes()) };
    let receiver = Some(BOB.hotkey());
    let envelope = Envelope { scheme: ALICE.scheme, nonce: Nonce::new(NOW), sender: ALICE.hotkey(), receiver };
    let text = [b"<Bytes>".as_slice(), &payload(&envelope, &target), b"</Bytes>"].concat();
    *value(&mut wrapped.headers, SIGNATURE_HEADER) = format!("0x{}", hex::encode(ALICE.sign(&text)));
    cases.push(wrapped.case("wrapped_in_bytes", "the payload is signed as it is, not as wallets wrap texts"));
    cases
}

#[test]
fn signed_requests_are_those_of_the_package() {
    let cases = cases();
    let accepted = cases.iter().filter(|case| case["expected"]["sender"].is_string()).count();
    assert!(accepted >= 8 && cases.len() > 50, "{accepted} of {} are accepted", cases.len());
    let pages = &["docs/running_a_miner.md"];
    Vectors { name: "btauth.json", pages, shared: vec![("keys", keys())], cases }.must_be_stored();
}

/// A number of a captured case, and a text.
fn told<'a>(case: &'a Value, part: &str, name: &str) -> &'a Value {
    case.get(part).and_then(|part| part.get(name)).unwrap_or_else(|| panic!("no {part}.{name} in {case}"))
}

#[test]
fn requests_that_the_public_sdk_signed_are_judged_as_it_judges_them_itself() {
    let file = crate::common::must_read_json(&crate::vectors_kit::folder().join("btauth_sdk11.json"));
    let cases = file["cases"].as_array().expect("cases");
    let text = |case: &Value, part: &str, name: &str| told(case, part, name).as_str().expect("a text").to_owned();
    let mut accepted = 0;
    for case in cases {
        let number = |name: &str| told(case, "server", name).as_u64().expect("a number");
        let pairs: Vec<(String, u64)> = serde_json::from_value(told(case, "server", "used").clone()).expect("pairs");
        let received = Received {
            method: text(case, "received", "method"),
            path: text(case, "received", "target"),
            body: String::new(),
            headers: serde_json::from_value(told(case, "received", "headers").clone()).expect("headers"),
            scheme: if text(case, "server", "scheme") == "ed25519" { Scheme::Ed25519 } else { Scheme::Sr25519 },
            now: number("now_ns"),
            started: number("started_ns"),
            used: pairs.into_iter().map(|(sender, nonce)| (sender.parse().expect("an address"), nonce)).collect(),
        };
        let body = hex::decode(text(case, "received", "body_hex")).expect("hex");
        let us: Hotkey = text(case, "server", "hotkey").parse().expect("an address");
        let name = &case["name"];
        match received.judged_by(us, &body) {
            Ok(sender) => {
                assert_eq!(case["expected"]["sender"].as_str(), Some(sender.to_string().as_str()), "{name}");
                accepted += 1;
            }
            Err(refusal) => assert_eq!(case["expected"]["refused"].as_str(), Some(refusal.code()), "{name}"),
        }
    }
    assert_eq!((accepted, cases.len()), (10, 34), "the captured file has what it is there for");
}
