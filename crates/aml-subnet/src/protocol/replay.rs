//! No request counts twice: every accepted (hotkey, nonce) is remembered for as long as it could be fresh again.
//!
//! [`MemoryNonces`] serves one process and is bounded: when full it refuses rather than forgets. It also refuses what was signed
//! before it was made, so a restart opens no gap. Several processes behind one address share `redis::RedisNonces`.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::{BoxFuture, ready};

use super::limits::{MAX_NONCES, MAX_NONCES_PER_SENDER, NONCE_RETENTION};
use super::{Nonce, Refusal};
use crate::wallet::Hotkey;

#[cfg(feature = "redis")]
pub mod redis;

/// Remembers nonces.
pub trait NonceStore: Send + Sync {
    /// Records the nonce if it is `sender`'s first use of it. Called after the signature was verified, never before.
    fn first_use(&self, sender: Hotkey, nonce: Nonce, now: Duration) -> BoxFuture<'_, Result<(), Refusal>>;
}

/// The nonces of one process.
#[derive(Debug)]
pub struct MemoryNonces {
    started: Duration,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    by_sender: HashMap<Hotkey, BTreeSet<Nonce>>,
    total: usize,
}

impl MemoryNonces {
    /// An empty memory that trusts nothing signed before `started`.
    #[must_use]
    pub fn new(started: Duration) -> Self {
        Self { started, seen: Mutex::default() }
    }

    /// The synchronous heart of [`NonceStore::first_use`].
    ///
    /// # Errors
    /// When the nonce was used, is older than this store, or no more can be remembered.
    pub fn record(&self, sender: Hotkey, nonce: Nonce, now: Duration) -> Result<(), Refusal> {
        if Duration::from_nanos(nonce.nanoseconds()) < self.started {
            return Err(Refusal::BeforeStart);
        }
        // A panic while the lock was held cannot have left a nonce half recorded.
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = now.saturating_sub(NONCE_RETENTION);
        seen.forget_sender_before(&sender, oldest);
        if seen.total >= MAX_NONCES {
            seen.forget_before(oldest);
        }
        seen.insert(sender, nonce)
    }

    /// How many nonces are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).total
    }

    /// Whether none is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl NonceStore for MemoryNonces {
    fn first_use(&self, sender: Hotkey, nonce: Nonce, now: Duration) -> BoxFuture<'_, Result<(), Refusal>> {
        Box::pin(ready(self.record(sender, nonce, now)))
    }
}

impl Seen {
    fn insert(&mut self, sender: Hotkey, nonce: Nonce) -> Result<(), Refusal> {
        let full = self.total >= MAX_NONCES;
        let nonces = self.by_sender.entry(sender).or_default();
        if nonces.contains(&nonce) {
            return Err(Refusal::Replayed);
        }
        if full || nonces.len() >= MAX_NONCES_PER_SENDER {
            return Err(Refusal::TooMany);
        }
        nonces.insert(nonce);
        self.total += 1;
        Ok(())
    }

    fn forget_sender_before(&mut self, sender: &Hotkey, oldest: Duration) {
        if let Some(nonces) = self.by_sender.get_mut(sender) {
            self.total -= drop_before(nonces, oldest);
        }
    }

    fn forget_before(&mut self, oldest: Duration) {
        let dropped: usize = self.by_sender.values_mut().map(|nonces| drop_before(nonces, oldest)).sum();
        self.total -= dropped;
        self.by_sender.retain(|_, nonces| !nonces.is_empty());
    }
}

/// Drops what is older and says how many that were.
fn drop_before(nonces: &mut BTreeSet<Nonce>, oldest: Duration) -> usize {
    let kept = nonces.split_off(&Nonce::new(u64::try_from(oldest.as_nanos()).unwrap_or(u64::MAX)));
    std::mem::replace(nonces, kept).len()
}
