//! A server on a port of its own, with models small enough to reason about, and a client that speaks bare HTTP.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use aml_miner::api::access::ReloadAccess;
use aml_miner::api::models::Loaded;
use aml_miner::api::serve::{Ended, Ends, serve};
use aml_miner::api::state::{AppState, Parts};
use aml_miner::clock::FixedClock;
use aml_miner::config::{Settings, Sources};
use aml_miner::digest::Digest;
use aml_miner::features::{RowKind, SCHEMA_VERSION, Schema};
use aml_miner::models::BaseModel;
use aml_miner::receipt::ReceiptKey;
use aml_miner::scoring::Prepared;
use serde_json::{Value, json};
use tokio::sync::oneshot;

/// A logistic model over its features; holds every prediction back while its gate is shut.
pub(crate) struct Toy {
    name: &'static str,
    version: String,
    schema: Schema,
    gate: Arc<Gate>,
    /// What it says an explanation takes; nothing where it is 0.
    steps: Arc<AtomicU64>,
}

/// Lets predictions through or holds them back.
#[derive(Default)]
pub(crate) struct Gate {
    shut: Mutex<bool>,
    changed: Condvar,
    /// Predictions of up to so many rows pass all the same.
    pub(crate) spared: AtomicUsize,
    pub(crate) arrived: AtomicU32,
}

impl Gate {
    pub(crate) fn set(&self, shut: bool) {
        *self.shut.lock().expect("no test panics with it") = shut;
        self.changed.notify_all();
    }

    fn pass(&self, rows: usize) {
        if rows <= self.spared.load(Ordering::SeqCst) {
            return;
        }
        self.arrived.fetch_add(1, Ordering::SeqCst);
        let shut = self.shut.lock().expect("no test panics with it");
        drop(self.changed.wait_while(shut, |shut| *shut).expect("no test panics with it"));
    }
}

impl Toy {
    pub(crate) fn new(name: &'static str, version: &str, gate: &Arc<Gate>) -> Self {
        let (rows, features): (_, &[&str]) = if name == "cluster_scorer" {
            (RowKind::Cluster, &["total_alerts", "score_max"])
        } else {
            (RowKind::Alert, &["alert_confidence_score", "severity_encoded", "degree_in"])
        };
        let features = features.iter().map(|name| (*name).to_owned()).collect();
        let schema = Schema { version: SCHEMA_VERSION, rows, features };
        Self { name, version: version.to_owned(), schema, gate: Arc::clone(gate), steps: Arc::default() }
    }
}

fn known(value: f64) -> f64 {
    if value.is_nan() { 0.0 } else { value }
}

impl BaseModel for Toy {
    fn name(&self) -> &str {
        self.name
    }

    fn version(&self) -> &str {
        &self.version
    }

    fn digest(&self) -> Digest {
        Digest::of(self.version.as_bytes())
    }

    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn base_value(&self) -> f64 {
        -1.0
    }

    fn raw_into(&self, rows: &[f64], raw: &mut [f64]) {
        for (row, raw) in rows.chunks(self.schema.features.len()).zip(raw) {
            *raw = -1.0 + row.iter().map(|value| known(*value)).sum::<f64>();
        }
    }

    fn predict_into(&self, rows: &[f64], scores: &mut [f64]) {
        self.gate.pass(scores.len());
        self.raw_into(rows, scores);
        scores.iter_mut().for_each(|score| *score = 1.0 / (1.0 + (-*score).exp()));
    }

    fn explain_into(&self, rows: &[f64], contributions: &mut [f64]) {
        for (value, contribution) in rows.iter().zip(contributions) {
            *contribution = known(*value);
        }
    }

    fn explain_steps(&self) -> Option<u64> {
        Some(self.steps.load(Ordering::SeqCst)).filter(|steps| *steps > 0)
    }
}

/// What a test may change while a server runs.
#[derive(Clone, Default)]
pub(crate) struct Knobs {
    /// Holds predictions back.
    pub(crate) gate: Arc<Gate>,
    /// The models cannot be loaded any more.
    pub(crate) broken: Arc<AtomicBool>,
    /// What the models say an explanation takes; nothing where it is 0.
    pub(crate) steps: Arc<AtomicU64>,
    /// Rises with every loading; becomes the models' version.
    pub(crate) generation: Arc<AtomicU32>,
}

