//! What rules v2 add to the steps of a round: where everybody stands before it, columns when it is judged, voices and
//! shares when it is merged.

use std::sync::Arc;

use super::{RoundError, Rounds, RoundsParts};
use crate::store::Merged;
use crate::store::records::{Round, Task};
use crate::validation::rules::Rules;
use crate::validator::information::{Given, Grace, Information, Told};
use crate::validator::judge::Judged;
use crate::validator::merge::merge;
use crate::validator::standing::{History, Lookback};
use crate::wallet::Hotkey;

/// A round's judged answers, with what they say under rules v2.
pub(super) struct Answers {
    pub(super) judged: Vec<Judged>,
    /// `None` under v1.
    pub(super) told: Option<Vec<Told>>,
}

impl Rounds {
    /// Rules v2, where the round is under them.
    fn information(&self, round: &Round) -> Option<Information<'_>> {
        Information::of(&self.parts.world, round.rules)
    }

    /// Records where everybody stands and the curve in force, before the round has a task.
    pub(super) async fn put_in_force(&self, round: &Round, asked: &[Hotkey]) -> Result<(), RoundError> {
        let Some(information) = self.information(round) else { return Ok(()) };
        let in_force = information.in_force(round.id, asked, self.now_ms()).await?;
        for date in &in_force.standing.missing {
            tracing::warn!(round.id = %round.id, %date, "a past round has no columns: it is not part of the window");
        }
        self.parts.world.ledger.record_in_force(round.id, &in_force).await?;
        Ok(())
    }

    /// The columns of judged answers, kept before the verdicts that name them.
    pub(super) async fn told(
        &self,
        round: &Round,
        task: &Arc<Task>,
        judged: Vec<Judged>,
    ) -> Result<Answers, RoundError> {
        let Some(information) = self.information(round) else { return Ok(Answers { judged, told: None }) };
        let in_force = self.parts.world.ledger.in_force(round.id).await?.ok_or(RoundError::Gone(round.id))?;
        let (judged, told) = information.told(&round.rules.rules(), in_force.curve.clone(), judged).await?;
        if round.step < crate::store::records::Step::Judged {
            let given = Given { curve: in_force.curve, as_of_ms: in_force.standing.made_ms };
            information.keep(round.id, task, given, &told).await?;
        }
        Ok(Answers { judged, told: Some(told) })
    }

    /// Merges answers under rules v2, with what v1 would have made of them beside it.
    pub(super) async fn merge_information(
        &self,
        round: &Round,
        judged: Vec<Judged>,
        told: Vec<Told>,
    ) -> Result<(), RoundError> {
        let Some(information) = self.information(round) else { return Err(RoundError::Gone(round.id)) };
        let RoundsParts { world, netuid, settings, .. } = &self.parts;
        let in_force = world.ledger.in_force(round.id).await?.ok_or(RoundError::Gone(round.id))?;
        let merged = information.merge(round, &in_force, (&judged, told), Grace(settings.grace)).await?;
        let first = Rules::V1;
        let days = Lookback { netuid: *netuid, grace: settings.grace };
        let history = History::until(&*world.ledger, days, round.id.date, &first).await?;
        let worth = history.performance(&first);
        let beside = world.workers.compute(move || merge(&first, &judged, worth)).await?;
        let shares = round.marks.counts().then_some(&merged.shares);
        let canonical = merged.canonical.as_ref();
        let made = Merged { canonical, beside: beside.as_ref().filter(|_| canonical.is_some()), shares };
        world.ledger.record_merged(round.id, made).await?;
        super::observe::merged(round.id, canonical);
        Ok(())
    }
}
