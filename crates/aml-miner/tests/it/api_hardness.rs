//! The server under callers that are slow, greedy, broken or gone.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use aml_miner::api::serve::Ended;
use serde_json::{Value, json};

use crate::api_kit::{Client, TestServer, batch, request};

/// Waits for `condition` by asking it again; the test's own time limit ends a wait that is in vain.
pub(crate) fn until(condition: impl Fn() -> bool) {
    while !condition() {
        std::thread::yield_now();
    }
}

fn closed(client: &mut Client) -> bool {
    client.answer().is_none()
}

#[test]
fn headers_that_never_end_are_cut_off() {
    let server = TestServer::with(&[("API_HEADER_TIME", "100ms")]);
    let mut slow = server.connect();
    slow.send("POST /score/alerts HTTP/1.1\r\nhost:");
    let mut silent = server.connect();
    assert!(closed(&mut slow));
    assert!(closed(&mut silent));
    server.get("/health").must_succeed();
}

#[test]
fn a_body_that_stops_coming_is_given_up() {
    let server = TestServer::with(&[("API_HEADER_TIME", "100ms")]);
    let mut slow = server.connect();
    slow.send("POST /score/alerts HTTP/1.1\r\nhost: t\r\ncontent-length: 100\r\n\r\n{\"alerts\":");
    let answer = slow.answer().expect("told why").must_fail_with(408, "too_slow");
    assert_eq!(answer.header("connection"), Some("close"));
}

#[test]
fn a_request_has_a_deadline() {
    let server = TestServer::with(&[("API_REQUEST_TIME", "200ms")]);
    server.knobs.gate.set(true);
    server.post_json("/score/alerts", &batch(1)).must_fail_with(408, "too_slow");
}

#[test]
fn a_caller_that_has_finished_sending_still_gets_its_answer() {
    let server = TestServer::start();
    let mut client = server.connect();
    client.send(request("/score/alerts", &[], batch(3).to_string().as_bytes()));
    client.stream.shutdown(Shutdown::Write).expect("open");
    client.last_word().expect("an answer").must_succeed();
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = TestServer::start();
    let mut client = server.connect();
    let requests: Vec<u8> =
        (1..=20).flat_map(|n| request("/score/alerts", &[], batch(n).to_string().as_bytes())).collect();
    client.send(requests);
    for n in 1..=20 {
        let rows = client.answer().expect("an answer").must_succeed().json();
        assert_eq!(rows.as_array().expect("a list").len(), n);
    }
}

#[test]
fn connections_are_limited_for_each_peer_and_given_back() {
    let server = TestServer::with(&[("API_MAX_CONNECTIONS_PER_PEER", "8")]);
    let mut idle: Vec<_> = (0..8).map(|_| server.connect()).collect();
    for client in &mut idle {
        client.ask("GET /health HTTP/1.1\r\nhost: t\r\n\r\n").must_succeed();
    }
    let refused = server.connect().answer().expect("told why");
    assert_eq!((refused.status, &refused.json()["code"]), (503, &json!("too_many_connections")));
    assert_eq!(refused.header("retry-after"), Some("1"));
    drop(idle.pop());
    until(|| {
        let mut client = server.connect();
        let _ = client.stream.write_all(b"GET /health HTTP/1.1\r\nhost: t\r\n\r\n");
        client.answer().is_some_and(|answer| answer.status == 200)
    });
}

