//! The end of a timelocked commit: the chain opens it by itself, or drops it without a word.
//!
//! At the reveal the pallet checks what it could not read before (permit, uids, version key), and a failure there has
//! no event. So three things are looked at, in finalised blocks: whether the commit is still stored, whether there is
//! the event `TimelockedWeightsRevealed` for the hotkey, and what weights the chain shows.

use parity_scale_codec::Decode as _;

use super::readback::{stored, timelocked_of};
use super::snapshot::{ReadError, Snapshot, node};
use super::{At, Subtensor};
use crate::chain::commit::{Mechanism, PendingReveal};
use crate::chain::outcome::{RevealFate, TimelockedAt};
use crate::chain::refusal::PALLET;
use crate::chain::types::Block;
use crate::wallet::Hotkey;

/// Names of the event, newest first.
const EVENTS: [&str; 2] = ["TimelockedWeightsRevealed", "CRV3WeightsRevealed"];
/// Blocks that are looked through for the event: the reveal comes with the first blocks of its epoch.
const MAX_BLOCKS: u64 = 64;

impl Subtensor {
    /// Whether the chain has revealed a timelocked commit.
    ///
    /// # Errors
    /// [`ReadError`] when no endpoint answers.
    pub async fn reveal_fate(
        &self,
        hotkey: Hotkey,
        content: &PendingReveal,
        commit: TimelockedAt,
    ) -> Result<RevealFate, ReadError> {
        let subnet = content.target();
        let wanted = content.weights.pairs();
        let (block, waits, there) = self
            .read(At::Finalised, |snapshot| {
                Box::pin(async move {
                    let ours = timelocked_of(snapshot, subnet, hotkey).await?;
                    let waits = ours.iter().any(|stored| stored.block == commit.block.0);
                    Ok((snapshot.block(), waits, stored(snapshot, subnet, hotkey).await?))
                })
            })
            .await?;
        if waits || block < commit.block {
            return Ok(RevealFate::Waiting { block });
        }
        match self.opened(hotkey, content, commit.reveal_from, block).await {
            Some((opened_in, true)) => Ok(RevealFate::Revealed { block: opened_in }),
            _ if there.is_some_and(|there| there == wanted) => Ok(RevealFate::Revealed { block }),
            other => Ok(RevealFate::Lost { opened: other.is_some() }),
        }
    }

    /// The block in which the chain revealed a commit of the hotkey, and whether it then showed these weights; `None`
    /// when it did not, or its blocks cannot be read any more.
    async fn opened(&self, hotkey: Hotkey, content: &PendingReveal, from: Block, to: Block) -> Option<(Block, bool)> {
        let subnet = content.target();
        let last = to.0.min(from.0.saturating_add(MAX_BLOCKS));
        for number in from.0..=last {
            let seen = self.read(At::Number(number), |snapshot| {
                Box::pin(async move {
                    if !has_event(snapshot, subnet, hotkey).await? {
                        return Ok(None);
                    }
                    Ok(Some(stored(snapshot, subnet, hotkey).await?))
                })
            });
            match seen.await {
                Ok(Some(there)) => {
                    let same = there.is_some_and(|there| there == content.weights.pairs());
                    return Some((Block(number), same));
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::debug!(block = number, %error, "cannot look for the reveal in this block");
                    return None;
                }
            }
        }
        None
    }
}

/// Whether a block has the event of a reveal for the hotkey.
async fn has_event(snapshot: &Snapshot, mechanism: Mechanism, hotkey: Hotkey) -> Result<bool, ReadError> {
    let index = mechanism.index();
    let events = snapshot.at.events().fetch().await.map_err(|error| node("events", &error))?;
    for event in events.iter() {
        let event = event.map_err(|error| node("events", &error))?;
        if event.pallet_name() != PALLET || !EVENTS.contains(&event.event_name()) {
            continue;
        }
        // Both events are the subnet's number and the account.
        let fields = <(u16, [u8; 32])>::decode(&mut event.field_bytes());
        if fields.is_ok_and(|(of, who)| of == index && who == *hotkey.as_bytes()) {
            return Ok(true);
        }
    }
    Ok(false)
}
