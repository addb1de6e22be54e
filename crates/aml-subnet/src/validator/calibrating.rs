//! The probabilities of a round: a curve from the outcomes of the sixty days before it, as they were known when it was opened.
//!
//! What counts is fixed by the round's own times, so that the same curve comes out whenever it is made again: outcomes that
//! were seen here before the round was opened and confirmed by its day, of rounds of the days before it that counted then.

use super::world::{BrokeOff, RoundLog, Workers, World};
use crate::calendar::{day_at_ms, day_of};
use crate::readers::addresses::Addresses;
use crate::readers::calibration::{Calibration, DAYS, Known, calibrate};
use crate::store::records::{Canonical, Mark, Round, Step};
use crate::store::{RecordError, StorageError};

/// Rounds that are looked through at once: several windows a day for sixty days.
const ROUNDS: u32 = 400;

/// Why there is no calibration.
#[derive(Debug, thiserror::Error)]
pub enum CalibratingError {
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] StorageError),
    /// It cannot be recorded.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A defect of ours.
    #[error("calibrating broke off")]
    Broken(#[from] BrokeOff),
}

/// An outcome that counts: where, of which address, and what.
struct Came {
    place: usize,
    address: String,
    illicit: bool,
}

/// Makes calibrations from what is kept.
#[derive(Clone, Copy)]
pub struct Calibrator<'a> {
    /// Where it is kept.
    pub ledger: &'a dyn RoundLog,
    /// Threads.
    pub workers: &'a dyn Workers,
}

impl<'a> Calibrator<'a> {
    /// That of a world.
    #[must_use]
    pub fn of(world: &'a World) -> Self {
        Self { ledger: &*world.ledger, workers: &*world.workers }
    }

    /// The calibration of a round: the one that is kept, else made and kept now.
    ///
    /// # Errors
    /// When the ledger cannot be used.
    pub async fn in_force(&self, round: &Round) -> Result<Calibration, CalibratingError> {
        if let Some(kept) = self.ledger.calibration(round.id).await? {
            return Ok(kept);
        }
        let made = self.made(round).await?;
        Ok(self.ledger.record_calibration(round.id, &made).await?)
    }

    /// The calibration of a round, made from what was known when the round was opened.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn made(&self, round: &Round) -> Result<Calibration, CalibratingError> {
        let (mut used, mut known) = (Vec::new(), Vec::new());
        let mut addresses = Addresses::default();
        for before in self.rounds(round).await? {
            let came = self.came(&before, round).await?;
            if came.is_empty() {
                continue;
            }
            let Some(canonical) = self.ledger.canonical(before.id).await? else { continue };
            used.push(before.id.date.to_string());
            add(&mut known, &mut addresses, &canonical, came);
        }
        let (name, as_of) = (round.id.to_string(), round.opened_ms);
        Ok(self.workers.compute(move || calibrate(&name, as_of, used, known)).await?)
    }

    /// The rounds that are learned from, oldest first.
    async fn rounds(&self, round: &Round) -> Result<Vec<Round>, StorageError> {
        let (id, day, as_of) = (round.id, day_of(round.id.date), round.opened_ms);
        let mut rounds = self.ledger.rounds(id.netuid, ROUNDS, Some(id.date)).await?;
        let said_before = |mark: &Option<Mark>| mark.as_ref().is_some_and(|mark| mark.at_ms <= as_of);
        rounds.retain(|before| {
            let near = before.id.window_days == id.window_days && day_of(before.id.date) >= day - DAYS;
            let counted = !said_before(&before.marks.void) && !said_before(&before.marks.late);
            near && counted && before.step >= Step::Merged
        });
        rounds.reverse();
        Ok(rounds)
    }

    /// The outcomes of a round that were known when `for_round` was opened.
    async fn came(&self, round: &Round, for_round: &Round) -> Result<Vec<Came>, StorageError> {
        let (as_of, day) = (for_round.opened_ms, day_of(for_round.id.date));
        let versions = self.ledger.outcomes(round.id).await?;
        if versions.is_empty() {
            return self.settled_came(round, as_of).await;
        }
        let then = versions.into_iter().filter(|one| {
            let seen = one.seen_ms <= as_of && one.replaced_ms.is_none_or(|replaced| replaced > as_of);
            seen && day_at_ms(one.confirmed_ms) <= day
        });
        let came = then.filter_map(|one| {
            let place = usize::try_from(one.place).ok()?;
            Some(Came { place, address: one.address, illicit: one.illicit? })
        });
        Ok(came.collect())
    }

    /// Under rules v1 outcomes are kept with the settlement alone.
    async fn settled_came(&self, round: &Round, as_of: i64) -> Result<Vec<Came>, StorageError> {
        if round.settled_ms.is_none_or(|settled| settled > as_of) {
            return Ok(Vec::new());
        }
        let Some(settled) = self.ledger.settled(round.id).await? else { return Ok(Vec::new()) };
        let Some(task) = self.ledger.task(round.id).await? else { return Ok(Vec::new()) };
        let came = settled.labels.iter().filter_map(|label| {
            let address = task.roster.get(label.place)?.address.clone();
            Some(Came { place: label.place, address, illicit: label.illicit })
        });
        Ok(came.collect())
    }
}

/// Joins outcomes with scores; addresses are numbered as they come.
fn add(known: &mut Vec<Known>, addresses: &mut Addresses, canonical: &Canonical, came: Vec<Came>) {
    for Came { place, address, illicit } in came {
        let Some(merged) = canonical.scores.get(place) else { continue };
        known.push(Known { score: merged.score.get(), illicit, address: addresses.number(&address) });
    }
}
