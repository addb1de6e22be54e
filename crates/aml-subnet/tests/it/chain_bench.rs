//! A development chain to run scenarios on, whatever it is made of: storage is set and blocks are made over its
//! `dev_` methods, calls are signed and sent as they are, unchecked.

use std::sync::Arc;
use std::time::Duration;

use aml_miner::clock::SystemClock;
use aml_subnet::chain::endpoints::Endpoints;
use aml_subnet::subtensor::{PoolError, Subtensor, Timing};
use aml_subnet::wallet::{Hotkey, Scheme, Signer};
use parity_scale_codec::Encode as _;
use scale_value::{Composite, Value};
use serde_json::json;
use subxt::backend::LegacyBackend;
use subxt::config::DefaultExtrinsicParamsBuilder;
use subxt::config::substrate::{AccountId32, MultiSignature, SubstrateConfig};
use subxt::error::{
    BackendError, DispatchError, ExtrinsicError, RpcError, TransactionEventsError, TransactionFinalizedSuccessError,
};
use subxt::rpcs::client::rpc_params;
use subxt::rpcs::{Error as RpcsError, RpcClient};
use subxt::{OnlineClient, dynamic};

/// The subnet of all scenarios.
pub(crate) const NETUID: u16 = 1;

/// A chain under test.
pub(crate) struct Bench {
    rpc: RpcClient,
    client: OnlineClient<SubstrateConfig>,
    endpoints: Endpoints,
}

struct TestSigner<'a>(&'a Signer);

impl subxt::tx::Signer<SubstrateConfig> for TestSigner<'_> {
    fn account_id(&self) -> AccountId32 {
        AccountId32(*self.0.hotkey().as_bytes())
    }

    fn sign(&self, payload: &[u8]) -> MultiSignature {
        assert!(payload.len() <= 256, "no scenario has such a long call");
        MultiSignature::Sr25519(self.0.sign(payload))
    }
}

/// A key that nothing else uses.
pub(crate) fn key(name: &str) -> Signer {
    Signer::from_uri(&format!("//conformance//{name}"), Scheme::Sr25519).expect("a valid URI")
}

/// A number as argument or key.
pub(crate) fn n(value: impl Into<u128>) -> Value {
    Value::u128(value.into())
}

/// Several numbers as argument.
pub(crate) fn ns(values: &[u16]) -> Value {
    Value::unnamed_composite(values.iter().map(|value| n(*value)))
}

/// An account as argument or key.
pub(crate) fn who(hotkey: Hotkey) -> Value {
    Value::from_bytes(hotkey.as_bytes())
}

impl Bench {
    pub(crate) async fn at(url: &str) -> Self {
        let rpc = RpcClient::from_insecure_url(url).await.expect("the chain listens");
        let backend = Arc::new(LegacyBackend::builder().build(rpc.clone()));
        let client = OnlineClient::from_backend_with_config(SubstrateConfig::new(), backend).await.expect("a chain");
        let endpoints = Endpoints::resolve("local", Some(url)).expect("a URL");
        Self { rpc, client, endpoints }
    }

    /// Our client, of a process that has just started: what [`Bench::call`] signed is unknown to it.
    pub(crate) fn chain(&self) -> Subtensor {
        // The real runtime runs in an interpreter here: it takes its time.
        let timing = Timing { request: Duration::from_secs(60), poll: Duration::from_millis(50), ..Timing::default() };
        Subtensor::new(self.endpoints.clone(), timing, Arc::new(SystemClock))
    }

    /// Sets storage of a pallet.
    pub(crate) async fn set(&self, pallet: &str, items: Vec<(&str, Vec<Value>, Vec<u8>)>) {
        let at = self.client.at_current_block().await.expect("a head");
        let mut changes = Vec::new();
        for (item, keys, value) in items {
            let Ok(entry) = at.storage().entry(dynamic::storage::<Vec<Value>, Value>(pallet, item)) else { continue };
            let key = entry.fetch_key(keys).expect("its keys");
            changes.push((format!("0x{}", hex::encode(key)), format!("0x{}", hex::encode(value))));
        }
        let _: serde_json::Value = self.rpc.request("dev_setStorage", rpc_params![changes]).await.expect("set");
    }

