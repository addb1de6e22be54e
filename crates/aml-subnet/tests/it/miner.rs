//! The miner's proxy through its front door: a real socket, a fake inference API behind it, a clock that the test moves.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use aml_miner::clock::Clock;
use aml_miner::digest::Digest;
use aml_subnet::chain::metagraph::Cache;
use aml_subnet::chain::types::{Block, Metagraph, Neuron, Uid};
use aml_subnet::config::Settings;
use aml_subnet::entropy::MachineEntropy;
use aml_subnet::http::listen::{ListenLimits, serve};
use aml_subnet::miner::proxy::{Miner, MinerParts};
use aml_subnet::miner::server::router;
use aml_subnet::protocol::answer::{Answered, Asked, verify_answer};
use aml_subnet::protocol::replay::MemoryNonces;
use aml_subnet::protocol::signed_request::{Target, sign};
use aml_subnet::protocol::synapse::{dendrite, reply};
use aml_subnet::protocol::{Nonce, NonceSource, content_digest, receipt_key};
use aml_subnet::wallet::{Hotkey, Signer};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::IntoResponse as _;
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::axon_v10::{STRICTER, must_split};
use crate::common::{dev_key, must_read_json, must_text, shared};

pub(crate) const START: Duration = Duration::from_secs(1_795_000_000);
pub(crate) const SCORES: &str =
    r#"[{"alert_id":"a","score":0.5,"model_version":"1.0.0","latency_ms":0.1,"explain_json":"{}"}]"#;

/// A clock that only the test moves.
pub(crate) struct TestClock(AtomicU64);

impl TestClock {
    pub(crate) fn set(&self, time: Duration) {
        self.0.store(u64::try_from(time.as_nanos()).expect("fits"), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::SeqCst))
    }
}

/// The inference API: counts what reaches it, and answers when it is let.
pub(crate) struct Api {
    pub(crate) address: SocketAddr,
    hits: Arc<AtomicUsize>,
    bytes: Arc<AtomicU64>,
    gate: Arc<Semaphore>,
}

#[derive(Clone)]
struct ApiState {
    hits: Arc<AtomicUsize>,
    bytes: Arc<AtomicU64>,
    gate: Arc<Semaphore>,
}

async fn api_scores(State(api): State<ApiState>, request: Request) -> axum::response::Response {
    api.hits.fetch_add(1, Ordering::SeqCst);
    let query = request.uri().query().unwrap_or_default().to_owned();
    let body = axum::body::to_bytes(request.into_body(), usize::MAX).await.expect("a body");
    api.bytes.fetch_add(body.len() as u64, Ordering::SeqCst);
    let _pass = api.gate.acquire().await.expect("open");
    match query.as_str() {
        "echo" => body.into_response(),
        "refuse" => (StatusCode::UNPROCESSABLE_ENTITY, r#"{"detail":"no"}"#).into_response(),
        "huge" => Body::from(vec![b'x'; 3 << 20]).into_response(),
        "redirect" => (StatusCode::FOUND, [("location", "http://192.0.2.1/")]).into_response(),
        _ => {
            ([("content-type", "application/json"), ("x-aml-receipt", "r"), ("x-secret", "s")], SCORES).into_response()
        }
    }
}

impl Api {
    pub(crate) async fn spawn(open: usize) -> Self {
        let (hits, bytes, gate) = (Arc::default(), Arc::default(), Arc::new(Semaphore::new(open)));
        let state = ApiState { hits: Arc::clone(&hits), bytes: Arc::clone(&bytes), gate: Arc::clone(&gate) };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let app = Router::new().fallback(api_scores).with_state(state);
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, hits, bytes, gate }
    }

    pub(crate) fn hits(&self) -> usize {
        self.hits.load(Ordering::SeqCst)
    }
}

pub(crate) struct TestMiner {
    pub(crate) address: SocketAddr,
    pub(crate) api: Api,
    pub(crate) clock: Arc<TestClock>,
    nonces: NonceSource,
    pub(crate) key: Hotkey,
    stop: CancellationToken,
    served: JoinHandle<()>,
    http: reqwest::Client,
}

