//! The form of SDK 10: requests to a miner and replies of one, as they are taken here, which is stricter than the old axon.

use std::time::Duration;

use aml_subnet::entropy::{Entropy, NoEntropy};
use aml_subnet::protocol::synapse::dendrite::{self, Receiver, Unique, Uuid};
use aml_subnet::protocol::synapse::reply::{self, ReplyError};
use aml_subnet::protocol::synapse::{Claim, EMPTY_BODY_HASH, body, message};
use aml_subnet::protocol::{Nonce, Window};
use aml_subnet::wallet::{Hotkey, Scheme};
use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};

use super::{ALICE, BOB, EDDIE, Headers, NOW, SECOND, again, flip, headers_of, keys, listed, value, without};
use crate::vectors_kit::Vectors;

const TASK: &str = r#"{"alerts":[{"alert_id":"alert_1"}],"clusters":[]}"#;
const SIGNATURE: &str = "bt_header_dendrite_signature";

/// The same bytes each time.
struct Sevens;

impl Entropy for Sevens {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        bytes.fill(7);
        Ok(())
    }
}

#[derive(Clone)]
struct Received {
    headers: Headers,
    body: String,
    now: u64,
}

/// A request by Alice to Bob, and the text that is signed.
fn request() -> (Received, String) {
    let uuid = Uuid::random(&Sevens).expect("sevens");
    let receiver = Receiver { hotkey: BOB.hotkey(), address: "198.51.100.7:8091".parse().expect("an address") };
    let unique = Unique { nonce: Nonce::new(NOW), uuid };
    let made = dendrite::request(&ALICE.signer(), &receiver, unique, Duration::from_secs(12), TASK.as_bytes());
    let made = made.expect("a batch");
    let sender = ALICE.hotkey().to_string();
    let text = message(Nonce::new(NOW), &sender, &BOB.hotkey(), &uuid.to_string(), EMPTY_BODY_HASH);
    let signature = ALICE.sign(text.as_bytes());
    let random = made.headers[SIGNATURE].to_str().expect("ASCII").to_owned();
    let body = String::from_utf8(made.body.to_vec()).expect("text");
    let body = body.replace(&random, &format!("0x{}", hex::encode(signature)));
    (Received { headers: listed(&made.headers, (SIGNATURE, signature)), body, now: NOW }, text)
}

impl Received {
    fn verdict(&self) -> Result<Hotkey, (&'static str, String)> {
        let (us, now) = (BOB.hotkey(), Duration::from_nanos(self.now));
        let refused = |refusal: aml_subnet::protocol::Refusal| (refusal.code(), refusal.to_string());
        let claim = Claim::parse(&headers_of(&self.headers), &us).map_err(refused)?;
        claim.expect(Scheme::Sr25519, Window::default(), now).map_err(refused)?;
        claim.verify(&us).map_err(refused)?;
        body::check(self.body.as_bytes(), &claim.sender).map_err(|error| match error {
            body::BodyError::Sender(refusal) => refused(refusal),
            error @ body::BodyError::Shape(_) => ("malformed_body", error.to_string()),
        })?;
        Ok(claim.sender)
    }

    fn case(&self, name: &str, why: &str) -> Value {
        let expected = match self.verdict() {
            Ok(sender) => json!({ "sender": sender.to_string() }),
            Err((code, says)) => json!({ "refused": code, "says": says }),
        };
        json!({ "name": name, "why": why, "do": "request", "headers": self.headers, "body": self.body,
            "server": { "hotkey": BOB.hotkey().to_string(), "now_ns": self.now, "back_ns": 10 * SECOND, "ahead_ns": 2 * SECOND },
            "expected": expected })
    }
}

type Change = fn(&mut Received);

fn set(received: &mut Received, name: &str, to: &str) {
    to.clone_into(value(&mut received.headers, name));
}