impl Knobs {
    fn load(&self) -> Loaded {
        let mut loaded = Loaded::default();
        if self.broken.load(Ordering::SeqCst) {
            loaded.failures.push(("alert_scorer", "the file is gone".to_owned()));
            return loaded;
        }
        let version = format!("1.0.{}", self.generation.fetch_add(1, Ordering::SeqCst));
        let toy = |name| {
            let model = Toy { steps: Arc::clone(&self.steps), ..Toy::new(name, &version, &self.gate) };
            Some(Arc::new(Prepared::new(Arc::new(model), None).expect("known features")))
        };
        loaded.models.alert_scorer = toy("alert_scorer");
        loaded.models.alert_ranker = toy("alert_ranker");
        loaded.models.cluster_scorer = toy("cluster_scorer");
        loaded
    }
}

/// A server that runs until it is stopped or dropped.
pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    pub(crate) app: AppState,
    pub(crate) knobs: Knobs,
    stop: Option<oneshot::Sender<()>>,
    now: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<Ended>>,
}

pub(crate) fn key() -> ReceiptKey {
    ReceiptKey::from_secret(&[9; 32])
}

impl TestServer {
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// A server with environment variables set.
    pub(crate) fn with(variables: &[(&str, &str)]) -> Self {
        Self::with_knobs(variables, Knobs::default())
    }

    pub(crate) fn with_knobs(variables: &[(&str, &str)], knobs: Knobs) -> Self {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let sources = Sources::default().environment(variables);
        let settings = Settings::read(sources).expect("good settings");
        let loader = knobs.clone();
        let parts = Parts {
            loader: Box::new(move || loader.load()),
            key: Some(key()),
            work: settings.work,
            limits: settings.limits,
            reload_access: ReloadAccess::Loopback,
            clock: Box::new(FixedClock(Duration::from_secs(1_761_436_800))),
            commit: "0a1b2c3",
        };
        let app = AppState::new(parts).expect("threads");
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let address = listener.local_addr().expect("bound");
        let ((stop, stopped), (now, cut)) = (oneshot::channel::<()>(), oneshot::channel::<()>());
        let (serving, grace) = (app.clone(), settings.api.grace);
        let thread = std::thread::spawn(move || {
            // A sender that is dropped stops the server as well; the second signal only counts when it is sent.
            let cut = async {
                if cut.await.is_err() {
                    std::future::pending::<()>().await
                }
            };
            runtime.block_on(serve(listener, serving, Ends { stop: async { drop(stopped.await) }, now: cut, grace }))
        });
        Self { address, app, knobs, stop: Some(stop), now: Some(now), thread: Some(thread) }
    }

    /// The first signal.
    pub(crate) fn terminate(&mut self) {
        drop(self.stop.take());
    }

    /// The second signal.
    pub(crate) fn cut(&mut self) {
        if let Some(now) = self.now.take() {
            now.send(()).expect("it still serves");
        }
    }

    pub(crate) fn ended(mut self) -> Ended {
        drop(self.stop.take());
        self.thread.take().expect("not yet ended").join().expect("serving does not panic")
    }

    pub(crate) fn connect(&self) -> Client {
        let stream = TcpStream::connect(self.address).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
        stream.set_nodelay(true).expect("no delay");
        Client { stream, buffer: Vec::new() }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.connect().ask(&format!("GET {path} HTTP/1.1\r\nhost: test\r\n\r\n"))
    }

    pub(crate) fn post(&self, path: &str, body: impl AsRef<[u8]>) -> Answer {
        self.connect().post(path, &[], body.as_ref())
    }

    pub(crate) fn post_json(&self, path: &str, body: &Value) -> Answer {
        self.post(path, body.to_string())
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.knobs.gate.set(false);
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// One connection.
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    buffer: Vec<u8>,
}

/// One answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {}", String::from_utf8_lossy(&self.body)))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    pub(crate) fn must_succeed(self) -> Self {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        self
    }

    pub(crate) fn must_fail_with(self, status: u16, code: &str) -> Self {
        let shown = String::from_utf8_lossy(&self.body).into_owned();
        assert_eq!(self.status, status, "{shown}");
        let body = self.json();
        assert_eq!(body["code"], code, "{shown}");
        assert_eq!(body["request_id"], self.header("x-request-id").expect("an id"), "{shown}");
        assert!(body["detail"].is_string() || body["detail"].is_array(), "{shown}");
        self
    }
}