fn neuron(uid: u16, hotkey: Hotkey, (validator_permit, stake): (bool, u64)) -> Neuron {
    let (coldkey, last_update) = (hotkey, Block(0));
    let (active, axon, incentive, dividends) = (true, None, 0, 0);
    Neuron { uid: Uid(uid), hotkey, coldkey, axon, validator_permit, active, stake, last_update, incentive, dividends }
}

fn metagraph(neurons: Vec<Neuron>) -> Metagraph {
    Metagraph { netuid: 7, block: Block(100), neurons }
}

fn default_neurons() -> Vec<Neuron> {
    vec![
        neuron(0, dev_key("Alice").hotkey(), (true, 5_000_000_000)),
        neuron(1, dev_key("Bob").hotkey(), (false, 0)),
        neuron(2, dev_key("Charlie").hotkey(), (false, 9_000_000_000)),
        neuron(3, dev_key("Dave").hotkey(), (true, 1)),
    ]
}

impl TestMiner {
    pub(crate) async fn spawn(tune: impl FnOnce(&mut Settings)) -> Self {
        Self::with(dev_key("Bob"), default_neurons(), 1000, tune).await
    }

    async fn with(signer: Signer, neurons: Vec<Neuron>, open: usize, tune: impl FnOnce(&mut Settings)) -> Self {
        let api = Api::spawn(open).await;
        let mut settings = Settings { netuid: 7, ..Settings::default() };
        settings.miner.api_url = format!("http://{}", api.address);
        settings.miner.min_stake_tao = 1.0;
        settings.miner.requests_per_minute = 1000;
        tune(&mut settings);
        assert_eq!(settings.problems(), Vec::<String>::new());
        let clock = Arc::new(TestClock(AtomicU64::new(0)));
        clock.set(START);
        let cache = Arc::new(Cache::default());
        cache.put(metagraph(neurons), START);
        let key = signer.hotkey();
        let nonces = Arc::new(MemoryNonces::new(Duration::ZERO));
        let parts = MinerParts { signer, metagraph: cache, nonces, clock: Arc::clone(&clock) as Arc<dyn Clock> };
        let miner = Arc::new(Miner::new(&settings, parts).expect("a client"));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let limits = ListenLimits {
            connections: settings.miner.connections,
            per_peer: settings.miner.connections_per_peer,
            header_timeout: settings.miner.header_timeout,
            stalled: Duration::from_millis(300),
            grace: settings.miner.grace,
            reserved: Some(miner.reserved(settings.miner.connections)),
        };
        let stop = CancellationToken::new();
        let served = tokio::spawn(serve(listener, router(miner), limits, || (), stop.clone()));
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        Self { address, api, clock, nonces: NonceSource::default(), key, stop, served, http }
    }

    pub(crate) fn signed(&self, who: &Signer, target: &str, body: &[u8]) -> HeaderMap {
        let target = Target { method: "POST", path_and_query: target, body: Digest::of(body) };
        sign(who, &target, Some(self.key), self.nonces.next(&*self.clock))
    }

    pub(crate) async fn post(
        &self,
        target: &str,
        headers: HeaderMap,
        body: impl Into<reqwest::Body>,
    ) -> reqwest::Response {
        let url = format!("http://{}{target}", self.address);
        self.http.post(url).headers(headers).body(body).send().await.expect("an answer")
    }

    /// A signed request of `who`, sent as signed.
    pub(crate) async fn ask(&self, who: &str, target: &str, body: &'static [u8]) -> reqwest::Response {
        self.post(target, self.signed(&dev_key(who), target, body), body).await
    }
}

/// The same headers with the body's digest, as a validator of ours sends it.
pub(crate) fn announced(mut headers: HeaderMap, body: &[u8]) -> HeaderMap {
    headers.insert(content_digest::HEADER, content_digest::announce(Digest::of(body)));
    headers
}

pub(crate) async fn must_fail_with(response: reqwest::Response, status: u16, code: &str) -> Value {
    let got = response.status().as_u16();
    let body: Value = response.json().await.expect("JSON");
    assert_eq!((got, body["code"].as_str()), (status, Some(code)), "{body}");
    body
}

