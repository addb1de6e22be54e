//! btauth/1: what the current SDK accepts we accept in its canonical form, what it refuses we refuse, and what it accepts
//! beyond the rule we refuse as well.

use std::time::Duration;

use aml_miner::clock::FixedClock;
use aml_miner::digest::Digest;
use aml_subnet::protocol::answer::{self, Answered, Asked};
use aml_subnet::protocol::replay::MemoryNonces;
use aml_subnet::protocol::signed_request::{self, Claim, Envelope, Target, payload};
use aml_subnet::protocol::{Nonce, NonceSource, Refusal, Window};
use aml_subnet::wallet::{Hotkey, Scheme, Signer};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use proptest::prelude::*;
use serde_json::Value;

use crate::common::{dev_key, must_read_json, must_text, shared};

/// Cases that the SDK accepts and we do not, with the reason.
const STRICTER: [(&str, &str); 9] = [
    ("ok_crypto_header_upper_spaces", "the names of the schemes are lower-case"),
    ("ok_crypto_header_digit_1", "a scheme has a name, not a number"),
    ("ok_crypto_header_digit_0", "a scheme has a name, not a number"),
    ("ok_signature_spaces", "no spaces within hex"),
    ("ok_nonce_leading_zero_space", "decimal digits, not Python's int()"),
    ("ok_unbound_allowed", "we always demand a receiver"),
    ("edge_sender_ss58_prefix_0", "addresses of this network only"),
    ("edge_wrapped_bytes_sr25519", "the payload is signed as it is"),
    ("edge_wrapped_bytes_ed25519", "the payload is signed as it is"),
];

fn headers_of(received: &Value) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in received["headers"].as_object().expect("an object") {
        let value = HeaderValue::from_str(value.as_str().expect("a text")).expect("a header value");
        headers.append(HeaderName::from_bytes(name.as_bytes()).expect("a header name"), value);
    }
    headers
}

/// The whole verification of a server, as the miner does it.
fn verdict(case: &Value, store: &MemoryNonces) -> Result<(), Refusal> {
    let (received, server) = (&case["received"], &case["server"]);
    let us: Hotkey = must_text(server, "self_hotkey").parse().expect("an address");
    let now = Duration::from_nanos(server["now_ns"].as_u64().expect("a time"));
    let mut window = Window::default();
    for key in ["max_age", "max_age_s"] {
        if let Some(seconds) = server[key].as_f64() {
            window.back = Duration::from_secs_f64(seconds);
        }
    }
    let body = hex::decode(must_text(received, "body_hex")).expect("hex");
    let claim = Claim::parse(&headers_of(received))?;
    // The server knows its callers; here whatever they declare is what it expects.
    claim.expect(claim.envelope().scheme, &us, window, now)?;
    let target = Target {
        method: must_text(received, "method"),
        path_and_query: must_text(received, "path"),
        body: Digest::of(&body),
    };
    claim.verify(&target)?;
    store.record(claim.envelope().sender, claim.envelope().nonce, now)
}

#[test]
fn every_captured_case_is_judged_as_by_the_sdk_or_stricter() {
    let Some(path) = shared("fixtures/bittensor/btauth/cases.json") else { return };
    let cases = must_read_json(&path);
    let sequence = MemoryNonces::new(Duration::ZERO);
    let mut judged = 0;
    for case in cases["cases"].as_array().expect("a list") {
        let name = must_text(case, "name");
        let own = MemoryNonces::new(Duration::ZERO);
        let result = verdict(case, if name.starts_with("seq_") { &sequence } else { &own });
        let stricter = STRICTER.iter().find(|(stricter, _)| *stricter == name);
        let theirs = case["result"]["ok"] == true;
        match stricter {
            Some((_, reason)) => assert!(theirs && result.is_err(), "{name}: {reason}"),
            None => assert_eq!(result.is_ok(), theirs, "{name}: {result:?}, the SDK says {}", case["result"]),
        }
        judged += 1;
    }
    assert!(judged >= 50, "only {judged} cases found");
}

#[test]
fn the_payload_is_the_sdks_to_the_byte() {
    let Some(path) = shared("fixtures/bittensor/btauth/cases.json") else { return };
    for case in must_read_json(&path)["cases"].as_array().expect("a list") {
        let (name, received) = (must_text(case, "name"), &case["received"]);
        let Ok(claim) = Claim::parse(&headers_of(received)) else { continue };
        if case["result"]["ok"] != true || claim.envelope().receiver.is_none() {
            continue;
        }
        let body = Digest::of(&hex::decode(must_text(received, "body_hex")).expect("hex"));
        let method = must_text(received, "method");
        let target = Target { method, path_and_query: must_text(received, "path"), body };
        let text = String::from_utf8(payload(claim.envelope(), &target)).expect("UTF-8");
        assert_eq!(text, must_text(case, "payload_text"), "{name}");
    }
}

