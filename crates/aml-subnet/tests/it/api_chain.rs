//! What the API knows of the chain: read aside, shown once it is there, and never in the way of an answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use aml_miner::clock::SystemClock;
use aml_subnet::api::serve::run;
use aml_subnet::chain::endpoints::Endpoints;
use aml_subnet::chain::metagraph::SourceError;
use aml_subnet::chain::plan::WeightsRequest;
use aml_subnet::chain::reading::{ChainReading, ChainSource};
use aml_subnet::chain::types::Uid;
use aml_subnet::localnet::{Config, Localnet, SubnetRules};
use aml_subnet::subtensor::subnet::OwnSubnet;
use aml_subnet::subtensor::{Subtensor, Timing};
use futures_util::future::{BoxFuture, pending};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::api_kit::{Kit, NETUID, validator};
use crate::common::dev_key;

/// Long enough for a busy machine; what hangs fails by it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A chain that never answers.
struct Silent;

impl ChainSource for Silent {
    fn read(&self) -> BoxFuture<'_, Result<ChainReading, SourceError>> {
        Box::pin(pending())
    }
}

/// The API on a socket.
struct Running {
    address: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    async fn with(kit: &Kit, source: Arc<dyn ChainSource>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let stop = CancellationToken::new();
        let task = tokio::spawn(run(listener, kit.api.clone(), source, stop.clone()));
        Self { address, stop, task }
    }

    async fn get(&self, path: &str) -> Value {
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let answer = http.get(format!("http://{}{path}", self.address)).send().await.expect("it answers");
        answer.json().await.expect("JSON")
    }

    async fn must_end(self) {
        self.stop.cancel();
        tokio::time::timeout(PATIENCE, self.task).await.expect("it ends when told").expect("no panic");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_that_does_not_answer_holds_up_neither_answers_nor_the_end() {
    let kit = Kit::empty().await;
    let api = Running::with(&kit, Arc::new(Silent)).await;
    assert_eq!(api.get("/ready").await["reasons"], json!(["the chain was not read yet"]));
    assert_eq!(api.get("/weights").await["on_chain"], Value::Null);
    api.must_end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_weights_that_are_shown_are_our_own_as_the_chain_has_them() {
    let rules = SubnetRules { tempo: 999, weights_rate_limit: 0, commit_reveal: false, ..SubnetRules::default() };
    let block_time = Some(Duration::from_millis(40));
    let localnet = Localnet::start(Config { netuid: NETUID, rules, block_time, ..Config::default() }).await;
    let localnet = localnet.expect("a free port");
    for name in ["Alice", "Bob", "Charlie"] {
        localnet.register(NETUID, dev_key(name).hotkey(), dev_key("Ferdie").hotkey()).expect("registered");
    }
    localnet.stake(NETUID, dev_key("Alice").hotkey(), 5_000_000_000_000).expect("staked");
    localnet.run_epoch(NETUID).expect("an epoch");
    let endpoints = Endpoints::resolve(&localnet.ws_url(), None).expect("a URL");
    let timing = Timing { poll: Duration::from_millis(20), ..Timing::default() };
    let chain = Arc::new(Subtensor::new(endpoints, timing, Arc::new(SystemClock)));
    let seen_by = |name: &str| OwnSubnet {
        chain: Arc::clone(&chain),
        netuid: NETUID,
        mechanism: 0,
        hotkey: dev_key(name).hotkey(),
    };

    let before = seen_by("Alice").read().await.expect("a reading");
    assert_eq!((before.weights, before.tempo, before.metagraph.neurons.len()), (Some(vec![]), 999, 3));
    assert_eq!(seen_by("Dave").read().await.expect("a reading").weights, None, "who is not registered has none at all");
    let bob = before.metagraph.by_hotkey(&dev_key("Bob").hotkey()).expect("registered").uid;
    let request =
        WeightsRequest { netuid: NETUID, mechanism: 0, weights: vec![(bob, 1.0)], version_key: None, salt: vec![7; 8] };
    let plan = chain.plan_weights(validator().hotkey(), &request).await.expect("a plan");
    chain.set_weights(&validator(), &plan).await.expect("set");
    let after = seen_by("Alice").read().await.expect("a reading").weights;
    assert_eq!(after, Some(vec![(bob, 65535)]));
    let Uid(uid) = bob;

    let kit = Kit::empty().await;
    let api = Running::with(&kit, Arc::new(seen_by("Alice"))).await;
    let shown = async {
        loop {
            let weights = api.get("/weights").await;
            if !weights["on_chain"].is_null() {
                return weights;
            }
        }
    };
    let shown = tokio::time::timeout(PATIENCE, shown).await.expect("it is read in a moment");
    let expected = json!([{"uid": uid, "hotkey": dev_key("Bob").hotkey(), "value": 65535}]);
    assert_eq!(shown["on_chain"]["weights"], expected);
    assert_eq!(shown["on_chain"]["tempo"], 999);
    assert_eq!(shown["agrees"], Value::Null, "the ledger knows of no submission");
    api.must_end().await;
}
