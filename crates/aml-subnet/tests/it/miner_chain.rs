//! A whole miner against a development chain: it reads who is who, announces itself, serves, and stops.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use aml_miner::clock::{Clock, SystemClock};
use aml_miner::digest::Digest;
use aml_subnet::chain::collateral::Collateral;
use aml_subnet::chain::endpoints::Endpoints;
use aml_subnet::chain::metagraph::Cache;
use aml_subnet::config::Settings;
use aml_subnet::localnet::{Config, Generation, Localnet};
use aml_subnet::miner::proxy::MinerParts;
use aml_subnet::miner::run::{Outside, Ports, run};
use aml_subnet::protocol::NonceSource;
use aml_subnet::protocol::replay::MemoryNonces;
use aml_subnet::protocol::signed_request::{Target, sign};
use aml_subnet::subtensor::subnet::Subnet;
use aml_subnet::subtensor::{Subtensor, Timing};
use aml_subnet::wallet::Hotkey;
use jsonrpsee::core::client::ClientT;
use jsonrpsee::http_client::HttpClientBuilder;
use jsonrpsee::rpc_params;
use parity_scale_codec::Encode as _;
use sp_crypto_hashing::{blake2_128, twox_128};
use tokio_util::sync::CancellationToken;

use crate::common::dev_key;
use crate::miner::{Api, SCORES};

const NETUID: u16 = 7;
/// Long enough for a busy machine; a broken miner fails by it.
const PATIENCE: Duration = Duration::from_secs(90);

async fn chain_with_a_validator_and_a_miner() -> (Localnet, Arc<Subtensor>) {
    let config = Config { netuid: NETUID, block_time: Some(Duration::from_millis(100)), ..Config::default() };
    let localnet = Localnet::start(config).await.expect("a free port");
    let owner = dev_key("Ferdie").hotkey();
    for name in ["Alice", "Bob"] {
        localnet.register(NETUID, dev_key(name).hotkey(), owner).expect("registered");
    }
    localnet.stake(NETUID, dev_key("Alice").hotkey(), 5_000_000_000_000).expect("staked");
    localnet.run_epoch(NETUID).expect("an epoch");
    let endpoints = Endpoints::resolve(&localnet.ws_url(), None).expect("a URL");
    let chain = Arc::new(Subtensor::new(endpoints, Timing::default(), Arc::new(SystemClock)));
    (localnet, chain)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_miner_finds_its_chain_announces_itself_and_serves() {
    let (_localnet, chain) = chain_with_a_validator_and_a_miner().await;
    let api = Api::spawn(1000).await;
    let mut settings = Settings { netuid: NETUID, ..Settings::default() };
    settings.axon.ip = "127.0.0.1".parse().expect("an address");
    settings.axon.port = 0;
    // The chain refuses 127.0.0.1 itself.
    settings.axon.external_ip = Some("127.0.0.2".parse().expect("an address"));
    settings.miner.status_listen = "127.0.0.1:0".parse().expect("an address");
    settings.miner.api_url = format!("http://{}", api.address);
    let ports = Ports::bind(&settings).await.expect("free ports");
    let (axon, status) = (ports.axon.local_addr().expect("bound"), ports.status.local_addr().expect("bound"));
    let subnet = Arc::new(Subnet { chain: Arc::clone(&chain), netuid: NETUID, signer: dev_key("Bob") });
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let nonces = Arc::new(MemoryNonces::new(clock.now()));
    let parts = MinerParts { signer: dev_key("Bob"), metagraph: Arc::new(Cache::default()), nonces, clock };
    let (source, outlook) = (Arc::clone(&subnet) as Arc<_>, Arc::clone(&subnet) as Arc<_>);
    let outside = Outside { source, outlook, announce: subnet, ports, metrics: None };
    let stop = CancellationToken::new();
    let ended = stop.clone();
    let miner = tokio::spawn(async move { run(&settings, parts, outside, ended).await });

    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let ready = async {
        while !http.get(format!("http://{status}/ready")).send().await.is_ok_and(|answer| answer.status() == 200) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, ready).await.expect("the miner becomes ready");

    let target = format!("/{NETUID}/score/alerts");
    let sent = Target { method: "POST", path_and_query: &target, body: Digest::of(b"{}") };
    let nonces = NonceSource::default();
    let ask = |who: &str| {
        let headers = sign(&dev_key(who), &sent, Some(dev_key("Bob").hotkey()), nonces.next(&SystemClock));
        http.post(format!("http://{axon}{target}")).headers(headers).body("{}").send()
    };
    let answer = ask("Alice").await.expect("an answer");
    assert_eq!((answer.status().as_u16(), answer.text().await.expect("a body").as_str()), (200, SCORES));
    assert_eq!(ask("Bob").await.expect("an answer").status(), 403, "a miner has no permit");
    assert_eq!(ask("Eve").await.expect("an answer").status(), 403, "a stranger");

    let announced = async {
        loop {
            let metagraph = chain.metagraph(NETUID).await.expect("a metagraph");
            if let Some(found) = metagraph.by_hotkey(&dev_key("Bob").hotkey()).and_then(|neuron| neuron.axon) {
                return (found.ip, found.port);
            }
        }
    };
    let place: (IpAddr, u16) = tokio::time::timeout(PATIENCE, announced).await.expect("the axon is announced");
    assert_eq!(place, ("127.0.0.2".parse().expect("an address"), axon.port()));

    stop.cancel();
    tokio::time::timeout(PATIENCE, miner).await.expect("it stops").expect("no panic").expect("no error");
}

/// The key of a value of the pallet, under these parts hashed by Blake2-128.
fn storage_key(item: &str, netuid: u16, accounts: &[Hotkey]) -> Vec<u8> {
    let mut key = [twox_128(b"SubtensorModule"), twox_128(item.as_bytes())].concat();
    key.extend(netuid.to_le_bytes());
    for account in accounts {
        key.extend(blake2_128(account.as_bytes()));
        key.extend(account.as_bytes());
    }
    key
}

#[tokio::test(flavor = "multi_thread")]
async fn collateral_is_read_where_the_chain_has_it() {
    for generation in [Generation::G381, Generation::G463] {
        let config = Config { netuid: NETUID, block_time: None, generation, ..Config::default() };
        let localnet = Localnet::start(config).await.expect("a free port");
        let (hotkey, owner) = (dev_key("Bob").hotkey(), dev_key("Ferdie").hotkey());
        localnet.register(NETUID, hotkey, owner).expect("registered");
        let endpoints = Endpoints::resolve(&localnet.ws_url(), None).expect("a URL");
        let chain = Subtensor::new(endpoints, Timing::default(), Arc::new(SystemClock));
        let read = async || chain.collateral(hotkey, NETUID).await.expect("the chain answers");
        if generation == Generation::G381 {
            assert_eq!(read().await, None, "this runtime knows of none");
            continue;
        }
        assert_eq!(read().await, Some(Collateral::default()));
        let key = storage_key("MinerCollateral", NETUID, &[hotkey, owner]);
        let client = HttpClientBuilder::default().build(localnet.http_url()).expect("a client");
        let value = (7_u64, 2_u64, 5_u64, 1_u128 << 64).encode();
        let changes = rpc_params![[(format!("0x{}", hex::encode(key)), format!("0x{}", hex::encode(value)))]];
        let _: serde_json::Value = client.request("dev_setStorage", changes).await.expect("written");
        let expected = Collateral { locked: 7, floor: 2, earned: 5 };
        assert_eq!(read().await, Some(expected));
    }
}