/// The public vector of the official guide.
#[test]
fn the_published_ed25519_vector_comes_out() {
    let alice = Signer::from_uri("//Alice", Scheme::Ed25519).expect("valid");
    let bob = dev_key("Bob").hotkey();
    let body = Digest::of(br#"{"prompt": "hello"}"#);
    assert_eq!(body.to_string(), "341c57448e531310fbbe83f44cea2a5e838bd9e8a6b82b269f01d0dbbc23c3cc");
    let target = Target { method: "POST", path_and_query: "/generate?stream=false", body };
    let headers = signed_request::sign(&alice, &target, Some(bob), Nonce::new(1_752_076_800_000_000_000));
    assert_eq!(headers["x-bittensor-hotkey"], "5FA9nQDVg267DEd8m1ZypXLBnvN7SFxYwV7ndqSYGiN9TTpu");
    assert_eq!(headers["x-bittensor-crypto"], "ed25519");
    assert_eq!(
        headers["x-bittensor-signature"],
        "0x1a6b631988bf1f7ea093ab9d5acf61f05c316d0b0e428b24b487b75a5f6ee0e1a56a26918fdf871b6cf09437e6588023a4ce423cf622621b2a7feee17612f704"
    );
}

const NOW: Duration = Duration::from_secs(1_795_000_000);

fn target(body: &[u8]) -> Target<'static> {
    Target { method: "POST", path_and_query: "/7/score/alerts", body: Digest::of(body) }
}

fn nonce_at(time: Duration) -> Nonce {
    Nonce::new(u64::try_from(time.as_nanos()).expect("fits"))
}

fn check(headers: &HeaderMap, scheme: Scheme, target: &Target<'_>) -> Result<(), Refusal> {
    let claim = Claim::parse(headers)?;
    claim.expect(scheme, &dev_key("Bob").hotkey(), Window::default(), NOW)?;
    claim.verify(target)
}

#[test]
fn a_sender_may_not_change_its_scheme() {
    let alice = Signer::from_uri("//Alice", Scheme::Ed25519).expect("valid");
    let headers = signed_request::sign(&alice, &target(b"{}"), Some(dev_key("Bob").hotkey()), nonce_at(NOW));
    assert_eq!(check(&headers, Scheme::Sr25519, &target(b"{}")), Err(Refusal::UnexpectedScheme(Scheme::Sr25519)));
    assert_eq!(check(&headers, Scheme::Ed25519, &target(b"{}")), Ok(()));
}

#[test]
fn a_repeated_or_overlong_header_is_refused() {
    let alice = dev_key("Alice");
    let signed = signed_request::sign(&alice, &target(b""), Some(dev_key("Bob").hotkey()), nonce_at(NOW));
    for name in ["x-bittensor-version", "x-bittensor-hotkey", "x-bittensor-nonce", "x-bittensor-signature"] {
        let mut twice = signed.clone();
        let value = twice[name].clone();
        twice.append(name, value);
        assert_eq!(check(&twice, Scheme::Sr25519, &target(b"")), Err(Refusal::Repeated(name)));
        let mut long = signed.clone();
        long.insert(name, HeaderValue::from_str(&"1".repeat(10_000)).expect("a value"));
        assert!(check(&long, Scheme::Sr25519, &target(b"")).is_err(), "{name}");
    }
}

#[test]
fn refusals_repeat_nothing_of_what_was_sent() {
    let mut headers = signed_request::sign(&dev_key("Alice"), &target(b""), None, nonce_at(NOW));
    headers.insert("x-bittensor-signature", HeaderValue::from_static("0xdeadbeef"));
    let text = Claim::parse(&headers).expect_err("malformed").to_string();
    assert!(!text.contains("deadbeef"), "{text}");
}

#[test]
fn a_nonce_source_never_repeats_even_when_the_clock_stands_still_or_steps_back() {
    let source = NonceSource::default();
    let first = source.next(&FixedClock(NOW));
    let second = source.next(&FixedClock(NOW));
    let third = source.next(&FixedClock(NOW - Duration::from_secs(5)));
    assert_eq!(first, nonce_at(NOW));
    assert!(first < second && second < third);
    let fresh: std::collections::BTreeSet<Nonce> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| (0..100).map(|_| source.next(&FixedClock(NOW))).collect::<Vec<_>>()))
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
    });
    assert_eq!(fresh.len(), 400);
}

