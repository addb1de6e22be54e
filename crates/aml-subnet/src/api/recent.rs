//! What is remembered of addresses: in whose most urgent alerts they stood in the days before, and what came of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::Days;

use super::error::{ApiError, ledger_error};
use super::state::ApiState;
use super::views::readers::SeenBefore;
use super::views::round::TOP;
use crate::calendar::day_of;
use crate::outputs::{CanonicalRow, canonical_rows};
use crate::store::Before;
use crate::store::records::Round;

/// Days before a round that are looked through.
const DAYS: u64 = 7;
/// More rounds than seven days have.
const ROUNDS: usize = 32;
/// Days that outcomes are looked up in: a year.
const OUTCOME_DAYS: i64 = 365;

impl ApiState {
    /// What is remembered of the addresses of a round's most urgent alerts.
    pub(super) async fn seen_before(&self, round: &Round, top: &[CanonicalRow]) -> Result<Vec<SeenBefore>, ApiError> {
        let mut earlier = Vec::new();
        let first = round.id.date.checked_sub_days(Days::new(DAYS)).unwrap_or_default();
        for before in self.published_rounds(ROUNDS, Some(round.id.date)).await?.rounds {
            let id = before.id;
            if id.date >= first && id.window_days == round.id.window_days && before.marks.void.is_none() {
                earlier.push((id.to_string(), self.top_addresses(&before).await?));
            }
        }
        let mut addresses: Vec<&str> =
            top.iter().map(|row| row.address.as_str()).filter(|address| !address.is_empty()).collect();
        addresses.sort_unstable();
        addresses.dedup();
        let since = day_of(round.id.date) - OUTCOME_DAYS;
        let outcomes =
            self.ledger.newest_outcomes(Before { round: round.id, since, as_of_ms: i64::MAX }, &addresses).await;
        let outcomes = outcomes.map_err(ledger_error)?;
        let of = |row: &CanonicalRow| SeenBefore {
            alert_id: row.alert_id.clone(),
            address: row.address.clone(),
            rounds: earlier.iter().filter(|(_, top)| top.contains(&row.address)).map(|(id, _)| id.clone()).collect(),
            confirmed: outcomes.get(&row.address).copied(),
        };
        Ok(top.iter().filter(|row| !row.address.is_empty()).map(of).filter(|seen| !seen.is_new()).collect())
    }

    /// The addresses of a round's most urgent alerts.
    async fn top_addresses(&self, round: &Round) -> Result<Arc<BTreeSet<String>>, ApiError> {
        if let Some(known) = self.memory.tops.get(round) {
            return Ok(known);
        }
        let task = self.ledger.task(round.id).await.map_err(ledger_error)?;
        let canonical = self.ledger.canonical(round.id).await.map_err(ledger_error)?;
        let addresses = match task.zip(canonical) {
            Some((task, canonical)) => {
                let rows = canonical_rows(&task.roster, &canonical, None).map_err(ApiError::internal)?;
                let urgent = rows.into_iter().filter(|row| usize::try_from(row.rank).is_ok_and(|rank| rank <= TOP));
                urgent.map(|row| row.address).collect()
            }
            None => BTreeSet::new(),
        };
        Ok(self.memory.tops.put(round, addresses))
    }
}