pub(crate) const SCORE: &str = "/7/score/alerts";

#[tokio::test]
async fn a_welcome_request_is_scored_and_the_answer_signed() {
    let miner = TestMiner::spawn(|_| {}).await;
    let body = br#"{"alerts":[{"alert_id":"a"}]}"#;
    for route in [SCORE, "/7/rank/alerts", "/7/score/clusters"] {
        let headers = miner.signed(&dev_key("Alice"), route, body);
        let nonce = Nonce::parse(headers["x-bittensor-nonce"].to_str().expect("text")).expect("a nonce");
        let response = miner.post(route, headers, &body[..]).await;
        assert_eq!(response.status(), 200, "{route}");
        let answer = response.headers().clone();
        assert_eq!(answer["x-aml-receipt"], "r");
        assert!(!answer.contains_key("x-secret"), "the API's other headers stay inside");
        let bytes = response.bytes().await.expect("a body");
        assert_eq!(bytes, SCORES);
        let asked = Asked { nonce, validator: dev_key("Alice").hotkey(), body: Digest::of(body) };
        assert!(
            verify_answer(&answer, &miner.key, Answered { status: StatusCode::OK, body: Digest::of(&bytes) }, &asked)
                .is_ok()
        );
    }
}

#[tokio::test]
async fn the_hotkey_vouches_for_the_receipt_key_that_the_settings_name() {
    let key = Digest::of(b"the new key");
    let miner = TestMiner::spawn(|settings| settings.miner.receipt_key = Some(key)).await;
    let body = br#"{"alerts":[]}"#;
    let response = miner.ask("Alice", SCORE, body).await;
    let header = response.headers()[receipt_key::HEADER].to_str().expect("ASCII").to_owned();
    assert_eq!(receipt_key::vouched(&header, &miner.key, &Digest::of(body)), Some(key));
    let silent = TestMiner::spawn(|_| {}).await.ask("Alice", SCORE, body).await;
    assert_eq!(silent.headers().get(receipt_key::HEADER), None);
}

