//! Figures of alerts: how many, how well they are ranked, whether their probabilities hold.

use std::collections::HashMap;

use aml_miner::metrics::roc_auc;
use serde::Serialize;
use utoipa::ToSchema;

use super::Seen;
use crate::readers::reliability::reliability;

/// Outcomes of each kind that a figure needs, those of an address being taken for one.
pub const LEAST: f64 = 20.0;
/// Standard errors of an interval of 90 %.
const Z: f64 = 1.645;

/// A figure from outcomes, with its standard error; outcomes of one address are taken for one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct Measure {
    /// The figure.
    pub value: f64,
    /// Its standard error.
    pub error: f64,
    /// Lower end of the interval of 90 %.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

impl Measure {
    fn of(value: f64, error: f64) -> Self {
        Self { value, error, low: (value - Z * error).max(0.0), high: (value + Z * error).min(1.0) }
    }
}

/// Figures of a month, or of a slice of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct Figures {
    /// Alerts.
    pub alerts: u64,
    /// Their mean score.
    pub score: f64,
    /// Outcomes that are known, of settled rounds.
    pub outcomes: u64,
    /// Illicit ones among them.
    pub illicit: u64,
    /// Area under the ROC curve; null with too few outcomes.
    pub auc: Option<Measure>,
    /// Alerts among the most urgent ones of each day, as many as were asked for, whose outcome is known.
    pub reviewed: u64,
    /// Share of illicit ones among them; null with too few.
    pub precision: Option<Measure>,
    /// Mean probability of the alerts whose outcome is known; null where none was told.
    pub told: Option<f64>,
    /// Share of illicit ones among the same alerts.
    pub came: Option<f64>,
    /// Mean distance of told and came over bins; null with fewer than ten outcomes.
    pub calibration_error: Option<f64>,
}

impl Figures {
    /// Those of some alerts.
    pub(super) fn of<'a>(alerts: impl Iterator<Item = &'a Seen>, reviews: usize) -> Self {
        let (mut count, mut sum) = (0_u64, 0.0);
        let mut known: Vec<(&Seen, bool)> = Vec::new();
        for alert in alerts {
            count += 1;
            sum += alert.score;
            known.extend(alert.illicit.map(|illicit| (alert, illicit)));
        }
        let reached = |alert: &Seen| usize::try_from(alert.rank).is_ok_and(|rank| rank <= reviews);
        let reviewed: Vec<(&Seen, bool)> = known.iter().copied().filter(|(alert, _)| reached(alert)).collect();
        let pairs: Vec<(f64, bool)> =
            known.iter().filter_map(|(alert, came)| Some((alert.probability?, *came))).collect();
        let mean = |part: &dyn Fn(&(f64, bool)) -> f64| {
            (!pairs.is_empty()).then(|| pairs.iter().map(part).sum::<f64>() / pairs.len() as f64)
        };
        Self {
            alerts: count,
            score: if count > 0 { sum / count as f64 } else { 0.0 },
            outcomes: known.len() as u64,
            illicit: known.iter().filter(|(_, illicit)| *illicit).count() as u64,
            auc: auc(&known),
            reviewed: reviewed.len() as u64,
            precision: precision(&reviewed),
            told: mean(&|(told, _)| *told),
            came: mean(&|(_, came)| f64::from(u8::from(*came))),
            calibration_error: reliability(&pairs).map(|held| held.error),
        }
    }
}

/// How many independent alerts these are worth, those of an address being taken for one (Kish).
fn worth<'a>(alerts: impl Iterator<Item = &'a Seen>) -> f64 {
    let mut by_address: HashMap<u32, u64> = HashMap::new();
    alerts.for_each(|alert| *by_address.entry(alert.address).or_default() += 1);
    let (count, squares) = by_address.values().fold((0, 0), |(count, squares), of| (count + of, squares + of * of));
    count as f64 * count as f64 / squares.max(1) as f64
}

