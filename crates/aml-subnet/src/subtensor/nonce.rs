//! Nonces of the one key that signs here.
//!
//! The chain counts them; here it is only noticed when another hand moves the count. Two processes with one hotkey
//! replace each other's transactions until the node bans both: so the second one stops and says so.

use parity_scale_codec::Decode;
use subxt::rpcs::client::rpc_params;

use super::extrinsic::account_bytes;
use super::snapshot::{ReadError, Snapshot, node};
use crate::wallet::Signer;

/// Another process signs with this key.
#[derive(Debug, thiserror::Error)]
pub enum NonceError {
    /// The count is not where this process left it.
    #[error(
        "the nonce of {hotkey} is {actual}, this process left it at {expected}: another process signs with the same \
         hotkey; stop one of them"
    )]
    Moved {
        /// The key.
        hotkey: String,
        /// Where it should be.
        expected: u64,
        /// Where it is.
        actual: u64,
    },
    /// A transaction that is not ours waits in the pool.
    #[error(
        "a transaction of {hotkey} that this process did not send waits in the pool (next nonce {next}, on chain \
         {on_chain}): another process signs with the same hotkey, or an earlier run's transaction is not yet in a block"
    )]
    Pending {
        /// The key.
        hotkey: String,
        /// The count on chain.
        on_chain: u64,
        /// The count with the pool.
        next: u64,
    },
    /// The count cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// The desk at which everything of this process is signed, one after the other.
#[derive(Debug, Default)]
pub(super) struct Desk {
    /// The count after the last transaction that took effect.
    expected: Option<u64>,
    /// A transaction whose end is not known.
    open: Option<u64>,
}

impl Desk {
    /// The nonce for the next transaction.
    ///
    /// When the count has moved by another hand this is reported once; the next call goes on from there.
    pub(super) async fn next(&mut self, best: &Snapshot, signer: &Signer) -> Result<u64, NonceError> {
        let on_chain = on_chain(best, signer).await?;
        let with_pool = with_pool(best, signer).await?.max(on_chain);
        let expected = self.expected.take();
        let open = self.open.take();
        let hotkey = signer.hotkey().to_string();
        let ours = |count: u64| Some(count) == expected || open.is_some_and(|nonce| count <= nonce + 1);
        if let Some(expected) = expected
            && on_chain > expected
            && !ours(on_chain)
        {
            return Err(NonceError::Moved { hotkey, expected, actual: on_chain });
        }
        if with_pool > on_chain && !ours(with_pool) {
            self.expected = expected;
            return Err(NonceError::Pending { hotkey, on_chain, next: with_pool });
        }
        self.expected = Some(with_pool);
        Ok(with_pool)
    }

    /// A transaction went out.
    pub(super) const fn sent(&mut self, nonce: u64) {
        self.open = Some(nonce);
    }

    /// It is in a finalised block.
    pub(super) const fn used(&mut self, nonce: u64) {
        self.expected = Some(nonce + 1);
        self.open = None;
    }

    /// It is dead.
    pub(super) const fn forget(&mut self) {
        self.open = None;
    }
}

/// The count on chain.
pub(super) async fn on_chain(best: &Snapshot, signer: &Signer) -> Result<u64, ReadError> {
    let account = account_bytes(signer);
    let bytes = best.at.runtime_apis().call_raw("AccountNonceApi_account_nonce", Some(&account)).await;
    let bytes = bytes.map_err(|error| node("the nonce", &error))?;
    let count = u32::decode(&mut &bytes[..]).map_err(|error| node("the nonce", &error))?;
    Ok(count.into())
}

/// Whether a transaction of this key waits in the pool.
pub(super) async fn pending(best: &Snapshot, signer: &Signer) -> Result<bool, ReadError> {
    Ok(with_pool(best, signer).await? > on_chain(best, signer).await?)
}

async fn with_pool(best: &Snapshot, signer: &Signer) -> Result<u64, ReadError> {
    let params = rpc_params![signer.hotkey().to_string()];
    let next: Result<u64, _> = best.link.rpc.request("system_accountNextIndex", params).await;
    next.map_err(|error| node("the next nonce", &error))
}
