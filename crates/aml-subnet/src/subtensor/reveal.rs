//! The second half of commit-reveal: revealing a hash commit in its window.

use super::calls;
use super::readback::commits;
use super::snapshot::ReadError;
use super::submit::SubmitError;
use super::{At, Subtensor};
use crate::chain::commit::PendingReveal;
use crate::chain::outcome::Included;
use crate::chain::standing::Preflight;
use crate::wallet::Signer;

/// Why a hash commit was not revealed.
#[derive(Debug, thiserror::Error)]
pub enum RevealError {
    /// The window opens later.
    #[error("RevealTooEarly: the reveal window opens in {blocks} blocks")]
    TooEarly {
        /// Blocks to wait.
        blocks: u64,
    },
    /// The window is over.
    #[error("ExpiredWeightCommit: the reveal window ended at block {last}: commit again")]
    Expired {
        /// Its last block.
        last: u64,
    },
    /// Nothing of the kind is committed, and the weights are not on chain either.
    #[error("NoWeightsCommitFound: the chain has no such commit: commit again")]
    NotFound,
    /// The chain could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The call did not take effect.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// Would be refused.
    #[error(transparent)]
    Preflight(#[from] Preflight),
    /// The call took effect, but the chain shows something else.
    #[error("the reveal is final, but the chain does not show these weights")]
    NotThere,
}

impl Subtensor {
    /// Reveals a hash commit, and reads the weights back. Weights that the chain shows already are not revealed again.
    ///
    /// # Errors
    /// [`RevealError`]; outside of the window nothing is sent.
    pub async fn reveal(&self, signer: &Signer, content: &PendingReveal) -> Result<Option<Included>, RevealError> {
        let hotkey = signer.hotkey();
        let hash = content.hash(&hotkey);
        let subnet = content.target();
        let (block, commits) = self
            .read(At::Best, |snapshot| {
                Box::pin(async move { Ok((snapshot.block().0, commits(snapshot, subnet, hotkey).await?)) })
            })
            .await?;
        let Some(commit) = commits.iter().find(|commit| commit.hash == hash) else {
            let there = self.weights_of(hotkey, content.netuid, content.mechanism).await?;
            let done = there.is_some_and(|there| there == content.weights.pairs());
            return done.then_some(None).ok_or(RevealError::NotFound);
        };
        if let Some((first, last)) = commit.window {
            let lands = block + 1;
            if lands < first {
                return Err(RevealError::TooEarly { blocks: first - lands });
            }
            if lands > last {
                return Err(RevealError::Expired { last });
            }
        }
        let call = self.of_mechanism(calls::REVEAL, content, calls::reveal(content)).await?;
        let included = self.submit(signer, &call).await?;
        let there = self.weights_at(&included, content, hotkey).await?;
        if there.is_none_or(|there| there != content.weights.pairs()) {
            return Err(RevealError::NotThere);
        }
        Ok(Some(included))
    }
}