#[expect(clippy::too_many_lines, reason = "a list of cases, and nothing else")]
fn changes() -> Vec<(&'static str, &'static str, Change)> {
    vec![
        ("no_version", "whatever version the SDK says", |it| without(&mut it.headers, "bt_header_dendrite_version")),
        ("other_sender", "the signature covers the sender", |it| {
            set(it, "bt_header_dendrite_hotkey", &EDDIE.hotkey().to_string())
        }),
        ("sender_of_another_network", "the key counts, not its spelling; but what is signed is the spelling", |it| {
            set(it, "bt_header_dendrite_hotkey", "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5")
        }),
        ("other_receiver", "for somebody else", |it| set(it, "bt_header_axon_hotkey", &EDDIE.hotkey().to_string())),
        ("no_receiver", "for nobody", |it| without(&mut it.headers, "bt_header_axon_hotkey")),
        ("other_nonce", "the signature covers the nonce", |it| {
            set(it, "bt_header_dendrite_nonce", "1795000000000000001")
        }),
        ("nonce_in_words", "decimal digits alone", |it| set(it, "bt_header_dendrite_nonce", "now")),
        ("other_uuid", "the signature covers the UUID", |it| {
            set(it, "bt_header_dendrite_uuid", "00000000-0000-4000-8000-000000000000")
        }),
        ("no_uuid", "which is demanded", |it| without(&mut it.headers, "bt_header_dendrite_uuid")),
        ("uuid_of_other_letters", "hex digits and dashes", |it| set(it, "bt_header_dendrite_uuid", "none")),
        ("no_signature", "nothing is proven", |it| without(&mut it.headers, SIGNATURE)),
        ("signature_flipped", "one bit", |it| flip(value(&mut it.headers, SIGNATURE))),
        ("signature_without_0x", "the prefix is demanded", |it| {
            let signature = value(&mut it.headers, SIGNATURE);
            *signature = signature[2..].to_owned();
        }),
        ("signature_twice", "no header stands there twice", |it| again(&mut it.headers, SIGNATURE)),
        ("other_body_hash", "this synapse hashes no field", |it| set(it, "computed_body_hash", &"0".repeat(64))),
        ("no_input_object", "the old axon demands one for each input", |it| {
            without(&mut it.headers, "bt_header_input_obj_money_flows")
        }),
        ("timeout_nan", "a timeout is a positive number", |it| set(it, "timeout", "nan")),
        ("timeout_zero", "a timeout is a positive number", |it| set(it, "timeout", "0")),
        ("no_timeout", "twelve seconds are taken", |it| without(&mut it.headers, "timeout")),
        ("short_timeout_narrows", "five seconds and one after a second's timeout are too late", |it| {
            set(it, "timeout", "1");
            it.now += 5 * SECOND + 1;
        }),
        ("long_timeout_widens_nothing", "the window is the receiver's", |it| {
            set(it, "timeout", "60");
            it.now += 10 * SECOND + 1;
        }),
        ("too_far_ahead", "from the future", |it| it.now -= 2 * SECOND + 1),
        ("two_seconds_ahead", "clocks differ", |it| it.now -= 2 * SECOND),
        ("ten_seconds_old", "the window's end belongs to it", |it| it.now += 10 * SECOND),
        ("nonce_twice", "no header stands there twice", |it| again(&mut it.headers, "bt_header_dendrite_nonce")),
        ("nonce_beyond_64_bits", "a nonce has 64 bits", |it| {
            set(it, "bt_header_dendrite_nonce", "18446744073709551616")
        }),
        ("body_changed", "the signature does not cover the body: it is taken", |it| {
            it.body = it.body.replace("alert_1", "alert_2")
        }),
        ("body_no_json", "a body is JSON", |it| it.body = "{".to_owned()),
        ("body_nan", "NaN is not JSON", |it| it.body = it.body.replace("\"total_size\":0", "\"total_size\":NaN")),
        ("body_without_an_input", "all four inputs are there", |it| it.body = it.body.replace("\"features\":[],", "")),
        ("body_input_twice", "once", |it| {
            it.body = it.body.replace("\"features\":[]", "\"features\":[],\"features\":[]")
        }),
        ("body_input_no_list", "as lists", |it| it.body = it.body.replace("\"features\":[]", "\"features\":{}")),
        ("body_names_another_sender", "identity comes from the signed headers", |it| {
            it.body = it
                .body
                .replace(&format!("\"hotkey\":\"{}\"", ALICE.hotkey()), &format!("\"hotkey\":\"{}\"", EDDIE.hotkey()))
        }),
        ("body_names_no_sender", "nor does the body need to name it", |it| {
            it.body = it.body.replace("\"dendrite\":{", "\"other\":{")
        }),
    ]
}

