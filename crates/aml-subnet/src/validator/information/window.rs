//! Where everybody stands on a round's day: the window's columns and outcomes, priced.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::calendar::{date_of, day_at_ms, day_of};
use crate::store::records::{ColumnDigests, ColumnName, Counts, KnownOutcome, Round, RoundId, StandingRecord, Step};
use crate::store::{Before, Conduct, InForce, PackedColumn, StorageError};
use crate::validation::v2::moments::Moments;
use crate::validation::v2::once::{Outcome, Weighed, weigh};
use crate::validation::v2::standing::{Delivered, Standings};
use crate::validation::v2::window::Window;
use crate::wallet::Hotkey;

use super::grounds::{Gathered, Moment, NOW};
use super::{Information, InformationError, REFERENCES};

/// Rounds that are looked through at once: far more than a window of daily ones has.
const ROUNDS: u32 = 400;

/// A round of the window.
pub(super) struct Looked {
    pub(super) round: Round,
    /// Outcomes that count today, by place; addresses are numbered over the window.
    pub(super) outcomes: Vec<Outcome<u32>>,
    /// Whether outcomes are recorded that will count, but not yet today.
    pub(super) ahead: bool,
    /// Submissions that count, with the digests that their verdicts name.
    pub(super) there: BTreeMap<Hotkey, Option<ColumnDigests>>,
}

