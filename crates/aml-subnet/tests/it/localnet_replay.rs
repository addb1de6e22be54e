//! Transactions that a real runtime of spec 218 judged, sent to the development chain: both must judge alike.

use aml_subnet::localnet::{Config, Generation, Hyperparameter, Localnet};
use aml_subnet::wallet::Hotkey;
use jsonrpsee::core::ClientError;
use jsonrpsee::core::client::ClientT;
use jsonrpsee::http_client::{HttpClient, HttpClientBuilder};
use jsonrpsee::rpc_params;
use serde_json::Value;

use crate::common::{must_read_json, must_text, shared};

const NETUID: u16 = 1;
/// `System.Events`.
const EVENTS: &str = "0x26aa394eea5630e07c48ae0c9558cef780d41e5e16056765bc8461851072c9d7";
/// The first transaction of a block after the time, and that it succeeded.
const SUCCESS: &str = "00010000000000";

/// What was changed on the real chain before a transaction of the record.
fn rules_before(name: &str) -> &'static [(Hyperparameter, u64)] {
    use Hyperparameter::{
        CommitRevealWeightsEnabled, MaxWeightsLimit, MinAllowedWeights, ServingRateLimit, StakeThreshold,
        WeightsRateLimit, WeightsVersion,
    };
    match name {
        "serve_axon" | "serve_axon_loopback" => &[(ServingRateLimit, 0)],
        "serve_axon_too_fast" => &[(ServingRateLimit, 50)],
        "set_weights_ok" | "set_weights_duplicate_uids" => &[(WeightsRateLimit, 0)],
        "set_weights_right_after_registration" | "set_weights_too_fast" => &[(WeightsRateLimit, 100)],
        "set_weights_old_version_key" => &[(WeightsVersion, 10)],
        "set_weights_min_allowed" => &[(WeightsVersion, 0), (MinAllowedWeights, 3)],
        "set_weights_max_limit" => &[(MinAllowedWeights, 0), (MaxWeightsLimit, 30_000)],
        "set_weights_min_stake" => &[(MaxWeightsLimit, 65_535), (StakeThreshold, 1_000_000_000_000)],
        "set_weights_when_commit_reveal_on" => &[(StakeThreshold, 0), (CommitRevealWeightsEnabled, 1)],
        "set_weights_permit_forced_false_but_epoch_regrants" => &[(CommitRevealWeightsEnabled, 0)],
        _ => &[],
    }
}

/// The key of a value in a map without hash of the key: pallet, item, key.
fn storage_key(prefix: &str, key: &[u8]) -> Vec<u8> {
    let mut raw = hex::decode(prefix).expect("hex");
    raw.extend_from_slice(key);
    raw
}

/// The permits of the three neurons: the recorded chain gave one to everybody.
fn permits() -> (Vec<u8>, Option<Vec<u8>>) {
    let prefix = "658faa385070e074c85bf6b568cf055556af5b07ace59da2c9d7f0d48bc93143";
    (storage_key(prefix, &NETUID.to_le_bytes()), Some(vec![12, 1, 1, 1]))
}

struct Replay {
    localnet: Localnet,
    client: HttpClient,
}

impl Replay {
    async fn start() -> Self {
        let config = Config {
            generation: Generation::G218,
            netuid: NETUID,
            block_time: None,
            genesis_hash: Some([0x45; 32]),
            ..Config::default()
        };
        let localnet = Localnet::start(config).await.expect("port 0 is free");
        let client = HttpClientBuilder::default().build(localnet.http_url()).expect("a client");
        localnet.set_hyperparameter(NETUID, Hyperparameter::Tempo, 100).expect("the subnet exists");
        localnet.set_hyperparameter(NETUID, Hyperparameter::MinAllowedWeights, 0).expect("the subnet exists");
        let nobody = Hotkey::from_bytes([0; 32]);
        localnet.register(NETUID, nobody, nobody).expect("the first neuron of the recorded chain");
        Self { localnet, client }
    }

    /// Brings the chain to the state and height that the transaction met.
    fn prepare(&self, row: &Value) {
        for (rule, value) in rules_before(must_text(row, "name")) {
            self.localnet.set_hyperparameter(NETUID, *rule, *value).expect("the subnet exists");
        }
        if let Some(block) = row["block"].as_u64() {
            while self.localnet.height().0 + 2 < block {
                self.localnet.produce_block();
            }
        }
        let signer: Hotkey = must_text(row, "signer").parse().expect("an address");
        // nonces of transactions that the record left out
        let nonce = u32::try_from(row["nonce"].as_u64().expect("a nonce")).expect("small");
        self.localnet.set_storage(vec![permits(), account(&signer, nonce)]);
    }

    async fn submit(&self, row: &Value) -> Result<String, ClientError> {
        self.client.request("author_submitExtrinsic", rpc_params![must_text(row, "extrinsic_hex_immortal")]).await
    }

    /// How the only transaction of the next block ended.
    async fn outcome(&self) -> String {
        self.localnet.produce_block();
        let events: Option<String> =
            self.client.request("state_getStorage", rpc_params![EVENTS]).await.expect("answers");
        events.expect("a block has events")
    }
}

/// An account with a nonce and a thousand TAO.
fn account(who: &Hotkey, nonce: u32) -> (Vec<u8>, Option<Vec<u8>>) {
    use blake2::digest::consts::U16;
    use blake2::{Blake2b, Digest as _};
    let mut key = hex::decode("26aa394eea5630e07c48ae0c9558cef7b99d880ec681799c0cf30e8886371da9").expect("hex");
    key.extend_from_slice(&Blake2b::<U16>::digest(who.as_bytes()));
    key.extend_from_slice(who.as_bytes());
    let mut value = nonce.to_le_bytes().to_vec();
    value.extend_from_slice(&[0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    value.extend_from_slice(&1_000_000_000_000_u64.to_le_bytes());
    value.extend_from_slice(&[0; 16]);
    value.extend_from_slice(&(1_u128 << 127).to_le_bytes());
    (key, Some(value))
}

#[tokio::test]
async fn every_recorded_transaction_is_judged_as_by_the_real_runtime() {
    let Some(path) = shared("fixtures/bittensor/chain/run218.json") else { return };
    let record = must_read_json(&path);
    let replay = Replay::start().await;
    let mut judged = 0;
    for row in record["extrinsics"].as_array().expect("a list") {
        let name = must_text(row, "name");
        replay.prepare(row);
        let submitted = replay.submit(row).await;
        if row.get("pool_error").is_some() {
            let error = submitted.expect_err(name).to_string();
            assert!(error.contains("1010") && error.contains("Custom error: 3"), "{name}: {error}");
            judged += 1;
            continue;
        }
        let hash = submitted.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(hash, must_text(row, "hash"), "{name}");
        let events = replay.outcome().await;
        let wanted = match row["dispatch_error"]["Module"][0]["error"].as_str() {
            Some(error) => format!("000100000000010307{}", error.trim_start_matches("0x")),
            None => SUCCESS.to_owned(),
        };
        assert!(events.contains(&wanted), "{name}: wanted {wanted} ({}) in {events}", row["error_name"]);
        judged += 1;
    }
    assert!(judged > 40, "only {judged} transactions were judged");
}