#[test]
fn thousands_of_connections_do_not_keep_others_out_for_good() {
    let server = TestServer::with(&[("API_HEADER_TIME", "300ms")]);
    let idle: Vec<_> = (0..1_500).filter_map(|_| std::net::TcpStream::connect(server.address).ok()).collect();
    assert!(idle.len() > 1_000, "only {} connections were made", idle.len());
    until(|| {
        let mut client = server.connect();
        let _ = client.stream.write_all(b"GET /health HTTP/1.1\r\nhost: t\r\n\r\n");
        client.answer().is_some_and(|answer| answer.status == 200)
    });
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// `bytes` compressed by the same library that the server decompresses with.
pub(crate) fn compressed(encoding: &str, bytes: &[u8]) -> Vec<u8> {
    use async_compression::tokio::write::{BrotliEncoder, ZstdEncoder};
    use tokio::io::AsyncWriteExt as _;
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        if encoding == "br" {
            let mut encoder = BrotliEncoder::with_quality(Vec::new(), async_compression::Level::Fastest);
            encoder.write_all(bytes).await.expect("memory");
            encoder.shutdown().await.expect("memory");
            encoder.into_inner()
        } else {
            let mut encoder = ZstdEncoder::new(Vec::new());
            encoder.write_all(bytes).await.expect("memory");
            encoder.shutdown().await.expect("memory");
            encoder.into_inner()
        }
    })
}

#[test]
fn compressed_bodies_mean_the_same_and_receipts_are_over_the_decoded_bytes() {
    let server = TestServer::start();
    let body = batch(50).to_string();
    for (encoding, bytes) in [
        ("gzip", gzip(body.as_bytes())),
        ("gzip", [gzip(&body.as_bytes()[..99]), gzip(&body.as_bytes()[99..])].concat()),
        ("zstd", compressed("zstd", body.as_bytes())),
        ("br", compressed("br", body.as_bytes())),
        ("identity", body.clone().into_bytes()),
    ] {
        let header = format!("content-encoding: {encoding}");
        let answer = server.connect().post("/score/alerts", &[&header], &bytes).must_succeed();
        let receipt = answer.header(aml_miner::receipt::HEADER).expect("a receipt");
        aml_miner::receipt::verify(receipt, body.as_bytes(), &answer.body, None).expect(encoding);
    }
}

#[test]
fn decompression_bombs_stop_at_the_limit() {
    let server = TestServer::with(&[("API_MAX_BODY_BYTES", "1MiB"), ("API_MAX_DECODED_BYTES", "4MiB")]);
    let bomb = vec![b' '; 64 << 20];
    for (encoding, bytes) in
        [("gzip", gzip(&bomb)), ("zstd", compressed("zstd", &bomb)), ("br", compressed("br", &bomb))]
    {
        assert!(bytes.len() < 1 << 20, "{encoding} is small as sent");
        let header = format!("content-encoding: {encoding}");
        server.connect().post("/score/alerts", &[&header], &bytes).must_fail_with(413, "too_large");
    }
    let cut = gzip(batch(5).to_string().as_bytes());
    let half = server.connect().post("/score/alerts", &["content-encoding: gzip"], &cut[..cut.len() / 2]);
    half.must_fail_with(400, "malformed_body");
    server
        .connect()
        .post("/score/alerts", &["content-encoding: zstd"], b"not zstd")
        .must_fail_with(400, "malformed_body");
}

#[test]
fn bodies_are_limited_whether_they_tell_their_length_or_not() {
    let server = TestServer::with(&[("API_MAX_BODY_BYTES", "1000")]);
    let mut client = server.connect();
    client.send("POST /score/alerts HTTP/1.1\r\nhost: t\r\ncontent-length: 99999999999\r\n\r\n");
    client.answer().expect("told at once").must_fail_with(413, "too_large");
    let mut client = server.connect();
    client.send("POST /score/alerts HTTP/1.1\r\nhost: t\r\ntransfer-encoding: chunked\r\n\r\n");
    client.send(format!("800\r\n{}\r\n", " ".repeat(0x800)));
    client.answer().expect("told at the limit").must_fail_with(413, "too_large");
}

pub(crate) fn bytes_held(server: &TestServer) -> usize {
    let metrics = String::from_utf8(server.get("/metrics").body).expect("text");
    let held = metrics.lines().find_map(|line| line.strip_prefix("aml_body_bytes "));
    held.and_then(|held| held.parse().ok()).expect("a number of bytes")
}