impl Information<'_> {
    /// What is in force for a round in which `asked` are asked: where everybody stands by the outcomes that are known,
    /// and the curve. No outcomes are recorded in between.
    ///
    /// # Errors
    /// When the ledger cannot be read, or a column is not what its digest says.
    pub async fn in_force(&self, id: RoundId, asked: &[Hotkey], now_ms: i64) -> Result<InForce, InformationError> {
        let mut outcomes = self.ledger.hold_outcomes().await;
        let made_ms = outcomes.made(now_ms);
        let gathered = self.gather(id, asked, Moment { made_ms, known_ms: NOW }).await?;
        drop(outcomes);
        let before = self.weights_before(id, &gathered.miners, NOW).await?;
        let Gathered { miners, rounds, missing, moments, delivered } = gathered;
        let constants = self.constants;
        let (number, illicit) = (moments.number, moments.illicit);
        let settle = move || Standings::settle(constants, &moments, &delivered, &before);
        let standings = self.workers.compute(settle).await?;
        let references = REFERENCES.iter().map(|name| (*name).to_owned()).zip(standings.references).collect();
        let standing = StandingRecord {
            rules: self.rules,
            made_ms,
            rounds,
            missing,
            number,
            illicit,
            known: standings.known,
            miners: miners.into_iter().zip(standings.miners).collect(),
            references,
        };
        Ok(InForce { curve: standings.curve, standing })
    }

    /// What a standing is made of, by what was known at a moment.
    pub(super) async fn gather(
        &self,
        id: RoundId,
        asked: &[Hotkey],
        Moment { made_ms, known_ms }: Moment,
    ) -> Result<Gathered, InformationError> {
        let days = Window::new(self.constants, day_of(id.date)).rounds();
        let (window, missing) = self.window(id, days.clone(), known_ms).await?;
        let mut miners: BTreeSet<Hotkey> = asked.iter().copied().collect();
        window.iter().for_each(|looked| miners.extend(looked.there.keys()));
        let miners: Vec<Hotkey> = miners.into_iter().collect();
        let moments = self.moments(&window, &miners).await?;
        let conduct = self.ledger.conduct(Before { round: id, since: *days.start(), as_of_ms: made_ms }).await?;
        let delivered = self.delivered(&window, &miners, &conduct).await?;
        let rounds = window.iter().map(|looked| looked.round.id.date).collect();
        Ok(Gathered { miners, rounds, missing, moments, delivered })
    }

    /// Judged rounds of the same subnet and window of these days that count, oldest first.
    pub(super) async fn rounds(&self, id: RoundId, days: RangeInclusive<i64>) -> Result<Vec<Round>, StorageError> {
        self.rounds_then(id, days, NOW).await
    }

    /// The same, by what had been said of them at a moment.
    async fn rounds_then(
        &self,
        id: RoundId,
        days: RangeInclusive<i64>,
        known_ms: i64,
    ) -> Result<Vec<Round>, StorageError> {
        let mut rounds = self.ledger.rounds(id.netuid, ROUNDS, Some(date_of(days.end() + 1))).await?;
        rounds.retain(|round| {
            let same = round.id.window_days == id.window_days && days.contains(&day_of(round.id.date));
            same && round.marks.counted_at(known_ms) && round.step >= Step::Judged
        });
        rounds.reverse();
        Ok(rounds)
    }

    /// The window's rounds: those with at least one outcome that counts today. Those with a submission whose column is not
    /// there are named instead.
    async fn window(
        &self,
        id: RoundId,
        days: RangeInclusive<i64>,
        known_ms: i64,
    ) -> Result<(Vec<Looked>, Vec<chrono::NaiveDate>), InformationError> {
        let (mut window, mut missing) = (Vec::new(), Vec::new());
        let mut numbers = HashMap::new();
        for round in self.rounds_then(id, days, known_ms).await? {
            let there = self.there(&round).await?;
            let Some(there) = there else {
                missing.push(round.id.date);
                continue;
            };
            let mut known = self.ledger.outcomes(round.id).await?;
            known.retain(|one| one.was_known(known_ms));
            let (outcomes, ahead) = self.counted(&round, id, known, &mut numbers);
            // Counts are kept of what is known now.
            let ahead = ahead || known_ms != NOW;
            if !outcomes.is_empty() {
                window.push(Looked { round, outcomes, ahead, there });
            }
        }
        Ok((window, missing))
    }

    /// The outcomes of a round that count on the day of `id`, and whether others will later.
    fn counted(
        &self,
        round: &Round,
        id: RoundId,
        known: Vec<KnownOutcome>,
        numbers: &mut HashMap<String, u32>,
    ) -> (Vec<Outcome<u32>>, bool) {
        let (day, today) = (day_of(round.id.date), day_of(id.date));
        let (now, ever) = (Window::new(self.constants, today), Window::new(self.constants, i64::MAX / 2));
        let (mut outcomes, mut ahead) = (Vec::new(), false);
        for one in known {
            let Some(illicit) = one.illicit else { continue };
            let confirmed = day_at_ms(one.confirmed_ms);
            if now.counts(day, confirmed) {
                let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
                let address = *numbers.entry(one.address).or_insert(next);
                outcomes.push(Outcome { place: one.place, address, illicit });
            } else if ever.counts(day, confirmed) {
                ahead = true;
            }
        }
        (outcomes, ahead)
    }

    /// The submissions of a round that count; `None` when a column of one is not kept.
    async fn there(&self, round: &Round) -> Result<Option<BTreeMap<Hotkey, Option<ColumnDigests>>>, InformationError> {
        let verdicts = self.ledger.verdicts(round.id).await?;
        let accepted = verdicts.into_iter().filter(|verdict| verdict.accepted.is_ok());
        let there: BTreeMap<_, _> = accepted.map(|verdict| (verdict.hotkey, verdict.stored)).collect();
        let kept = self.ledger.column_digests(round.id).await?;
        let has = |hotkey: &Hotkey| kept.contains_key(&ColumnName::Miner(*hotkey));
        Ok(there.keys().all(has).then_some(there))
    }

    /// The moments of the window, one round after another.
    async fn moments(&self, window: &[Looked], miners: &[Hotkey]) -> Result<Moments, InformationError> {
        let outcomes: Vec<Vec<Outcome<u32>>> = window.iter().map(|looked| looked.outcomes.clone()).collect();
        let weighed = weigh(&outcomes);
        let names = miners.iter().map(|miner| ColumnName::Miner(*miner));
        let references = REFERENCES.iter().map(|name| ColumnName::Reference((*name).to_owned()));
        let names: Arc<[ColumnName]> = names.chain(references).collect();
        let mut moments = Moments::new(names.len());
        let threads = self.threads();
        for (looked, weighed) in window.iter().zip(weighed) {
            let packed = checked(looked, self.ledger.packed_columns(looked.round.id).await?)?;
            let (names, alerts) = (Arc::clone(&names), looked.round.alerts);
            let add = move || -> Result<Moments, StorageError> {
                let columns = unpacked(&packed, alerts)?;
                let given: Vec<Option<&[i16]>> =
                    names.iter().map(|name| columns.get(name).map(Vec::as_slice)).collect();
                let weighed: Vec<Weighed> = weighed;
                moments.add(&weighed, &given, threads);
                Ok(moments)
            };
            moments = self.workers.compute(add).await??;
        }
        Ok(moments)
    }

    /// What each miner delivered over the window.
    async fn delivered(
        &self,
        window: &[Looked],
        miners: &[Hotkey],
        conduct: &[Conduct],
    ) -> Result<Vec<Delivered>, InformationError> {
        let mut counts: Vec<BTreeMap<Hotkey, Counts>> = Vec::new();
        for looked in window {
            counts.push(self.counts(looked).await?);
        }
        let first = self.ledger.first_seen().await?;
        let asked: BTreeSet<(Hotkey, i64)> =
            conduct.iter().filter(|one| one.asked).map(|one| (one.hotkey, one.day)).collect();
        let one = |miner: &Hotkey| {
            let mut delivered = Delivered::default();
            for (looked, counts) in window.iter().zip(&counts) {
                let day = day_of(looked.round.id.date);
                let there = looked.there.contains_key(miner);
                let before = first.get(miner).is_none_or(|first| day < day_at_ms(*first));
                delivered.rounds += usize::from(there || before || asked.contains(&(*miner, day)));
                delivered.counted += usize::from(there);
                if let Some(counts) = counts.get(miner).filter(|_| there) {
                    delivered.parts.add(&counts.parts);
                    delivered.bins.add(&counts.bins);
                }
            }
            delivered
        };
        Ok(miners.iter().map(one).collect())
    }

    /// Each miner's weight of the day before: of the newest earlier round for which any were made; 0 where it had none.
    pub(super) async fn weights_before(
        &self,
        id: RoundId,
        miners: &[Hotkey],
        known_ms: i64,
    ) -> Result<Vec<f64>, InformationError> {
        let today = day_of(id.date);
        let days = today - self.constants.look_back()..=today - 1;
        for round in self.rounds_then(id, days, known_ms).await?.iter().rev() {
            if let Some(known) = self.ledger.in_force(round.id).await? {
                let standings = known.standing.miners;
                let weight = |miner| standings.get(miner).map_or(0.0, |standing| standing.priced.weight);
                return Ok(miners.iter().map(weight).collect());
            }
        }
        Ok(vec![0.0; miners.len()])
    }
}

