//! A node made of captured bytes: real metadata, a table of storage, a table of runtime answers. It includes whatever
//! is sent to it, and misbehaves on demand.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use blake2::Digest as _;
use jsonrpsee::server::{Server, ServerHandle};
use jsonrpsee::types::ErrorObjectOwned;
use jsonrpsee::{RpcModule, SubscriptionMessage};
use parity_scale_codec::{Compact, Encode as _};
use serde_json::{Value as Json, json};

/// A fault of one method.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// It never answers.
    Hang,
    /// It answers with this.
    Lie(Json),
    /// It refuses.
    Error(i32, &'static str, Option<&'static str>),
}

/// How a transaction fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pool {
    /// In the next block, final at once, announced.
    Include,
    /// In the next block, but whoever watches hears nothing more.
    IncludeSilently,
    /// In the next block, but called invalid.
    IncludeAndDisown,
    /// In the next block, where it fails with this error of the pallet.
    Fail(u8),
    /// These states, and no block.
    Say(Vec<Json>),
    /// Refused with code, message, data.
    Refuse(i32, &'static str, &'static str),
}

#[derive(Clone)]
struct Block {
    hash: [u8; 32],
    spec: u32,
    extrinsics: Vec<Vec<u8>>,
    events: Vec<u8>,
}

/// What a transaction changes: keys and values to be stored when it is included.
type Effect = Box<dyn Fn(&[u8]) -> Vec<(Vec<u8>, Vec<u8>)> + Send>;

/// Everything the node knows.
pub(crate) struct State {
    pub(crate) spec: u32,
    pub(crate) metadata: BTreeMap<u32, Vec<u8>>,
    pub(crate) storage: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(crate) apis: HashMap<String, Vec<u8>>,
    pub(crate) faults: HashMap<&'static str, Fault>,
    pub(crate) pool: Pool,
    pub(crate) nonce: u32,
    /// Transactions of others in the pool.
    pub(crate) foreign: u32,
    pub(crate) sent: Vec<Vec<u8>>,
    pub(crate) calls: Vec<String>,
    pub(crate) effect: Option<Effect>,
    /// With the next submission the runtime is upgraded, and from then on transactions are included.
    pub(crate) upgrade_on_submit: Option<(u32, Vec<u8>)>,
    /// So many empty blocks follow a submission.
    pub(crate) advance_on_submit: usize,
    genesis: u8,
    blocks: Vec<Block>,
}

impl State {
    fn new(spec: u32, metadata: Vec<u8>, genesis: u8, height: usize) -> Self {
        let mut state = Self {
            spec,
            metadata: BTreeMap::from([(spec, metadata)]),
            storage: BTreeMap::new(),
            apis: HashMap::new(),
            faults: HashMap::new(),
            pool: Pool::Include,
            nonce: 0,
            foreign: 0,
            sent: Vec::new(),
            calls: Vec::new(),
            effect: None,
            upgrade_on_submit: None,
            advance_on_submit: 0,
            genesis,
            blocks: Vec::new(),
        };
        for _ in 0..=height {
            state.make(Vec::new(), 0_u8.encode());
        }
        state
    }

    /// Makes a block, final at once.
    fn make(&mut self, extrinsics: Vec<Vec<u8>>, events: Vec<u8>) -> [u8; 32] {
        let number = u32::try_from(self.blocks.len()).expect("few blocks");
        let mut hash = [self.genesis; 32];
        hash[..4].copy_from_slice(&number.to_be_bytes());
        self.blocks.push(Block { hash, spec: self.spec, extrinsics, events });
        hash
    }

    /// Makes empty blocks.
    pub(crate) fn advance(&mut self, count: usize) {
        for _ in 0..count {
            self.make(Vec::new(), vec![0]);
        }
    }

    /// Moves on to another runtime with the next block.
    pub(crate) fn upgrade(&mut self, spec: u32, metadata: Vec<u8>) {
        self.metadata.insert(spec, metadata);
        self.spec = spec;
        self.advance(1);
    }

    /// Hash of the newest block, as text.
    pub(crate) fn best_hash(&self) -> String {
        format!("0x{}", hex::encode(self.blocks.last().expect("there is a genesis block").hash))
    }

    pub(crate) fn height(&self) -> u64 {
        self.blocks.len() as u64 - 1
    }

    fn block(&self, hash: &Json) -> &Block {
        let wanted = hash.as_str().and_then(|hash| hex::decode(hash.trim_start_matches("0x")).ok());
        let found = wanted.and_then(|hash| self.blocks.iter().find(|block| block.hash[..] == hash[..]));
        found.unwrap_or_else(|| self.blocks.last().expect("there is a genesis block"))
    }

