//! Reading one block: storage and runtime APIs by name, decoded with that block's own metadata.
//!
//! Everything read through one [`Snapshot`] is of the same block. Values that belong together are fetched with one
//! request, because public nodes count requests.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use scale_decode::DecodeAsType;
use scale_info::TypeDef;
use scale_value::Value;
use subxt::client::OnlineClientAtBlock;
use subxt::config::substrate::SubstrateConfig;
use subxt::dynamic;
use subxt::rpcs::Error as RpcError;

use super::link::Link;
pub use super::read_error::ReadError;
pub(super) use super::read_error::{decode, node};
use crate::chain::refusal::PALLET;
use crate::chain::types::{Block, Metagraph};
use crate::wallet::Hotkey;

/// Keys fetched with one request.
const KEYS_PER_REQUEST: usize = 256;

/// Storage key of `Timestamp.Now`: it has been the same in every runtime.
const TIMESTAMP_NOW: [u8; 32] = [
    0xf0, 0xc3, 0x65, 0xc3, 0xcf, 0x59, 0xd6, 0x71, 0xeb, 0x72, 0xda, 0x0e, 0x7a, 0x41, 0x13, 0xc4, 0x9f, 0x1f, 0x05,
    0x15, 0xf4, 0x62, 0xcd, 0xcf, 0x84, 0xe0, 0xf1, 0xd6, 0x04, 0x5d, 0xfc, 0xbb,
];

/// One block of the chain.
#[derive(Clone)]
pub(super) struct Snapshot {
    pub(super) link: Arc<Link>,
    pub(super) at: OnlineClientAtBlock<SubstrateConfig>,
}

/// A storage item of the pallet with its keys.
#[derive(Clone, Debug)]
pub(super) struct Item {
    name: &'static str,
    keys: Vec<Value>,
}

impl Item {
    /// An item without keys.
    pub(super) const fn plain(name: &'static str) -> Self {
        Self { name, keys: Vec::new() }
    }

    /// With one more number as key.
    pub(super) fn number(mut self, key: impl Into<u128>) -> Self {
        self.keys.push(Value::u128(key.into()));
        self
    }

    /// With one more account as key.
    pub(super) fn account(mut self, key: &Hotkey) -> Self {
        self.keys.push(Value::from_bytes(key.as_bytes()));
        self
    }
}

/// Values by storage key; `None` where the node says that there is none.
type Answered = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// Raw values of several items of one block: bytes, or that there are none. What was not answered is not here.
pub(super) struct Values<'a> {
    snapshot: &'a Snapshot,
    bytes: Answered,
}

impl Snapshot {
    /// Number of the block.
    pub(super) fn block(&self) -> Block {
        Block(self.at.block_number())
    }

    /// Whether the pallet has this storage item.
    pub(super) fn has_item(&self, name: &str) -> bool {
        let pallet = self.at.metadata_ref().pallet_by_name(PALLET);
        pallet.and_then(|pallet| pallet.storage()).is_some_and(|items| items.entry_by_name(name).is_some())
    }

    /// Whether the pallet has this call.
    pub(super) fn has_call(&self, name: &str) -> bool {
        let pallet = self.at.metadata_ref().pallet_by_name(PALLET);
        pallet.is_some_and(|pallet| pallet.call_variant_by_name(name).is_some())
    }

    /// Whether the runtime has this API.
    pub(super) fn has_api(&self, api: &str, method: &str) -> bool {
        let found = self.at.metadata_ref().runtime_api_trait_by_name(api);
        found.is_some_and(|found| found.method_by_name(method).is_some())
    }

