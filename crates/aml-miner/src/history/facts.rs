//! What one batch says of addresses.

use std::collections::BTreeMap;

use crate::table::Batch;
use crate::table::spec::severity_rank;

/// What a batch says of one address.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Fact {
    /// Alerts about it.
    pub(super) alerts: u32,
    /// Their worst severity, from 1 to 4; 0 where none is known.
    pub(super) severity: u8,
    /// USD that it moved, from its first row of `features`; `None` where it has no row, NaN where that is missing.
    pub(super) volume_usd: Option<f64>,
}

/// What a batch says of its addresses.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts(pub(super) BTreeMap<Box<str>, Fact>);

impl Facts {
    /// What `batch` says; rows without an address say nothing.
    #[must_use]
    pub fn of(batch: &Batch) -> Self {
        let mut found = Self::default();
        let severities = batch.alerts.texts("severity");
        for (row, address) in batch.alerts.texts("address").into_iter().flat_map(|texts| texts.iter()).enumerate() {
            if let Some(fact) = found.about(address) {
                let rank = severities.and_then(|texts| severity_rank(texts.get(row)));
                let severity = rank.and_then(|rank| u8::try_from(rank + 1).ok()).unwrap_or(0);
                fact.alerts = fact.alerts.saturating_add(1);
                fact.severity = fact.severity.max(severity);
            }
        }
        let volumes = batch.features.numbers("total_volume_usd");
        for (row, address) in batch.features.texts("address").into_iter().flat_map(|texts| texts.iter()).enumerate() {
            if let Some(fact) = found.about(address)
                && fact.volume_usd.is_none()
            {
                fact.volume_usd = Some(volumes.map_or(f64::NAN, |values| values[row]));
            }
        }
        found
    }

    fn about(&mut self, address: &str) -> Option<&mut Fact> {
        (!address.is_empty()).then(|| self.0.entry(address.into()).or_default())
    }
}
