//! The second half of commit-reveal: revealing a hash commit in its window, and the round of a timelocked one.

use std::time::Duration;

use scale_value::Value;

use super::preflight::Preflight;
use super::readback::{commits, numbers, pairs};
use super::set_weights::SetWeightsError;
use super::snapshot::{Item, ReadError, Snapshot};
use super::submit::SubmitError;
use super::{At, Included, Subtensor, block_time};
use crate::chain::commit::PendingReveal;
use crate::chain::reveal_round::{Moment, Schedule, first_reveal_block, reveal_round};
use crate::chain::timelock::{TimelockPayload, seal};
use crate::chain::types::Block;
use crate::wallet::{Hotkey, Signer};

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
        let subnet = (content.netuid, content.mechanism);
        let (block, commits) = self
            .read(At::Best, |snapshot| {
                Box::pin(async move { Ok((snapshot.block().0, commits(snapshot, subnet, hotkey).await?)) })
            })
            .await?;
        let Some(commit) = commits.iter().find(|commit| commit.hash == hash) else {
            let there = self.weights_of(hotkey, content.netuid, content.mechanism).await?;
            let done = there.is_some_and(|there| there == pairs(&content.weights));
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
        let args = vec![
            ("uids", numbers(&content.weights.uids)),
            ("values", numbers(&content.weights.values)),
            ("salt", numbers(&content.salt)),
            ("version_key", Value::u128(content.version_key.into())),
        ];
        let names = ("reveal_weights", "reveal_mechanism_weights");
        let included = self.submit(signer, &self.of_mechanism(names, content, args).await?).await?;
        let there = self.weights_at(&included, content, hotkey).await?;
        if there.is_none_or(|there| there != pairs(&content.weights)) {
            return Err(RevealError::NotThere);
        }
        Ok(Some(included))
    }
}

/// What the round of a timelocked commit depends on.
pub(super) struct Occasion {
    pub(super) moment: Moment,
    block_time: Duration,
}

/// Reads how the subnet's epochs run.
pub(super) async fn moment(snapshot: &Snapshot, netuid: u16) -> Result<Occasion, ReadError> {
    let of_subnet = |name| Item::plain(name).number(netuid);
    let names = ["Tempo", "RevealPeriodEpochs", "LastEpochBlock", "PendingEpochAt", "BlocksSinceLastStep"];
    let items = names.map(of_subnet);
    let values = snapshot.fetch(&items).await?;
    let [tempo, period, last, pending, idle] = &items;
    let schedule = match values.get(last)? {
        Some(last_epoch_block) => Schedule::Stateful {
            last_epoch_block,
            pending_epoch_at: values.get(pending)?.unwrap_or(0),
            blocks_since_last_step: values.get(idle)?.unwrap_or(0),
        },
        None => Schedule::Modulo { netuid },
    };
    let moment = Moment {
        block: snapshot.block().0,
        tempo: values.need(tempo)?,
        reveal_period: values.get(period)?.unwrap_or(1),
        schedule,
    };
    Ok(Occasion { moment, block_time: block_time(snapshot) })
}

/// A timelocked commit, ready to be sent.
pub(super) struct TimelockedCommit {
    pub(super) bytes: Vec<u8>,
    pub(super) round: u64,
    pub(super) reveal_from: Block,
}

/// Encrypts weights to the round of their reveal.
pub(super) fn timelocked(
    Occasion { moment, block_time }: &Occasion,
    now: Duration,
    content: &PendingReveal,
    hotkey: &Hotkey,
) -> Result<TimelockedCommit, SetWeightsError> {
    let first = first_reveal_block(moment)?;
    let round = reveal_round(now, moment.block, first, *block_time);
    let payload = TimelockPayload::new(hotkey, &content.weights, content.version_key);
    Ok(TimelockedCommit { bytes: seal(&payload, round)?, round, reveal_from: Block(first) })
}