    /// Fetches all of `items` that the runtime has, with one request.
    pub(super) async fn fetch(&self, items: &[Item]) -> Result<Values<'_>, ReadError> {
        let mut keys = Vec::with_capacity(items.len());
        for item in items.iter().filter(|item| self.has_item(item.name)) {
            keys.push(self.key(item)?);
        }
        let mut bytes = Answered::new();
        for keys in keys.chunks(KEYS_PER_REQUEST) {
            bytes.extend(self.raw(keys).await?);
        }
        Ok(Values { snapshot: self, bytes })
    }

    /// When the block was made, by its author's clock; `None` where the runtime keeps no time.
    pub(super) async fn timestamp(&self) -> Result<Option<Duration>, ReadError> {
        let values = self.raw(&[TIMESTAMP_NOW.to_vec()]).await?;
        let bytes = values.into_iter().next().and_then(|(_, value)| <[u8; 8]>::try_from(value?).ok());
        Ok(bytes.map(u64::from_le_bytes).map(Duration::from_millis))
    }

    /// The storage key of an item.
    fn key(&self, item: &Item) -> Result<Vec<u8>, ReadError> {
        let address = dynamic::storage::<Vec<Value>, Value>(PALLET, item.name);
        let entry = self.at.storage().entry(address).map_err(|error| self.lacks(item.name, &error))?;
        entry.fetch_key(item.keys.clone()).map_err(|error| decode(item.name, &error))
    }

    /// The raw value of an item of any pallet with one number as its key; `None` where the runtime lacks the item, or the item
    /// the key.
    pub(super) async fn value_of(
        &self,
        pallet: &'static str,
        item: &'static str,
        key: u64,
    ) -> Result<Option<Vec<u8>>, ReadError> {
        let address = dynamic::storage::<Vec<Value>, Value>(pallet, item);
        let Ok(entry) = self.at.storage().entry(address) else { return Ok(None) };
        let key = entry.fetch_key(vec![Value::u128(key.into())]).map_err(|error| decode(item, &error))?;
        let values = self.raw(std::slice::from_ref(&key)).await?;
        Ok(values.into_values().next().flatten())
    }

    fn lacks(&self, what: &str, _: &dyn std::error::Error) -> ReadError {
        self.without(what)
    }

    /// The runtime has no such item, and nothing stands for it.
    pub(super) fn without(&self, item: &str) -> ReadError {
        ReadError::Lacks { what: format!("storage item {PALLET}.{item}"), spec: self.at.spec_version() }
    }

    /// What the node says of each of `keys`. A key that it leaves out is no key without a value: what is not said is asked
    /// for by itself.
    async fn raw(&self, keys: &[Vec<u8>]) -> Result<Answered, ReadError> {
        let hash = self.at.block_hash();
        let asked = keys.iter().map(Vec::as_slice);
        match self.link.methods.state_query_storage_at(asked, Some(hash)).await {
            Ok(sets) => {
                let changes = sets.into_iter().filter(|set| set.block == hash).flat_map(|set| set.changes);
                let mut found: Answered = changes.map(|(key, value)| (key.0, value.map(|value| value.0))).collect();
                found.retain(|key, _| keys.contains(key));
                let left_out: Vec<&Vec<u8>> = keys.iter().filter(|key| !found.contains_key(*key)).collect();
                if !left_out.is_empty() {
                    super::observe::failed("left_out");
                    found.extend(self.one_by_one(left_out).await?);
                }
                Ok(found)
            }
            // A node that does not offer the batch is asked one by one.
            Err(RpcError::User(_)) => self.one_by_one(keys).await,
            Err(error) => Err(node("storage", &error)),
        }
    }

    async fn one_by_one(&self, keys: impl IntoIterator<Item = &Vec<u8>>) -> Result<Answered, ReadError> {
        let hash = self.at.block_hash();
        let mut found = Answered::new();
        for key in keys {
            let value = self.link.methods.state_get_storage(key, Some(hash)).await;
            found.insert(key.clone(), value.map_err(|error| node("storage", &error))?);
        }
        Ok(found)
    }

    /// The metagraph of this block, where it was read before.
    pub(super) fn kept_metagraph(&self, netuid: u16) -> Option<Metagraph> {
        self.link.kept.metagraph(self.at.block_hash(), netuid)
    }

    /// Keeps the metagraph of this block for the next one who asks.
    pub(super) fn keep_metagraph(&self, metagraph: &Metagraph) {
        self.link.kept.put_metagraph(self.at.block_hash(), metagraph);
    }

    /// All values below a prefix of keys, at most `limit`.
    pub(super) async fn below<V: DecodeAsType>(&self, item: &Item, limit: usize) -> Result<Vec<V>, ReadError> {
        let address = dynamic::storage::<Vec<Value>, V>(PALLET, item.name);
        let entry = self.at.storage().entry(address).map_err(|error| self.lacks(item.name, &error))?;
        let mut stream = entry.iter(item.keys.clone()).await.map_err(|error| node(item.name, &error))?;
        let mut values = Vec::new();
        while let Some(next) = stream.next().await {
            let value = next.map_err(|error| node(item.name, &error))?;
            values.push(value.value().decode().map_err(|error| decode(item.name, &error))?);
            if values.len() >= limit {
                break;
            }
        }
        Ok(values)
    }

    /// Calls a runtime API: typed by the metadata, or, in old runtimes, as bytes within bytes.
    ///
    /// `old` decodes the latter.
    pub(super) async fn call<T: DecodeAsType>(
        &self,
        api: &str,
        method: &str,
        netuid: u16,
        old: fn(&mut &[u8]) -> Result<T, parity_scale_codec::Error>,
    ) -> Result<Option<T>, ReadError> {
        let what = format!("{api}_{method}");
        let args = vec![Value::u128(netuid.into())];
        if !self.gives_bytes(api, method) {
            let call = dynamic::runtime_api_call::<_, T>(api, method, args);
            return match self.at.runtime_apis().call(call).await {
                Ok(value) => Ok(Some(value)),
                Err(error) => Err(node(&what, &error)),
            };
        }
        let call = dynamic::runtime_api_call::<_, Vec<u8>>(api, method, args);
        let inner = self.at.runtime_apis().call(call).await.map_err(|error| node(&what, &error))?;
        if inner.is_empty() {
            return Ok(None);
        }
        old(&mut &inner[..]).map(Some).map_err(|error| decode(&what, &error))
    }

    fn gives_bytes(&self, api: &str, method: &str) -> bool {
        let metadata = self.at.metadata_ref();
        let output = metadata
            .runtime_api_trait_by_name(api)
            .and_then(|found| found.method_by_name(method).map(|method| method.output_ty()));
        let inner = output.and_then(|ty| match &metadata.types().resolve(ty)?.type_def {
            TypeDef::Sequence(sequence) => metadata.types().resolve(sequence.type_param.id),
            _ => None,
        });
        inner.is_some_and(|ty| matches!(ty.type_def, TypeDef::Primitive(scale_info::TypeDefPrimitive::U8)))
    }
}

