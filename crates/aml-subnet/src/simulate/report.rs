//! What came of a simulation.

use std::time::Duration;

use aml_miner::clock::Clock as _;
use aml_miner::digest::Digest;

use super::Sides;
use super::cast::TARGET;
use super::checks::Submissions;
use super::days::round_of;
use super::kept::KeptRound;
use super::laws::Broken;
use super::plan::Plan;
use super::stage::Stage;
use super::time::Fault;
use super::trace::Trace;
use crate::config::ValidatorSettings;
use crate::store::Ledger;
use crate::store::records::{RoundId, Step, WeightsRecord};
use crate::validator::information::{Grace, Information};
use crate::validator::replay::replay;
use crate::validator::world::{Threads, Time as _};

/// Submissions of weights that are looked at in the end.
const SUBMISSIONS: u32 = 10_000;
/// Pay is made again so long after outcomes changed at the latest.
const SETTLING_MS: i64 = 20 * 60 * 1000;
const THERE: &str = "a ledger in memory can be read";

/// What came of a plan.
#[derive(Clone, Debug)]
pub struct Report {
    /// The plan.
    pub plan: Plan,
    /// The round of the last day.
    pub round: RoundId,
    /// Everything that crossed an edge of the validator.
    pub trace: Trace,
    /// Digest of the trace and of what the ledger has in the end.
    pub digest: Digest,
    /// How long it took, in the time of the simulation.
    pub took: Duration,
    /// Rounds that were published.
    pub rounds: usize,
    /// Miners whose answer counts in the round of the last day.
    pub accepted: usize,
    /// Submissions of weights that the chain took.
    pub paid: usize,
    /// The law that was broken, if it was.
    pub broken: Option<Broken>,
}

/// What the ledger has in the end.
struct Kept {
    rounds: Vec<KeptRound>,
    weights: Vec<WeightsRecord>,
}

impl Kept {
    async fn read(ledger: &Ledger, days: u32) -> Self {
        let mut rounds = Vec::new();
        for day in 0..days {
            rounds.extend(KeptRound::read(ledger, day).await);
        }
        Self { rounds, weights: ledger.weights(TARGET, SUBMISSIONS).await.expect(THERE) }
    }
}

impl Report {
    /// Of what there is when it has ended.
    pub(super) fn of(sides: &Sides, fault: Option<Fault>) -> Self {
        let Stage { plan, time, .. } = &*sides.stage;
        let took = time.uptime();
        let broken = fault.map(|fault| Broken::Endless { fault }).or_else(|| sides.stage.broken());
        let (taken, shown) = (sides.chain.taken(), sides.chain.shown_weights());
        let kept = sides.ledger.look(async |ledger| Kept::read(ledger, plan.days).await);
        let broken = broken.or_else(|| {
            sides.watch.look_at_last();
            let submissions = Submissions { recorded: &kept.weights, taken: &taken, shown: &shown };
            sides
                .stage
                .broken()
                .or_else(|| sides.watch.look_again(&kept.rounds))
                .or_else(|| submissions.broken())
                .or_else(|| again(sides, &kept.rounds))
                .or_else(|| stale(sides, &kept.rounds))
        });
        let trace = sides.stage.trace();
        let stays: Vec<String> = kept.rounds.iter().map(KeptRound::stays_the_same).collect();
        let digest = Digest::of(format!("{trace}{stays:?}{:?}", kept.weights).as_bytes());
        let published = kept.rounds.iter().filter(|kept| kept.round.step >= Step::Published).count();
        let round = round_of(plan.days.saturating_sub(1));
        let accepted = kept.rounds.iter().find(|kept| kept.round.id == round).map_or(0, KeptRound::accepted);
        let plan = plan.clone();
        Self { plan, round, trace, digest, took, rounds: published, accepted, paid: taken.len(), broken }
    }

    /// Whether the same law is broken in both.
    pub(super) fn breaks_as(&self, other: &Self) -> bool {
        self.broken.as_ref().map(std::mem::discriminant) == other.broken.as_ref().map(std::mem::discriminant)
    }
}

/// The first result that does not come out again of the answers that are kept.
fn again(sides: &Sides, rounds: &[KeptRound]) -> Option<Broken> {
    rounds.iter().filter(|kept| kept.round.step >= Step::Judged).find_map(|kept| {
        let round = kept.round.id;
        let place = match sides.ledger.look(async |ledger| replay(ledger, round, None).await) {
            Ok(again) if again.identical => return None,
            Ok(again) => again.differences.first().map_or_else(String::new, |first| {
                format!("{} is {}, and was {}", first.place, first.again, first.stored)
            }),
            Err(error) => error.to_string(),
        };
        Some(Broken::NotAgain { round, place })
    })
}

/// Pay of the newest round that rests on outcomes which were changed or withdrawn since.
fn stale(sides: &Sides, rounds: &[KeptRound]) -> Option<Broken> {
    let paid = rounds.iter().rev().find(|kept| kept.shares.is_some())?;
    let made_ms = paid.shares.as_ref()?.made_ms;
    let now_ms = sides.stage.time.now_ms();
    let since = |at_ms: i64| at_ms > made_ms && at_ms < now_ms - SETTLING_MS;
    sides.ledger.look(async |ledger| {
        let mut replaced = false;
        for kept in rounds {
            let outcomes = ledger.outcomes(kept.round.id).await.expect(THERE);
            replaced |= outcomes.iter().any(|one| one.replaced_ms.is_some_and(since));
        }
        if !replaced {
            return None;
        }
        let information = Information::under(paid.round.rules, ledger, &Threads)?;
        let grace = Grace(ValidatorSettings::default().grace);
        let again = information.repay(&paid.round, grace, "the law", now_ms).await;
        again.is_ok_and(|again| again.is_some()).then_some(Broken::StalePay { round: paid.round.id })
    })
}