/// The columns of who counted and of references; each must be the one that its verdict names.
fn checked(looked: &Looked, packed: Vec<PackedColumn>) -> Result<Vec<PackedColumn>, StorageError> {
    let mut kept = Vec::with_capacity(packed.len());
    for one in packed {
        let said = match &one.name {
            ColumnName::Reference(_) => None,
            ColumnName::Miner(hotkey) => match looked.there.get(hotkey) {
                Some(said) => *said,
                None => continue,
            },
        };
        if let Some(expected) = said.map(|said| said.worths).filter(|worths| *worths != one.digests.worths) {
            let (round, name, actual) = (one.round, one.name.to_string(), one.digests.worths);
            return Err(StorageError::Altered { round, name, expected, actual });
        }
        kept.push(one);
    }
    Ok(kept)
}

/// Columns as numbers, one for each alert.
fn unpacked(packed: &[PackedColumn], alerts: u64) -> Result<BTreeMap<ColumnName, Vec<i16>>, StorageError> {
    let one = |packed: &PackedColumn| {
        let worths = packed.worths()?;
        if worths.len() as u64 != alerts {
            let why = format!("{} of round {} has {} of {alerts} alerts", packed.name, packed.round, worths.len());
            return Err(StorageError::Malformed { what: "column", why });
        }
        Ok((packed.name.clone(), worths))
    };
    packed.iter().map(one).collect()
}