#[test]
fn a_signed_answer_belongs_to_its_request_status_and_bytes() {
    for scheme in Scheme::ALL {
        let miner = Signer::from_uri("//Miner", scheme).expect("valid");
        let asked = Asked { nonce: Nonce::new(7), validator: dev_key("Alice").hotkey(), body: Digest::of(b"ask") };
        let answer = Answered { status: StatusCode::OK, body: Digest::of(b"[]") };
        let headers = answer::sign(&miner, answer, &asked);
        let verify = |answer, asked: &Asked, key: &Hotkey| answer::verify_answer(&headers, key, answer, asked);
        assert!(verify(answer, &asked, &miner.hotkey()).is_ok());
        assert!(verify(Answered { status: StatusCode::CREATED, ..answer }, &asked, &miner.hotkey()).is_err());
        assert!(verify(Answered { body: Digest::of(b"[1]"), ..answer }, &asked, &miner.hotkey()).is_err());
        assert!(verify(answer, &Asked { nonce: Nonce::new(8), ..asked }, &miner.hotkey()).is_err());
        assert!(verify(answer, &Asked { body: Digest::of(b"other"), ..asked }, &miner.hotkey()).is_err());
        assert!(verify(answer, &Asked { validator: miner.hotkey(), ..asked }, &miner.hotkey()).is_err());
        assert!(verify(answer, &asked, &dev_key("Bob").hotkey()).is_err());
    }
}

#[test]
fn the_signed_answer_has_a_fixed_layout() {
    let asked = Asked { nonce: Nonce::new(7), validator: dev_key("Alice").hotkey(), body: Digest::of(b"ask") };
    let answer = Answered { status: StatusCode::OK, body: Digest::of(b"[]") };
    let bytes = answer::payload(Scheme::Sr25519, &dev_key("Bob").hotkey(), answer, &asked);
    assert_eq!(
        String::from_utf8(bytes).expect("UTF-8"),
        "amlanswer/1\nsr25519\n200\n4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945\n7\n\
         5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty\n5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY\n\
         2f2fc7f2e9ce13b09b84f63d54d0b4a59f4dbd46aea41da67023817e2d0c5e59"
    );
}

#[test]
fn what_was_signed_before_a_restart_is_refused_after_it() {
    let store = MemoryNonces::new(NOW);
    let alice = dev_key("Alice").hotkey();
    let before = nonce_at(NOW - Duration::from_secs(1));
    assert_eq!(store.record(alice, before, NOW), Err(Refusal::BeforeStart));
    assert_eq!(store.record(alice, nonce_at(NOW), NOW), Ok(()));
}

#[test]
fn the_memory_of_nonces_is_bounded_and_refuses_rather_than_forgets() {
    let store = MemoryNonces::new(Duration::ZERO);
    let alice = dev_key("Alice").hotkey();
    let first = nonce_at(NOW).nanoseconds();
    let fill = (0..10_000).filter(|i| store.record(alice, Nonce::new(first + i), NOW).is_ok()).count();
    assert_eq!(fill, 4096);
    assert_eq!(store.record(alice, Nonce::new(first), NOW), Err(Refusal::Replayed));
    assert_eq!(store.record(alice, Nonce::new(first + 9999), NOW), Err(Refusal::TooMany));
    // Another sender is not affected, and time makes room again.
    assert_eq!(store.record(dev_key("Bob").hotkey(), Nonce::new(first), NOW), Ok(()));
    let later = NOW + Duration::from_secs(61);
    assert_eq!(store.record(alice, nonce_at(later), later), Ok(()));
    assert_eq!(store.len(), 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn a_signed_request_holds_for_exactly_what_was_signed(body: Vec<u8>, path in "/[a-z0-9/?=&%]{0,40}", age in 0_u64..10) {
        let alice = dev_key("Alice");
        let target = Target { method: "POST", path_and_query: &path, body: Digest::of(&body) };
        let nonce = nonce_at(NOW - Duration::from_secs(age));
        let headers = signed_request::sign(&alice, &target, Some(dev_key("Bob").hotkey()), nonce);
        prop_assert_eq!(check(&headers, Scheme::Sr25519, &target), Ok(()));
        let other = format!("{path}x");
        let other = Target { path_and_query: &other, ..target };
        prop_assert_eq!(check(&headers, Scheme::Sr25519, &other), Err(Refusal::BadSignature));
        let claim = Claim::parse(&headers).expect("well-formed");
        let envelope = Envelope { scheme: Scheme::Sr25519, nonce, sender: alice.hotkey(), receiver: Some(dev_key("Bob").hotkey()) };
        prop_assert_eq!(claim.envelope(), &envelope);
    }

    #[test]
    fn no_headers_make_the_parser_panic(values in proptest::collection::vec("[ -~]{0,300}", 6)) {
        let names = ["version", "hotkey", "receiver", "nonce", "crypto", "signature"];
        let mut headers = HeaderMap::new();
        for (name, value) in names.iter().zip(&values) {
            let name = HeaderName::from_bytes(format!("x-bittensor-{name}").as_bytes()).expect("a name");
            headers.insert(name, HeaderValue::from_str(value).expect("visible ASCII"));
        }
        headers.insert("x-bittensor-version", HeaderValue::from_static("1"));
        prop_assert!(Claim::parse(&headers).is_err());
    }
}