/// A reply of a miner, and what a validator makes of it.
fn reply_case(name: &str, why: &str, (status, headers, body): (u16, &[(&str, &str)], &str)) -> Value {
    let headers: Headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let code = StatusCode::from_u16(status).expect("a status");
    let expected = match reply::read(code, &headers_of(&headers), &Bytes::from(body.to_owned())) {
        Ok(read) => json!({
            "scores": read.scores.map(|scores| String::from_utf8(scores.to_vec()).expect("text")),
            "miner_id": read.miner_id, "model_version": read.model_version,
        }),
        Err(error) => {
            let reason = match &error {
                ReplyError::Status { .. } => "status",
                ReplyError::NoStatus => "no_status",
                ReplyError::Unreadable(_) => "unreadable",
            };
            json!({ "refused": reason, "says": error.to_string() })
        }
    };
    json!({ "name": name, "why": why, "do": "reply", "status": status, "headers": headers, "body": body, "expected": expected })
}

fn replies() -> Vec<Value> {
    const JSON: (&str, &str) = ("content-type", "application/json");
    const OK: (&str, &str) = ("bt_header_axon_status_code", "200");
    let scores = r#"[{"alert_id":"alert_1","score":0.5}]"#;
    let inputs = r#""alerts":[],"features":[],"clusters":[],"money_flows":[]"#;
    let good = format!(r#"{{{inputs},"miner_id":"5F","model_version":"1.0.0","scores":{scores}}}"#);
    let refused = r#"{"message":"not welcome"}"#;
    let of_body = format!(r#"{{{inputs},"scores":{scores},"axon":{{"status_code":200}}}}"#);
    let null = format!(r#"{{{inputs},"scores":null}}"#);
    let (framed, end) = reply::frame(&BOB.hotkey(), Some("1.0.0"));
    vec![
        reply_case("reply", "a reply that counts", (200, &[JSON, OK], &good)),
        reply_case("reply_of_ours", "as our miner writes it", (200, &[JSON, OK], &format!("{framed}{scores}{end}"))),
        reply_case("reply_without_scores", "a miner may leave them null", (200, &[JSON, OK], &null)),
        reply_case("reply_status_in_the_body", "the status may stand in the body", (200, &[JSON], &of_body)),
        reply_case("reply_without_a_status", "but it must stand somewhere", (200, &[JSON], &good)),
        reply_case("reply_status_in_the_header", "the header counts before HTTP's", (500, &[JSON, OK], &good)),
        reply_case("reply_refused", "the axon says no", (403, &[JSON, ("bt_header_axon_status_code", "403")], refused)),
        reply_case(
            "reply_200_that_is_none",
            "HTTP says yes, the axon no",
            (200, &[JSON, ("bt_header_axon_status_code", "500")], &good),
        ),
        reply_case(
            "reply_status_in_words",
            "a status is a number",
            (200, &[JSON, ("bt_header_axon_status_code", "fine")], &good),
        ),
        reply_case("reply_as_text", "JSON says so of itself", (200, &[("content-type", "text/plain"), OK], &good)),
        reply_case("reply_compressed", "nobody asked for it", (200, &[JSON, OK, ("content-encoding", "gzip")], &good)),
        reply_case("reply_nan", "NaN is not JSON", (200, &[JSON, OK], &good.replace("0.5", "NaN"))),
        reply_case(
            "reply_without_an_input",
            "the old dendrite demands all four",
            (200, &[JSON, OK], &good.replace("\"features\":[],", "")),
        ),
        reply_case("reply_scores_no_list", "a list", (200, &[JSON, OK], &good.replace(scores, "{}"))),
        reply_case("reply_error_no_json", "an error is JSON too", (500, &[JSON], "oops")),
    ]
}

#[test]
fn synapses_are_those_of_the_package() {
    let (good, text) = request();
    let mut cases = vec![json!({
        "name": "signs", "do": "sign", "why": "neither method nor path nor body is signed", "key": ALICE.name,
        "receiver": BOB.hotkey().to_string(), "nonce": NOW, "uuid": *value(&mut good.headers.clone(), "bt_header_dendrite_uuid"),
        "expected": { "payload": text, "signature": *value(&mut good.headers.clone(), SIGNATURE) },
    })];
    cases.push(good.case("good", "a request of the old form"));
    for (name, why, change) in changes() {
        let mut received = good.clone();
        change(&mut received);
        assert!(received.headers != good.headers || received.body != good.body || received.now != good.now, "{name}");
        cases.push(received.case(name, why));
    }
    cases.extend(replies());
    let pages = &["docs/running_a_miner.md"];
    Vectors { name: "v10.json", pages, shared: vec![("keys", keys())], cases }.must_be_stored();
}
