//! Where the beacon's signatures come from: the localnet's own, the chain, relays. None of them is believed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aml_miner::clock::Clock;
use aml_miner::secret_url::SecretUrl;
use aml_subnet::beacon::{Beacon, BeaconRound, sign_for_development};
use aml_subnet::chain::metagraph::SourceError;
use aml_subnet::chain::pulses::ChainPulses;
use aml_subnet::config::SealingSettings;
use aml_subnet::localnet::{Config, Generation, Localnet};
use aml_subnet::validator::world::{BeaconReader, BeaconSource};
use axum::Router;
use axum::extract::State;
use axum::http::Uri;
use axum::routing::get;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::validator_kill::subtensor;

/// A clock that the test moves.
struct Hands(Mutex<Duration>);

impl Clock for Hands {
    fn now(&self) -> Duration {
        *self.0.lock().expect("no panic")
    }
}

const NOW: u64 = 1_795_000_000;

async fn chain(generation: Generation) -> (Localnet, Arc<Hands>) {
    let clock = Arc::new(Hands(Mutex::new(Duration::from_secs(NOW))));
    let config =
        Config { generation, block_time: None, beacon: true, clock: Arc::clone(&clock) as Arc<_>, ..Config::default() };
    (Localnet::start(config).await.expect("a free port"), clock)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_localnet_signs_a_round_every_second_and_catches_up_after_a_pause() {
    let (localnet, clock) = chain(Generation::G381).await;
    let client = subtensor(&localnet);
    let round = |time_s| Beacon::Development.round_from(time_s);
    localnet.produce_block();
    assert_eq!(client.pulse(round(NOW)).await.expect("it answers"), Some(sign_for_development(round(NOW)).to_vec()));
    assert_eq!(client.pulse(round(NOW + 1)).await.expect("it answers"), None, "not before its time");
    let told = std::process::Command::new(env!("CARGO_BIN_EXE_aml-subnet"))
        .args(["localnet", "beacon", "stop", "--url", &localnet.http_url()])
        .status();
    assert!(told.expect("it runs").success());
    *clock.0.lock().expect("no panic") = Duration::from_secs(NOW + 3);
    localnet.produce_block();
    assert_eq!(client.pulse(round(NOW + 1)).await.expect("it answers"), None, "it is stopped");
    localnet.set_beacon(true);
    localnet.produce_block();
    for second in 1..=3 {
        let expected = Some(sign_for_development(round(NOW + second)).to_vec());
        assert_eq!(client.pulse(round(NOW + second)).await.expect("it answers"), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runtime_without_the_pallet_has_no_pulses() {
    let (localnet, _clock) = chain(Generation::G218).await;
    localnet.produce_block();
    assert_eq!(subtensor(&localnet).pulse(1).await.expect("it answers"), None);
}

/// A chain that says this of every round.
struct Said(Result<Option<Vec<u8>>, &'static str>);

impl ChainPulses for Said {
    fn signature(&self, _round: u64) -> BoxFuture<'_, Result<Option<Vec<u8>>, SourceError>> {
        let said = self.0.clone().map_err(SourceError::new);
        Box::pin(async move { said })
    }
}

/// A relay that answers with this, and counts.
struct Relay {
    url: SecretUrl,
    asked: Arc<Mutex<Vec<String>>>,
    hits: Arc<AtomicUsize>,
}

async fn relay(answer: Value) -> Relay {
    let (asked, hits): (Arc<Mutex<Vec<String>>>, Arc<AtomicUsize>) = Default::default();
    let state = (answer.to_string(), Arc::clone(&asked), Arc::clone(&hits));
    type Shared = (String, Arc<Mutex<Vec<String>>>, Arc<AtomicUsize>);
    let say = |State((answer, asked, hits)): State<Shared>, uri: Uri| async move {
        asked.lock().expect("no panic").push(uri.path().to_owned());
        hits.fetch_add(1, Ordering::SeqCst);
        answer
    };
    let app = Router::new().fallback(get(say)).with_state(state);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = SecretUrl::new(format!("http://{}", listener.local_addr().expect("an address")));
    tokio::spawn(async move { axum::serve(listener, app).await });
    Relay { url, asked, hits }
}

const ROUND: BeaconRound = BeaconRound { beacon: Beacon::Quicknet, round: 1000 };
const SIGNATURE: &str =
    "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39";

fn reader(chain: Said, relays: &[&Relay]) -> BeaconReader {
    let relays = relays.iter().map(|relay| relay.url.clone()).collect();
    BeaconReader::new(&SealingSettings { relays, ..SealingSettings::default() }, Arc::new(chain))
}

fn good() -> Vec<u8> {
    hex::decode(SIGNATURE).expect("hex")
}

#[tokio::test]
async fn relays_are_asked_in_their_order_when_the_chain_has_nothing_that_can_be_believed() {
    let pulse = json!({ "round": 1000, "randomness": "00", "signature": SIGNATURE });
    for chain in [Ok(None), Err("no endpoint answers"), Ok(Some(vec![7; 48])), Ok(Some(Vec::new()))] {
        let lying = relay(json!({ "round": 1000, "signature": hex::encode(sign_for_development(1000)) })).await;
        let honest = relay(pulse.clone()).await;
        let unasked = relay(pulse.clone()).await;
        let read = reader(Said(chain), &[&lying, &honest, &unasked]).pulse(ROUND).await.expect("a relay has it");
        assert_eq!((read.of(), &read.signature()[..]), (ROUND, &good()[..]));
        let hits = [&lying, &honest, &unasked].map(|relay| relay.hits.load(Ordering::SeqCst));
        assert_eq!(hits, [1, 1, 0]);
        let path = format!("/{}/public/1000", hex::encode(Beacon::Quicknet.chain()));
        assert_eq!(*honest.asked.lock().expect("no panic"), [path]);
    }
}

#[tokio::test]
async fn a_chain_that_has_the_round_is_enough() {
    let relay = relay(json!({})).await;
    let read = reader(Said(Ok(Some(good()))), &[&relay]).pulse(ROUND).await.expect("the chain has it");
    assert_eq!((read.of(), relay.hits.load(Ordering::SeqCst)), (ROUND, 0));
}

#[tokio::test]
async fn what_is_no_pulse_is_none_and_says_why() {
    for (answer, why) in [
        (json!({}), "no pulse"),
        (json!([1]), "no pulse"),
        (json!({ "round": 1001, "signature": SIGNATURE }), "round 1001"),
        (json!({ "round": 1000, "signature": "xyz" }), "no hex"),
        (json!({ "round": 1000, "signature": &SIGNATURE[2..] }), "48 bytes of a point"),
        (json!({ "round": 1000, "signature": SIGNATURE, "more": "x".repeat(20_000) }), "too long"),
    ] {
        let relay = relay(answer).await;
        let said = reader(Said(Ok(None)), &[&relay]).pulse(ROUND).await.expect_err("nothing to believe");
        assert!(said.contains("the chain does not have round quicknet:1000") && said.contains(why), "{said}");
    }
}
