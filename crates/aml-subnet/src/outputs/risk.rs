//! The risk of an address, from the canonical scores of its alerts. Pure.
//!
//! `0.4 * max + 0.3 * weighted mean + 0.3 * any`, where the mean is weighted by severity: low 1, medium 2, high 3,
//! critical 4; an alert without a known severity counts as medium. `any = 1 - prod(1 - p)` over the cases of the address: its
//! alerts of one pattern are one case, with the highest of their scores, for they are right or wrong together.

use std::collections::BTreeMap;

use aml_miner::wire::spec::severity_rank;

/// Share of the highest score.
pub const OF_HIGHEST: f64 = 0.4;
/// Share of the mean by severity.
pub const OF_MEAN: f64 = 0.3;
/// Share of the chance that at least one case is right, were cases independent.
pub const OF_ANY: f64 = 0.3;

/// The risk of an address and what it is made of; each from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AddressRisk {
    /// The whole.
    pub risk: f64,
    /// The highest score.
    pub highest: f64,
    /// Mean of the scores, weighted by severity.
    pub mean: f64,
    /// The chance that at least one case is right, were cases independent.
    pub any: f64,
    /// How many cases there are: patterns that its alerts are of.
    pub cases: usize,
}

/// An alert about an address.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoredAlert<'a> {
    /// `low`, `medium`, `high` or `critical`.
    pub severity: &'a str,
    /// The pattern that it is of; alerts without one are one case too.
    pub pattern: &'a str,
    /// Its score, a probability.
    pub score: f64,
}

/// Weight of a severity in the mean.
#[must_use]
pub fn severity_weight(severity: &str) -> f64 {
    const MEDIUM: u8 = 1;
    let rank = severity_rank(severity).and_then(|rank| u8::try_from(rank).ok()).unwrap_or(MEDIUM);
    f64::from(rank) + 1.0
}

/// The risk from an address's alerts; `None` without alerts.
#[must_use]
pub fn address_risk(alerts: &[ScoredAlert<'_>]) -> Option<AddressRisk> {
    let clamped = |alert: &ScoredAlert<'_>| alert.score.clamp(0.0, 1.0);
    let mut parts: Vec<(f64, f64)> =
        alerts.iter().map(|alert| (clamped(alert), severity_weight(alert.severity))).collect();
    // The sums do not depend on the order in which alerts were read.
    parts.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let highest = parts.last()?.0;
    let weights: f64 = parts.iter().map(|(_, weight)| weight).sum();
    let mean = parts.iter().map(|(score, weight)| score * weight).sum::<f64>() / weights;
    let mut cases: BTreeMap<&str, f64> = BTreeMap::new();
    for alert in alerts {
        let case = cases.entry(alert.pattern).or_insert(0.0);
        *case = case.max(clamped(alert));
    }
    let any = 1.0 - cases.values().map(|score| 1.0 - score).product::<f64>();
    let risk = (OF_HIGHEST * highest + OF_MEAN * mean + OF_ANY * any).clamp(0.0, 1.0);
    Some(AddressRisk { risk, highest, mean, any, cases: cases.len() })
}