    /// Includes a transaction, which succeeds unless an error is given.
    fn include(&mut self, extrinsic: Vec<u8>, error: Option<u8>) -> [u8; 32] {
        let effects = self.effect.as_ref().map(|effect| effect(&extrinsic)).filter(|_| error.is_none());
        self.storage.extend(effects.unwrap_or_default());
        self.nonce += 1;
        // One event, of extrinsic 0, of pallet 0 (System): success or failure, with weight, class and fee flag.
        let dispatch = (Compact(0_u64), Compact(0_u64), 0_u8, 0_u8).encode();
        let event = match error {
            None => [vec![0, 0], dispatch].concat(),
            Some(index) => [vec![0, 1, 3, 7, index, 0, 0, 0], dispatch].concat(),
        };
        let events = [Compact(1_u32).encode(), vec![0], 0_u32.encode(), event, vec![0]].concat();
        self.make(vec![extrinsic], events)
    }

    fn answer(&mut self, method: &str, params: &[Json]) -> Json {
        let at = |i: usize| params.get(i).cloned().unwrap_or(Json::Null);
        let hexed = |bytes: &[u8]| json!(format!("0x{}", hex::encode(bytes)));
        match method {
            "chain_getBlockHash" => {
                let number = params.first().and_then(Json::as_u64).unwrap_or(self.height());
                let block = usize::try_from(number).ok().and_then(|number| self.blocks.get(number));
                block.map_or(Json::Null, |block| hexed(&block.hash))
            }
            "chain_getFinalizedHead" => hexed(&self.block(&Json::Null).hash),
            "chain_getHeader" => {
                let block = self.block(&at(0));
                let number = u32::from_be_bytes([block.hash[0], block.hash[1], block.hash[2], block.hash[3]]);
                let zero = hexed(&[0; 32]);
                json!({"parentHash": zero, "number": format!("0x{number:x}"), "stateRoot": zero,
                    "extrinsicsRoot": zero, "digest": {"logs": []}})
            }
            "chain_getBlock" => {
                let header = self.answer("chain_getHeader", params);
                let extrinsics: Vec<Json> = self.block(&at(0)).extrinsics.iter().map(|bytes| hexed(bytes)).collect();
                json!({"block": {"header": header, "extrinsics": extrinsics}, "justifications": null})
            }
            "state_getStorage" => self.stored(&at(0), &at(1)).map_or(Json::Null, |bytes| hexed(&bytes)),
            "state_queryStorageAt" => {
                let keys = at(0).as_array().cloned().unwrap_or_default();
                let value = |key: &Json| json!([key, self.stored(key, &at(1)).map(|bytes| hexed(&bytes))]);
                let changes: Vec<Json> = keys.iter().map(value).collect();
                json!([{"block": hexed(&self.block(&at(1)).hash), "changes": changes}])
            }
            "state_getKeysPaged" => {
                let prefix = must_bytes(&at(0));
                let after = at(2).as_str().map(|_| must_bytes(&at(2)));
                let keys = self.storage.keys().filter(|key| key.starts_with(&prefix));
                let keys = keys.filter(|key| after.as_ref().is_none_or(|after| *key > after));
                json!(keys.map(|key| hexed(key)).collect::<Vec<_>>())
            }
            "state_call" => hexed(&self.call(at(0).as_str().unwrap_or_default(), &must_bytes(&at(1)), &at(2))),
            "system_accountNextIndex" => json!(self.nonce + self.foreign),
            _ => Json::Null,
        }
    }

    fn stored(&self, key: &Json, block: &Json) -> Option<Vec<u8>> {
        let key = must_bytes(key);
        if key == events_key() {
            return Some(self.block(block).events.clone());
        }
        self.storage.get(&key).cloned()
    }

    fn call(&self, function: &str, args: &[u8], block: &Json) -> Vec<u8> {
        let spec = self.block(block).spec;
        match function {
            "Core_version" => {
                let apis: Vec<([u8; 8], u32)> = Vec::new();
                ("node-subtensor", "node-subtensor", 1_u32, spec, 1_u32, apis, 1_u32, 1_u8).encode()
            }
            "Metadata_metadata_versions" => vec![u32::from(self.metadata[&spec][4])].encode(),
            "Metadata_metadata_at_version" => Some(self.metadata[&spec].clone()).encode(),
            "AccountNonceApi_account_nonce" => self.nonce.encode(),
            other => self.apis.get(&format!("{other}({})", hex::encode(args))).cloned().unwrap_or_default(),
        }
    }
}

fn must_bytes(value: &Json) -> Vec<u8> {
    hex::decode(value.as_str().expect("hex").trim_start_matches("0x")).expect("hex")
}

fn events_key() -> Vec<u8> {
    hex::decode("26aa394eea5630e07c48ae0c9558cef780d41e5e16056765bc8461851072c9d7").expect("hex")
}

