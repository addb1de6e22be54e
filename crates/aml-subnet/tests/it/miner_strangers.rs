//! Strangers cost a miner nothing: whatever they send in a validator's name, that validator is served.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aml_miner::digest::Digest;
use aml_subnet::config::Settings;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderValue};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use crate::common::dev_key;
use crate::miner::{SCORE, START, TestMiner, must_fail_with};

/// The digest of a body, as a validator announces it.
fn announced(body: &[u8]) -> HeaderValue {
    let digest = STANDARD.encode(Digest::of(body).as_bytes());
    format!("sha-256=:{digest}:").parse().expect("a header value")
}

/// The headers of a validator of ours.
fn headers(miner: &TestMiner, who: &str, body: &[u8]) -> HeaderMap {
    let mut headers = miner.signed(&dev_key(who), SCORE, body);
    headers.insert("content-digest", announced(body));
    headers
}

/// A connection from the `at`th address of this machine.
async fn from(at: u8, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, at)), 0)).expect("an address of this machine");
    socket.connect(to).await.expect("a connection")
}

/// A head of these headers, and more lines.
fn head(headers: &HeaderMap, more: &str) -> String {
    let mut head = format!("POST {SCORE} HTTP/1.1\r\nhost: x\r\n{more}");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {}\r\n", value.to_str().expect("text")));
    }
    head + "\r\n"
}

/// Headers that anybody can write who has read a validator's address on the chain.
fn forged(miner: &TestMiner) -> HeaderMap {
    let mut headers = miner.signed(&dev_key("Mallory"), SCORE, b"");
    headers.insert("x-bittensor-hotkey", dev_key("Alice").hotkey().to_string().parse().expect("a header value"));
    headers
}

/// What comes back first, as far as it fits; empty when the other side just closes.
async fn said(stream: &mut TcpStream) -> String {
    let mut answer = vec![0; 4096];
    let read = tokio::time::timeout(Duration::from_secs(60), stream.read(&mut answer)).await.expect("not for ever");
    String::from_utf8_lossy(&answer[..read.unwrap_or(0)]).into_owned()
}

/// Whether the other side closed, whatever it said before.
async fn must_close(stream: &mut TcpStream) {
    let mut rest = Vec::new();
    // A reset closes as well.
    let _ = tokio::time::timeout(Duration::from_secs(60), stream.read_to_end(&mut rest)).await.expect("it closes");
}

