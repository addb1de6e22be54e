//! The alerts of a month, from the ledger and from what batches say.

use std::collections::HashMap;

use super::{ApiError, ApiState, Round, month_of};
use crate::api::error::ledger_error;
use crate::outputs::{CanonicalRow, SliceFacts, canonical_rows};
use crate::readers::addresses::Addresses;
use crate::readers::drift::{AGES, MonthSeen, Seen, VOLUMES};
use crate::store::records::Step;

impl ApiState {
    /// The alerts of the rounds of a month.
    pub(super) async fn month_seen(&self, rounds: &[Round]) -> Result<MonthSeen, ApiError> {
        let month = rounds.first().map(month_of).unwrap_or_default();
        let mut all = Gathered { seen: MonthSeen { month, ..MonthSeen::default() }, ..Gathered::default() };
        for round in rounds {
            let id = round.id;
            let canonical = self.ledger.canonical(id).await.map_err(ledger_error)?;
            let task = self.ledger.task(id).await.map_err(ledger_error)?;
            let Some((task, canonical)) = task.zip(canonical) else { continue };
            let calibration = self.ledger.calibration(id).await.map_err(ledger_error)?;
            let settled = match round.step {
                Step::Settled => self.ledger.settled(id).await.map_err(ledger_error)?,
                _ => None,
            };
            let facts = self.slice_facts(round, &task.roster).await?;
            let rows = canonical_rows(&task.roster, &canonical, calibration.as_ref()).map_err(ApiError::internal)?;
            let labels = settled.as_ref().map(|settled| settled.labels.as_slice()).unwrap_or_default();
            let outcomes: HashMap<usize, bool> = labels.iter().map(|label| (label.place, label.illicit)).collect();
            all.seen.rounds += 1;
            all.seen.settled += usize::from(settled.is_some());
            all.add(&rows, &outcomes, facts.as_ref());
        }
        Ok(all.seen)
    }
}

/// A month as it grows: names by number.
#[derive(Default)]
struct Gathered {
    seen: MonthSeen,
    addresses: Addresses,
    names: HashMap<String, u32>,
}

impl Gathered {
    fn add(&mut self, rows: &[CanonicalRow], outcomes: &HashMap<usize, bool>, facts: Option<&SliceFacts>) {
        let network = facts.map(|facts| self.name(&facts.network));
        let mut bands = facts.into_iter().flat_map(SliceFacts::bands);
        for (place, row) in rows.iter().enumerate() {
            let (age, volume) = bands.next().unwrap_or_default();
            let age = age.and_then(|at| AGES.get(usize::from(at)));
            let volume = volume.and_then(|at| VOLUMES.get(usize::from(at)));
            let parts = [
                Some(self.name(&row.typology)),
                network,
                Some(self.name(&row.severity)),
                age.map(|band| self.name(band)),
                volume.map(|band| self.name(band)),
            ];
            let (score, probability, rank) = (row.score, row.probability, row.rank);
            let (address, illicit) = (self.addresses.number(&row.address), outcomes.get(&place).copied());
            self.seen.alerts.push(Seen { score, probability, rank, address, illicit, parts });
        }
    }

    fn name(&mut self, name: &str) -> u32 {
        if let Some(known) = self.names.get(name) {
            return *known;
        }
        let next = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.insert(name.to_owned(), next);
        self.seen.names.push(name.to_owned());
        next
    }
}
