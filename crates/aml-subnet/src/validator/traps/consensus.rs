//! Where the merged opinion of all miners put the alerts of a past round.

use std::collections::HashMap;

use crate::store::records::{Canonical, RosterRow};
use crate::validation::submission::Submission;
use crate::validation::tier2_traps::{Expected, Limits};

/// The alerts that the canonical scores of a round put into their top tenth, or below their median.
///
/// A trap asks for what everybody can know. Of confirmed illicit alerts an honest model puts less than half into its top
/// tenth; of those where the consensus already was right, nearly all (`docs/scoring_v1.md`).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Consensus {
    places: HashMap<String, Expected>,
}

impl Consensus {
    /// From a round's canonical scores, which are in the order of its roster.
    #[must_use]
    pub fn of(roster: &[RosterRow], canonical: &Canonical) -> Self {
        let merged = Submission::of_canonical(&canonical.scores).values();
        let limits = Limits::of(&merged);
        let place = |(row, value): (&RosterRow, f64)| {
            let high = limits.meets(Expected::High, value).then_some(Expected::High);
            Some((row.alert_id.clone(), high.or(limits.meets(Expected::Low, value).then_some(Expected::Low))?))
        };
        Self { places: roster.iter().zip(merged).filter_map(place).collect() }
    }

    /// Whether an alert was where its outcome says that it belongs.
    #[must_use]
    pub fn agrees(&self, alert_id: &str, outcome: Expected) -> bool {
        self.places.get(alert_id) == Some(&outcome)
    }
}
