//! Slices of a month: figures by name in each dimension, what the month is made of, and the same of the month before.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use utoipa::ToSchema;

use super::figures::{Figures, Measure};
use super::{Dimension, Mix, MonthSeen, Seen, Summary, histogram};

/// Names of a dimension that have a slice of their own.
pub const MOST: usize = 40;
/// The slice of all other names.
pub const OTHERS: &str = "others";

/// A slice of a month.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = DriftSlice)]
pub struct Slice {
    /// `typology`, `network`, `severity`, `age` or `volume`.
    pub by: &'static str,
    /// Which.
    pub name: String,
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
pub(super) fn figures(seen: &MonthSeen, reviews: usize) -> BTreeMap<(Dimension, String), Figures> {
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
        let mut named: Vec<(String, Vec<&Seen>)> =
            by_name.into_iter().map(|(number, alerts)| (name(number), alerts)).collect();
        named.sort_by(|a, b| b.1.len().cmp(&a.1.len()).then_with(|| a.0.cmp(&b.0)));
        let rest: Vec<&Seen> =
            named.split_off(named.len().min(MOST)).into_iter().flat_map(|(_, alerts)| alerts).collect();
        if !rest.is_empty() {
            named.push((OTHERS.to_owned(), rest));
        }
        for (name, alerts) in named {
            all.insert((dimension, name), Figures::of(alerts.into_iter(), reviews));
        }
    }
    all
}

/// Slices of one dimension.
fn of_dimension(of: &Summary, wanted: Dimension) -> impl Iterator<Item = (&str, &Figures)> {
    of.slices
        .iter()
        .filter(move |((dimension, _), _)| *dimension == wanted)
        .map(|((_, name), figures)| (name.as_str(), figures))
}

/// How the alerts are made up, against the month before.
pub(super) fn mix(of: &Summary, before: Option<&Summary>) -> Vec<Mix> {
    let one = |dimension: Dimension| {
        let counts: BTreeMap<&str, u64> =
            of_dimension(of, dimension).map(|(name, figures)| (name, figures.alerts)).collect();
        let known = counts.values().sum();
        let psi = before.and_then(|before| {
            let then: BTreeMap<&str, u64> =
                of_dimension(before, dimension).map(|(name, figures)| (name, figures.alerts)).collect();
            psi(&counts, &then)
        });
        Mix { by: dimension.name(), known, psi }
    };
    Dimension::ALL.map(one).to_vec()
}

/// `None` where one of the months has no alerts of which the dimension is known.
fn psi(now: &BTreeMap<&str, u64>, then: &BTreeMap<&str, u64>) -> Option<f64> {
    let (all, were): (u64, u64) = (now.values().sum(), then.values().sum());
    if all == 0 || were == 0 {
        return None;
    }
    let count = |of: &BTreeMap<&str, u64>, name: &str| of.get(name).copied().unwrap_or(0) as f64;
    let mut names: Vec<&str> = now.keys().chain(then.keys()).copied().collect();
    names.sort_unstable();
    names.dedup();
    let shares = names.into_iter().map(|name| (count(now, name) / all as f64, count(then, name) / were as f64));
    Some(histogram::psi(shares))
}

/// Slices as they are told, the largest of each dimension first.
pub(super) fn told(of: &Summary, before: Option<&Summary>) -> Vec<Slice> {
    let mut all = Vec::with_capacity(of.slices.len());
    for dimension in Dimension::ALL {
        let known: u64 = of_dimension(of, dimension).map(|(_, figures)| figures.alerts).sum();
        let mut slices: Vec<Slice> = of_dimension(of, dimension)
            .map(|(name, figures)| {
                let then = before.and_then(|before| before.slices.get(&(dimension, name.to_owned())));
                Slice {
                    by: dimension.name(),
                    name: name.to_owned(),
                    share: figures.alerts as f64 / known.max(1) as f64,
                    figures: figures.clone(),
                    auc_before: then.and_then(|then| then.auc),
                    precision_before: then.and_then(|then| then.precision),
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
        let told = months(&[&summary(&seen, 10)]);
        let slices = &told[0].slices;
        assert_eq!(slices.len(), MOST + 1);
        assert_eq!(slices.iter().map(|slice| slice.figures.alerts).sum::<u64>(), 20_000);
        assert_eq!((slices[0].name.as_str(), slices[0].figures.alerts), (OTHERS, 20_000 - 4 * MOST as u64));
        assert!((slices.iter().map(|slice| slice.share).sum::<f64>() - 1.0).abs() < 1e-12);
    }
}
