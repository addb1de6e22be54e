//! Storage items: one declaration gives the key of a value, its type and its line in the metadata.

use std::marker::PhantomData;

use frame_metadata::v15::{StorageEntryMetadata, StorageEntryModifier, StorageEntryType, StorageHasher};
use parity_scale_codec::{Decode, Encode};
use scale_info::{MetaType, TypeInfo, meta_type};
use sp_crypto_hashing::{blake2_128, twox_64, twox_128};

use super::spec::Generation;

/// Values at one moment.
pub(crate) trait Read {
    /// The value under a key.
    fn read(&self, key: &[u8]) -> Option<Vec<u8>>;
    /// At most `limit` keys that begin with `prefix` and come after `after`, in order.
    fn keys(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Vec<Vec<u8>>;
}

/// Values that may be changed.
pub(crate) trait Write: Read {
    /// Puts a value under a key, or removes it.
    fn write(&mut self, key: Vec<u8>, value: Option<Vec<u8>>);
}

/// How a part of a key is hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hasher {
    /// Not at all.
    Id,
    /// Twox64, then the part.
    Twox,
    /// Blake2-128, then the part.
    Blake,
}

impl Hasher {
    fn apply(self, part: &[u8], key: &mut Vec<u8>) {
        match self {
            Self::Id => {}
            Self::Twox => key.extend_from_slice(&twox_64(part)),
            Self::Blake => key.extend_from_slice(&blake2_128(part)),
        }
        key.extend_from_slice(part);
    }

    fn metadata(self) -> StorageHasher {
        match self {
            Self::Id => StorageHasher::Identity,
            Self::Twox => StorageHasher::Twox64Concat,
            Self::Blake => StorageHasher::Blake2_128Concat,
        }
    }
}

/// The parts of a key.
pub(crate) trait Key {
    /// Each part, encoded.
    fn parts(&self) -> Vec<Vec<u8>>;
    /// The type in the metadata; `None` for a plain value.
    fn ty() -> Option<MetaType>;
}

impl Key for () {
    fn parts(&self) -> Vec<Vec<u8>> {
        Vec::new()
    }
    fn ty() -> Option<MetaType> {
        None
    }
}

impl<A: Encode + TypeInfo + 'static> Key for (A,) {
    fn parts(&self) -> Vec<Vec<u8>> {
        vec![self.0.encode()]
    }
    fn ty() -> Option<MetaType> {
        Some(meta_type::<A>())
    }
}

impl<A: Encode + TypeInfo + 'static, B: Encode + TypeInfo + 'static> Key for (A, B) {
    fn parts(&self) -> Vec<Vec<u8>> {
        vec![self.0.encode(), self.1.encode()]
    }
    fn ty() -> Option<MetaType> {
        Some(meta_type::<(A, B)>())
    }
}

impl<A, B, C> Key for (A, B, C)
where
    A: Encode + TypeInfo + 'static,
    B: Encode + TypeInfo + 'static,
    C: Encode + TypeInfo + 'static,
{
    fn parts(&self) -> Vec<Vec<u8>> {
        vec![self.0.encode(), self.1.encode(), self.2.encode()]
    }
    fn ty() -> Option<MetaType> {
        Some(meta_type::<(A, B, C)>())
    }
}

/// A value, or a map of values, in storage.
pub(crate) struct Item<K, V> {
    pub(crate) pallet: &'static str,
    pub(crate) name: &'static str,
    pub(crate) hashers: &'static [Hasher],
    /// The value where none is stored; `None` makes the item optional.
    pub(crate) default: Option<fn() -> V>,
    /// The only runtime that has it; `None` if all do.
    pub(crate) only: Option<Generation>,
    pub(crate) keys: PhantomData<fn(K)>,
}

/// What the metadata says of an item.
pub(crate) struct Entry {
    /// The only runtime that has it.
    pub(crate) only: Option<Generation>,
    /// The line itself.
    pub(crate) metadata: StorageEntryMetadata,
}