#[tokio::test]
async fn stalled_uploads_in_a_validators_name_take_nobodys_room() {
    let tune = |settings: &mut Settings| {
        settings.miner.max_body_bytes = 1 << 20;
        settings.miner.memory_body_bytes = 4096;
        settings.miner.max_spooled_bytes = 16 << 20;
    };
    let miner = TestMiner::spawn(tune).await;
    let (body, most) = (vec![b'x'; 1_000_000], (1 << 20) - 1);
    let mut stalled = Vec::new();
    for _ in 0..16 {
        let mut stream = from(2, miner.address).await;
        let head = head(&forged(&miner), &format!("content-length: {}\r\n", 1 << 20));
        stream.write_all(head.as_bytes()).await.expect("sent");
        // Whoever is refused before does not take all of it.
        let _ = stream.write_all(&vec![b'x'; most]).await;
        stalled.push(stream);
    }
    let response = miner.post(SCORE, headers(&miner, "Alice", &body), body.clone()).await;
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn a_thousand_heads_from_sixteen_addresses_keep_no_validator_out() {
    let miner = TestMiner::spawn(|_| {}).await;
    let mut begun = Vec::new();
    for at in 0..1024 {
        let address = 2 + u8::try_from(at % 16).expect("below 16");
        let mut stream = from(address, miner.address).await;
        let head = head(&forged(&miner), "content-length: 1000\r\n");
        let _ = stream.write_all(format!("{head}x").as_bytes()).await;
        begun.push(stream);
    }
    // It was never here before.
    assert_eq!(miner.post(SCORE, headers(&miner, "Alice", b"{}"), "{}").await.status(), 200);
}

#[tokio::test]
async fn slow_heads_from_sixteen_addresses_keep_no_validator_out() {
    let miner = TestMiner::spawn(|settings| settings.miner.header_timeout = Duration::from_secs(3600)).await;
    let mut begun = Vec::new();
    for at in 0..1024 {
        let address = 2 + u8::try_from(at % 16).expect("below 16");
        let mut stream = from(address, miner.address).await;
        let _ = stream.write_all(b"POST /7/score/alerts HTTP/1.1\r\nhost: x\r\n").await;
        begun.push(stream);
    }
    for _ in 0..3 {
        assert_eq!(miner.post(SCORE, headers(&miner, "Alice", b"{}"), "{}").await.status(), 200);
    }
}

#[tokio::test]
async fn the_body_is_asked_for_once_the_signature_holds() {
    let miner = TestMiner::spawn(|settings| settings.miner.failures_per_minute = 2).await;
    let body = b"{}";
    let more = "content-length: 2\r\nexpect: 100-continue\r\n";
    let mut stream = from(2, miner.address).await;
    stream.write_all(head(&headers(&miner, "Alice", body), more).as_bytes()).await.expect("sent");
    assert!(said(&mut stream).await.starts_with("HTTP/1.1 100 "));
    stream.write_all(body).await.expect("sent");
    assert!(said(&mut stream).await.starts_with("HTTP/1.1 200 "));
    // Signed by somebody else than it names: refused before the body, and counted against the address.
    for _ in 0..2 {
        let mut forged = forged(&miner);
        forged.insert("content-digest", announced(b""));
        let mut stream = from(3, miner.address).await;
        stream.write_all(head(&forged, more).as_bytes()).await.expect("sent");
        let answer = said(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 401 ") && answer.contains("bad_signature"), "{answer}");
    }
    let mut stream = from(3, miner.address).await;
    stream.write_all(head(&headers(&miner, "Alice", body), more).as_bytes()).await.expect("sent");
    assert!(said(&mut stream).await.starts_with("HTTP/1.1 429 "));
    assert_eq!(miner.api.hits(), 1);
}

#[tokio::test]
async fn permit_and_rate_come_before_the_body() {
    let miner = TestMiner::spawn(|settings| settings.miner.requests_per_minute = 1).await;
    let more = "content-length: 2\r\nexpect: 100-continue\r\n";
    for (who, status) in [("Eve", 403), ("Charlie", 403), ("Dave", 403), ("Alice", 100), ("Alice", 429)] {
        let mut stream = from(2, miner.address).await;
        stream.write_all(head(&headers(&miner, who, b"{}"), more).as_bytes()).await.expect("sent");
        let answer = said(&mut stream).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{who}: {answer}");
    }
}

#[tokio::test]
async fn a_nonce_is_used_up_when_its_signature_held_though_no_body_follows() {
    let miner = TestMiner::spawn(|_| {}).await;
    let headers = headers(&miner, "Alice", b"{}");
    let mut stream = from(2, miner.address).await;
    stream.write_all(head(&headers, "content-length: 2\r\nexpect: 100-continue\r\n").as_bytes()).await.expect("sent");
    assert!(said(&mut stream).await.starts_with("HTTP/1.1 100 "));
    drop(stream);
    must_fail_with(miner.post(SCORE, headers, "{}").await, 401, "replayed_request").await;
    assert_eq!(miner.api.hits(), 0);
}

#[tokio::test]
async fn a_body_that_is_not_the_announced_one_ends_the_request() {
    let miner = TestMiner::spawn(|_| {}).await;
    must_fail_with(miner.post(SCORE, headers(&miner, "Alice", b"{}"), "[]").await, 400, "digest_mismatch").await;
    // Announced as sent, but signed for another one.
    let mut other = headers(&miner, "Alice", b"{}");
    other.insert("content-digest", announced(b"[]"));
    must_fail_with(miner.post(SCORE, other, "[]").await, 401, "bad_signature").await;
    assert_eq!(miner.api.hits(), 0);
}

#[tokio::test]
async fn the_digest_is_read_strictly() {
    let miner = TestMiner::spawn(|_| {}).await;
    let good = announced(b"{}");
    let good = good.to_str().expect("text");
    let other = format!("sha-512=:{}:, {good}", STANDARD.encode([0; 64]));
    for (text, served) in [
        (good, true),
        (other.as_str(), true),
        ("sha-512=:AAAA:", true),
        ("sha-256=:AAAA:", false),
        ("sha-256=AAAA", false),
        ("sha-256", false),
        (&format!("{good}, {good}"), false),
        (&good.replace(":", ""), false),
    ] {
        let mut headers = headers(&miner, "Alice", b"{}");
        headers.insert("content-digest", text.parse().expect("a header value"));
        let response = miner.post(SCORE, headers, "{}").await;
        if served {
            // With another algorithm alone it is as good as not there.
            assert_eq!(response.status(), 200, "{text}");
        } else {
            must_fail_with(response, 401, "malformed_auth").await;
        }
    }
    let mut twice = headers(&miner, "Alice", b"{}");
    twice.append("content-digest", announced(b"{}"));
    must_fail_with(miner.post(SCORE, twice, "{}").await, 401, "malformed_auth").await;
}

#[tokio::test]
async fn a_caller_that_announces_no_digest_has_a_small_budget() {
    let miner = TestMiner::spawn(|settings| settings.miner.unverified_body_bytes = 100_000).await;
    assert_eq!(miner.ask("Alice", SCORE, b"{}").await.status(), 200);
    let body = vec![b'x'; 100_001];
    let plain = miner.signed(&dev_key("Alice"), SCORE, &body);
    must_fail_with(miner.post(SCORE, plain, body.clone()).await, 413, "digest_required").await;
    assert_eq!(miner.post(SCORE, headers(&miner, "Alice", &body), body).await.status(), 200);
    // Four of them at once from one address, and no more.
    let mut begun = Vec::new();
    for _ in 0..4 {
        let mut stream = from(2, miner.address).await;
        let more = "content-length: 1000\r\nexpect: 100-continue\r\n";
        stream.write_all(head(&forged(&miner), more).as_bytes()).await.expect("sent");
        assert!(said(&mut stream).await.starts_with("HTTP/1.1 100 "));
        begun.push(stream);
    }
    let mut fifth = from(2, miner.address).await;
    fifth.write_all(head(&forged(&miner), "content-length: 1000\r\n").as_bytes()).await.expect("sent");
    let answer = said(&mut fifth).await;
    assert!(answer.starts_with("HTTP/1.1 429 ") && answer.contains("too_many_unverified"), "{answer}");
    let mut elsewhere = from(3, miner.address).await;
    let more = "content-length: 1000\r\nexpect: 100-continue\r\n";
    elsewhere.write_all(head(&forged(&miner), more).as_bytes()).await.expect("sent");
    assert!(said(&mut elsewhere).await.starts_with("HTTP/1.1 100 "));
}

#[tokio::test]
async fn whoever_stalls_without_a_digest_has_failed() {
    let tune = |settings: &mut Settings| {
        settings.miner.failures_per_minute = 2;
        settings.miner.unverified_body_time = Duration::from_millis(50);
    };
    let miner = TestMiner::spawn(tune).await;
    let mut stalled = from(2, miner.address).await;
    stalled.write_all(head(&forged(&miner), "content-length: 1000\r\n").as_bytes()).await.expect("sent");
    let answer = said(&mut stalled).await;
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("stalled_body"), "{answer}");
    // Breaking off is the same.
    let mut broken = from(2, miner.address).await;
    broken
        .write_all(head(&forged(&miner), "content-length: 1000\r\nexpect: 100-continue\r\n").as_bytes())
        .await
        .expect("sent");
    assert!(said(&mut broken).await.starts_with("HTTP/1.1 100 "));
    broken.shutdown().await.expect("closed");
    must_close(&mut broken).await;
    let mut third = from(2, miner.address).await;
    third.write_all(head(&forged(&miner), "content-length: 1000\r\n").as_bytes()).await.expect("sent");
    let answer = said(&mut third).await;
    assert!(answer.starts_with("HTTP/1.1 429 ") && answer.contains("too_many_failures"), "{answer}");
    miner.clock.set(START + Duration::from_secs(60));
    assert_eq!(miner.ask("Alice", SCORE, b"{}").await.status(), 200);
}

#[tokio::test]
async fn one_validator_cannot_take_every_place() {
    let miner = TestMiner::spawn(|_| {}).await;
    let mut held = Vec::new();
    for _ in 0..16 {
        let mut stream = from(2, miner.address).await;
        let more = "content-length: 2\r\nexpect: 100-continue\r\n";
        stream.write_all(head(&headers(&miner, "Alice", b"{}"), more).as_bytes()).await.expect("sent");
        assert!(said(&mut stream).await.starts_with("HTTP/1.1 100 "));
        held.push(stream);
    }
    must_fail_with(miner.post(SCORE, headers(&miner, "Alice", b"{}"), "{}").await, 429, "too_many_at_once").await;
    drop(held.pop());
    // Its place is given back as soon as the break is seen.
    loop {
        let mut stream = from(2, miner.address).await;
        let more = "content-length: 2\r\nexpect: 100-continue\r\n";
        stream.write_all(head(&headers(&miner, "Alice", b"{}"), more).as_bytes()).await.expect("sent");
        if said(&mut stream).await.starts_with("HTTP/1.1 100 ") {
            break;
        }
    }
}

/// Where a log is kept.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn strangers_write_no_line_into_the_log() {
    let lines = Lines::default();
    let writer = lines.clone();
    let log =
        tracing_subscriber::fmt().with_max_level(tracing::Level::INFO).with_writer(move || writer.clone()).finish();
    let _log = tracing::subscriber::set_default(log);
    let told = || String::from_utf8_lossy(&lines.0.lock().expect("no panic")).into_owned();
    let miner = TestMiner::spawn(|_| {}).await;
    must_fail_with(miner.ask("Eve", SCORE, b"{}").await, 403, "unknown_hotkey").await;
    assert!(!told().contains("request"), "{}", told());
    assert_eq!(miner.ask("Alice", SCORE, b"{}").await.status(), 200);
    let before = told();
    assert!(before.contains("request"), "a validator's request is told");
    // A status of ours, but nothing is proven of the caller.
    miner.clock.set(START + Duration::from_secs(3600));
    must_fail_with(miner.ask("Alice", SCORE, b"{}").await, 503, "not_ready").await;
    assert_eq!(told().matches("request").count(), before.matches("request").count(), "{}", told());
}
