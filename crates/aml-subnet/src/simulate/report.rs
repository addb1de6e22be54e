//! What came of a simulation.

use std::time::Duration;

use aml_miner::digest::Digest;

use super::cast::TARGET;
use super::chain::Taken;
use super::laws::{Broken, End, broken};
use super::plan::Plan;
use super::stage::Stage;
use super::time::Fault;
use super::trace::Trace;
use crate::chain::types::Uid;
use crate::store::Ledger;
use crate::store::records::{Answer, Canonical, Round, RoundId, Verdict, WeightsRecord};
use crate::validator::world::Time as _;

/// Submissions of weights that are looked at in the end.
const SUBMISSIONS: u32 = 1000;
const THERE: &str = "a ledger in memory can be read";

/// What came of a plan.
#[derive(Clone, Debug)]
pub struct Report {
    /// The plan.
    pub plan: Plan,
    /// The round.
    pub round: RoundId,
    /// Everything that crossed an edge of the validator.
    pub trace: Trace,
    /// Digest of the trace and of what the ledger has in the end.
    pub digest: Digest,
    /// How long it took, in the time of the simulation.
    pub took: Duration,
    /// Miners whose answer counts.
    pub accepted: usize,
    /// Submissions of weights that the chain took.
    pub paid: usize,
    /// The law that was broken, if it was.
    pub broken: Option<Broken>,
}

/// What there is when it has ended.
pub(super) struct Ended {
    pub(super) round: RoundId,
    pub(super) fault: Option<Fault>,
    pub(super) kept: Kept,
    /// Submissions that the chain took.
    pub(super) taken: Vec<Taken>,
    /// The weights that it shows.
    pub(super) shown: Vec<(Uid, u16)>,
}

impl Report {
    pub(super) fn of(stage: &Stage, ended: Ended) -> Self {
        let Ended { round, fault, kept, taken, shown } = ended;
        let (plan, trace, took) = (stage.plan.clone(), stage.trace(), stage.time.uptime());
        let end = End {
            round,
            step: kept.round.as_ref().map(|round| round.step),
            scored: kept.canonical.is_some(),
            recorded: &kept.weights,
            taken: &taken,
            shown: &shown,
        };
        let broken = fault.map_or_else(|| broken(&end), |fault| Some(Broken::Endless { round, fault }));
        let accepted = kept.verdicts.iter().filter(|verdict| verdict.accepted.is_ok()).count();
        let digest = Digest::of(format!("{trace}{kept:?}").as_bytes());
        Self { plan, round, trace, digest, took, accepted, paid: taken.len(), broken }
    }

    /// Whether the same law is broken in both.
    pub(super) fn breaks_as(&self, other: &Self) -> bool {
        self.broken.as_ref().map(std::mem::discriminant) == other.broken.as_ref().map(std::mem::discriminant)
    }
}

/// What the ledger has in the end.
#[derive(Debug)]
pub(super) struct Kept {
    round: Option<Round>,
    #[expect(dead_code, reason = "part of the digest")]
    answers: Vec<Answer>,
    verdicts: Vec<Verdict>,
    canonical: Option<Canonical>,
    weights: Vec<WeightsRecord>,
}

impl Kept {
    pub(super) async fn read(ledger: &Ledger, id: RoundId) -> Self {
        Self {
            round: ledger.round(id).await.expect(THERE),
            answers: ledger.answers(id).await.expect(THERE),
            verdicts: ledger.verdicts(id).await.expect(THERE),
            canonical: ledger.canonical(id).await.expect(THERE),
            weights: ledger.weights(TARGET, SUBMISSIONS).await.expect(THERE),
        }
    }
}
