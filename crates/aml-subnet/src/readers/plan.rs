//! What a number of reviews a day finds: confirmed cases, precision and recall over settled days, by the canonical order and by
//! the orders that there are without it. Pure.
//!
//! Intervals come from resampling addresses, for alerts of one address are right or wrong together. Of alerts without a known
//! outcome nothing is known: they cost a review and are counted as neither.

mod resample;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use resample::{Tally, interval};

/// Reviews a day that are planned for.
pub const BUDGETS: [usize; 10] = [10, 25, 50, 100, 200, 300, 400, 500, 750, 1_000];
/// What the next reviews bring is told for so many.
pub const NEXT: usize = 100;

/// An alert of a settled day.
#[derive(Clone, Debug, PartialEq)]
pub struct DayAlert {
    /// 1 is the most urgent.
    pub rank: u32,
    /// Its address, by number over all days.
    pub address: u32,
    /// Whether it was confirmed; `None` when nothing is known.
    pub confirmed: Option<bool>,
    /// What kind of behaviour.
    pub typology: Arc<str>,
    /// Place of its severity, the lowest first; 0 when it has none.
    pub severity: u8,
    /// How sure the detector is.
    pub confidence: Option<f64>,
}

/// A number with its interval of 90 %.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct Estimate {
    /// The number.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// What so many reviews a day find.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub struct Budget {
    /// Reviews a day.
    pub reviews: usize,
    /// Confirmed cases a day among them.
    pub found: Estimate,
    /// Confirmed ones among those whose outcome is known.
    pub precision: Estimate,
    /// Share of all confirmed ones that are found.
    pub recall: Estimate,
    /// Share of the reviewed whose outcome is known.
    pub known: f64,
    /// Confirmed cases a day among the next 100 reviews.
    pub next: f64,
}

/// What an order of alerts gives.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct OrderPlan {
    /// `canonical`, `confidence` or `severity`.
    pub order: &'static str,
    /// Days that it could be followed on.
    pub days: usize,
    /// By reviews a day.
    pub budgets: Vec<Budget>,
}

/// What so many reviews a day find of one kind of alerts, in the canonical order of all.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Slice {
    /// `typology` or `severity`.
    pub by: &'static str,
    /// Which.
    pub name: String,
    /// Alerts a day.
    pub alerts: f64,
    /// Confirmed ones that are known, over all days.
    pub confirmed: u64,
    /// Reviewed ones a day.
    pub reviewed: f64,
    /// Confirmed ones among the reviewed whose outcome is known.
    pub precision: Estimate,
    /// Share of the confirmed ones that are found.
    pub recall: Estimate,
}

/// The orders that are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Canonical rank.
    Canonical,
    /// The detector's own confidence.
    Confidence,
    /// Severity.
    Severity,
}

impl By {
    const fn name(self) -> &'static str {
        match self {
            Self::Canonical => "canonical",
            Self::Confidence => "confidence",
            Self::Severity => "severity",
        }
    }

    /// What alerts are ordered by, the most urgent with the largest; `None` where an alert does not have it.
    fn height(self, alert: &DayAlert) -> Option<f64> {
        match self {
            Self::Canonical => Some(-f64::from(alert.rank)),
            Self::Confidence => alert.confidence,
            Self::Severity => Some(f64::from(alert.severity)),
        }
    }
}

/// An alert with the share of it that is reviewed: among equals nobody knows who comes first.
struct Reviewed<'a> {
    alert: &'a DayAlert,
    share: f64,
}

/// The alerts that `reviews` a day reach on one day, in the order `by`; `None` where an alert cannot be ordered.
fn reached(day: &[DayAlert], by: By, reviews: usize) -> Option<Vec<Reviewed<'_>>> {
    let mut ordered: Vec<(f64, &DayAlert)> =
        day.iter().map(|alert| Some((by.height(alert)?, alert))).collect::<Option<_>>()?;
    ordered.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut reached = Vec::new();
    let mut left = reviews as f64;
    for equals in ordered.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        if left <= 0.0 {
            break;
        }
        let share = (left / equals.len() as f64).min(1.0);
        reached.extend(equals.iter().map(|(_, alert)| Reviewed { alert, share }));
        left -= equals.len() as f64;
    }
    Some(reached)
}

