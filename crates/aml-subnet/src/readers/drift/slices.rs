//! Slices of a month: figures by name in each dimension, what the month is made of, and the same of the month before.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use utoipa::ToSchema;

use super::figures::{Figures, Measure, Measured};
use super::{Dimension, Mix, MonthSeen, Seen, Summary, histogram};

/// Names of a dimension that have a slice of their own.
pub const MOST: usize = 40;
/// What the slice of all other names is called.
pub const OTHERS: &str = "others";

/// Which slice of a dimension.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The one of a name, whatever the name is.
    Named(String),
    /// That of all names that have none of their own: other ones each month.
    Rest,
}

impl Part {
    fn name(&self) -> &str {
        match self {
            Self::Named(name) => name,
            Self::Rest => OTHERS,
        }
    }
}

/// A slice of a month.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = DriftSlice)]
pub struct Slice {
    /// `typology`, `network`, `severity`, `age` or `volume`.
    pub by: &'static str,
    /// Which.
    pub name: String,
    /// Whether it is that of all names that have no slice of their own, and `name` is no name but `others`.
    pub rest: bool,
    /// Its part of the alerts of which it is known.
    pub share: f64,
    /// Its figures.
    pub figures: Figures,
    /// Its AUC in the month before.
    pub auc_before: Option<Measure>,
    /// Its precision in the month before.
    pub precision_before: Option<Measure>,
}

/// The figures of every slice.
pub(super) fn figures(seen: &MonthSeen) -> BTreeMap<(Dimension, Part), Measured> {
    let mut all = BTreeMap::new();
    for (at, dimension) in Dimension::ALL.into_iter().enumerate() {
        let part = |alert: &Seen| alert.parts.get(at).copied().flatten();
        let mut by_name: HashMap<u32, Vec<&Seen>> = HashMap::new();
        for alert in &seen.alerts {
            if let Some(name) = part(alert) {
                by_name.entry(name).or_default().push(alert);
            }
        }
        let name =
            |number: u32| usize::try_from(number).ok().and_then(|at| seen.names.get(at)).cloned().unwrap_or_default();
        let mut named: Vec<(Part, Vec<&Seen>)> =
            by_name.into_iter().map(|(number, alerts)| (Part::Named(name(number)), alerts)).collect();
        named.sort_by(|a, b| b.1.len().cmp(&a.1.len()).then_with(|| a.0.cmp(&b.0)));
        let rest: Vec<&Seen> =
            named.split_off(named.len().min(MOST)).into_iter().flat_map(|(_, alerts)| alerts).collect();
        if !rest.is_empty() {
            named.push((Part::Rest, rest));
        }
        for (part, alerts) in named {
            all.insert((dimension, part), Measured::of(alerts.into_iter()));
        }
    }
    all
}

/// Slices of one dimension.
fn of_dimension(of: &Summary, wanted: Dimension) -> impl Iterator<Item = (&Part, &Measured)> {
    of.slices
        .iter()
        .filter(move |((dimension, _), _)| *dimension == wanted)
        .map(|((_, part), measured)| (part, measured))
}

/// How the alerts are made up, against the month before.
pub(super) fn mix(of: &Summary, before: Option<&Summary>) -> Vec<Mix> {
    let one = |dimension: Dimension| {
        let counts = counts(of, dimension);
        let known = counts.values().sum();
        let psi = before.and_then(|before| psi(&counts, &self::counts(before, dimension)));
        Mix { by: dimension.name(), known, psi }
    };
    Dimension::ALL.map(one).to_vec()
}

/// Alerts by slice.
fn counts(of: &Summary, dimension: Dimension) -> BTreeMap<&Part, u64> {
    of_dimension(of, dimension).map(|(part, measured)| (part, measured.figures.alerts)).collect()
}

/// `None` where one of the months has too few alerts of which the dimension is known.
fn psi(now: &BTreeMap<&Part, u64>, then: &BTreeMap<&Part, u64>) -> Option<f64> {
    let (all, were): (u64, u64) = (now.values().sum(), then.values().sum());
    let mut names: Vec<&Part> = now.keys().chain(then.keys()).copied().collect();
    names.sort_unstable();
    names.dedup();
    if !histogram::is_enough(all, names.len() as u64) || !histogram::is_enough(were, names.len() as u64) {
        return None;
    }
    let count = |of: &BTreeMap<&Part, u64>, name: &Part| of.get(name).copied().unwrap_or(0) as f64;
    let shares = names.into_iter().map(|name| (count(now, name) / all as f64, count(then, name) / were as f64));
    Some(histogram::psi(shares))
}

