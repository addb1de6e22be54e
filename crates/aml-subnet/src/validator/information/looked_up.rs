//! References of a round: what everybody can know of its alerts, looked up by address in the ledger.
//!
//! As [`crate::validation::v2::references`] states it; here with what the ledger finds by address, so that no earlier
//! round has to be read whole.

use std::collections::HashMap;

use crate::calendar::day_of;
use crate::store::Before;
use crate::store::records::{RoundId, Task};
use crate::validation::v2::calibration::{mean, whole};

use super::{Information, InformationError, REFERENCES};

/// The first day that there can be a round of.
const EVER: i64 = 0;

impl Information<'_> {
    /// The scores of each reference by roster place, by what was known as of a moment (milliseconds since 1970), in the order of [`REFERENCES`]; `None` for one that has nothing to
    /// say.
    pub(super) async fn references(
        &self,
        id: RoundId,
        task: &Task,
        as_of_ms: i64,
    ) -> Result<[Option<Vec<f64>>; REFERENCES.len()], InformationError> {
        let mut addresses: Vec<&str> = task.roster.iter().map(|row| row.address.as_str()).collect();
        addresses.sort_unstable();
        addresses.dedup();
        let before = Before { round: id, since: EVER, as_of_ms };
        Ok([self.canonical(before, task, &addresses).await?, self.outcomes_of(before, task, &addresses).await?])
    }

    async fn canonical(
        &self,
        before: Before,
        task: &Task,
        addresses: &[&str],
    ) -> Result<Option<Vec<f64>>, InformationError> {
        let today = day_of(before.round.date);
        let mut usual = None;
        for round in self.rounds(before.round, EVER..=today - 1).await?.iter().rev() {
            if let Some(found) = self.ledger.canonical(round.id).await?.filter(|found| !found.scores.is_empty()) {
                let total = found.scores.iter().map(|one| whole(one.score.get())).sum();
                usual = Some(mean(total, found.scores.len() as u64));
                break;
            }
        }
        let Some(usual) = usual else { return Ok(None) };
        let before = Before { since: today - self.constants.days, ..before };
        let newest = self.ledger.newest_scores(before, addresses).await?;
        Ok(Some(by_place(task, &newest, usual, |score| *score)))
    }

    async fn outcomes_of(
        &self,
        before: Before,
        task: &Task,
        addresses: &[&str],
    ) -> Result<Option<Vec<f64>>, InformationError> {
        let known = self.ledger.known_share(before).await?;
        if known.outcomes == 0 {
            return Ok(None);
        }
        let newest = self.ledger.newest_outcomes(before, addresses).await?;
        let share = known.illicit as f64 / known.outcomes as f64;
        Ok(Some(by_place(task, &newest, share, |illicit| f64::from(u8::from(*illicit)))))
    }
}

fn by_place<T>(task: &Task, newest: &HashMap<String, T>, otherwise: f64, number: impl Fn(&T) -> f64) -> Vec<f64> {
    task.roster.iter().map(|row| newest.get(&row.address).map_or(otherwise, &number)).collect()
}
