//! Reads the ledger for the API: published rounds only, the small facts of recent rounds kept in memory.

use std::sync::Arc;

use chrono::NaiveDate;

use super::error::{ApiError, ledger_error};
use super::memory::Outcomes;
use super::state::ApiState;
use super::views::miner;
use super::views::round::{Sources, TOP};
use super::views::{MinerStanding, RoundBrief, RoundDetail, RoundFacts};
use crate::calendar::{day_at, day_of};
use crate::outputs::{CanonicalRow, canonical_rows};
use crate::readers::reasons::Reasons;
use crate::store::records::{Round, RoundId, Step};
use crate::validator::standing::History;

/// More rounds of one day than anybody publishes; a page is never cut within a day.
const ROUNDS_A_DAY: u32 = 32;

/// Rounds that are looked through for the newest one that counts.
const NEWEST: usize = 8;

/// A page of rounds, and where the next one begins.
pub(super) struct RoundPage {
    pub(super) rounds: Vec<Round>,
    pub(super) next: Option<NaiveDate>,
}

impl ApiState {
    /// Published rounds, newest first: about `limit`, and whole days.
    pub(super) async fn published_rounds(
        &self,
        limit: usize,
        before: Option<NaiveDate>,
    ) -> Result<RoundPage, ApiError> {
        let fetched = u32::try_from(limit).unwrap_or(u32::MAX).saturating_add(ROUNDS_A_DAY);
        let all = self.ledger.rounds(self.netuid, fetched, before).await.map_err(ledger_error)?;
        let cut = all.len() == usize::try_from(fetched).unwrap_or(usize::MAX);
        let oldest = all.last().map(|round| round.id.date).filter(|_| cut);
        let mut rounds: Vec<Round> = all.into_iter().filter(|round| round.step >= Step::Published).collect();
        let Some(last) = rounds.get(limit.saturating_sub(1)).map(|round| round.id.date) else {
            return Ok(RoundPage { rounds, next: oldest });
        };
        let whole = rounds.iter().take_while(|round| round.id.date >= last).count();
        let next = Some(last).filter(|_| cut || whole < rounds.len());
        rounds.truncate(whole);
        Ok(RoundPage { rounds, next })
    }

    /// A round of this subnet, once it is published.
    pub(super) async fn published_round(&self, id: RoundId) -> Result<Round, ApiError> {
        let round = self.ledger.round(id).await.map_err(ledger_error)?;
        let shown = round.filter(|round| id.netuid == self.netuid && round.step >= Step::Published);
        shown.ok_or_else(|| ApiError::not_found(format!("No round {id} is published; /rounds lists those that are")))
    }

    /// A round's facts, from memory where they are known.
    pub(super) async fn facts(&self, round: &Round) -> Result<Arc<RoundFacts>, ApiError> {
        if let Some(facts) = self.memory.facts.get(round) {
            return Ok(facts);
        }
        let id = round.id;
        let verdicts = self.ledger.verdicts(id).await.map_err(ledger_error)?;
        let answers = self.ledger.answers(id).await.map_err(ledger_error)?;
        let settled = match round.step {
            Step::Settled => self.ledger.settled(id).await.map_err(ledger_error)?,
            _ => None,
        };
        Ok(self.memory.facts.put(round, RoundFacts::new(round.clone(), &verdicts, &answers, settled.as_ref())))
    }

    /// A round in full, from memory where it is known.
    pub(super) async fn detail(&self, round: &Round) -> Result<Arc<RoundDetail>, ApiError> {
        if let Some(detail) = self.memory.details.get(round) {
            return Ok(detail);
        }
        let facts = self.facts(round).await?;
        let id = round.id;
        let task = self.ledger.task(id).await.map_err(ledger_error)?;
        let canonical = self.ledger.canonical(id).await.map_err(ledger_error)?;
        let calibration = self.ledger.calibration(id).await.map_err(ledger_error)?;
        let reasons = self.ledger.reasons(id).await.map_err(ledger_error)?;
        let canonical = canonical.zip(task.as_ref()).map(|(canonical, task)| {
            let rows = canonical_rows(&task.roster, &canonical, calibration.as_ref()).map_err(ApiError::internal)?;
            Ok::<_, ApiError>((canonical, top_because(rows, reasons.as_ref())))
        });
        let canonical = canonical.transpose()?;
        let mut top: Vec<CanonicalRow> = Vec::new();
        if let Some((_, rows)) = &canonical {
            top.extend(rows.iter().filter(|row| usize::try_from(row.rank).is_ok_and(|rank| rank <= TOP)).cloned());
        }
        top.sort_by_key(|row| row.rank);
        let settled = self.ledger.settled(id).await.map_err(ledger_error)?;
        let sources = Sources {
            verdicts: self.ledger.verdicts(id).await.map_err(ledger_error)?,
            canonical,
            known: self.ledger.outcome_tally(id).await.map_err(ledger_error)?,
            outcomes: self.outcomes_now(round).await?.iter().map(|(place, came)| (*place, *came)).collect(),
            seen_before: self.seen_before(round, &top).await?,
            calibration,
            settled,
            task,
        };
        Ok(self.memory.details.put(round, RoundDetail::new(&facts, &sources)))
    }

