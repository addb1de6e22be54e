//! Settling under rules v2: outcomes are looked for again and again, and a round is settled when none can come any more.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use aml_miner::clock::millis;
use aml_miner::error_chain::with_causes;

use super::{Settler, Settling, SettlingError};
use crate::calendar::{date_of, day_at, day_at_ms, day_of};
use crate::store::records::{ColumnName, KnownOutcome, OutcomesChange, Round, RoundId, Settled};
use crate::store::{PackedColumn, StorageError};
use crate::validation::rules::Rules;
use crate::validation::rules::RulesVersion;
use crate::validation::submission::Submission;
use crate::validation::tier3_settlement::{Label, ready};
use crate::validation::v2::Constants;
use crate::validation::v2::window::Window;
use crate::validator::information::{Backfilled, Filling, Grace, Information, InformationError, Looking};
use crate::validator::rulebook;
use crate::validator::settle::settle;
use crate::validator::world::within;
use crate::wallet::Hotkey;

/// Rounds whose outcomes changed, or may have.
#[derive(Clone, Copy)]
struct Amended<'a> {
    rounds: &'a [Round],
    /// Whether it is known that they did.
    sure: bool,
}

/// Rounds that are held against the newest pay: a mark of one of them changes it.
const MARKED: u32 = 400;

