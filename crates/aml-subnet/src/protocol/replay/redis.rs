//! Nonces shared by several proxies of one hotkey: `SET key 1 NX EX` in Redis.
//!
//! Fails closed: without an answer within the deadline nothing is accepted.

use std::time::Duration;

use aml_miner::secret_url::SecretUrl;
use futures_util::future::BoxFuture;
use redis::aio::ConnectionManager;

use super::NonceStore;
use crate::protocol::limits::NONCE_RETENTION;
use crate::protocol::{Nonce, Refusal};
use crate::wallet::Hotkey;

/// One round trip on a local network takes well under a millisecond.
const DEADLINE: Duration = Duration::from_millis(500);

/// Nonces in a Redis that several processes use.
#[derive(Clone)]
pub struct RedisNonces {
    connection: ConnectionManager,
    prefix: String,
}

impl RedisNonces {
    /// Connects to `url` (`redis://host:port/db`). Keys begin with `prefix`, so that several receivers can share one Redis.
    ///
    /// # Errors
    /// When the URL is wrong or nothing answers there.
    pub async fn connect(url: &SecretUrl, prefix: String) -> Result<Self, redis::RedisError> {
        let connection = ConnectionManager::new(redis::Client::open(url.expose())?).await?;
        Ok(Self { connection, prefix })
    }

    async fn record(&self, sender: Hotkey, nonce: Nonce) -> Result<(), Refusal> {
        let mut connection = self.connection.clone();
        let mut command = redis::cmd("SET");
        command.arg(format!("{}:{sender}:{nonce}", self.prefix)).arg(1);
        command.arg("NX").arg("EX").arg(NONCE_RETENTION.as_secs());
        let answer = tokio::time::timeout(DEADLINE, command.query_async::<Option<String>>(&mut connection)).await;
        match answer {
            Ok(Ok(Some(_))) => Ok(()),
            Ok(Ok(None)) => Err(Refusal::Replayed),
            Ok(Err(_)) | Err(_) => Err(Refusal::StoreDown),
        }
    }
}

impl NonceStore for RedisNonces {
    fn first_use(&self, sender: Hotkey, nonce: Nonce, _now: Duration) -> BoxFuture<'_, Result<(), Refusal>> {
        Box::pin(self.record(sender, nonce))
    }
}
