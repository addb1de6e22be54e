//! Known outcomes of submissions by part of their order and bin of their scores: integer sums, made when outcomes come.

use std::collections::BTreeMap;

use crate::store::StorageError;
use crate::store::records::{ColumnName, Counts};
use crate::validation::v2::once::Outcome;
use crate::validation::v2::order::Order;
use crate::wallet::Hotkey;

use super::window::Looked;
use super::{Information, InformationError};

impl Information<'_> {
    /// The counts of a round's submissions over the outcomes that count today: those that are kept, else made from the
    /// scores and kept, unless outcomes are known already that count only later.
    pub(super) async fn counts(&self, looked: &Looked) -> Result<BTreeMap<Hotkey, Counts>, InformationError> {
        let id = looked.round.id;
        if !looked.ahead {
            let kept = self.ledger.counts(id).await?;
            if looked.there.keys().all(|hotkey| kept.contains_key(hotkey)) {
                return Ok(kept);
            }
        }
        let packed = self.ledger.packed_scores(id).await?;
        let outcomes = looked.outcomes.clone();
        let count = move || -> Result<BTreeMap<Hotkey, Counts>, StorageError> {
            let mut all = BTreeMap::new();
            for one in packed {
                if let ColumnName::Miner(hotkey) = one.name {
                    all.insert(hotkey, counted(&one.scores()?, &outcomes));
                }
            }
            Ok(all)
        };
        let counts = self.workers.compute(count).await??;
        if !looked.ahead {
            self.ledger.record_counts(id, &counts).await?;
        }
        Ok(counts)
    }
}

/// Counts the outcomes of one submission.
fn counted(scores: &[f64], outcomes: &[Outcome<u32>]) -> Counts {
    let parts = Order::of(scores).parts();
    let mut counts = Counts::default();
    for outcome in outcomes {
        let place = outcome.place as usize;
        if let (Some(part), Some(score)) = (parts.get(place), scores.get(place)) {
            counts.parts.count(*part, outcome.illicit);
            counts.bins.count(*score, outcome.illicit);
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::{Outcome, counted};

    #[test]
    fn outcomes_are_counted_where_the_submission_put_them() {
        let outcome = |place, illicit| Outcome { place, address: 0, illicit };
        let counts = counted(&[0.05, 0.95], &[outcome(0, false), outcome(1, true)]);
        assert_eq!((counts.parts.outcomes[10], counts.parts.illicit[10]), (1, 0));
        assert_eq!((counts.parts.outcomes[30], counts.parts.illicit[30]), (1, 1));
        assert_eq!((counts.bins.outcomes[0], counts.bins.illicit[9]), (1, 1));
    }
}
