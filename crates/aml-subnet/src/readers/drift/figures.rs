//! Figures of alerts: how many, how well they are ranked, whether their probabilities hold.

use std::collections::HashMap;

use aml_miner::metrics::roc_auc;
use serde::Serialize;
use utoipa::ToSchema;

use super::Seen;
use crate::readers::plan::BUDGETS;
use crate::readers::reliability::{Bin, reliability};

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
    /// Murphy's resolution of the probabilities: how far their bins are from the share of all; null likewise.
    pub resolution: Option<f64>,
    /// The same of the scores of the same alerts.
    pub score_resolution: Option<f64>,
    /// The tenth of these alerts with the highest probabilities alone; null likewise.
    pub top: Option<Bin>,
}

/// Figures without precision, and the precision of each number of reviews a day that may be asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Measured {
    /// All but `reviewed` and `precision`.
    pub(super) figures: Figures,
    /// By place in [`BUDGETS`].
    reviewed: [Reviewed; BUDGETS.len()],
}

/// The most urgent alerts of each day whose outcome is known.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Reviewed {
    alerts: u64,
    precision: Option<Measure>,
}

impl Measured {
    /// Those of some alerts, in one pass for all numbers of reviews.
    pub(super) fn of<'a>(alerts: impl Iterator<Item = &'a Seen>) -> Self {
        let (mut count, mut sum) = (0_u64, 0.0);
        let mut known: Vec<(&Seen, bool)> = Vec::new();
        for alert in alerts {
            count += 1;
            sum += alert.score;
            known.extend(alert.illicit.map(|illicit| (alert, illicit)));
        }
        let pairs: Vec<(f64, bool)> =
            known.iter().filter_map(|(alert, came)| Some((alert.probability?, *came))).collect();
        let mean = |part: &dyn Fn(&(f64, bool)) -> f64| {
            (!pairs.is_empty()).then(|| pairs.iter().map(part).sum::<f64>() / pairs.len() as f64)
        };
        let held = reliability(&pairs);
        let scores: Vec<(f64, bool)> = known
            .iter()
            .filter(|(alert, _)| alert.probability.is_some())
            .map(|(alert, came)| (alert.score, *came))
            .collect();
        let figures = Figures {
            alerts: count,
            score: if count > 0 { sum / count as f64 } else { 0.0 },
            outcomes: known.len() as u64,
            illicit: known.iter().filter(|(_, illicit)| *illicit).count() as u64,
            auc: auc(&known),
            reviewed: 0,
            precision: None,
            told: mean(&|(told, _)| *told),
            came: mean(&|(_, came)| f64::from(u8::from(*came))),
            calibration_error: held.as_ref().map(|held| held.error),
            resolution: held.as_ref().map(|held| held.resolution),
            score_resolution: reliability(&scores).map(|held| held.resolution),
            top: held.map(|held| held.top),
        };
        Self { figures, reviewed: reviewed(known) }
    }

    /// The figures with the precision of so many reviews a day, one of [`BUDGETS`].
    pub(super) fn told(&self, reviews: usize) -> Figures {
        let at = BUDGETS.iter().position(|budget| *budget == reviews);
        let of = at.and_then(|at| self.reviewed.get(at)).copied().unwrap_or_default();
        Figures { reviewed: of.alerts, precision: of.precision, ..self.figures.clone() }
    }

    /// The precision of so many reviews a day.
    pub(super) fn precision(&self, reviews: usize) -> Option<Measure> {
        self.told(reviews).precision
    }
}

/// The alerts that each number of reviews a day reaches.
fn reviewed(mut known: Vec<(&Seen, bool)>) -> [Reviewed; BUDGETS.len()] {
    known.sort_by_key(|(alert, _)| alert.rank);
    let mut rest = known.into_iter().peekable();
    let (mut crowd, mut illicit) = (Crowd::default(), 0_u64);
    BUDGETS.map(|budget| {
        let reached = |alert: &Seen| usize::try_from(alert.rank).is_ok_and(|rank| rank <= budget);
        while let Some((alert, came)) = rest.next_if(|(alert, _)| reached(alert)) {
            crowd.add(alert.address);
            illicit += u64::from(came);
        }
        Reviewed { alerts: crowd.alerts, precision: precision(&crowd, illicit) }
    })
}

