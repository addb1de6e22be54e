//! The v10 axon form: captured traffic that is right is accepted, traffic that the old axon accepts wrongly is refused,
//! and a reply counts when the old dendrite would count it.

use std::path::Path;
use std::time::Duration;

use aml_subnet::entropy::MachineEntropy;
use aml_subnet::protocol::replay::MemoryNonces;
use aml_subnet::protocol::synapse::dendrite::{self, Receiver, Unique, Uuid};
use aml_subnet::protocol::synapse::reply::{self, ReplyError};
use aml_subnet::protocol::synapse::{Claim, body};
use aml_subnet::protocol::{Nonce, Window};
use aml_subnet::wallet::{Hotkey, Scheme, Signer};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::Value;

use crate::common::{dev_key, must_read_json, must_text, shared};

/// Cases that the old axon answers with 200 and we refuse, with the reason. Also used over a socket.
pub(crate) const STRICTER: [(&str, &str); 13] = [
    ("02_success_hashed", "another class, which we do not serve"),
    ("03_success_default_synapse_ping", "the built-in echo is not served"),
    ("24_axon_hotkey_header_ignored_200", "the headers name another receiver"),
    ("27_stale_nonce_widened_by_timeout_header_200", "the caller's own timeout does not widen our window"),
    ("28_future_nonce_200", "a nonce from the future"),
    ("30_old_version_any_first_nonce_200", "a first nonce must be fresh, whatever the version"),
    ("33_wrapped_bytes_signature_200", "the message is signed as it is"),
    ("40_uuid_none_signed_200", "a UUID is required"),
    ("54_hashed_compact_json_200", "another class, which we do not serve"),
    ("57_get_with_body_200", "scoring is a POST"),
    ("68_timeout_nan_200", "a timeout is a positive number"),
    ("72_body_python_nan_200", "NaN is not JSON"),
    ("77_body_names_other_sender_200", "identity comes from the signed headers"),
];

pub(crate) struct Raw {
    pub(crate) start: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Takes a captured message apart.
pub(crate) fn must_split(path: &Path) -> Raw {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("an end of headers");
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let start = lines.next().expect("a start line").to_owned();
    let mut headers = HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        let value = HeaderValue::from_str(value.trim()).expect("a value");
        headers.append(HeaderName::from_bytes(name.as_bytes()).expect("a name"), value);
    }
    Raw { start, headers, body: Bytes::copy_from_slice(&bytes[end + 4..]) }
}

fn unchunked(raw: &Raw) -> Vec<u8> {
    if raw.headers.get("transfer-encoding").is_none() {
        return raw.body.to_vec();
    }
    let (mut rest, mut whole) = (&raw.body[..], Vec::new());
    loop {
        let line = rest.windows(2).position(|two| two == b"\r\n").expect("a chunk size");
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..line]).expect("hex"), 16).expect("hex");
        if size == 0 {
            return whole;
        }
        whole.extend_from_slice(&rest[line + 2..line + 2 + size]);
        rest = &rest[line + 4 + size..];
    }
}

fn verdict(raw: &Raw, us: &Hotkey, now: Duration, store: &MemoryNonces) -> Result<(), String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    if !raw.start.starts_with("POST /AlertScoring ") {
        return Err("not our route".to_owned());
    }
    let claim = Claim::parse(&raw.headers, us).map_err(|error| text(&error))?;
    claim.expect(Scheme::Sr25519, Window::default(), now).map_err(|error| text(&error))?;
    claim.verify(us).map_err(|error| text(&error))?;
    store.record(claim.sender, claim.nonce, now).map_err(|error| text(&error))?;
    let json = raw.headers.get("content-type").is_some_and(|value| value.as_bytes().starts_with(b"application/"));
    if !json {
        return Err("not JSON".to_owned());
    }
    body::check(&unchunked(raw)[..], &claim.sender).map_err(|error| text(&error))
}