/// What an order gives on these days; `None` on none of them.
#[must_use]
pub fn plan(days: &[Vec<DayAlert>], by: By) -> Option<OrderPlan> {
    let followed: Vec<&[DayAlert]> =
        days.iter().map(Vec::as_slice).filter(|day| !day.is_empty() && reached(day, by, 1).is_some()).collect();
    (!followed.is_empty()).then(|| OrderPlan {
        order: by.name(),
        days: followed.len(),
        budgets: BUDGETS.iter().map(|reviews| budget(&followed, by, *reviews)).collect(),
    })
}

/// What so many reviews a day find on these days in an order that all of them have.
#[must_use]
pub fn budget(days: &[&[DayAlert]], by: By, reviews: usize) -> Budget {
    let tallies = tallies(days, by, reviews, |_| true);
    let [found, precision, recall] = estimates(&tallies, days.len());
    let sum = |part: &dyn Fn(&Tally) -> f64| tallies.values().map(part).sum::<f64>();
    let further = self::tallies(days, by, reviews + NEXT, |_| true);
    let further: f64 = further.values().map(|tally| tally.found).sum();
    let reviewed = sum(&|tally| tally.reviewed);
    Budget {
        reviews,
        found,
        precision,
        recall,
        known: if reviewed > 0.0 { sum(&|tally| tally.known) / reviewed } else { 0.0 },
        next: (further - sum(&|tally| tally.found)) / days.len().max(1) as f64,
    }
}

/// By address: what is reviewed, known, found, and what there was to find, of the alerts that `kind` picks.
fn tallies(days: &[&[DayAlert]], by: By, reviews: usize, kind: impl Fn(&DayAlert) -> bool) -> BTreeMap<u32, Tally> {
    let mut tallies: BTreeMap<u32, Tally> = BTreeMap::new();
    for day in days {
        for alert in day.iter().filter(|alert| alert.confirmed == Some(true) && kind(alert)) {
            tallies.entry(alert.address).or_default().confirmed += 1.0;
        }
        for Reviewed { alert, share } in reached(day, by, reviews).unwrap_or_default() {
            if kind(alert) {
                let tally = tallies.entry(alert.address).or_default();
                tally.reviewed += share;
                tally.known += share * f64::from(u8::from(alert.confirmed.is_some()));
                tally.found += share * f64::from(u8::from(alert.confirmed == Some(true)));
            }
        }
    }
    tallies
}

fn estimates(tallies: &BTreeMap<u32, Tally>, days: usize) -> [Estimate; 3] {
    let ratio = |part: f64, of: f64| if of > 0.0 { part / of } else { 0.0 };
    let days = days.max(1) as f64;
    interval(tallies, |sum| [sum.found / days, ratio(sum.found, sum.known), ratio(sum.found, sum.confirmed)])
}