/// Alerts by address.
#[derive(Default)]
struct Crowd {
    by_address: HashMap<u32, u64>,
    alerts: u64,
    squares: u64,
}

impl Crowd {
    fn add(&mut self, address: u32) {
        let of = self.by_address.entry(address).or_default();
        self.squares += 2 * *of + 1;
        *of += 1;
        self.alerts += 1;
    }

    /// How many independent alerts these are worth, those of an address being taken for one (Kish).
    fn worth(&self) -> f64 {
        self.alerts as f64 * self.alerts as f64 / self.squares.max(1) as f64
    }
}

/// The area under the ROC curve, with the standard error of Hanley and McNeil.
fn auc(known: &[(&Seen, bool)]) -> Option<Measure> {
    let of = |wanted: bool| {
        let mut crowd = Crowd::default();
        known.iter().filter(|(_, illicit)| *illicit == wanted).for_each(|(alert, _)| crowd.add(alert.address));
        crowd.worth()
    };
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
fn precision(reviewed: &Crowd, illicit: u64) -> Option<Measure> {
    let number = reviewed.worth();
    if number < LEAST {
        return None;
    }
    let value = illicit as f64 / reviewed.alerts as f64;
    // Half an outcome of each kind, so that a share of 0 or 1 has an error.
    let share = (value * number + 0.5) / (number + 1.0);
    Some(Measure::of(value, (share * (1.0 - share) / number).sqrt()))
}

#[cfg(test)]
mod tests {
    use super::{Figures, LEAST, Measured};
    use crate::readers::drift::Seen;

    fn alert(at: u32, illicit: bool) -> Seen {
        let score = f64::from(at % 100) / 100.0;
        Seen { score, probability: Some(0.5), rank: at + 1, address: at, illicit: Some(illicit), parts: [None; 5] }
    }

    #[test]
    fn an_example_by_hand() {
        // Scores 0.00 to 0.99, the upper half illicit: all 2,500 pairs are in the right order.
        let alerts: Vec<Seen> = (0..100).map(|at| alert(at, at >= 50)).collect();
        let measured = Measured::of(alerts.iter());
        let of = measured.told(100);
        let auc = of.auc.expect("enough");
        assert!((auc.value - 1.0).abs() < 1e-12 && auc.error > 0.0 && auc.error < 0.01, "{auc:?}");
        assert_eq!((of.alerts, of.outcomes, of.illicit, of.reviewed), (100, 100, 50, 100));
        // Ranks 1 to 50 are places 0 to 49: none of them is illicit.
        for (reviews, reviewed, precision) in
            [(10, 10, None), (25, 25, Some(0.0)), (50, 50, Some(0.0)), (1_000, 100, Some(0.5))]
        {
            let of = measured.told(reviews);
            assert_eq!((of.reviewed, of.precision.map(|one| one.value)), (reviewed, precision), "{reviews}");
        }
        assert_eq!((of.told, of.came), (Some(0.5), Some(0.5)));
        // Of the scores the upper five bins are all illicit; of the probabilities, which are all the same, those that came last are.
        assert_eq!((of.score_resolution, of.resolution), (Some(0.25), Some(0.25)));
        assert_eq!(of.top.map(|top| (top.outcomes, top.told, top.came)), Some((10, 0.5, 1.0)));
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
        let auc = Measured::of(alerts.iter()).figures.auc.expect("enough");
        assert!((auc.value - 0.75).abs() < 1e-12, "{auc:?}");
        assert!((auc.error - 0.05).abs() < 0.002, "{auc:?}");
    }

    #[test]
    fn a_crowd_of_one_address_is_one() {
        let crowd: Vec<Seen> = (0..1_000).map(|at| Seen { address: at % 2, ..alert(at, at % 2 == 0) }).collect();
        let of = Measured::of(crowd.iter()).told(1_000);
        assert_eq!((of.outcomes, of.auc, of.precision), (1_000, None, None), "two addresses are fewer than {LEAST}");
        assert_eq!(Measured::of(std::iter::empty()).told(10), Figures::default());
    }
}