#[test]
fn every_captured_request_is_judged_as_it_should_be() {
    let Some(root) = shared("fixtures/bittensor/axon_http") else { return };
    let us: Hotkey = must_text(&must_read_json(&root.join("identities.json")), "miner_hotkey").parse().expect("a key");
    let store = MemoryNonces::new(Duration::ZERO);
    let mut judged = 0;
    for case in must_read_json(&root.join("index.json")).as_array().expect("a list") {
        let name = must_text(case, "case");
        let raw = must_split(&root.join(format!("{name}.request.http")));
        let now = Duration::from_nanos(case["sent_unix_ns"].as_u64().expect("a time"));
        let result = verdict(&raw, &us, now, &store);
        // Statuses that tell of the handler behind the captured axon, not of the request.
        let behind = ["04_", "05_", "06_"].iter().any(|prefix| name.starts_with(prefix));
        let theirs = behind || must_text(case, "status_line").contains(" 200 ");
        match STRICTER.iter().find(|(stricter, _)| *stricter == name) {
            Some((_, reason)) => assert!(theirs && result.is_err(), "{name}: {reason}"),
            None => assert_eq!(result.is_ok(), theirs, "{name}: {result:?}; {case}"),
        }
        judged += 1;
    }
    assert!(judged >= 50, "only {judged} cases found");
}

const NOW: Duration = Duration::from_secs(1_795_000_000);

fn once(nonce: u64) -> Unique {
    Unique { nonce: Nonce::new(nonce), uuid: Uuid::random(&MachineEntropy).expect("randomness") }
}

fn request(task: &[u8]) -> dendrite::Request {
    let receiver = Receiver { hotkey: dev_key("Bob").hotkey(), address: "127.0.0.1:8091".parse().expect("an address") };
    let once = once(u64::try_from(NOW.as_nanos()).expect("fits"));
    dendrite::request(&dev_key("Alice"), &receiver, once, Duration::from_secs(12), task).expect("a batch")
}

