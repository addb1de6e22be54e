//! The development chain as a client of Substrate sees it.

use std::time::Duration;

use aml_subnet::chain::localnet::{Config, Localnet};
use subxt::{OnlineClient, SubstrateConfig};

async fn must_start(config: Config) -> Localnet {
    Localnet::start(config).await.expect("port 0 is free")
}

fn quick() -> Config {
    Config { block_time: Some(Duration::from_millis(25)), ..Config::default() }
}

#[tokio::test]
async fn a_client_reads_blocks() {
    let localnet = must_start(quick()).await;
    let client = OnlineClient::<SubstrateConfig>::from_url(localnet.ws_url()).await.expect("connects");
    let mut blocks = client.stream_blocks().await.expect("subscribes");
    let first = blocks.next().await.expect("a block").expect("no error");
    assert!(first.number() <= localnet.height().0);
}