#[tokio::test]
async fn the_refusals_of_the_api_are_passed_on_signed() {
    let miner = TestMiner::spawn(|_| {}).await;
    let response = miner.ask("Alice", "/7/score/alerts?refuse", b"{}").await;
    assert_eq!(response.status(), 422);
    assert!(response.headers().contains_key("x-aml-answer-signature"));
    assert_eq!(response.bytes().await.expect("a body"), r#"{"detail":"no"}"#);
    // A redirect is the API's answer, not an order.
    assert_eq!(miner.ask("Alice", "/7/score/alerts?redirect", b"{}").await.status(), 302);
}

#[tokio::test]
async fn a_replay_is_refused() {
    let miner = TestMiner::spawn(|_| {}).await;
    let headers = miner.signed(&dev_key("Alice"), SCORE, b"{}");
    assert_eq!(miner.post(SCORE, headers.clone(), "{}").await.status(), 200);
    must_fail_with(miner.post(SCORE, headers.clone(), "{}").await, 401, "replayed_request").await;
    miner.clock.set(START + Duration::from_secs(11));
    must_fail_with(miner.post(SCORE, headers, "{}").await, 401, "stale_request").await;
    assert_eq!(miner.api.hits(), 1);
}

#[tokio::test]
async fn of_forty_copies_at_once_one_is_served() {
    let miner = TestMiner::spawn(|_| {}).await;
    let headers = miner.signed(&dev_key("Alice"), SCORE, b"{}");
    let copies = (0..40).map(|_| miner.post(SCORE, headers.clone(), "{}"));
    let answers = futures_util::future::join_all(copies).await;
    assert_eq!(answers.iter().filter(|answer| answer.status() == 200).count(), 1);
    assert_eq!(miner.api.hits(), 1);
}

#[tokio::test]
async fn strangers_are_told_why_they_are_not_welcome() {
    let miner = TestMiner::spawn(|_| {}).await;
    must_fail_with(miner.ask("Eve", SCORE, b"{}").await, 403, "unknown_hotkey").await;
    must_fail_with(miner.ask("Charlie", SCORE, b"{}").await, 403, "no_permit").await;
    must_fail_with(miner.ask("Dave", SCORE, b"{}").await, 403, "low_stake").await;
    assert_eq!(miner.api.hits(), 0);
}

#[tokio::test]
async fn an_old_metagraph_vouches_for_nobody() {
    let miner = TestMiner::spawn(|_| {}).await;
    miner.clock.set(START + Duration::from_secs(3600));
    must_fail_with(miner.ask("Alice", SCORE, b"{}").await, 503, "not_ready").await;
}

#[tokio::test]
async fn nothing_reaches_the_api_before_the_signature_holds() {
    let miner = TestMiner::spawn(|_| {}).await;
    let alice = dev_key("Alice");
    let headers = miner.signed(&alice, SCORE, b"{}");
    must_fail_with(miner.post(SCORE, headers, "{ }").await, 401, "bad_signature").await;
    let headers = miner.signed(&alice, SCORE, b"{}");
    must_fail_with(miner.post("/7/rank/alerts", headers, "{}").await, 401, "bad_signature").await;
    let headers = miner.signed(&alice, SCORE, b"{}");
    must_fail_with(miner.post("/7/score/alerts?explain=none", headers, "{}").await, 401, "bad_signature").await;
    must_fail_with(miner.post(SCORE, HeaderMap::new(), "{}").await, 401, "malformed_auth").await;
    let mut elsewhere = miner.signed(&alice, SCORE, b"{}");
    elsewhere.insert("x-bittensor-receiver", elsewhere["x-bittensor-hotkey"].clone());
    must_fail_with(miner.post(SCORE, elsewhere, "{}").await, 401, "wrong_receiver").await;
    assert_eq!(miner.api.hits(), 0);
}

#[tokio::test]
async fn other_subnets_routes_and_methods_are_not_served() {
    let miner = TestMiner::spawn(|_| {}).await;
    for target in ["/8/score/alerts", "/07/score/alerts", "/score/alerts", "/", "/7/score/alerts/", "/AlertScoring"] {
        must_fail_with(miner.ask("Alice", target, b"{}").await, 404, "not_found").await;
    }
    let url = format!("http://{}{SCORE}", miner.address);
    must_fail_with(miner.http.get(url).send().await.expect("an answer"), 405, "method_not_allowed").await;
}

#[tokio::test]
async fn a_large_body_passes_unchanged_through_a_file_and_back() {
    let miner = TestMiner::spawn(|settings| settings.miner.memory_body_bytes = 4096).await;
    let body: Vec<u8> = (0..3_000_000_u32).map(|i| (i % 251) as u8).collect();
    let target = "/7/score/alerts?echo";
    for _ in 0..2 {
        let headers = miner.signed(&dev_key("Alice"), target, &body);
        let response = miner.post(target, headers, body.clone()).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.bytes().await.expect("a body"), body);
    }
    assert_eq!(miner.api.bytes.load(Ordering::SeqCst), 6_000_000);
}

#[tokio::test]
async fn files_are_bounded_together_and_given_back() {
    let tune = |settings: &mut Settings| {
        settings.miner.memory_body_bytes = 4096;
        settings.miner.max_spooled_bytes = 1_000_000;
    };
    let miner = TestMiner::spawn(tune).await;
    let big = vec![b'x'; 1_500_000];
    let headers = announced(miner.signed(&dev_key("Alice"), SCORE, &big), &big);
    must_fail_with(miner.post(SCORE, headers, big).await, 503, "no_room").await;
    let fits = vec![b'x'; 900_000];
    for _ in 0..3 {
        let headers = announced(miner.signed(&dev_key("Alice"), SCORE, &fits), &fits);
        let response = miner.post(SCORE, headers, fits.clone()).await;
        assert_eq!(response.status(), 200);
        response.bytes().await.expect("a body");
    }
}

