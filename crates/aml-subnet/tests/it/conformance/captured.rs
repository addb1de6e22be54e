//! Signed requests that the public SDK 11 made or was given, with what it made of them, and what is made of them here.
//!
//! The requests are kept as they were captured; files are written from the shared test data where that is at hand.

use std::time::Duration;

use aml_miner::digest::Digest;
use aml_subnet::protocol::replay::MemoryNonces;
use aml_subnet::protocol::signed_request::{Claim, Target};
use aml_subnet::protocol::{Nonce, Refusal, Window};
use aml_subnet::wallet::Hotkey;
use serde_json::{Value, json};

use super::{Headers, SECOND, headers_of, judged};
use crate::common::{must_read_json, must_text, shared};
use crate::vectors_kit::{Vectors, folder, is_writing};

const NAME: &str = "btauth_sdk.json";

/// A case of the shared data in the package's form. Those that follow each other share their nonces.
fn taken(case: &Value, used: &mut Vec<Value>) -> Value {
    let (received, server, name) = (&case["received"], &case["server"], must_text(case, "name"));
    let headers: Headers = (received["headers"].as_object().expect("an object").iter())
        .map(|(name, value)| (name.clone(), value.as_str().expect("a text").to_owned()))
        .collect();
    let age = ["max_age", "max_age_s"].iter().find_map(|key| server[*key].as_f64()).unwrap_or(10.0);
    let back = u64::try_from(Duration::from_secs_f64(age).as_nanos()).expect("fits");
    let before = if name.starts_with("seq_") { used.clone() } else { Vec::new() };
    let mut made = json!({
        "name": name, "why": case["description"], "do": "verify",
        "received": { "method": received["method"], "target": received["path"], "headers": headers,
            "body_hex": received["body_hex"] },
        "server": { "hotkey": server["self_hotkey"], "scheme": null, "now_ns": server["now_ns"], "back_ns": back,
            "ahead_ns": 2 * SECOND, "started_ns": 0, "used": before },
        "sdk_accepts": case["result"]["ok"],
    });
    made["expected"] = expected(&made);
    if let Some(sender) = made["expected"]["sender"].as_str() {
        let nonce = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("x-bittensor-nonce")).expect("accepted");
        used.push(json!([sender, nonce.1.parse::<u64>().expect("accepted")]));
    }
    made
}

fn expected(case: &Value) -> Value {
    judged(verdict(case), |sender| json!({ "sender": sender.to_string() }))
}

fn verdict(case: &Value) -> Result<Hotkey, Refusal> {
    let (received, server) = (&case["received"], &case["server"]);
    let headers: Headers = serde_json::from_value(received["headers"].clone()).expect("names and values");
    let (us, now) = (must_text(server, "hotkey").parse().expect("an address"), server["now_ns"].as_u64());
    let now = Duration::from_nanos(now.expect("a time"));
    let window =
        Window { back: Duration::from_nanos(server["back_ns"].as_u64().expect("a time")), ..Window::default() };
    let claim = Claim::parse(&headers_of(&headers))?;
    // The server knows its callers; here whatever they declare is what it expects.
    claim.expect(claim.envelope().scheme, &us, window, now)?;
    let body = Digest::of(&hex::decode(must_text(received, "body_hex")).expect("hex"));
    claim.verify(&Target {
        method: must_text(received, "method"),
        path_and_query: must_text(received, "target"),
        body,
    })?;
    let store = MemoryNonces::new(Duration::ZERO);
    for one in server["used"].as_array().expect("a list") {
        let sender = one[0].as_str().expect("text").parse().expect("an address");
        store.record(sender, Nonce::new(one[1].as_u64().expect("a number")), now)?;
    }
    store.record(claim.envelope().sender, claim.envelope().nonce, now)?;
    Ok(claim.envelope().sender)
}

/// The stored cases, or those of the shared data where files are written.
fn cases() -> Vec<Value> {
    if let Some(path) = shared("fixtures/bittensor/btauth/cases.json").filter(|_| is_writing()) {
        let (cases, mut used) = (must_read_json(&path), Vec::new());
        return cases["cases"].as_array().expect("a list").iter().map(|case| taken(case, &mut used)).collect();
    }
    let mut stored = must_read_json(&folder().join(NAME))["cases"].as_array().expect("a list").clone();
    stored.iter_mut().for_each(|case| case["expected"] = expected(case));
    stored
}

#[test]
fn requests_of_the_public_sdk_are_judged_as_the_package_says() {
    let cases = cases();
    assert!(cases.len() >= 50, "{} cases", cases.len());
    for case in &cases {
        let accepted = case["expected"]["sender"].is_string();
        assert!(!accepted || case["sdk_accepts"] == true, "{}: the SDK refuses it", case["name"]);
    }
    Vectors { name: NAME, pages: &["docs/running_a_miner.md"], shared: Vec::new(), cases }.must_be_stored();
}
