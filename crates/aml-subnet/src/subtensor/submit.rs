//! From a call to a certain end: built, sent, in a block, finalised, executed.
//!
//! A transaction is signed once for one nonce. When its traces are lost (connection gone, node restarted) it is
//! looked for in finalised blocks until it is found or its era is over; it is never sent a second time unless it is
//! certain that the first is dead. Only one submission runs at a time.

use std::time::Duration;

use serde_json::Value as Json;
use subxt::config::substrate::H256;
use subxt::rpcs::Error as RpcError;
use subxt::rpcs::client::{RpcSubscription, rpc_params};
use tokio::time::{Instant, sleep, timeout_at};

use super::extrinsic::{BuildError, Call, ERA_BLOCKS, Signed, build};
use super::inclusion::{Dispatched, outcome};
use super::nonce::{NonceError, on_chain};
use super::pool::{PoolError, Progress};
use super::snapshot::{ReadError, Snapshot};
use super::{At, Subtensor};
use crate::chain::outcome::Included;
use crate::chain::refusal::ChainRefusal;
use crate::wallet::{KeyLockError, Signer};

/// Signings of one call: the first, and one more when the runtime was upgraded in between.
const MAX_BUILDS: u32 = 2;
/// The part of the time for finality in which a watch may say nothing.
const SILENT_SHARE: u32 = 3;