#[tokio::test]
async fn too_much_is_refused_with_and_without_a_declared_length() {
    let miner = TestMiner::spawn(|settings| settings.miner.max_body_bytes = 100_000).await;
    let body = vec![b'x'; 200_000];
    let headers = miner.signed(&dev_key("Alice"), SCORE, &body);
    let chunks: Vec<std::io::Result<Bytes>> =
        body.chunks(1000).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
    let chunked = reqwest::Body::wrap_stream(futures_util::stream::iter(chunks));
    must_fail_with(miner.post(SCORE, headers, chunked).await, 413, "body_too_large").await;
    // The head alone is enough to refuse a declared length: not one byte of the body is sent.
    let headers = miner.signed(&dev_key("Alice"), SCORE, &body);
    let answer = raw_head(&miner, SCORE, &headers, "content-length: 99999999999\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    let answer = miner.ask("Alice", "/7/score/alerts?huge", b"{}").await;
    must_fail_with(answer, 502, "api_answer_too_large").await;
}

/// Sends only the head of a request and reads what comes back.
async fn raw_head(miner: &TestMiner, target: &str, headers: &HeaderMap, more: &str) -> String {
    let mut head = format!("POST {target} HTTP/1.1\r\nhost: x\r\n{more}");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {}\r\n", value.to_str().expect("text")));
    }
    let mut stream = TcpStream::connect(miner.address).await.expect("a connection");
    stream.write_all(format!("{head}\r\n").as_bytes()).await.expect("sent");
    let mut answer = vec![0; 4096];
    let read = stream.read(&mut answer).await.expect("an answer");
    String::from_utf8_lossy(&answer[..read]).into_owned()
}

#[tokio::test]
async fn strangers_are_refused_before_their_body_is_read() {
    let miner = TestMiner::spawn(|_| {}).await;
    let headers = miner.signed(&dev_key("Eve"), SCORE, b"");
    let answer = raw_head(&miner, SCORE, &headers, "content-length: 200000000\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
}

#[tokio::test]
async fn a_hotkey_has_a_rate_that_strangers_cannot_use_up() {
    let miner = TestMiner::spawn(|settings| settings.miner.requests_per_minute = 2).await;
    for _ in 0..5 {
        let headers = miner.signed(&dev_key("Alice"), SCORE, b"{}");
        must_fail_with(miner.post(SCORE, headers, "forged").await, 401, "bad_signature").await;
    }
    assert_eq!(miner.ask("Alice", SCORE, b"{}").await.status(), 200);
    assert_eq!(miner.ask("Alice", SCORE, b"{}").await.status(), 200);
    let refused = miner.ask("Alice", SCORE, b"{}").await;
    assert_eq!(refused.headers()["retry-after"], "31");
    must_fail_with(refused, 429, "rate_limited").await;
    miner.clock.set(START + Duration::from_secs(31));
    assert_eq!(miner.ask("Alice", SCORE, b"{}").await.status(), 200);
}

#[tokio::test]
async fn an_address_that_only_forges_is_no_longer_read() {
    let miner = TestMiner::spawn(|settings| settings.miner.failures_per_minute = 3).await;
    for _ in 0..3 {
        let headers = miner.signed(&dev_key("Alice"), SCORE, b"{}");
        must_fail_with(miner.post(SCORE, headers, "forged").await, 401, "bad_signature").await;
    }
    let headers = miner.signed(&dev_key("Alice"), SCORE, b"{}");
    let answer = raw_head(&miner, SCORE, &headers, "content-length: 200000000\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 429 "), "{answer}");
}

#[tokio::test]
async fn an_api_that_is_down_or_hangs_is_named() {
    let miner = TestMiner::spawn(|settings| settings.miner.api_url = "http://127.0.0.1:1".to_owned()).await;
    must_fail_with(miner.ask("Alice", SCORE, b"{}").await, 502, "api_down").await;
    let tune = |settings: &mut Settings| settings.miner.request_timeout = Duration::from_millis(200);
    let hangs = TestMiner::with(dev_key("Bob"), default_neurons(), 0, tune).await;
    must_fail_with(hangs.ask("Alice", SCORE, b"{}").await, 408, "request_timeout").await;
}

