//! Transactions that wait for a block.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::extrinsic::{NotATransaction, Signed};
use super::mirror::{AccountId32, H256};

/// Transactions that may wait, as in a node.
const MAX_COUNT: usize = 8192;
/// Bytes that may wait: 20 MiB, as in a node.
const MAX_BYTES: usize = 20 * 1024 * 1024;
/// Transactions of one account that may wait.
const MAX_PER_ACCOUNT: usize = 64;
/// How far ahead of the account a nonce may be.
pub(crate) const MAX_AHEAD: u32 = 64;
/// Reports that wait for a slow watcher; more are dropped.
pub(crate) const MAX_REPORTS: usize = 16;

/// What became of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// It waits for an earlier nonce.
    Future,
    /// It waits for a block.
    Ready,
    /// It is in this block.
    InBlock(H256),
    /// The block it was in is no longer in the chain.
    Retracted(H256),
    /// The block it is in is final.
    Finalized(H256),
    /// Another one took its place.
    Usurped(H256),
    /// It can no longer be valid.
    Invalid,
}

impl Status {
    /// Whether nothing more will be said.
    pub(crate) fn is_last(self) -> bool {
        !matches!(self, Self::Future | Self::Ready | Self::InBlock(_) | Self::Retracted(_))
    }

    /// As the RPC shows it.
    pub(crate) fn json(self) -> Value {
        match self {
            Self::Future => json!("future"),
            Self::Ready => json!("ready"),
            Self::InBlock(hash) => json!({ "inBlock": hash.to_string() }),
            Self::Retracted(hash) => json!({ "retracted": hash.to_string() }),
            Self::Finalized(hash) => json!({ "finalized": hash.to_string() }),
            Self::Usurped(hash) => json!({ "usurped": hash.to_string() }),
            Self::Invalid => json!("invalid"),
        }
    }
}

/// Why a transaction cannot be in a block now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Invalid {
    #[error("Transaction call is not expected")]
    Call,
    #[error("Inability to pay some fees (e.g. account balance too low)")]
    Payment,
    #[error("Transaction will be valid in the future")]
    Future,
    #[error("Transaction is outdated")]
    Stale,
    #[error("Transaction has a bad signature")]
    BadProof,
    #[error("Transaction has an ancient birth block")]
    AncientBirthBlock,
    #[error("Custom error: {0}")]
    Custom(u8),
    #[error("Invalid signing address")]
    BadSigner,
}

/// Why the pool did not take a transaction.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PoolError {
    #[error("Extrinsic has invalid format: {0}")]
    Format(#[from] NotATransaction),
    #[error("Invalid Transaction")]
    Invalid(#[from] Invalid),
    #[error("Transaction Already Imported")]
    AlreadyImported(H256),
    #[error("Priority is too low: ({old} vs {new})")]
    TooLowPriority { old: u64, new: u64 },
    #[error("Immediately Dropped")]
    Full,
}

impl PoolError {
    /// The error's number and details, as a node has them.
    pub(crate) fn code_and_data(&self) -> (i32, Option<String>) {
        match self {
            Self::Format(_) => (1001, None),
            Self::Invalid(invalid) => (1010, Some(invalid.to_string())),
            Self::AlreadyImported(hash) => (1013, Some(hash.to_string())),
            Self::TooLowPriority { .. } => (
                1014,
                Some("The transaction has too low priority to replace another transaction already in the pool.".into()),
            ),
            Self::Full => (1016, Some("The transaction couldn't enter the pool because of the limit".into())),
        }
    }
}

/// Who wants to know what becomes of a transaction.
pub(crate) type Watcher = mpsc::Sender<Status>;

/// A transaction that waits.
#[derive(Debug)]
pub(crate) struct Waiting {
    /// Its name.
    pub(crate) hash: H256,
    /// As it was sent.
    pub(crate) bytes: Vec<u8>,
    /// As it was read.
    pub(crate) signed: Signed,
    /// Who is told.
    pub(crate) watcher: Option<Watcher>,
}

impl Waiting {
    /// Tells the watcher, if he still listens.
    pub(crate) fn tell(&self, status: Status) {
        if let Some(watcher) = &self.watcher {
            let _ = watcher.try_send(status);
        }
    }
}

/// Transactions that wait, by signer and nonce.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    waiting: BTreeMap<(AccountId32, u32), Waiting>,
    bytes: usize,
}

impl Pool {
    /// Takes a transaction that was found valid.
    pub(crate) fn insert(&mut self, new: Waiting) -> Result<(), PoolError> {
        let key = (new.signed.signer, new.signed.nonce);
        if let Some(old) = self.waiting.get(&key) {
            if old.hash == new.hash {
                return Err(PoolError::AlreadyImported(new.hash));
            }
            if new.signed.tip <= old.signed.tip {
                return Err(PoolError::TooLowPriority { old: old.signed.tip, new: new.signed.tip });
            }
        }
        let own = self.waiting.range((key.0, 0)..=(key.0, u32::MAX)).count();
        let full =
            self.waiting.len() >= MAX_COUNT || self.bytes + new.bytes.len() > MAX_BYTES || own >= MAX_PER_ACCOUNT;
        if full && !self.waiting.contains_key(&key) {
            return Err(PoolError::Full);
        }
        self.bytes += new.bytes.len();
        let hash = new.hash;
        if let Some(old) = self.waiting.insert(key, new) {
            self.bytes -= old.bytes.len();
            old.tell(Status::Usurped(hash));
        }
        Ok(())
    }

    /// Those that wait, by signer and nonce.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Waiting> {
        self.waiting.values()
    }

    /// Takes one out.
    pub(crate) fn remove(&mut self, signer: AccountId32, nonce: u32) -> Option<Waiting> {
        let gone = self.waiting.remove(&(signer, nonce))?;
        self.bytes -= gone.bytes.len();
        Some(gone)
    }

    /// The first nonce from `next` on that is not waiting.
    pub(crate) fn next_nonce(&self, signer: AccountId32, next: u32) -> u32 {
        (next..).find(|nonce| !self.waiting.contains_key(&(signer, *nonce))).unwrap_or(u32::MAX)
    }

    /// Signers and nonces of those that wait, the highest tip first within what nonces allow.
    pub(crate) fn order(&self) -> Vec<(AccountId32, u32)> {
        let mut keys: Vec<_> = self.waiting.iter().map(|(key, waiting)| (*key, waiting.signed.tip)).collect();
        keys.sort_by_key(|((signer, nonce), tip)| (*nonce, std::cmp::Reverse(*tip), *signer));
        keys.into_iter().map(|(key, _)| key).collect()
    }

    /// One that waits.
    pub(crate) fn get(&self, signer: AccountId32, nonce: u32) -> Option<&Waiting> {
        self.waiting.get(&(signer, nonce))
    }
}