/// Why a call did not take effect, as far as is known.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// The chain executed it and said no.
    #[error("the chain refused it: {0}")]
    Refused(ChainRefusal),
    /// The pool said no.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// The call does not fit the runtime.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The chain could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Another process signs with this key.
    #[error(transparent)]
    Nonce(#[from] NonceError),
    /// Another process of this host writes with the key file.
    #[error(transparent)]
    Key(#[from] KeyLockError),
    /// Not sent: its life begins with the last final block, and would be half over.
    #[error("finality is {blocks} blocks behind: nothing is sent until it has caught up")]
    FinalityLags {
        /// Blocks that are not final.
        blocks: u64,
    },
    /// It was sent, and is neither final nor dead yet.
    #[error("the transaction {transaction} is not final after {waited:?}; it may still be included")]
    Unsettled {
        /// Hash of the transaction.
        transaction: String,
        /// How long was waited.
        waited: Duration,
    },
    /// It was sent, and its era ended without it.
    #[error("the transaction {transaction} was not included before block {block}")]
    Expired {
        /// Hash of the transaction.
        transaction: String,
        /// The last block that could have had it.
        block: u64,
    },
}

impl SubmitError {
    /// The pallet's refusal, where that is what it was.
    #[must_use]
    pub const fn refusal(&self) -> Option<&ChainRefusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// Whether nothing is known of the transaction's end.
    #[must_use]
    pub const fn is_uncertain(&self) -> bool {
        matches!(self, Self::Unsettled { .. })
    }
}

/// What one signed transaction came to.
enum Fate {
    Included(Included),
    /// It is dead, and was built for a runtime that is gone: worth building anew.
    Outdated(PoolError),
}

impl Subtensor {
    /// Signs `call` and sees it through to finality.
    pub(super) async fn submit(&self, signer: &Signer, call: &Call) -> Result<Included, SubmitError> {
        let mut desk = self.desk.lock().await;
        let _writing = match &self.key {
            Some(key) => Some(key.hold(self.timing().finality).await?),
            None => None,
        };
        let mut last = PoolError::Invalid;
        for _ in 0..MAX_BUILDS {
            let (best, finalised) = (self.snapshot(At::Best).await?, self.snapshot(At::Finalised).await?);
            let behind = best.block().0.saturating_sub(finalised.block().0);
            if behind > ERA_BLOCKS / 2 {
                return Err(SubmitError::FinalityLags { blocks: behind });
            }
            let nonce = desk.next(&best, signer).await?;
            let signed = build(call, signer, nonce, &best, &finalised)?;
            tracing::debug!(call = call.call_name(), nonce, transaction = ?signed.hash, "transaction signed");
            desk.sent(nonce);
            match self.see_through(signer, &best, &signed).await {
                Ok(Fate::Included(included)) => {
                    desk.used(nonce);
                    return Ok(included);
                }
                Ok(Fate::Outdated(error)) => {
                    desk.forget();
                    last = error;
                }
                Err(error) => {
                    match &error {
                        SubmitError::Refused(_) => desk.used(nonce),
                        error if error.is_uncertain() => {}
                        _ => desk.forget(),
                    }
                    return Err(error);
                }
            }
        }
        Err(last.into())
    }

    async fn see_through(&self, signer: &Signer, best: &Snapshot, signed: &Signed) -> Result<Fate, SubmitError> {
        let until = Instant::now() + self.timing().finality;
        match self.watch(best, signed, until).await {
            // A node that says "finalised" and shows a block without it is not believed.
            Watched::In(hash) => {
                if let Ok(Some(outcome)) = self.settled(hash, signed.hash).await {
                    return end(outcome);
                }
            }
            // A pool also calls a transaction invalid that is in a block already.
            Watched::Gone(PoolError::Invalid) if self.is_counted(signer, signed).await => {}
            Watched::Gone(error) => return self.gone(error, signed).await,
            Watched::Lost => {}
        }
        self.search(signed, until).await
    }

    /// Follows the transaction through the pool of the node it is sent to.
    async fn watch(&self, best: &Snapshot, signed: &Signed, until: Instant) -> Watched {
        let params = rpc_params![format!("0x{}", hex::encode(&signed.bytes))];
        let subscribed: Result<RpcSubscription<Json>, RpcError> =
            best.link.rpc.subscribe("author_submitAndWatchExtrinsic", params, "author_unwatchExtrinsic").await;
        let mut notices = match subscribed {
            Ok(notices) => notices,
            Err(RpcError::User(error)) => {
                let data = error.data.as_ref().map(|data| data.get().trim_matches('"').to_owned());
                return match PoolError::from_rpc(error.code, &error.message, data.as_deref()) {
                    PoolError::AlreadyImported => Watched::Lost,
                    error => Watched::Gone(error),
                };
            }
            // Whether it arrived is not known.
            Err(_) => return Watched::Lost,
        };
        // A watch that has gone silent is no reason to wait for all of the time: blocks can be looked through.
        let patience = self.timing().finality / SILENT_SHARE;
        let listen = |until: Instant| until.min(Instant::now() + patience);
        while let Ok(Some(Ok(notice))) = timeout_at(listen(until), notices.next()).await {
            tracing::debug!(transaction = ?signed.hash, %notice, "transaction watched");
            match Progress::from_status(&notice) {
                Progress::Finalised(hash) => return hash.parse().map_or(Watched::Lost, Watched::In),
                Progress::Gone(error) => return Watched::Gone(error),
                Progress::Unwatched => return Watched::Lost,
                Progress::Waiting | Progress::InBlock(_) | Progress::Retracted => {}
            }
        }
        Watched::Lost
    }

    /// Whether the chain has counted the transaction's nonce.
    async fn is_counted(&self, signer: &Signer, signed: &Signed) -> bool {
        let Ok(now) = self.snapshot(At::Best).await else { return false };
        on_chain(&now, signer).await.is_ok_and(|count| count > signed.nonce)
    }

    /// The pool let go of it: it was refused, or has become invalid by an upgrade.
    async fn gone(&self, error: PoolError, signed: &Signed) -> Result<Fate, SubmitError> {
        let now = self.snapshot(At::Best).await?;
        if error.is_stale_view() && now.at.spec_version() != signed.spec_version {
            tracing::info!(from = signed.spec_version, to = now.at.spec_version(), "runtime upgraded, signing anew");
            return Ok(Fate::Outdated(error));
        }
        Err(error.into())
    }

    async fn settled(&self, block: H256, transaction: H256) -> Result<Option<Dispatched>, ReadError> {
        self.read(At::Hash(block), |snapshot| Box::pin(outcome(snapshot, transaction))).await
    }

    /// Looks through finalised blocks, from the one it was born in.
    async fn search(&self, signed: &Signed, until: Instant) -> Result<Fate, SubmitError> {
        let started = Instant::now();
        let transaction = format!("{:?}", signed.hash);
        let mut next = signed.born + 1;
        loop {
            // A failing endpoint is no answer: the next look goes to another one.
            if let Ok(head) = self.snapshot(At::Finalised).await {
                while next <= head.block().0.min(signed.dies()) {
                    let Ok(found) = self.in_block(next, signed.hash).await else { break };
                    if let Some(outcome) = found {
                        return end(outcome);
                    }
                    next += 1;
                }
                if next > signed.dies() {
                    return Err(SubmitError::Expired { transaction, block: signed.dies() });
                }
            }
            if Instant::now() >= until {
                return Err(SubmitError::Unsettled { transaction, waited: started.elapsed() });
            }
            sleep(self.timing().poll).await;
        }
    }

    async fn in_block(&self, number: u64, transaction: H256) -> Result<Option<Dispatched>, ReadError> {
        self.read(At::Number(number), |snapshot| Box::pin(outcome(snapshot, transaction))).await
    }
}

/// How far watching got.
enum Watched {
    In(H256),
    Gone(PoolError),
    Lost,
}

fn end(outcome: Dispatched) -> Result<Fate, SubmitError> {
    match outcome {
        Dispatched::Succeeded(included) => Ok(Fate::Included(included)),
        Dispatched::Refused(refusal) => Err(SubmitError::Refused(refusal)),
    }
}
