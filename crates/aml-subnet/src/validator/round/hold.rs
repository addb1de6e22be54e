//! A failure of ours is no round: it is held, tried again, and void when it does not pass in time.
//!
//! Held only when both are so: most miners that answered the last round cannot be reached, and a probe of our own side
//! fails. Without the second a round goes on, else miners could hold it.

use std::collections::BTreeSet;
use std::time::Duration;

use aml_miner::clock::millis;
use aml_miner::error_chain::with_causes;
use tokio_util::sync::CancellationToken;

use super::ask::Unreached;
use super::{RoundError, Rounds, observe};
use crate::store::records::{Mark, MarkKind, Reply, Round, RoundId, Step};
use crate::validator::world::{World, within};
use crate::wallet::Hotkey;

/// Above so many hundredths of those that answered the last round, it may be we who cannot reach anybody.
const MOST_GONE: usize = 60;
/// How often our own side is probed while a round is held.
pub(super) const PROBE_EVERY: Duration = Duration::from_secs(60);
/// How long a probe may take.
const PROBE: Duration = Duration::from_secs(20);
/// Rounds that are looked through for the last one that counts.
const LAST: u32 = 8;

/// What became of a round whose miners cannot be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holding {
    /// It goes on with what there is.
    GoesOn,
    /// Our side is back; those that were not reached are asked again until the deadline, in milliseconds since 1970.
    Again {
        /// The deadline.
        until_ms: i64,
    },
    /// It counts nowhere.
    Void,
}

impl Rounds {
    /// Whether it is our side that is down, and what came of it.
    pub(super) async fn hold(
        &self,
        round: &Round,
        unreached: &[Unreached],
        stop: &CancellationToken,
    ) -> Result<Holding, RoundError> {
        let World { ledger, time, .. } = &self.parts.world;
        let gone = self.most_are_gone(round.id, unreached).await?;
        let Some(why) = (if gone { self.probe().await } else { None }) else {
            if round.marks.held.is_some() {
                ledger.mark_round(round.id, MarkKind::Held, None).await?;
                observe::goes_on(round.id);
            }
            return Ok(Holding::GoesOn);
        };
        let now_ms = time.now_ms();
        observe::held(round.id, &why);
        ledger.mark_round(round.id, MarkKind::Held, Some(&Mark { at_ms: now_ms, why: why.clone() })).await?;
        let before = self.again(round.id).await?.deadline_ms.unwrap_or(now_ms);
        let later = before.saturating_add(millis(self.parts.settings.deadline));
        let until_ms = if ledger.extend_deadline(round.id, later, now_ms).await? { later } else { before };
        while time.now_ms() < until_ms {
            tokio::select! {
                biased;
                () = stop.cancelled() => return Err(RoundError::Stopped),
                () = time.sleep(self.probe_every) => {}
            }
            if self.probe().await.is_none() {
                ledger.mark_round(round.id, MarkKind::Held, None).await?;
                observe::goes_on(round.id);
                return Ok(Holding::Again { until_ms });
            }
        }
        self.make_void(round.id, format!("held until its extended deadline: {why}")).await?;
        Ok(Holding::Void)
    }

    /// From now on the round counts nowhere.
    pub(super) async fn make_void(&self, round: RoundId, why: String) -> Result<(), RoundError> {
        let World { ledger, time, .. } = &self.parts.world;
        observe::void(round, &why);
        ledger.mark_round(round, MarkKind::Void, Some(&Mark { at_ms: time.now_ms(), why })).await?;
        Ok(())
    }

    /// Whether more than six tenths of those that answered the last round that counts are among the unreached.
    async fn most_are_gone(&self, round: RoundId, unreached: &[Unreached]) -> Result<bool, RoundError> {
        let ledger = &self.parts.world.ledger;
        let before = ledger.rounds(round.netuid, LAST, Some(round.date)).await?;
        let last = before.into_iter().find(|before| before.step > Step::Asked && before.marks.counts());
        let Some(last) = last else { return Ok(false) };
        let answered = ledger.answers(last.id).await?.into_iter().filter(|answer| answer.reply == Reply::Answered);
        let answered: BTreeSet<Hotkey> = answered.map(|answer| answer.hotkey).collect();
        let gone = unreached.iter().filter(|one| answered.contains(&one.answer.hotkey)).count();
        Ok(gone * 100 > answered.len() * MOST_GONE)
    }

    /// What is wrong on our side: neither batches nor the chain can be had without a network.
    async fn probe(&self) -> Option<String> {
        let World { source, neurons, time, .. } = &self.parts.world;
        let late = |what: &str| format!("{what} does not answer within {} s", PROBE.as_secs());
        let asked = within(&**time, time.uptime() + PROBE, source.newest(time.now())).await;
        match asked {
            None => return Some(late("the source of batches")),
            Some(Err(error)) => return Some(with_causes(&error)),
            Some(Ok(_)) => {}
        }
        match within(&**time, time.uptime() + PROBE, neurons.metagraph()).await {
            None => Some(late("the chain")),
            Some(Err(error)) => Some(with_causes(&error)),
            Some(Ok(_)) => None,
        }
    }
}
