//! Callers that leave, batches that block others, explanations that cannot end in time.

use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::api_hardness::until;
use crate::api_kit::{Client, TestServer, batch, request};

fn busy(server: &TestServer) -> usize {
    let load = server.app.engine_load();
    load.running + load.queued
}

/// Callers whose requests wait at the gate.
fn waiting(server: &TestServer, callers: usize, alerts: usize) -> Vec<Client> {
    let body = batch(alerts).to_string();
    let clients = (0..callers).map(|_| {
        let mut client = server.connect();
        client.send(request("/score/alerts", &[], body.as_bytes()));
        client
    });
    let clients = clients.collect();
    until(|| busy(server) == callers);
    clients
}

#[test]
fn callers_that_leave_give_their_places_back() {
    for alerts in [2, 300] {
        let most =
            [("API_JOBS", "1"), ("API_THREADS", "1"), ("API_QUEUE", "99"), ("API_MAX_CONNECTIONS_PER_PEER", "200")];
        let server = TestServer::with(&most);
        server.knobs.gate.set(true);
        drop(waiting(&server, 100, alerts));
        // The gate stays shut: what runs cannot end, and yet nobody's place is taken.
        until(|| busy(&server) == 0);
        server.knobs.gate.set(false);
        server.post_json("/score/alerts", &batch(alerts)).must_succeed();
    }
}

#[test]
fn a_caller_that_only_finished_sending_is_waited_for_and_told_so() {
    let server = TestServer::start();
    server.knobs.gate.set(true);
    let mut patient = waiting(&server, 1, 2).remove(0);
    patient.stream.shutdown(Shutdown::Write).expect("open");
    let asked = patient.answer().expect("a question whether it is still there");
    assert_eq!((asked.status, asked.body.len()), (100, 0));
    assert_eq!(busy(&server), 1);
    server.knobs.gate.set(false);
    patient.last_word().expect("an answer").must_succeed();
    assert!(patient.answer().is_none(), "and the connection ends");
}

#[test]
fn what_was_sent_before_the_end_of_sending_is_answered_however_close_the_end_is() {
    let server = TestServer::start();
    let five = request("/score/alerts", &[], batch(2).to_string().as_bytes()).repeat(5);
    for _ in 0..20 {
        let mut client = server.connect();
        client.send(&five);
        client.stream.shutdown(Shutdown::Write).expect("open");
        for _ in 0..5 {
            client.last_word().expect("an answer").must_succeed();
        }
        assert!(client.last_word().is_none(), "and the connection ends");
    }
}

#[test]
fn a_batch_does_not_wait_for_the_large_ones_of_somebody_else() {
    let server = Arc::new(TestServer::with(&[("API_THREADS", "2"), ("API_JOBS", "1")]));
    let gate = &server.knobs.gate;
    // The one block of a large batch is held back, and its thread with it; the small blocks of the other pass.
    gate.spared.store(50, Ordering::SeqCst);
    gate.set(true);
    let mut large = batch(60);
    large["padding"] = vec![" ".repeat(1 << 19); 34].into();
    let body = Arc::new(large.to_string());
    let sent: Vec<_> = (0..3)
        .map(|_| {
            let (server, body) = (Arc::clone(&server), Arc::clone(&body));
            std::thread::spawn(move || server.post("/score/alerts", body.as_bytes()).must_succeed())
        })
        .collect();
    until(|| gate.arrived.load(Ordering::SeqCst) > 0 && busy(&server) == 3);
    server.post_json("/score/alerts", &batch(100)).must_succeed();
    assert!(sent.iter().all(|sent| !sent.is_finished()), "the large ones still wait");
    gate.set(false);
    for sent in sent {
        sent.join().expect("served");
    }
}

#[test]
fn an_explanation_that_cannot_end_in_time_is_refused_at_once() {
    let server = TestServer::with(&[("API_REQUEST_TIME", "10s"), ("API_THREADS", "1")]);
    server.knobs.steps.store(1_000_000_000, Ordering::SeqCst);
    let refused = server.post_json("/score/alerts", &batch(1_000)).must_fail_with(413, "too_large").json();
    let detail = refused["detail"].as_str().expect("a sentence");
    assert!(detail.contains("send at most 66 rows") && detail.contains("explain=none"), "{detail}");
    server.post_json("/score/alerts", &batch(60)).must_succeed();
    server.post_json("/score/alerts?explain=none", &batch(1_000)).must_succeed();
    server.post_json("/rank/alerts", &batch(1_000)).must_succeed();
}