/// Slices as they are told, the largest of each dimension first.
pub(super) fn told(of: &Summary, before: Option<&Summary>, reviews: usize) -> Vec<Slice> {
    let mut all = Vec::with_capacity(of.slices.len());
    for dimension in Dimension::ALL {
        let known: u64 = of_dimension(of, dimension).map(|(_, measured)| measured.figures.alerts).sum();
        let mut slices: Vec<Slice> = of_dimension(of, dimension)
            .map(|(part, measured)| {
                let then = before.and_then(|before| before.slices.get(&(dimension, part.clone())));
                let figures = measured.told(reviews);
                Slice {
                    by: dimension.name(),
                    name: part.name().to_owned(),
                    rest: *part == Part::Rest,
                    share: figures.alerts as f64 / known.max(1) as f64,
                    figures,
                    auc_before: then.and_then(|then| then.figures.auc),
                    precision_before: then.and_then(|then| then.precision(reviews)),
                }
            })
            .collect();
        slices.sort_by(|a, b| b.figures.alerts.cmp(&a.figures.alerts).then_with(|| a.name.cmp(&b.name)));
        all.extend(slices);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::{MOST, OTHERS};
    use crate::readers::drift::{MonthSeen, Seen, months, summary};

    #[test]
    fn a_name_that_is_others_is_not_the_rest() {
        // The largest typology is really named so, and 41 more are too many for a slice each.
        let names = u32::try_from(MOST).expect("small") + 1;
        let name = |at: u32| if at.is_multiple_of(2) { 0 } else { 1 + at % names };
        let alert = |at: u32| Seen {
            score: 0.5,
            probability: None,
            rank: at + 1,
            address: at,
            illicit: Some(at % 4 < 2),
            parts: [Some(name(at)), None, None, None, None],
        };
        let names = std::iter::once(OTHERS.to_owned()).chain((0..=MOST).map(|at| format!("name {at:02}"))).collect();
        let alerts = (0..8_200).map(alert).collect();
        let seen = MonthSeen { month: "2026-01".to_owned(), rounds: 1, settled: 1, alerts, names };
        let before = MonthSeen { month: "2025-12".to_owned(), ..seen.clone() };
        let told = months(&[&summary(&seen), &summary(&before)], 100);
        let others: Vec<(bool, u64)> = told[0]
            .slices
            .iter()
            .filter(|slice| slice.name == OTHERS)
            .map(|slice| (slice.rest, slice.figures.alerts))
            .collect();
        assert_eq!(others, [(false, 4_100), (true, 200)], "41 names of 100 alerts: 39 have a slice of their own");
        let compared = told[0].slices.iter().filter(|slice| !slice.rest && slice.figures.auc.is_some()).count();
        assert!(compared > 1 && told[0].compared >= compared, "the real one is compared like any other");
    }

    #[test]
    fn many_names_are_bounded_and_nothing_is_lost() {
        let alert = |at: u32| Seen {
            score: 0.5,
            probability: None,
            rank: at + 1,
            address: at,
            illicit: None,
            parts: [Some(at % 5_000), None, None, None, None],
        };
        let names: Vec<String> = (0..5_000).map(|at| format!("name {at:04}")).collect();
        let seen = MonthSeen {
            month: "2026-01".to_owned(),
            rounds: 1,
            settled: 0,
            alerts: (0..20_000).map(alert).collect(),
            names,
        };
        let told = months(&[&summary(&seen)], 10);
        let slices = &told[0].slices;
        assert_eq!(slices.len(), MOST + 1);
        assert_eq!(slices.iter().map(|slice| slice.figures.alerts).sum::<u64>(), 20_000);
        assert_eq!((slices[0].name.as_str(), slices[0].figures.alerts), (OTHERS, 20_000 - 4 * MOST as u64));
        assert!((slices.iter().map(|slice| slice.share).sum::<f64>() - 1.0).abs() < 1e-12);
    }
}
