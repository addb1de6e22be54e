//! The alerts of a day, found by parts of their ids and addresses, by typology and severity, in several orders. Pure.
//!
//! What is looked at is prepared once a day ([`Index`]): texts without case, places in every order as numbers. A search then goes over
//! the day once, and sorts numbers.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use aml_miner::wire::spec::severity_rank;
use serde::Serialize;
use utoipa::ToSchema;

/// Names of a column that are told with their numbers; there may be as many as alerts.
pub const NAMED: usize = 50;

/// An alert of a day, as far as it is looked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Searched<'a> {
    /// Its id.
    pub alert_id: &'a str,
    /// Its address.
    pub address: &'a str,
    /// What kind of behaviour.
    pub typology: &'a str,
    /// `low`, `medium`, `high`, `critical`, or empty.
    pub severity: &'a str,
    /// How far apart the miners are.
    pub deviation: f64,
    /// 1 is the most urgent.
    pub rank: u32,
}

/// A name of a column, and how many alerts have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Named {
    /// The name; empty of alerts that have none.
    pub name: String,
    /// Alerts that have it.
    pub alerts: usize,
}

/// An order of alerts. Equal ones are in the order of their ranks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// The most urgent first.
    #[default]
    Rank,
    /// The lowest severity first.
    Severity,
    /// By name.
    Typology,
    /// By name.
    Address,
    /// By name.
    AlertId,
    /// Those that miners agree on most first.
    Deviation,
}

impl Sort {
    /// All of them, by the names that they are asked for with.
    pub const ALL: [(&'static str, Self); 6] = [
        ("rank", Self::Rank),
        ("severity", Self::Severity),
        ("typology", Self::Typology),
        ("address", Self::Address),
        ("alert_id", Self::AlertId),
        ("deviation", Self::Deviation),
    ];
}

/// What is looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// Stands in the id or the address, in whatever case; empty for all.
    pub text: String,
    /// The whole name of the typology.
    pub typology: Option<String>,
    /// The whole name of the severity.
    pub severity: Option<String>,
    /// The order.
    pub sort: Sort,
    /// Whether the order is turned round.
    pub is_reversed: bool,
}

/// A day's alerts, prepared.
#[derive(Debug)]
pub struct Index {
    by_rank: Vec<usize>,
    folded: Vec<[String; 2]>,
    typologies: Column,
    severities: Column,
    /// Of each alert its place by address, by id, by deviation.
    addresses: Vec<u32>,
    ids: Vec<u32>,
    deviations: Vec<u32>,
}

/// A column as numbers of its names, in the order of [`Index::new`].
#[derive(Debug)]
struct Column {
    names: Vec<Named>,
    of: Vec<u32>,
}

impl Column {
    fn new<'a>(values: impl Iterator<Item = &'a str>, order: fn(&str, &str) -> Ordering) -> Self {
        let values: Vec<&str> = values.collect();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        values.iter().for_each(|value| *counts.entry(value).or_default() += 1);
        let mut names: Vec<(&str, usize)> = counts.into_iter().collect();
        names.sort_by(|one, other| order(one.0, other.0));
        let numbers: BTreeMap<&str, u32> = names.iter().zip(0..).map(|((name, _), number)| (*name, number)).collect();
        let of = values.iter().map(|value| numbers.get(value).copied().unwrap_or_default()).collect();
        Self { names: names.into_iter().map(|(name, alerts)| Named { name: name.to_owned(), alerts }).collect(), of }
    }

    /// Whether an alert has the wanted name; `None` where no alert has it.
    fn number(&self, wanted: &str) -> Option<u32> {
        self.names.iter().zip(0..).find(|(named, _)| named.name == wanted).map(|(_, number)| number)
    }

    /// The most frequent names, those of most alerts first.
    fn told(&self) -> Vec<Named> {
        let mut told = self.names.clone();
        told.sort_by(|one, other| other.alerts.cmp(&one.alerts).then_with(|| one.name.cmp(&other.name)));
        told.truncate(NAMED);
        told
    }
}