#[tokio::test]
async fn a_busy_miner_refuses_beyond_its_queue() {
    let tune = |settings: &mut Settings| {
        settings.miner.concurrent = 1;
        settings.miner.queue = 0;
    };
    let miner = TestMiner::with(dev_key("Bob"), default_neurons(), 0, tune).await;
    let first = miner.ask("Alice", SCORE, b"{}");
    let second = async {
        while miner.api.hits() == 0 {
            tokio::task::yield_now().await;
        }
        let refused = miner.ask("Alice", SCORE, b"{}").await;
        miner.api.gate.add_permits(1);
        refused
    };
    let (served, refused) = tokio::join!(first, second);
    assert_eq!(served.status(), 200);
    must_fail_with(refused, 429, "overloaded").await;
}

#[tokio::test]
async fn slow_headers_and_too_many_connections_are_dropped() {
    let tune = |settings: &mut Settings| {
        settings.miner.header_timeout = Duration::from_millis(100);
        settings.miner.connections_per_peer = 2;
    };
    let miner = TestMiner::spawn(tune).await;
    let mut slow = TcpStream::connect(miner.address).await.expect("a connection");
    slow.write_all(b"POST /7/score/alerts HTTP/1.1\r\nhost: x\r\n").await.expect("sent");
    let _second = TcpStream::connect(miner.address).await.expect("a connection");
    let mut third = TcpStream::connect(miner.address).await.expect("a connection");
    let mut rest = Vec::new();
    // Closed at once, with nothing said.
    assert_eq!(third.read_to_end(&mut rest).await.unwrap_or_default(), 0);
    // Closed when the headers are overdue.
    slow.read_to_end(&mut rest).await.expect("an end");
    assert!(!String::from_utf8_lossy(&rest).contains("200"));
}

#[tokio::test]
async fn a_stop_finishes_what_is_in_flight_and_drops_what_is_idle() {
    let miner = TestMiner::with(dev_key("Bob"), default_neurons(), 0, |_| {}).await;
    let mut idle = TcpStream::connect(miner.address).await.expect("a connection");
    idle.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    let mut answer = vec![0; 4096];
    assert!(idle.read(&mut answer).await.expect("an answer") > 0);
    let asked = miner.ask("Alice", SCORE, b"{}");
    let stopped = async {
        while miner.api.hits() == 0 {
            tokio::task::yield_now().await;
        }
        miner.stop.cancel();
        // The idle connection ends although the other one is still served.
        let mut rest = Vec::new();
        idle.read_to_end(&mut rest).await.expect("an end");
        miner.api.gate.add_permits(1);
    };
    let (served, ()) = tokio::join!(asked, stopped);
    assert_eq!(served.status(), 200);
    assert_eq!(served.bytes().await.expect("a body"), SCORES);
    tokio::time::timeout(Duration::from_secs(20), miner.served).await.expect("it stops").expect("no panic");
    assert!(TcpStream::connect(miner.address).await.is_err());
}