impl Client {
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).expect("it reads");
    }

    pub(crate) fn ask(&mut self, request: &str) -> Answer {
        self.send(request);
        self.answer().expect("an answer")
    }

    pub(crate) fn post(&mut self, path: &str, headers: &[&str], body: &[u8]) -> Answer {
        self.send(request(path, headers, body));
        self.answer().expect("an answer")
    }

    /// The next answer; `None` where the connection ends before one begins.
    pub(crate) fn answer(&mut self) -> Option<Answer> {
        let end = loop {
            if let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break end;
            }
            if !self.more() {
                return None;
            }
        };
        let head = String::from_utf8(self.buffer.drain(..end + 4).collect()).expect("text");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        let mut answer = Answer { status, head, body: Vec::new() };
        if let Some(length) = answer.header("content-length") {
            let length: usize = length.parse().expect("a length");
            while self.buffer.len() < length && self.more() {}
            assert!(self.buffer.len() >= length, "the answer is cut off");
            answer.body = self.buffer.drain(..length).collect();
        } else if answer.header("transfer-encoding").is_some() {
            answer.body = self.chunked();
        }
        Some(answer)
    }

    /// The next answer that is no question whether we are still there: somebody who says that nothing more comes is asked that when the
    /// answer takes a moment.
    pub(crate) fn last_word(&mut self) -> Option<Answer> {
        std::iter::from_fn(|| self.answer()).find(|answer| answer.status != 100)
    }

    fn chunked(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let line = loop {
                if let Some(end) = self.buffer.windows(2).position(|window| window == b"\r\n") {
                    break end;
                }
                assert!(self.more(), "cut off in a chunk");
            };
            let size = String::from_utf8(self.buffer.drain(..line + 2).collect()).expect("text");
            let size = usize::from_str_radix(size.trim(), 16).expect("a size");
            while self.buffer.len() < size + 2 {
                assert!(self.more(), "cut off in a chunk");
            }
            body.extend(self.buffer.drain(..size));
            self.buffer.drain(..2);
            if size == 0 {
                return body;
            }
        }
    }

    /// Whether more bytes came.
    fn more(&mut self) -> bool {
        let mut piece = vec![0; 1 << 16];
        match self.stream.read(&mut piece) {
            Ok(read) => {
                self.buffer.extend_from_slice(&piece[..read]);
                read > 0
            }
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => false,
            Err(error) => panic!("nothing comes: {error}"),
        }
    }
}

/// The bytes of a request with a body.
pub(crate) fn request(path: &str, headers: &[&str], body: &[u8]) -> Vec<u8> {
    let mut head = format!("POST {path} HTTP/1.1\r\nhost: test\r\ncontent-length: {}\r\n", body.len());
    if !headers.iter().any(|header| header.to_ascii_lowercase().starts_with("content-type")) {
        head.push_str("content-type: application/json\r\n");
    }
    for header in headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    [head.as_bytes(), body].concat()
}

/// A batch of `alerts` alerts in clusters of two.
pub(crate) fn batch(alerts: usize) -> Value {
    let severities = ["low", "medium", "high", "critical"];
    let rows: Vec<Value> = (0..alerts)
        .map(|i| {
            json!({"alert_id": format!("a{i}"), "address": format!("x{}", i % 7), "severity": severities[i % 4],
            "alert_confidence_score": (i % 100) as f64 / 100.0, "volume_usd": format!("{i}.25")})
        })
        .collect();
    let features: Vec<Value> = (0..7).map(|i| json!({"address": format!("x{i}"), "degree_in": i})).collect();
    let clusters: Vec<Value> = (0..alerts / 2)
        .map(|i| json!({"cluster_id": format!("c{i}"), "related_alert_ids": [format!("a{}", 2 * i), format!("a{}", 2 * i + 1), "elsewhere"], "total_alerts": 2}))
        .collect();
    json!({"alerts": rows, "features": features, "clusters": clusters, "money_flows": []})
}
