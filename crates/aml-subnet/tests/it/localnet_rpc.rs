//! The development chain as clients of Substrate see it: blocks, refusals of the pool, upgrades, restarts.

use std::time::Duration;

use aml_subnet::chain::types::Block;
use aml_subnet::localnet::{Config, Generation, Localnet, Spec};
use jsonrpsee::core::client::{ClientT, SubscriptionClientT};
use jsonrpsee::http_client::{HttpClient, HttpClientBuilder};
use jsonrpsee::rpc_params;
use jsonrpsee::ws_client::WsClientBuilder;
use serde_json::{Value, json};
use subxt::{OnlineClient, SubstrateConfig};

use crate::common::dev_key;

async fn must_start(config: Config) -> Localnet {
    Localnet::start(config).await.expect("port 0 is free")
}

fn on_demand() -> Config {
    Config { block_time: None, ..Config::default() }
}

fn http(localnet: &Localnet) -> HttpClient {
    HttpClientBuilder::default().build(localnet.http_url()).expect("a client")
}

async fn must_ask(client: &HttpClient, method: &str, params: Value) -> Value {
    let params: Vec<Value> = params.as_array().expect("a list").clone();
    client.request(method, params).await.unwrap_or_else(|error| panic!("{method}: {error}"))
}

#[tokio::test]
async fn a_client_follows_blocks_that_make_themselves() {
    let config = Config { block_time: Some(Duration::from_millis(25)), ..Config::default() };
    let localnet = must_start(config).await;
    let client = OnlineClient::<SubstrateConfig>::from_insecure_url(localnet.ws_url()).await.expect("connects");
    let mut blocks = client.stream_blocks().await.expect("subscribes");
    let mut numbers = Vec::new();
    for _ in 0..3 {
        numbers.push(blocks.next().await.expect("a block").expect("no error").number());
    }
    assert_eq!(numbers, [numbers[0], numbers[0] + 1, numbers[0] + 2]);
}

#[tokio::test]
async fn a_header_is_named_by_its_hash() {
    let localnet = must_start(on_demand()).await;
    localnet.produce_blocks(3);
    let client = http(&localnet);
    let hash = must_ask(&client, "chain_getBlockHash", json!([2])).await;
    let next = must_ask(&client, "chain_getBlockHash", json!([3])).await;
    let header = must_ask(&client, "chain_getHeader", json!([next])).await;
    assert_eq!(header["parentHash"], hash);
    assert_eq!(header["number"], "0x3");
    assert_eq!(must_ask(&client, "chain_getFinalizedHead", json!([])).await, next);
    assert_eq!(must_ask(&client, "chain_getBlockHash", json!([99])).await, Value::Null);
}

#[tokio::test]
async fn old_state_is_read_at_its_block_and_unknown_blocks_are_refused() {
    let localnet = must_start(on_demand()).await;
    localnet.produce_blocks(2);
    let client = http(&localnet);
    // System.Number
    let number = "0x26aa394eea5630e07c48ae0c9558cef702a5c1b19ab7a04f536c519aca4983ac";
    let first = must_ask(&client, "chain_getBlockHash", json!([1])).await;
    assert_eq!(must_ask(&client, "state_getStorage", json!([number, first])).await, "0x01000000");
    assert_eq!(must_ask(&client, "state_getStorage", json!([number])).await, "0x02000000");
    let unknown = format!("0x{}", "ab".repeat(32));
    let refused = client.request::<Value, _>("state_getStorage", rpc_params![number, unknown]).await;
    assert!(refused.expect_err("unknown").to_string().contains("UnknownBlock"));
}

#[tokio::test]
async fn bytes_that_are_no_transaction_get_the_errors_of_a_node() {
    let localnet = must_start(on_demand()).await;
    let client = http(&localnet);
    for (bytes, wanted) in [("0x", "1001"), ("0x00", "1001"), ("0x0484", "1001"), ("0x08040000", "1001")] {
        let refused = client.request::<Value, _>("author_submitExtrinsic", rpc_params![bytes]).await;
        let error = refused.expect_err(bytes).to_string();
        assert!(error.contains(wanted), "{bytes}: {error}");
    }
    // far longer than any transaction: refused by its length, before it is looked at
    let long = format!("0x{}", "00".repeat(300 * 1024));
    let refused = client.request::<Value, _>("author_submitExtrinsic", rpc_params![long]).await;
    assert!(refused.expect_err("long").to_string().contains("more than"));
}

#[tokio::test]
async fn an_upgrade_is_announced_and_old_blocks_keep_their_metadata() {
    let localnet = must_start(Config { generation: Generation::G218, ..on_demand() }).await;
    let client = WsClientBuilder::default().build(localnet.ws_url()).await.expect("connects");
    let mut versions = client
        .subscribe::<Value, _>("state_subscribeRuntimeVersion", rpc_params![], "state_unsubscribeRuntimeVersion")
        .await
        .expect("subscribes");
    let before = versions.next().await.expect("the version now").expect("readable");
    let old = must_ask(&http(&localnet), "chain_getBlockHash", json!([])).await;
    localnet.upgrade(Generation::G381.spec());
    let after = versions.next().await.expect("the new version").expect("readable");
    assert_eq!((&before["specVersion"], &after["specVersion"]), (&json!(218), &json!(381)));
    let now = must_ask(&http(&localnet), "state_getMetadata", json!([])).await;
    let then = must_ask(&http(&localnet), "state_getMetadata", json!([old])).await;
    assert_ne!(now, then);
}

#[tokio::test]
async fn blocks_that_are_not_final_can_be_taken_back() {
    let localnet = must_start(on_demand()).await;
    localnet.produce_blocks(2);
    localnet.set_finalizing(false);
    let before = must_ask(&http(&localnet), "chain_getBlockHash", json!([2])).await;
    let bob = dev_key("Bob").hotkey();
    localnet.register(1, bob, dev_key("Alice").hotkey()).expect("a place");
    assert_eq!(localnet.height(), Block(3));
    assert_eq!(localnet.take_back(9), 1);
    assert_eq!(must_ask(&http(&localnet), "chain_getBlockHash", json!([])).await, before);
    localnet.register(1, bob, dev_key("Alice").hotkey()).expect("the place is free again");
}

#[tokio::test]
async fn a_chain_on_disk_goes_on_after_a_restart() {
    let directory = tempfile::tempdir().expect("a directory");
    let config = Config { db: Some(directory.path().to_owned()), ..on_demand() };
    let first = must_start(config.clone()).await;
    let (alice, bob) = (dev_key("Alice").hotkey(), dev_key("Bob").hotkey());
    first.register(1, bob, alice).expect("a place");
    let spec = Spec { generation: Generation::G463, version: 500 };
    let height = first.upgrade(spec);
    let head = must_ask(&http(&first), "chain_getBlockHash", json!([])).await;
    let genesis = must_ask(&http(&first), "chain_getBlockHash", json!([0])).await;
    first.shutdown().await;

    let second = must_start(config).await;
    assert_eq!(second.height(), height);
    assert_eq!(must_ask(&http(&second), "chain_getBlockHash", json!([])).await, head);
    assert_eq!(must_ask(&http(&second), "chain_getBlockHash", json!([0])).await, genesis);
    assert_eq!(must_ask(&http(&second), "state_getRuntimeVersion", json!([])).await["specVersion"], 500);
    let again = second.register(1, bob, alice).expect_err("is registered");
    assert!(again.to_string().contains("HotKeyAlreadyRegisteredInSubNet"));
    second.produce_block();
}