#[tokio::test]
async fn a_body_that_never_ends_is_given_up() {
    let miner = TestMiner::spawn(|settings| settings.miner.request_timeout = Duration::from_millis(200)).await;
    let headers = miner.signed(&dev_key("Alice"), SCORE, b"");
    let answer = raw_head(&miner, SCORE, &headers, "content-length: 1000\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert_eq!(miner.api.hits(), 0);
}

#[tokio::test]
async fn a_peer_that_does_not_read_its_answer_is_dropped() {
    let miner = TestMiner::spawn(|settings| settings.miner.grace = Duration::from_secs(600)).await;
    // More than all socket buffers on the way hold.
    let body = vec![b'x'; 24 << 20];
    let target = "/7/score/alerts?echo";
    let mut head = format!("POST {target} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in &miner.signed(&dev_key("Alice"), target, &body) {
        head.push_str(&format!("{name}: {}\r\n", value.to_str().expect("text")));
    }
    let mut stream = TcpStream::connect(miner.address).await.expect("a connection");
    stream.write_all(format!("{head}\r\n").as_bytes()).await.expect("sent");
    stream.write_all(&body).await.expect("sent");
    let mut first = [0; 12];
    stream.read_exact(&mut first).await.expect("an answer");
    assert_eq!(&first, b"HTTP/1.1 200");
    miner.stop.cancel();
    // Long before the grace period ends.
    tokio::time::timeout(Duration::from_secs(60), miner.served).await.expect("it is dropped").expect("no panic");
}

#[tokio::test]
async fn the_old_form_is_served_when_asked_for() {
    let miner = TestMiner::spawn(|settings| settings.protocol.accept_v10 = true).await;
    let receiver = dendrite::Receiver { hotkey: miner.key, address: miner.address };
    let task = br#"{"alerts":[{"alert_id":"a"}]}"#;
    let uuid = dendrite::Uuid::random(&MachineEntropy).expect("randomness");
    let once = dendrite::Unique { nonce: miner.nonces.next(&*miner.clock), uuid };
    let made = dendrite::request(&dev_key("Alice"), &receiver, once, Duration::from_secs(12), task).expect("a batch");
    let response = miner.post("/AlertScoring", made.headers.clone(), made.body.clone()).await;
    let (status, headers) = (response.status(), response.headers().clone());
    let read = reply::read(status, &headers, &response.bytes().await.expect("a body")).expect("a reply");
    assert_eq!(read.scores.as_deref(), Some(SCORES.as_bytes()));
    assert_eq!(read.model_version.as_deref(), Some("1.0.0"));
    assert_eq!(read.miner_id, Some(miner.key.to_string()));
    let again = miner.post("/AlertScoring", made.headers, made.body).await;
    assert_eq!(again.status(), 401);
    assert_eq!(again.headers()["bt_header_axon_status_code"], "401");
    let words: Value = again.json().await.expect("JSON");
    assert!(words["message"].as_str().expect("a text").contains("already accepted"), "{words}");
}

/// Replays a captured request, byte for byte, and gives the status line.
async fn replay(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(bytes).await.expect("sent");
    let mut answer = vec![0; 4096];
    let read = stream.read(&mut answer).await.expect("an answer");
    String::from_utf8_lossy(&answer[..read]).lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn every_captured_request_gets_what_it_deserves_over_the_wire() {
    let Some(root) = shared("fixtures/bittensor/axon_http") else { return };
    let identities = must_read_json(&root.join("identities.json"));
    let key = |who: &str| -> Hotkey { must_text(&identities, who).parse().expect("an address") };
    let neurons = vec![neuron(0, key("validator_hotkey"), (true, 5_000_000_000))];
    let us = Signer::from_mnemonic(must_text(&identities["mnemonics"], "miner"), aml_subnet::wallet::Scheme::Sr25519);
    let tune = |settings: &mut Settings| {
        settings.protocol.accept_v10 = true;
        settings.miner.metagraph_max_age = Duration::from_secs(1 << 30);
    };
    let miner = TestMiner::with(us.expect("valid"), neurons, 1000, tune).await;
    for case in must_read_json(&root.join("index.json")).as_array().expect("a list") {
        let name = must_text(case, "case");
        miner.clock.set(Duration::from_nanos(case["sent_unix_ns"].as_u64().expect("a time")));
        let path = root.join(format!("{name}.request.http"));
        let status = replay(miner.address, &std::fs::read(&path).expect("readable")).await;
        // 05 and 06 tell of the handler behind the captured axon.
        let theirs =
            name.starts_with("05_") || name.starts_with("06_") || must_text(case, "status_line").contains(" 200 ");
        let stricter = STRICTER.iter().find(|(stricter, _)| *stricter == name);
        let accepted = theirs && stricter.is_none();
        assert_eq!(status == "HTTP/1.1 200 OK", accepted, "{name}: {status}; {case} {stricter:?}");
        if must_text(case, "status_line").contains(" 403 ") {
            assert!(status.contains(" 403 "), "{name}: {status}");
        }
        assert!(must_split(&path).headers.len() < 64, "within our own limits");
    }
}