#[test]
fn our_own_request_passes_our_own_check() {
    let made = request(br#"{"alerts":[{"alert_id":"a"}],"clusters":[]}"#);
    let raw = Raw { start: "POST /AlertScoring HTTP/1.1".to_owned(), headers: made.headers, body: made.body };
    let store = MemoryNonces::new(Duration::ZERO);
    assert_eq!(verdict(&raw, &dev_key("Bob").hotkey(), NOW, &store), Ok(()));
    assert!(verdict(&raw, &dev_key("Bob").hotkey(), NOW, &store).is_err(), "a replay");
    let late = NOW + Duration::from_secs(11);
    assert!(verdict(&raw, &dev_key("Bob").hotkey(), late, &MemoryNonces::new(Duration::ZERO)).is_err());
    let parsed: Value = serde_json::from_slice(&raw.body).expect("JSON");
    assert_eq!(parsed["alerts"][0]["alert_id"], "a");
    assert_eq!(parsed["features"], Value::Array(Vec::new()));
}

#[test]
fn our_request_has_every_header_of_the_real_one() {
    let Some(root) = shared("fixtures/bittensor/axon_http") else { return };
    let real = must_split(&root.join("01_success.request.http"));
    let made = request(br#"{"alerts":[]}"#);
    // The transport adds what belongs to it; our own external address is nobody's business.
    let transport = ["host", "accept", "accept-encoding", "user-agent", "content-length", "bt_header_dendrite_ip"];
    for name in real.headers.keys().filter(|name| !transport.contains(&name.as_str())) {
        assert!(made.headers.contains_key(name), "{name}");
    }
}

#[test]
fn the_form_needs_an_sr25519_key_and_a_batch() {
    let receiver = Receiver { hotkey: dev_key("Bob").hotkey(), address: "127.0.0.1:1".parse().expect("an address") };
    let ed25519 = Signer::from_uri("//Alice", Scheme::Ed25519).expect("valid");
    assert!(dendrite::request(&ed25519, &receiver, once(1), NOW, br#"{"alerts":[]}"#).is_err());
    assert!(dendrite::request(&dev_key("Alice"), &receiver, once(1), NOW, b"[]").is_err());
}

#[test]
fn identity_is_the_key_not_its_spelling() {
    let Some(path) = shared("fixtures/bittensor/wallets/keys.json") else { return };
    for case in must_read_json(&path)["ss58"].as_array().expect("a list") {
        let key = Hotkey::from_any_network(must_text(case, "ss58")).expect("an address");
        assert_eq!(format!("0x{}", hex::encode(key.as_bytes())), must_text(case, "public"));
    }
}

#[test]
fn deep_or_broken_bodies_cost_no_stack() {
    let sender = dev_key("Alice").hotkey();
    let deep = format!(r#"{{"x":{}"#, "[".repeat(1_000_000));
    assert!(body::check(deep.as_bytes(), &sender).is_err());
    let twice = r#"{"alerts":[],"alerts":[],"features":[],"clusters":[],"money_flows":[]}"#;
    assert!(body::check(twice.as_bytes(), &sender).is_err());
    let good =
        r#"{"alerts":[{"a":[1,2.5,null,true,"x"]}],"features":[],"clusters":[],"money_flows":[],"dendrite":null}"#;
    assert!(body::check(good.as_bytes(), &sender).is_ok());
}

/// Replies where we differ from the old dendrite, with the reason.
const OTHERWISE: [(&str, bool, &str); 4] = [
    ("r18_full_echo", true, "the old dendrite crashes on a null; the scores are there"),
    ("r19_gzip", false, "we never ask for compression"),
    ("r20_nan_literal", false, "NaN is not JSON"),
    ("r22_upper_case_headers", true, "names of headers have no case"),
];

#[test]
fn every_captured_reply_counts_as_for_the_old_dendrite() {
    let Some(root) = shared("fixtures/bittensor/dendrite_replies") else { return };
    let mut judged = 0;
    for case in must_read_json(&root.join("index.json")).as_array().expect("a list") {
        let name = case.as_str().unwrap_or_else(|| must_text(case, "case"));
        let path = root.join(format!("{name}.reply.http"));
        let outcome = must_read_json(&root.join(format!("{name}.json")));
        // No bytes to read, none in time, or beyond what a transport reads at all.
        let transport = ["r23_", "r24_", "r26_", "r30_", "r31_"].iter().any(|prefix| name.starts_with(prefix));
        if transport || !path.exists() || std::fs::metadata(&path).expect("a file").len() == 0 {
            continue;
        }
        let raw = must_split(&path);
        let code = raw.start.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
        let status = StatusCode::from_u16(code).expect("a status");
        let result = reply::read(status, &raw.headers, &raw.body);
        let theirs = outcome["dendrite_result"]["is_success"] == true;
        let expected = OTHERWISE.iter().find(|(other, ..)| *other == name).map_or(theirs, |(_, ours, _)| *ours);
        assert_eq!(result.is_ok(), expected, "{name}: {result:?}; {}", outcome["description"]);
        // The old client follows redirects to wherever a miner sends it; the status is all we take of one.
        let followed = name.starts_with("r21_");
        if let (Err(ReplyError::Status { status, .. }), false) = (result, followed) {
            assert_eq!(outcome["dendrite_result"]["dendrite"]["status_code"], status, "{name}");
        }
        judged += 1;
    }
    assert!(judged >= 15, "only {judged} replies found");
}

#[test]
fn our_answer_is_one_that_counts() {
    let miner = dev_key("Bob").hotkey();
    let scores = r#"[{"alert_id":"a","score":0.5,"model_version":"1.0.0","explain_json":"{}"}]"#;
    let version = reply::first_model_version(scores.as_bytes());
    assert_eq!(version.as_deref(), Some("1.0.0"));
    let (prefix, suffix) = reply::frame(&miner, version.as_deref());
    let bytes = Bytes::from(format!("{prefix}{scores}{suffix}"));
    let read =
        reply::read(StatusCode::OK, &reply::headers(StatusCode::OK, "Success", 0.01), &bytes).expect("it counts");
    assert_eq!(read.scores.as_deref(), Some(scores.as_bytes()));
    assert_eq!(read.miner_id, Some(miner.to_string()));
    assert_eq!(read.model_version.as_deref(), Some("1.0.0"));
    for hostile in ["", "{", "[", "[1]", "[{}]", "null", "[{\"model_version\":7}]"] {
        assert_eq!(reply::first_model_version(hostile.as_bytes()), None, "{hostile}");
    }
}