#[test]
fn bodies_together_are_limited() {
    let small =
        [("API_MAX_BODY_BYTES", "600KiB"), ("API_MAX_DECODED_BYTES", "600KiB"), ("API_MAX_BUFFERED_BYTES", "700KiB")];
    let server = TestServer::with(&small);
    let body = format!("{{\"alerts\":[]{}}}", " ".repeat(500 << 10)).into_bytes();
    let whole = request("/score/alerts", &[], &body);
    let mut first = server.connect();
    first.send(&whole[..whole.len() - 1]);
    until(|| bytes_held(&server) == body.len() - 1);
    server.post("/score/alerts", &body).must_fail_with(429, "overloaded");
    first.send(&whole[whole.len() - 1..]);
    first.answer().expect("an answer").must_succeed();
    until(|| bytes_held(&server) == 0);
    server.post("/score/alerts", &body).must_succeed();
}

#[test]
fn a_full_queue_says_so_and_those_in_it_are_served() {
    let server = Arc::new(TestServer::with(&[("API_JOBS", "1"), ("API_QUEUE", "2")]));
    server.knobs.gate.set(true);
    let waiting: Vec<_> = (0..3)
        .map(|_| {
            let server = Arc::clone(&server);
            std::thread::spawn(move || server.post_json("/score/alerts", &batch(2)).must_succeed())
        })
        .collect();
    until(|| String::from_utf8_lossy(&server.get("/metrics").body).contains("aml_jobs_queued 2"));
    let refused = server.post_json("/score/alerts", &batch(2)).must_fail_with(429, "overloaded");
    assert_eq!(refused.header("retry-after"), Some("1"));
    server.get("/health").must_succeed();
    server.knobs.gate.set(false);
    for answer in waiting {
        answer.join().expect("served");
    }
}

#[test]
fn a_small_request_is_answered_while_a_batch_takes_all_threads() {
    let server = Arc::new(TestServer::with(&[("API_THREADS", "1"), ("API_JOBS", "1")]));
    let gate = &server.knobs.gate;
    gate.spared.store(16, Ordering::SeqCst);
    gate.set(true);
    let waiting = {
        let server = Arc::clone(&server);
        std::thread::spawn(move || server.post_json("/score/alerts", &batch(100)).must_succeed())
    };
    until(|| gate.arrived.load(Ordering::SeqCst) > 0);
    for path in ["/score/alerts", "/rank/alerts", "/score/clusters"] {
        server.post_json(path, &batch(16)).must_succeed();
    }
    assert!(!waiting.is_finished(), "the batch still holds its thread");
    gate.set(false);
    waiting.join().expect("served");
}

#[test]
fn a_request_that_timed_out_does_not_keep_its_threads() {
    let server = TestServer::with(&[("API_THREADS", "1"), ("API_JOBS", "1"), ("API_REQUEST_TIME", "300ms")]);
    let gate = &server.knobs.gate;
    gate.set(true);
    // Ten blocks, of which the first waits at the gate.
    server.post_json("/score/alerts", &batch(5_000)).must_fail_with(408, "too_slow");
    until(|| gate.arrived.load(Ordering::SeqCst) == 1);
    gate.set(false);
    until(|| server.app.engine_load().running == 0);
    assert_eq!(gate.arrived.load(Ordering::SeqCst), 1, "the other blocks are left");
    server.post_json("/score/alerts", &batch(1)).must_succeed();
}