impl Values<'_> {
    /// The value of an item that was fetched, or its default; `None` where the runtime lacks the item, or where it
    /// has neither value nor default.
    pub(super) fn get<V: DecodeAsType>(&self, item: &Item) -> Result<Option<V>, ReadError> {
        let metadata = self.snapshot.at.metadata_ref();
        let entry = metadata
            .pallet_by_name(PALLET)
            .and_then(|pallet| pallet.storage())
            .and_then(|items| items.entry_by_name(item.name));
        let Some(entry) = entry else { return Ok(None) };
        let key = self.snapshot.key(item)?;
        let Some(answered) = self.bytes.get(&key) else {
            return Err(ReadError::Unanswered { what: format!("{PALLET}.{}", item.name) });
        };
        let Some(mut bytes) = answered.as_deref().or_else(|| entry.default_value()) else { return Ok(None) };
        V::decode_as_type(&mut bytes, entry.value_ty(), metadata.types())
            .map(Some)
            .map_err(|error| ReadError::Decode { what: item.name.to_owned(), reason: error.to_string() })
    }

    /// The same, of an item that every runtime has.
    pub(super) fn need<V: DecodeAsType>(&self, item: &Item) -> Result<V, ReadError> {
        self.get(item)?.ok_or_else(|| self.snapshot.without(item.name))
    }
}
