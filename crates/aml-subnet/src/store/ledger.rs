//! The handle that everything else goes through.

use std::fmt;
use std::sync::Arc;

use sqlx::AnyPool;
use tokio::sync::{Mutex, Semaphore};

use super::address::Address;
use super::dialect::Dialect;
use super::lock::Lock;
use super::seen::Moments;

/// A ledger that is open. Cheap to clone; closed when the last clone is gone.
#[derive(Clone)]
pub struct Ledger {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) address: Address,
    pub(super) dialect: Dialect,
    pub(super) pool: AnyPool,
    /// Who may write now.
    pub(super) writers: Arc<Semaphore>,
    /// What the ledger says of its holder while it is ours; `None` when it is open for reading.
    pub(super) token: Option<String>,
    pub(super) lock: Lock,
    pub(super) moments: Arc<Mutex<Moments>>,
}

impl Ledger {
    /// Where it is, without a password.
    #[must_use]
    pub fn address(&self) -> String {
        self.inner.address.to_string()
    }

    /// Whether it is open for reading only.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.inner.token.is_none()
    }

    /// Closes it for all clones: waits for what is being written, then lets go of the lock.
    pub async fn close(&self) {
        self.inner.pool.close().await;
        self.inner.lock.release().await;
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Ledger({})", self.inner.address)
    }
}