    /// Outcomes of a round that are known now; under rules v1 those of its settlement. A round that is looked up says when outcomes
    /// were last looked for, so that what is in memory is what the ledger has.
    pub(super) async fn outcomes_now(&self, round: &Round) -> Result<Arc<Outcomes>, ApiError> {
        let memory = &self.memory.outcomes;
        if let Some(known) = memory.get(round) {
            return Ok(known);
        }
        let _turn = memory.making.lock().await;
        if let Some(known) = memory.get(round) {
            return Ok(known);
        }
        let known = self.read_outcomes(round.id).await?;
        Ok(memory.put(round, known))
    }

    /// The same from the ledger, for who looks at many rounds.
    pub(super) async fn read_outcomes(&self, id: RoundId) -> Result<Outcomes, ApiError> {
        let versions = self.ledger.outcomes(id).await.map_err(ledger_error)?;
        let now = versions.into_iter().filter(|one| one.replaced_ms.is_none());
        let known: Outcomes = now.filter_map(|one| Some((usize::try_from(one.place).ok()?, one.illicit?))).collect();
        if !known.is_empty() {
            return Ok(known);
        }
        let settled = self.ledger.settled(id).await.map_err(ledger_error)?;
        Ok(settled.iter().flat_map(|settled| &settled.labels).map(|label| (label.place, label.illicit)).collect())
    }

    /// The scores that performance is made of, as they are when weights are set.
    pub(super) async fn history(&self) -> Result<History, ApiError> {
        let newest = History::newest(&self.ledger, self.netuid, &self.rules, self.grace).await;
        let nothing = || History { today: self.clock_day(), ..History::default() };
        Ok(newest.map_err(ledger_error)?.unwrap_or_else(nothing))
    }

    /// The last day that counts, in days since 1970: that of the newest published round, so that a clock that jumps, or
    /// a source without new batches, changes nothing.
    pub(super) async fn today(&self) -> Result<i64, ApiError> {
        let newest = self.published_rounds(1, None).await?.rounds.first().map(|round| day_of(round.id.date));
        Ok(newest.unwrap_or_else(|| self.clock_day()))
    }

    fn clock_day(&self) -> i64 {
        day_at(self.clock.now())
    }

    /// The newest published round.
    pub(super) async fn newest(&self) -> Result<Option<RoundBrief>, ApiError> {
        let page = self.published_rounds(1, None).await?;
        match page.rounds.first() {
            Some(round) => Ok(Some(self.facts(round).await?.brief())),
            None => Ok(None),
        }
    }

    /// The newest published round that is not void, in full.
    pub(super) async fn newest_detail(&self) -> Result<Option<Arc<RoundDetail>>, ApiError> {
        let page = self.published_rounds(NEWEST, None).await?;
        match page.rounds.iter().find(|round| round.marks.void.is_none()) {
            Some(round) => Ok(Some(self.detail(round).await?)),
            None => Ok(None),
        }
    }

    /// The leaderboard that a history makes.
    pub(super) fn standings(&self, history: &History) -> Vec<MinerStanding> {
        let seen = self.chain.current();
        let metagraph = seen.as_deref().map(|seen| &seen.reading.metagraph);
        miner::standings(&self.rules, &history.leaderboard(&self.rules), metagraph)
    }
}

/// The rows of a round, the most urgent ones with their reasons: the others are told where they are asked for.
fn top_because(rows: Vec<CanonicalRow>, reasons: Option<&Reasons>) -> Vec<CanonicalRow> {
    let Some(reasons) = reasons else { return rows };
    let because = |(place, row): (usize, CanonicalRow)| match reasons.alerts.get(place) {
        Some(found) if usize::try_from(row.rank).is_ok_and(|rank| rank <= TOP) => row.because(found),
        _ => row,
    };
    rows.into_iter().enumerate().map(because).collect()
}