impl Settler {
    fn information(&self, rules: RulesVersion) -> Option<Information<'_>> {
        Information::under(rules, &*self.ledger, &*self.workers)
    }

    /// Of all rules of the list that pay for information, whether in force or to come, those that look back furthest; and a
    /// round to look back from.
    async fn looks(&self) -> Result<Option<(Information<'_>, RoundId)>, StorageError> {
        let list = rulebook::list(&*self.ledger, &self.settings, self.netuid).await?;
        let all = list.entries().iter().filter_map(|entry| self.information(entry.version));
        let information = all.max_by_key(|one| one.constants.look_back());
        let newest = self.ledger.rounds(self.netuid, 1, None).await?.pop();
        Ok(information.zip(newest.map(|round| round.id)))
    }

    /// Looks for the outcomes of all rounds that a window may need, keeps what is new, and makes the newest pay again
    /// where something that it rests on was taken back. Nothing under v1 alone.
    ///
    /// # Errors
    /// When the ledger cannot be used. Trouble with one round is listed in `errors`.
    pub async fn look(&self, errors: &mut Vec<String>) -> Result<Vec<(RoundId, OutcomesChange)>, SettlingError> {
        let Some((information, newest)) = self.looks().await? else { return Ok(Vec::new()) };
        let looking = Looking { source: &*self.source, now: self.now() };
        let (mut found, mut amended) = (Vec::new(), Vec::new());
        let awaited = information.awaited(newest, self.now()).await?;
        // Until the pay rests on what is recorded now: whatever goes wrong before that, the next turn looks at what is recorded.
        let unsure = self.unsure.swap(true, Ordering::Relaxed);
        for round in awaited.clone() {
            let end = self.time.uptime() + super::PATIENCE;
            let Some(looked) = within(&*self.time, end, information.look(&round, looking)).await else {
                errors.push(format!("outcomes of round {}: the source does not answer", round.id));
                continue;
            };
            match looked {
                Ok(change) if change.is_none() => {}
                Ok(change) => {
                    tracing::info!(round.id = %round.id, new = change.new, changed = change.changed,
                        withdrawn = change.withdrawn, "outcomes became known");
                    if change.amends() {
                        amended.push(round.clone());
                    }
                    found.push((round.id, change));
                }
                Err(error) => errors.push(format!("outcomes of round {}: {}", round.id, with_causes(&error))),
            }
        }
        if unsure {
            amended = awaited;
        }
        let done = self.amend(&information, newest, Amended { rounds: &amended, sure: !unsure }).await;
        self.unsure.store(done.is_err(), Ordering::Relaxed);
        Ok(done.map(|()| found)?)
    }

    /// Makes the newest pay again where outcomes that it rests on changed, or a round became void or late.
    async fn amend(
        &self,
        information: &Information<'_>,
        newest: RoundId,
        amended: Amended<'_>,
    ) -> Result<(), InformationError> {
        let Some(paid) = information.newest_paid(newest, self.now()).await? else { return Ok(()) };
        // Pay is made again under the rules of its own day.
        let Some(information) = self.information(paid.rules) else { return Ok(()) };
        let made_ms = self.ledger.shares(paid.id).await?.map_or(i64::MAX, |shares| shares.made_ms);
        let marked = self.ledger.rounds(self.netuid, MARKED, None).await?;
        let is_new = |round: &&Round| {
            let marks = [&round.marks.void, &round.marks.late];
            marks.into_iter().flatten().any(|mark| mark.at_ms > made_ms)
        };
        let touches = |round: &&Round| information.touches(&paid, round);
        let marked = marked.iter().filter(touches).find(is_new).map(|round| (round, "is void or late"));
        let changed = self.changed(amended, touches, made_ms).await?;
        let changed = changed.map(|round| (round, "has outcomes that changed or were withdrawn"));
        let Some((round, what)) = marked.or(changed) else { return Ok(()) };
        let why = format!("round {} {what}", round.id);
        if information.repay(&paid, Grace(self.settings.grace), &why, millis(self.now())).await?.is_some() {
            tracing::info!(round.id = %paid.id, why, "the pay was made again");
        }
        Ok(())
    }

    /// The first of these rounds that touches the newest pay and has outcomes that changed since it was made.
    async fn changed<'r>(
        &self,
        Amended { rounds, sure }: Amended<'r>,
        touches: impl Fn(&&'r Round) -> bool,
        made_ms: i64,
    ) -> Result<Option<&'r Round>, InformationError> {
        for round in rounds.iter().filter(touches) {
            let since =
                |one: &KnownOutcome| one.illicit.is_some() && one.replaced_ms.is_some_and(|at_ms| at_ms > made_ms);
            if sure || self.ledger.outcomes(round.id).await?.iter().any(since) {
                return Ok(Some(round));
            }
        }
        Ok(None)
    }

    /// Makes columns of rounds that were judged under v1, as long as their raw answers are kept: so that rules v2 can pay
    /// from their first day. `told` hears of each round.
    ///
    /// # Errors
    /// When the ledger cannot be used.
    pub async fn backfill(&self, told: impl Fn(&Backfilled)) -> Result<Backfilled, SettlingError> {
        let mut done = Backfilled::default();
        let Some((information, newest)) = self.looks().await? else { return Ok(done) };
        let rounds = information.without_columns(newest).await?;
        done.left = rounds.len();
        if done.left > 0 {
            // References look up outcomes: those that are known come first.
            let mut errors = Vec::new();
            self.look(&mut errors).await?;
            errors.iter().for_each(|error| tracing::warn!(error, "outcomes could not be looked for"));
        }
        for round in rounds {
            match information.fill(&round).await? {
                Filling::Made(_) => done.made.push(round.id),
                Filling::Swept => done.swept.push(round.id),
            }
            done.left -= 1;
            told(&done);
        }
        Ok(done)
    }

    /// Settles a round under rules v2, if nothing can change any more.
    pub(super) async fn settle_information(
        &self,
        round: &Round,
        constants: &'static Constants,
    ) -> Result<Settling, SettlingError> {
        let (id, day) = (round.id, day_of(round.id.date));
        let ever = Window::new(constants, i64::MAX / 2);
        let known = self.ledger.outcomes(id).await?.into_iter().filter(|one| one.replaced_ms.is_none());
        let known = known.filter(|one| ever.counts(day, day_at_ms(one.confirmed_ms)));
        let place = |place: u32| usize::try_from(place).unwrap_or(usize::MAX);
        let labels: Vec<Label> = known
            .filter_map(|one| Some(Label { place: place(one.place), illicit: one.illicit?, relevance: one.relevance }))
            .collect();
        let whole = labels.len() as u64 == round.alerts;
        if !whole && !Window::new(constants, day_at(self.now())).is_settled(day) {
            let illicit = labels.iter().filter(|label| label.illicit).count();
            return Ok(Settling::Open { outcomes: labels.len(), illicit, until: date_of(day + constants.latest) });
        }
        let settled = self.measured_information(round, labels).await?;
        self.ledger.record_settled(id, &settled, millis(self.now())).await?;
        Ok(Settling::Done(Box::new(settled)))
    }

    /// Tier 3 of the stored scores of a round, and of its canonical scores; of nobody where too little is known.
    async fn measured_information(&self, round: &Round, labels: Vec<Label>) -> Result<Settled, SettlingError> {
        let rules = round.rules.rules();
        let nothing = |labels| Settled {
            rules: rules.version,
            labels,
            miners: BTreeMap::new(),
            canonical: None,
            beside: BTreeMap::new(),
        };
        if ready(&rules, &labels).is_err() {
            return Ok(nothing(labels));
        }
        let seen = self.ledger.first_seen().await?;
        let mut miners: BTreeMap<Hotkey, Option<Submission>> = BTreeMap::new();
        for verdict in self.ledger.verdicts(round.id).await? {
            let first = seen.get(&verdict.hotkey).copied();
            let spared = verdict.accepted.is_err()
                && crate::validator::standing::is_spared(first, round.id.date, self.settings.grace);
            if !spared {
                miners.insert(verdict.hotkey, None);
            }
        }
        let packed = self.ledger.packed_scores(round.id).await?;
        miners.extend(self.workers.compute(move || submissions(packed)).await.map_err(InformationError::from)??);
        let canonical = self.ledger.canonical(round.id).await?;
        let beside = self.ledger.canonical_beside(round.id).await?;
        let mut settled = settle(&rules, labels, &miners, canonical.as_ref())?;
        if let Some(other) = beside {
            let first: Rules = other.rules.rules();
            let measured = settle(&first, settled.labels.clone(), &BTreeMap::new(), Some(&other))?;
            settled.beside.extend(measured.canonical.map(|measured| (other.rules, measured)));
        }
        Ok(settled)
    }
}

/// Stored scores as they were submitted.
fn submissions(packed: Vec<PackedColumn>) -> Result<BTreeMap<Hotkey, Option<Submission>>, StorageError> {
    let mut all = BTreeMap::new();
    for one in packed {
        let ColumnName::Miner(hotkey) = one.name else { continue };
        let scores = one.scores()?;
        let malformed = || StorageError::Malformed { what: "column", why: format!("{hotkey} has no probabilities") };
        all.insert(hotkey, Some(Submission::of_stored(&scores).ok_or_else(malformed)?));
    }
    Ok(all)
}