    /// Sets a rule of the subnet.
    pub(crate) async fn rule(&self, item: &str, value: impl parity_scale_codec::Encode) {
        self.set("SubtensorModule", vec![(item, vec![n(NETUID)], value.encode())]).await;
    }

    /// Makes blocks.
    pub(crate) async fn blocks(&self, count: u64) {
        let _: serde_json::Value =
            self.rpc.request("dev_newBlock", rpc_params![json!({ "count": count })]).await.expect("blocks");
    }

    /// Gives an account ten thousand TAO.
    pub(crate) async fn fund(&self, account: Hotkey) {
        let info = ((0_u32, 0_u32, 1_u32, 0_u32), (10_000_000_000_000_u64, 0_u64, 0_u64, 1_u128 << 127)).encode();
        self.set("System", vec![("Account", vec![who(account)], info)]).await;
    }

    /// Goes on to another runtime; only the localnet can.
    pub(crate) async fn upgrade(&self, generation: &str) {
        let _: serde_json::Value =
            self.rpc.request("dev_upgradeRuntime", rpc_params![generation]).await.expect("an upgrade");
    }

    /// Stake for a neuron, and the permit that comes of it. The development runtime gives everyone a permit, and has
    /// no such method.
    pub(crate) async fn permit(&self, hotkey: Hotkey) {
        let stake = json!({ "netuid": NETUID, "hotkey": hotkey.to_string(), "rao": 1_000_000_000_000_u64 });
        let staked: Result<serde_json::Value, RpcsError> = self.rpc.request("localnet_stake", rpc_params![stake]).await;
        if staked.is_ok() {
            let _: serde_json::Value =
                self.rpc.request("localnet_runEpoch", rpc_params![NETUID]).await.expect("an epoch");
        }
    }

    /// Signs and sends a call as it is: "ok", or the name of the refusal.
    pub(crate) async fn call(&self, signer: &Signer, name: &str, args: Vec<(&str, Value)>) -> String {
        let nonce = self.nonce(signer).await;
        self.call_with(signer, nonce, name, args).await
    }

    pub(crate) async fn nonce(&self, signer: &Signer) -> u64 {
        let account = AccountId32(*signer.hotkey().as_bytes());
        self.client.at_current_block().await.expect("a head").tx().account_nonce(&account).await.expect("a nonce")
    }

    /// The same with a nonce of one's own.
    pub(crate) async fn call_with(&self, signer: &Signer, nonce: u64, name: &str, args: Vec<(&str, Value)>) -> String {
        let at = self.client.at_current_block().await.expect("a head");
        let call = dynamic::transaction("SubtensorModule", name, Composite::named(args));
        let params = DefaultExtrinsicParamsBuilder::<SubstrateConfig>::new()
            .mortal_from_unchecked(64, at.block_number(), at.block_hash())
            .nonce(nonce)
            .build();
        let mut unsigned = at.tx().create_v4_signable_offline(&call, params).expect("the call exists");
        let signed = unsigned.sign(&TestSigner(signer)).expect("signed");
        let progress = match signed.submit_and_watch().await {
            Ok(progress) => progress,
            Err(error) => return pool(&error),
        };
        match progress.wait_for_finalized_success().await {
            Ok(_) => "ok".to_owned(),
            Err(TransactionFinalizedSuccessError::SuccessError(TransactionEventsError::ExtrinsicFailed(error))) => {
                module(&error)
            }
            Err(error) => format!("unexpected: {error}"),
        }
    }
}

fn module(error: &DispatchError) -> String {
    match error {
        DispatchError::Module(error) => error.details().expect("a known error").variant.name.clone(),
        other => other.to_string(),
    }
}

fn pool(error: &ExtrinsicError) -> String {
    let ExtrinsicError::ErrorSubmittingTransaction(BackendError::Rpc(RpcError::ClientError(RpcsError::User(refusal)))) =
        error
    else {
        return format!("unexpected: {error}");
    };
    let data = refusal.data.as_ref().map(|data| data.get().trim_matches('"').to_owned());
    format!("pool: {:?}", PoolError::from_rpc(refusal.code, &refusal.message, data.as_deref()))
}