#[test]
fn hostile_json_is_answered_with_an_error() {
    let server = TestServer::start();
    let in_alert = |member: &str| format!("{{\"alerts\":[{{\"alert_id\":\"a\",{member}}}]}}");
    for (body, status) in [
        (format!("{{\"alerts\":[],\"x\":{}", "[".repeat(100_000)), 400),
        (in_alert("\"volume_usd\":1e999"), 422),
        (in_alert("\"alert_confidence_score\":NaN"), 422),
        (in_alert("\"description\":\"\\ud800\""), 400),
        (in_alert("\"severity\":\"low\",\"severity\":\"low\""), 422),
        ("{\"alerts\":[{\"alert_id\":\"a\\u0000\"}]}".to_owned(), 422),
        (String::new(), 400),
        ("\u{feff}{}".to_owned(), 400),
    ] {
        let answer = server.post("/score/alerts", &body);
        assert_eq!(answer.status, status, "{body:.80}");
        assert!(answer.json()["code"].is_string());
    }
    for member in [
        "\"volume_usd\":-0",
        "\"volume_usd\":1e-400",
        "\"nul\":\"\\u0000\"",
        "\"volume_usd\":\"0012\"".replace("0012", "12").as_str(),
    ] {
        server.post("/score/alerts", in_alert(member)).must_succeed();
    }
}

#[test]
fn two_hundred_thousand_alerts_are_taken_and_one_more_is_not() {
    let server = TestServer::start();
    let rows = |count: usize| {
        let rows: Vec<String> = (0..count).map(|i| format!("{{\"alert_id\":\"{i}\"}}")).collect();
        format!("{{\"alerts\":[{}]}}", rows.join(","))
    };
    let answer = server.post("/score/alerts?explain=none", rows(200_000)).must_succeed();
    let last = String::from_utf8(answer.body).expect("text");
    assert!(last.ends_with(']') && last.contains("\"alert_id\":\"199999\""));
    let refused = server.post("/score/alerts", rows(200_001)).must_fail_with(422, "invalid_request");
    assert_eq!(refused.json()["detail"][0]["type"], "too_long");
}

#[test]
fn a_caller_that_goes_away_in_mid_answer_harms_nobody() {
    let server = TestServer::start();
    let body = batch(5_000).to_string();
    for _ in 0..4 {
        let mut client = server.connect();
        client.send(request("/score/alerts?explain=full", &[], body.as_bytes()));
        let mut first = [0; 100];
        client.stream.read_exact(&mut first).expect("the answer begins");
        drop(client);
    }
    server.post_json("/score/alerts", &batch(2)).must_succeed();
    until(|| server.app.engine_load().running == 0);
}

#[test]
fn a_caller_that_does_not_read_is_given_up() {
    let server = TestServer::with(&[("API_HEADER_TIME", "200ms"), ("API_MAX_CONNECTIONS_PER_PEER", "2")]);
    let body = batch(20_000).to_string();
    let mut greedy = server.connect();
    greedy.send(request("/score/alerts?explain=full", &[], body.as_bytes()));
    let mut first = [0; 100];
    greedy.stream.read_exact(&mut first).expect("the answer begins");
    // Its connection is counted until the server gives it up; then two others fit.
    until(|| {
        let mut two = [server.connect(), server.connect()];
        two.iter_mut().all(|client| {
            let _ = client.stream.write_all(b"GET /health HTTP/1.1\r\nhost: t\r\n\r\n");
            client.answer().is_some_and(|answer| answer.status == 200)
        })
    });
}

#[test]
fn no_request_is_lost_when_the_server_is_told_to_end() {
    let mut server = TestServer::start();
    server.knobs.gate.set(true);
    let mut clients: Vec<_> = (0..20).map(|_| server.connect()).collect();
    for client in &mut clients {
        client.send(request("/score/alerts", &[], batch(10).to_string().as_bytes()));
    }
    until(|| {
        let load = server.app.engine_load();
        load.running + load.queued == 20
    });
    server.terminate();
    until(|| server.app.is_draining());
    server.knobs.gate.set(false);
    for client in &mut clients {
        client.answer().expect("it was accepted").must_succeed();
        assert!(closed(client), "and then the connection ends");
    }
    assert_eq!(server.ended(), Ended::Drained);
}