/// BLAKE2b-256.
pub(crate) fn blake2_256(bytes: &[u8]) -> [u8; 32] {
    blake2::Blake2b::<blake2::digest::consts::U32>::digest(bytes).into()
}

/// A running node.
pub(crate) struct FakeNode {
    state: Arc<Mutex<State>>,
    pub(crate) address: SocketAddr,
    _server: ServerHandle,
}

const METHODS: [&str; 9] = [
    "chain_getBlockHash",
    "chain_getFinalizedHead",
    "chain_getHeader",
    "chain_getBlock",
    "state_getStorage",
    "state_queryStorageAt",
    "state_getKeysPaged",
    "state_call",
    "system_accountNextIndex",
];

impl FakeNode {
    /// Starts a node of the runtime whose metadata lies in `metadata`, ten blocks high.
    pub(crate) async fn start(spec: u32, metadata: &Path) -> Self {
        Self::of_chain(spec, metadata, 0x45, 10).await
    }

    /// The same, of another chain, of another height.
    pub(crate) async fn of_chain(spec: u32, metadata: &Path, genesis: u8, height: usize) -> Self {
        let metadata = std::fs::read(metadata).expect("metadata can be read");
        let state = Arc::new(Mutex::new(State::new(spec, metadata, genesis, height)));
        let mut module = RpcModule::new(state.clone());
        for method in METHODS {
            module
                .register_async_method(method, move |params, state, _| async move {
                    let params: Vec<Json> = params.parse().unwrap_or_default();
                    respond(&state, method, &params).await
                })
                .expect("a fresh name");
        }
        module
            .register_subscription(
                "author_submitAndWatchExtrinsic",
                "author_extrinsicUpdate",
                "author_unwatchExtrinsic",
                |params, pending, state, _| async move {
                    let params: Vec<Json> = params.parse().unwrap_or_default();
                    let extrinsic = must_bytes(&params[0]);
                    match submit(&state, &extrinsic) {
                        Err(error) => pending.reject(error).await,
                        Ok(states) => {
                            let Ok(sink) = pending.accept().await else { return };
                            for status in states {
                                let message =
                                    SubscriptionMessage::from(serde_json::value::to_raw_value(&status).expect("JSON"));
                                if sink.send(message).await.is_err() {
                                    return;
                                }
                            }
                            sink.closed().await;
                        }
                    }
                },
            )
            .expect("a fresh name");
        let server = Server::builder().build("127.0.0.1:0").await.expect("a free port");
        let address = server.local_addr().expect("bound");
        Self { state, address, _server: server.start(module) }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panics with the state")
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://{}", self.address)
    }
}

async fn respond(state: &Mutex<State>, method: &'static str, params: &[Json]) -> Result<Json, ErrorObjectOwned> {
    let fault = {
        let mut state = state.lock().expect("no test panics with the state");
        state.calls.push(method.to_owned());
        state.faults.get(method).cloned()
    };
    match fault {
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::Lie(answer)) => Ok(answer),
        Some(Fault::Error(code, message, data)) => Err(ErrorObjectOwned::owned(code, message, data)),
        None => Ok(state.lock().expect("no test panics with the state").answer(method, params)),
    }
}

/// Takes a transaction; what whoever watches it will hear.
fn submit(state: &Mutex<State>, extrinsic: &[u8]) -> Result<Vec<Json>, ErrorObjectOwned> {
    let mut state = state.lock().expect("no test panics with the state");
    state.sent.push(extrinsic.to_vec());
    let block = |hash: [u8; 32]| format!("0x{}", hex::encode(hash));
    let pool = state.pool.clone();
    if let Some((spec, metadata)) = state.upgrade_on_submit.take() {
        state.upgrade(spec, metadata);
        state.pool = Pool::Include;
    }
    let blocks = state.advance_on_submit;
    state.advance(blocks);
    Ok(match pool {
        Pool::Include => {
            let block = block(state.include(extrinsic.to_vec(), None));
            vec![json!("ready"), json!({"inBlock": block}), json!({"finalized": block})]
        }
        Pool::Fail(error) => {
            let block = block(state.include(extrinsic.to_vec(), Some(error)));
            vec![json!({"inBlock": block}), json!({"finalized": block})]
        }
        Pool::IncludeSilently => {
            state.include(extrinsic.to_vec(), None);
            vec![json!("ready")]
        }
        Pool::IncludeAndDisown => {
            state.include(extrinsic.to_vec(), None);
            vec![json!("ready"), json!("invalid")]
        }
        Pool::Say(states) => states,
        Pool::Refuse(code, message, data) => return Err(ErrorObjectOwned::owned(code, message, Some(data))),
    })
}