impl Index {
    /// Of these alerts.
    #[must_use]
    pub fn new(alerts: &[Searched<'_>]) -> Self {
        let mut by_rank: Vec<usize> = (0..alerts.len()).collect();
        by_rank.sort_by_key(|at| alerts[*at].rank);
        let severity = |one: &str, other: &str| severity_rank(one).cmp(&severity_rank(other)).then(one.cmp(other));
        Self {
            by_rank,
            folded: alerts.iter().map(|one| [one.alert_id.to_lowercase(), one.address.to_lowercase()]).collect(),
            typologies: Column::new(alerts.iter().map(|one| one.typology), str::cmp),
            severities: Column::new(alerts.iter().map(|one| one.severity), severity),
            addresses: places(alerts, |one, other| one.address.cmp(other.address)),
            ids: places(alerts, |one, other| one.alert_id.cmp(other.alert_id)),
            deviations: places(alerts, |one, other| one.deviation.total_cmp(&other.deviation)),
        }
    }

    /// The alerts that fit, by their places, in the order that is wanted.
    #[must_use]
    pub fn find(&self, search: &Search) -> Vec<usize> {
        let wanted = |column: &Column, name: &Option<String>| match name {
            Some(name) => column.number(name).map(Some),
            None => Some(None),
        };
        let typology = wanted(&self.typologies, &search.typology);
        let (Some(typology), Some(severity)) = (typology, wanted(&self.severities, &search.severity)) else {
            return Vec::new();
        };
        let text = search.text.to_lowercase();
        let fits = |at: &usize| {
            let has = |column: &Column, number: Option<u32>| number.is_none() || column.of.get(*at).copied() == number;
            let named = || self.folded.get(*at).is_some_and(|names| names.iter().any(|name| name.contains(&text)));
            has(&self.typologies, typology) && has(&self.severities, severity) && (text.is_empty() || named())
        };
        let mut found: Vec<usize> = self.by_rank.iter().copied().filter(fits).collect();
        let key = |at: &usize| self.keys(search.sort).and_then(|keys| keys.get(*at)).copied().unwrap_or_default();
        match (search.sort, search.is_reversed) {
            (Sort::Rank, false) => {}
            (Sort::Rank, true) => found.reverse(),
            // Stable: equal ones stay in the order of their ranks.
            (_, false) => found.sort_by_key(key),
            (_, true) => found.sort_by_key(|at| std::cmp::Reverse(key(at))),
        }
        found
    }

    fn keys(&self, sort: Sort) -> Option<&[u32]> {
        match sort {
            Sort::Rank => None,
            Sort::Severity => Some(&self.severities.of),
            Sort::Typology => Some(&self.typologies.of),
            Sort::Address => Some(&self.addresses),
            Sort::AlertId => Some(&self.ids),
            Sort::Deviation => Some(&self.deviations),
        }
    }

    /// Typologies of the day, those of most alerts first, at most [`NAMED`].
    #[must_use]
    pub fn typologies(&self) -> Vec<Named> {
        self.typologies.told()
    }

    /// Severities of the day, alike.
    #[must_use]
    pub fn severities(&self) -> Vec<Named> {
        self.severities.told()
    }
}

/// Of each alert its place in an order; equal ones have the same.
fn places<'a>(alerts: &[Searched<'a>], order: impl Fn(&Searched<'a>, &Searched<'a>) -> Ordering) -> Vec<u32> {
    let mut sorted: Vec<usize> = (0..alerts.len()).collect();
    sorted.sort_by(|one, other| order(&alerts[*one], &alerts[*other]));
    let (mut places, mut place) = (vec![0; alerts.len()], 0);
    for (before, at) in std::iter::once(None).chain(sorted.iter().map(Some)).zip(&sorted) {
        if before.is_some_and(|before| order(&alerts[*before], &alerts[*at]).is_ne()) {
            place += 1;
        }
        places[*at] = place;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::{Index, NAMED, Named, Search, Searched, Sort};

    const fn alert(
        alert_id: &'static str,
        address: &'static str,
        (typology, severity): (&'static str, &'static str),
        rank: u32,
    ) -> Searched<'static> {
        Searched { alert_id, address, typology, severity, deviation: if rank == 2 { 0.9 } else { 0.1 }, rank }
    }

    const DAY: [Searched<'static>; 5] = [
        alert("Alert-1", "0xAB", ("mixing", "low"), 4),
        alert("alert-2", "0xcd", ("layering", "critical"), 2),
        alert("b", "0xab", ("mixing", ""), 1),
        alert("c", "", ("mixing", "critical"), 3),
        alert("d", "0xCD", ("", "odd"), 5),
    ];

    fn ranks(search: &Search) -> Vec<u32> {
        Index::new(&DAY).find(search).into_iter().map(|at| DAY[at].rank).collect()
    }

    #[test]
    fn what_is_looked_for_is_found_and_nothing_else() {
        let text = |text: &str| ranks(&Search { text: text.to_owned(), ..Search::default() });
        assert_eq!(text(""), [1, 2, 3, 4, 5]);
        assert_eq!(text("0xaB"), [1, 4], "in whatever case");
        assert_eq!((text("LERT-2"), text("lert-2\0"), text("alert-10xab")), (vec![2], vec![], vec![]));
        let of = |typology: Option<&str>, severity: Option<&str>| {
            let owned = |name: Option<&str>| name.map(str::to_owned);
            ranks(&Search { typology: owned(typology), severity: owned(severity), ..Search::default() })
        };
        assert_eq!(of(Some("mixing"), None), [1, 3, 4]);
        assert_eq!(of(Some("mixing"), Some("critical")), [3]);
        assert_eq!((of(None, Some("")), of(Some("mix"), None)), (vec![1], vec![]), "whole names");
    }

    #[test]
    fn every_order_and_its_reverse_are_those_of_the_values() {
        let by = |sort, is_reversed| ranks(&Search { sort, is_reversed, ..Search::default() });
        for (sort, ranks, reversed) in [
            (Sort::Rank, [1, 2, 3, 4, 5], [5, 4, 3, 2, 1]),
            (Sort::Severity, [1, 5, 4, 2, 3], [2, 3, 4, 5, 1]),
            (Sort::Typology, [5, 2, 1, 3, 4], [1, 3, 4, 2, 5]),
            (Sort::Address, [3, 4, 5, 1, 2], [2, 1, 5, 4, 3]),
            (Sort::AlertId, [4, 2, 1, 3, 5], [5, 3, 1, 2, 4]),
            (Sort::Deviation, [1, 3, 4, 5, 2], [2, 1, 3, 4, 5]),
        ] {
            assert_eq!((by(sort, false), by(sort, true)), (ranks.to_vec(), reversed.to_vec()), "{sort:?}");
        }
    }

    #[test]
    fn names_are_counted_and_told_in_part() {
        let index = Index::new(&DAY);
        let first = Named { name: "mixing".to_owned(), alerts: 3 };
        assert_eq!((index.typologies().len(), &index.typologies()[0]), (3, &first));
        let names: Vec<String> = (0..1_000).map(|at| format!("{at}")).collect();
        let many: Vec<Searched<'_>> = names.iter().map(|name| Searched { typology: name, ..DAY[0] }).collect();
        let index = Index::new(&many);
        assert_eq!(index.typologies().len(), NAMED);
        let last = Search { typology: Some("999".to_owned()), ..Search::default() };
        assert_eq!(index.find(&last), [999], "those that are not told are found");
        assert_eq!(Index::new(&[]).find(&Search::default()), Vec::<usize>::new());
    }
}
