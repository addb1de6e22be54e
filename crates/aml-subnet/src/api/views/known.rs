//! What became known of a round, before and after it is settled, and why one counts for nobody.

use serde::Serialize;
use utoipa::ToSchema;

use super::brief::rules_name;
use crate::calendar::rfc3339;
use crate::store::records::{OutcomeTally, Round, Settled};
use crate::validation::tier3_settlement::Settlement;

/// Outcomes that are known so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct KnownSoFar {
    /// Outcomes.
    pub outcomes: u64,
    /// Illicit ones among them.
    pub illicit: u64,
    /// As of.
    pub as_of: Option<String>,
}

impl KnownSoFar {
    /// From the ledger's tally.
    #[must_use]
    pub fn new(tally: &OutcomeTally) -> Self {
        Self { outcomes: tally.outcomes, illicit: tally.illicit, as_of: tally.as_of_ms.map(rfc3339) }
    }
}

/// Why a round counts for nobody.
pub(super) fn set_aside(round: &Round) -> Option<String> {
    let void = round.marks.void.as_ref().map(|mark| format!("void: {}", mark.why));
    void.or_else(|| round.marks.late.as_ref().map(|mark| format!("late: {}", mark.why)))
}

/// Tier 3 in detail.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub struct Measures {
    /// Area under the ROC curve.
    pub auc: f64,
    /// Brier score.
    pub brier: f64,
    /// Logarithmic loss.
    pub log_loss: f64,
    /// Expected calibration error over ten bins.
    pub ece: f64,
    /// Normalised discounted cumulative gain at the rules' cut-off.
    pub ndcg: f64,
    /// The rules' mixture.
    pub score: f64,
}

impl From<Settlement> for Measures {
    fn from(of: Settlement) -> Self {
        let Settlement { auc, brier, log_loss, ece, ndcg, score } = of;
        Self { auc, brier, log_loss, ece, ndcg, score }
    }
}

/// What became known of a round.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct SettledSummary {
    /// Rules it was settled under.
    pub rules: String,
    /// Alerts that turned out illicit.
    pub illicit: usize,
    /// Alerts that did not.
    pub clean: usize,
    /// The canonical scores against the outcomes.
    pub canonical: Option<Measures>,
}

impl SettledSummary {
    /// From what the ledger has.
    #[must_use]
    pub fn new(settled: &Settled) -> Self {
        let illicit = settled.labels.iter().filter(|label| label.illicit).count();
        Self {
            rules: rules_name(settled.rules),
            illicit,
            clean: settled.labels.len() - illicit,
            canonical: settled.canonical.map(Measures::from),
        }
    }
}
