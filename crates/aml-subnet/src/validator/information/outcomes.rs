//! Looking for outcomes: every version of each is kept, from the day after a round until no window can need it.

use std::time::Duration;

use aml_miner::clock::millis;
use aml_miner::wire::Table;

use crate::calendar::{day_at, day_of};
use crate::store::records::{KnownOutcome, OutcomesChange, RosterRow, Round, RoundId};
use crate::validation::tier3_settlement::Label;
use crate::validator::settle::known_rows;
use crate::validator::sot::Found;
use crate::validator::world::Source;

use super::{Information, InformationError};

/// Where and when outcomes are looked for.
#[derive(Clone, Copy)]
pub struct Looking<'a> {
    /// Where they come from.
    pub source: &'a dyn Source,
    /// Now, since 1970.
    pub now: Duration,
}

impl Information<'_> {
    /// The rounds whose outcomes may still change a window, oldest first: those of any rules, so that the window is full
    /// when rules change.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn awaited(&self, id: RoundId, now: Duration) -> Result<Vec<Round>, InformationError> {
        let today = day_at(now);
        Ok(self.rounds(id, today - self.constants.look_back()..=today - 1).await?)
    }

    /// Looks for the outcomes of a round and keeps what is new. Where the source has none at all, nothing is withdrawn.
    ///
    /// # Errors
    /// When the source or the ledger cannot be used.
    pub async fn look(&self, round: &Round, looking: Looking<'_>) -> Result<OutcomesChange, InformationError> {
        let id = round.id;
        let found = Found { date: id.date, window_days: id.window_days };
        let Some(labels) = looking.source.labels(found, looking.now).await? else {
            return Ok(OutcomesChange::default());
        };
        let Some(task) = self.ledger.task(id).await? else { return Ok(OutcomesChange::default()) };
        let known = self.workers.compute(move || table_outcomes(&task.roster, &labels)).await?;
        Ok(self.ledger.record_outcomes(id, &known, millis(looking.now)).await?)
    }

    /// The newest round that is paid under rules v2 and counts.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn newest_paid(&self, id: RoundId, now: Duration) -> Result<Option<Round>, InformationError> {
        let today = day_at(now) + 1;
        let rounds = self.rounds(id, today - self.constants.look_back()..=today).await?;
        for round in rounds.into_iter().rev() {
            if self.ledger.shares(round.id).await?.is_some() {
                return Ok(Some(round));
            }
        }
        Ok(None)
    }

    /// Whether a round of `day` can change the pay of `newest`.
    #[must_use]
    pub fn touches(&self, newest: &Round, changed: &Round) -> bool {
        let (today, day) = (day_of(newest.id.date), day_of(changed.id.date));
        (today - self.constants.look_back()..=today).contains(&day)
    }
}

/// The outcomes of the roster's alerts that a table of labels knows, by place; labels of other alerts are passed over.
#[must_use]
pub fn table_outcomes(roster: &[RosterRow], labels: &Table) -> Vec<KnownOutcome> {
    let Some(confirmed) = labels.numbers("confirmed_at") else { return Vec::new() };
    let known = |(label, row): (Label, usize)| {
        #[expect(clippy::cast_possible_truncation, reason = "`as` saturates; what is no time was left out before")]
        let confirmed_ms = confirmed[row] as i64;
        Some(KnownOutcome {
            place: u32::try_from(label.place).ok()?,
            address: roster.get(label.place)?.address.clone(),
            illicit: Some(label.illicit),
            relevance: label.relevance,
            confirmed_ms,
            seen_ms: 0,
            replaced_ms: None,
        })
    };
    known_rows(roster, labels).into_iter().filter_map(known).collect()
}