/// What so many reviews a day find by typology and by severity, those with the most confirmed ones first.
#[must_use]
pub fn slices(days: &[Vec<DayAlert>], reviews: usize, severities: &[&str]) -> Vec<Slice> {
    let all: Vec<&[DayAlert]> = days.iter().map(Vec::as_slice).collect();
    let mut kinds: BTreeMap<(&'static str, String), u64> = BTreeMap::new();
    let severity = |alert: &DayAlert| {
        usize::from(alert.severity)
            .checked_sub(1)
            .and_then(|at| severities.get(at))
            .copied()
            .unwrap_or("none")
            .to_owned()
    };
    for alert in all.iter().copied().flatten() {
        *kinds.entry(("typology", alert.typology.to_string())).or_default() += 1;
        *kinds.entry(("severity", severity(alert))).or_default() += 1;
    }
    let number = days.len().max(1) as f64;
    let slice = |((by, name), alerts): ((&'static str, String), u64)| {
        let kind = |alert: &DayAlert| if by == "typology" { *alert.typology == *name } else { severity(alert) == name };
        let tallies = tallies(&all, By::Canonical, reviews, kind);
        let [_, precision, recall] = estimates(&tallies, days.len());
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a sum of ones")]
        let confirmed = tallies.values().map(|tally| tally.confirmed).sum::<f64>() as u64;
        let reviewed = tallies.values().map(|tally| tally.reviewed).sum::<f64>() / number;
        Slice { by, name, alerts: alerts as f64 / number, confirmed, reviewed, precision, recall }
    };
    let mut slices: Vec<Slice> = kinds.into_iter().map(slice).collect();
    slices.sort_by(|a, b| b.by.cmp(a.by).then(b.confirmed.cmp(&a.confirmed)).then_with(|| a.name.cmp(&b.name)));
    slices
}

/// The most reviews a day of which at least the share `wanted` is confirmed; `None` when not even the fewest are.
#[must_use]
pub fn cut_for(plan: &OrderPlan, wanted: f64) -> Option<&Budget> {
    plan.budgets.iter().rev().find(|budget| budget.precision.value >= wanted)
}

#[cfg(test)]
mod tests {
    use super::{By, DayAlert, cut_for, plan, slices};

    /// A day of 200 alerts of their own addresses: every second one of the first 40 is confirmed, none of the others.
    fn day(first: u32) -> Vec<DayAlert> {
        let alert = |at: u32| DayAlert {
            rank: at + 1,
            address: first + at,
            confirmed: Some(at < 40 && at.is_multiple_of(2)),
            typology: if at.is_multiple_of(4) { "peel chain" } else { "mixing" }.into(),
            severity: 2,
            confidence: (first < 1_000).then(|| 1.0 - f64::from(at) / 1e3),
        };
        (0..200).map(alert).collect()
    }

    #[test]
    fn an_example_by_hand() {
        let days = [day(0), day(200)];
        let told = plan(&days, By::Canonical).expect("two days");
        let ten = &told.budgets[0];
        assert_eq!((told.days, ten.reviews, ten.found.value, ten.precision.value), (2, 10, 5.0, 0.5));
        assert_eq!((ten.recall.value, ten.known, ten.next), (0.25, 1.0, 15.0));
        assert!(ten.precision.low < 0.5 && ten.precision.high > 0.5 && ten.precision.low > 0.1, "{ten:?}");
        let all = told.budgets.last().expect("some");
        assert_eq!((all.found.value, all.precision.value, all.recall.value), (20.0, 0.1, 1.0));
        assert_eq!(cut_for(&told, 0.45).map(|budget| budget.reviews), Some(25));
        assert_eq!(cut_for(&told, 0.9), None);
    }

    #[test]
    fn among_equals_everybody_is_as_likely() {
        let told = plan(&[day(0)], By::Severity).expect("a day");
        assert!((told.budgets[3].found.value - 10.0).abs() < 1e-9, "half of the day, half of what is there");
        assert_eq!(plan(&[day(0)], By::Confidence).map(|plan| plan.budgets[0].found.value), Some(5.0));
        assert_eq!(plan(&[day(5_000)], By::Confidence), None, "a day without confidence");
        assert_eq!(plan(&[], By::Canonical), None);
    }

    #[test]
    fn what_is_not_known_costs_a_review_and_is_counted_as_neither() {
        let mut silent = day(0);
        silent.iter_mut().filter(|alert| alert.rank > 5).for_each(|alert| alert.confirmed = None);
        let told = plan(&[silent], By::Canonical).expect("a day");
        assert_eq!((told.budgets[0].found.value, told.budgets[0].precision.value), (3.0, 0.6));
        assert_eq!((told.budgets[0].known, told.budgets[0].recall.value), (0.5, 1.0));
    }

    #[test]
    fn alerts_of_one_address_widen_the_interval() {
        let alone = plan(&[day(0), day(200)], By::Canonical).expect("days");
        let mut crowd = [day(0), day(200)];
        crowd.iter_mut().flatten().for_each(|alert| alert.address /= 20);
        let crowd = plan(&crowd, By::Canonical).expect("days");
        let width = |plan: &super::OrderPlan| plan.budgets[1].found.high - plan.budgets[1].found.low;
        assert!(width(&crowd) > 1.5 * width(&alone), "{} {}", width(&crowd), width(&alone));
    }

    #[test]
    fn slices_are_of_the_canonical_order_of_all() {
        let told = slices(&[day(0)], 10, &["low", "medium"]);
        let names: Vec<(&str, &str, u64)> =
            told.iter().map(|slice| (slice.by, slice.name.as_str(), slice.confirmed)).collect();
        assert_eq!(names, [("typology", "mixing", 10), ("typology", "peel chain", 10), ("severity", "medium", 20)]);
        assert_eq!((told[1].reviewed, told[1].precision.value, told[1].recall.value), (3.0, 1.0, 0.3));
    }
}