/// Beginning of the keys of an item.
pub(crate) fn prefix(pallet: &str, name: &str) -> Vec<u8> {
    [twox_128(pallet.as_bytes()), twox_128(name.as_bytes())].concat()
}

impl<K: Key, V: Encode + Decode + TypeInfo + 'static> Item<K, V> {
    /// The key of a value.
    pub(crate) fn key(&self, key: &K) -> Vec<u8> {
        let mut out = prefix(self.pallet, self.name);
        for (part, hasher) in key.parts().iter().zip(self.hashers) {
            hasher.apply(part, &mut out);
        }
        out
    }

    /// The stored value.
    pub(crate) fn find(&self, db: &impl Read, key: K) -> Option<V> {
        db.read(&self.key(&key)).and_then(|raw| V::decode(&mut &raw[..]).ok())
    }

    /// Stores a value.
    pub(crate) fn put(&self, db: &mut impl Write, key: K, value: &V) {
        db.write(self.key(&key), Some(value.encode()));
    }

    /// Removes a value.
    pub(crate) fn remove(&self, db: &mut impl Write, key: K) {
        db.write(self.key(&key), None);
    }

    /// Whether a value is stored.
    pub(crate) fn contains(&self, db: &impl Read, key: K) -> bool {
        db.read(&self.key(&key)).is_some()
    }

    /// Its line in the metadata.
    pub(crate) fn entry(&self) -> Entry {
        let value = meta_type::<V>();
        let ty = match K::ty() {
            None => StorageEntryType::Plain(value),
            Some(key) => {
                StorageEntryType::Map { hashers: self.hashers.iter().map(|h| h.metadata()).collect(), key, value }
            }
        };
        let (modifier, default) = match self.default {
            Some(default) => (StorageEntryModifier::Default, default().encode()),
            None => (StorageEntryModifier::Optional, vec![0]),
        };
        let metadata = StorageEntryMetadata { name: self.name, modifier, ty, default, docs: Vec::new() };
        Entry { only: self.only, metadata }
    }
}

impl<K: Key, V: Encode + Decode + TypeInfo + Default + 'static> Item<K, V> {
    /// The stored value, or the item's default.
    pub(crate) fn get(&self, db: &impl Read, key: K) -> V {
        self.find(db, key).unwrap_or_else(|| self.default.map_or_else(V::default, |default| default()))
    }

    /// Changes a value in place.
    pub(crate) fn mutate(&self, db: &mut impl Write, key: K, change: impl FnOnce(&mut V))
    where
        K: Clone,
    {
        let mut value = self.get(db, key.clone());
        change(&mut value);
        self.put(db, key, &value);
    }
}

/// Declares the items of a pallet and the list of them for the metadata.
macro_rules! items {
    ($pallet:literal; $($(@$only:ident)? $konst:ident $name:literal [$($hasher:ident $key:ty),*] $kind:tt $value:ty $(= $default:expr)?;)*) => {
        $(pub(crate) const $konst: $crate::localnet::item::Item<($($key,)*), $value> = $crate::localnet::item::Item {
            pallet: $pallet,
            name: $name,
            hashers: &[$($crate::localnet::item::Hasher::$hasher),*],
            default: $crate::localnet::item::items!(@default $kind $value $(, $default)?),
            only: $crate::localnet::item::items!(@only $($only)?),
            keys: std::marker::PhantomData,
        };)*

        /// Every item of the pallet.
        pub(crate) fn entries() -> Vec<$crate::localnet::item::Entry> {
            vec![$($konst.entry()),*]
        }
    };
    (@default ? $value:ty) => { None };
    (@default : $value:ty) => { Some(<$value as Default>::default) };
    (@default : $value:ty, $default:expr) => { Some(|| $default) };
    (@only) => { None };
    (@only $only:ident) => { Some($crate::localnet::spec::Generation::$only) };
}
pub(crate) use items;