/// The area under the ROC curve, with the standard error of Hanley and McNeil.
fn auc(known: &[(&Seen, bool)]) -> Option<Measure> {
    let of = |wanted: bool| worth(known.iter().filter(|(_, illicit)| *illicit == wanted).map(|(alert, _)| *alert));
    let (illicit, clean) = (of(true), of(false));
    if illicit < LEAST || clean < LEAST {
        return None;
    }
    let labels: Vec<bool> = known.iter().map(|(_, illicit)| *illicit).collect();
    let scores: Vec<f64> = known.iter().map(|(alert, _)| alert.score).collect();
    let value = roc_auc(&labels, &scores).ok()?;
    // Half a pair in the other order, so that an area of 1 has an error.
    let area = (value * illicit * clean + 0.5) / (illicit * clean + 1.0);
    let one = area / (2.0 - area) - area * area;
    let two = 2.0 * area * area / (1.0 + area) - area * area;
    let variance = (area * (1.0 - area) + (illicit - 1.0) * one + (clean - 1.0) * two) / (illicit * clean);
    Some(Measure::of(value, variance.max(0.0).sqrt()))
}

/// The share of illicit ones.
fn precision(reviewed: &[(&Seen, bool)]) -> Option<Measure> {
    let number = worth(reviewed.iter().map(|(alert, _)| *alert));
    if number < LEAST {
        return None;
    }
    let value = reviewed.iter().filter(|(_, illicit)| *illicit).count() as f64 / reviewed.len() as f64;
    // Half an outcome of each kind, so that a share of 0 or 1 has an error.
    let share = (value * number + 0.5) / (number + 1.0);
    Some(Measure::of(value, (share * (1.0 - share) / number).sqrt()))
}

#[cfg(test)]
mod tests {
    use super::{Figures, LEAST};
    use crate::readers::drift::Seen;

    fn alert(at: u32, illicit: bool) -> Seen {
        let score = f64::from(at % 100) / 100.0;
        Seen { score, probability: Some(0.5), rank: at + 1, address: at, illicit: Some(illicit), parts: [None; 5] }
    }

    #[test]
    fn an_example_by_hand() {
        // Scores 0.00 to 0.99, the upper half illicit: all 2,500 pairs are in the right order.
        let alerts: Vec<Seen> = (0..100).map(|at| alert(at, at >= 50)).collect();
        let of = Figures::of(alerts.iter(), 60);
        let auc = of.auc.expect("enough");
        assert!((auc.value - 1.0).abs() < 1e-12 && auc.error > 0.0 && auc.error < 0.01, "{auc:?}");
        assert_eq!((of.alerts, of.outcomes, of.illicit, of.reviewed), (100, 100, 50, 60));
        let precision = of.precision.expect("enough");
        // Ranks 1 to 60 are places 0 to 59: ten of them are illicit.
        assert!((precision.value - 10.0 / 60.0).abs() < 1e-12, "{precision:?}");
        assert_eq!((of.told, of.came), (Some(0.5), Some(0.5)));
        assert!((of.score - 0.495).abs() < 1e-12);
    }

    #[test]
    fn the_error_is_that_of_hanley_and_mcneil() {
        // 40 and 60 alerts, scores that order 75 % of the pairs, by the formula of 1982: 0.0500.
        let alerts: Vec<Seen> = (0..100)
            .map(|at| {
                let illicit = at < 40;
                let score = if illicit { if at % 4 == 0 { 0.1 } else { 0.9 } } else { 0.5 };
                Seen { score, ..alert(at, illicit) }
            })
            .collect();
        let auc = Figures::of(alerts.iter(), 10).auc.expect("enough");
        assert!((auc.value - 0.75).abs() < 1e-12, "{auc:?}");
        assert!((auc.error - 0.05).abs() < 0.002, "{auc:?}");
    }

    #[test]
    fn a_crowd_of_one_address_is_one() {
        let crowd: Vec<Seen> = (0..1_000).map(|at| Seen { address: at % 2, ..alert(at, at % 2 == 0) }).collect();
        let of = Figures::of(crowd.iter(), 1_000);
        assert_eq!((of.outcomes, of.auc, of.precision), (1_000, None, None), "two addresses are fewer than {LEAST}");
        assert_eq!(Figures::of(std::iter::empty(), 10), Figures::default());
    }
}
