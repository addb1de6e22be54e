//! What hotkeys are worth, from the ledger alone.
//!
//! The day that performance is counted back from is the day of a round, never the machine's: a clock that jumps changes
//! nothing, and a source without new batches does not make everybody worthless.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{Days, NaiveDate};

use crate::calendar::{day_at_ms, day_of, whole_days};
use crate::store::StorageError;
use crate::store::records::{Round, Step};
use crate::validation::leaderboard::{Place, leaderboard};
use crate::validation::performance::{RoundScore, after_grace, performance};
use crate::validation::rules::{Rules, RulesVersion};
use crate::validator::pay::Worth;
use crate::validator::world::RoundLog;
use crate::wallet::Hotkey;

/// Whose days are looked back on, and whom they spare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lookback {
    /// The subnet.
    pub netuid: u16,
    /// How long a new hotkey is forgiven rounds without a submission.
    pub grace: Duration,
}

/// Scores of the rounds of one subnet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// The last day that counts, in days since 1970-01-01.
    pub today: i64,
    /// The rounds of each hotkey, newcomers' forgiven ones left out.
    pub rounds: BTreeMap<Hotkey, Vec<RoundScore>>,
}

impl History {
    /// The published rounds of the last days up to and including `date`.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn until(
        ledger: &dyn RoundLog,
        Lookback { netuid, grace }: Lookback,
        date: NaiveDate,
        rules: &Rules,
    ) -> Result<Self, StorageError> {
        let today = day_of(date);
        let back = u64::try_from(rules.performance_days - 1).unwrap_or(0);
        let since = date.checked_sub_days(Days::new(back)).unwrap_or(date);
        let seen = ledger.first_seen().await?;
        let seen = seen.into_iter().map(|(hotkey, at_ms)| (hotkey, day_at_ms(at_ms))).collect();
        let rounds = after_grace(ledger.history(netuid, since).await?, &seen, whole_days(grace));
        Ok(Self { today, rounds })
    }

    /// As of the newest published round; `None` before the first one.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn newest(
        ledger: &dyn RoundLog,
        netuid: u16,
        rules: &Rules,
        grace: Duration,
    ) -> Result<Option<Self>, StorageError> {
        match newest_published(ledger, netuid).await? {
            Some(round) => {
                let days = Lookback { netuid, grace };
                Ok(Some(Self::until(ledger, days, round.id.date, rules).await?))
            }
            None => Ok(None),
        }
    }

    /// Mean score of each hotkey.
    #[must_use]
    pub fn performance(&self, rules: &Rules) -> BTreeMap<Hotkey, f64> {
        performance(rules, self.today, &self.rounds)
    }

    /// Everybody's place, best first.
    #[must_use]
    pub fn leaderboard(&self, rules: &Rules) -> Vec<Place> {
        leaderboard(rules, self.today, &self.rounds)
    }
}

/// What hotkeys are paid for now: under the rules of the newest published round that counts.
///
/// # Errors
/// The ledger's.
pub async fn worth_now(ledger: &dyn RoundLog, netuid: u16, grace: Duration) -> Result<Worth, StorageError> {
    let Some(round) = newest_published(ledger, netuid).await? else { return Ok(Worth::nothing(RulesVersion::V1)) };
    if round.rules.information().is_some() {
        let shares = ledger.shares(round.id).await?;
        return Ok(shares.map_or_else(|| Worth::nothing(round.rules), |shares| Worth::shared(&shares)));
    }
    let rules = round.rules.rules();
    let history = History::until(ledger, Lookback { netuid, grace }, round.id.date, &rules).await?;
    Ok(Worth::of(&rules, history.today, &history.rounds))
}

/// Whether a hotkey that was first seen at `seen_ms` is still forgiven a round of `date` without a submission.
#[must_use]
pub fn is_spared(seen_ms: Option<i64>, date: NaiveDate, grace: Duration) -> bool {
    seen_ms.is_some_and(|seen| day_of(date) < day_at_ms(seen) + whole_days(grace))
}

/// The newest round that is published and counts. A handful of rounds at most wait to be.
pub(super) async fn newest_published(ledger: &dyn RoundLog, netuid: u16) -> Result<Option<Round>, StorageError> {
    let mut before = None;
    loop {
        let page = ledger.rounds(netuid, 16, before).await?;
        let last = page.last().map(|round| round.id.date);
        if let Some(found) = page.into_iter().find(|round| round.step >= Step::Published && round.marks.counts()) {
            return Ok(Some(found));
        }
        let Some(last) = last else { return Ok(None) };
        before = Some(last);
    }
}