#[test]
fn an_idle_server_ends_at_once_though_connections_are_open() {
    let server = TestServer::with(&[("API_GRACE", "600s"), ("API_HEADER_TIME", "600s")]);
    let mut idle = server.connect();
    idle.ask("GET /health HTTP/1.1\r\nhost: t\r\n\r\n").must_succeed();
    assert_eq!(server.ended(), Ended::Drained);
    assert!(closed(&mut idle));
}

#[test]
fn a_second_signal_ends_it_now() {
    let mut server = TestServer::with(&[("API_GRACE", "600s")]);
    server.knobs.gate.set(true);
    let mut client = server.connect();
    client.send(request("/score/alerts", &[], batch(1).to_string().as_bytes()));
    until(|| server.app.engine_load().running == 1);
    server.terminate();
    until(|| server.app.is_draining());
    server.cut();
    let gate = Arc::clone(&server.knobs.gate);
    assert_eq!(server.ended(), Ended::Cut);
    gate.set(false);
}

#[test]
fn reloading_under_load_never_mixes_models_in_one_answer() {
    let server = Arc::new(TestServer::start());
    let callers: Vec<_> = (0..4)
        .map(|_| {
            let server = Arc::clone(&server);
            std::thread::spawn(move || {
                let mut client = server.connect();
                let body = batch(200).to_string();
                (0..25)
                    .map(|_| one_version(&client.post("/score/alerts", &[], body.as_bytes()).must_succeed().json()))
                    .collect::<Vec<_>>()
            })
        })
        .collect();
    while callers.iter().any(|caller| !caller.is_finished()) {
        server.post("/admin/reload", "").must_succeed();
    }
    for caller in callers {
        let versions = caller.join().expect("no errors");
        assert!(versions.is_sorted(), "an older model never comes back: {versions:?}");
    }
    assert!(server.knobs.generation.load(Ordering::SeqCst) > 1);
}

/// The number of the one model that gave all rows.
fn one_version(rows: &Value) -> u32 {
    let rows = rows.as_array().expect("a list");
    let version = rows[0]["model_version"].as_str().expect("text");
    assert!(rows.iter().all(|row| row["model_version"] == version));
    version.rsplit('.').next().and_then(|patch| patch.parse().ok()).expect("a number")
}

#[test]
fn a_bounded_load_is_answered_without_errors() {
    let server = Arc::new(TestServer::start());
    let callers: Vec<_> = (1..=8)
        .map(|caller| {
            let server = Arc::clone(&server);
            std::thread::spawn(move || {
                let mut client = server.connect();
                for turn in 0..40 {
                    let size = 1 + (turn * caller) % 90;
                    let path = ["/score/alerts", "/rank/alerts", "/score/clusters"][turn % 3];
                    let rows = client.post(path, &[], batch(size).to_string().as_bytes()).must_succeed().json();
                    let expected = if turn % 3 == 2 { size / 2 } else { size };
                    assert_eq!(rows.as_array().expect("a list").len(), expected);
                }
            })
        })
        .collect();
    for caller in callers {
        caller.join().expect("no errors");
    }
    assert_eq!(server.app.engine_load().running, 0);
}

#[test]
fn answers_are_compressed_when_asked_for() {
    let server = TestServer::start();
    let body = batch(100).to_string();
    let plain = server.connect().post("/rank/alerts", &[], body.as_bytes()).must_succeed();
    assert_eq!(plain.header("content-encoding"), None);
    let answer = server.connect().post("/rank/alerts", &["accept-encoding: gzip"], body.as_bytes()).must_succeed();
    assert_eq!(answer.header("content-encoding"), Some("gzip"));
    let mut decoded = Vec::new();
    flate2::read::GzDecoder::new(&*answer.body).read_to_end(&mut decoded).expect("gzip");
    assert_eq!(decoded, plain.body);
    let receipt = answer.header(aml_miner::receipt::HEADER).expect("a receipt");
    aml_miner::receipt::verify(receipt, body.as_bytes(), &decoded, None).expect("over the raw answer");
}
