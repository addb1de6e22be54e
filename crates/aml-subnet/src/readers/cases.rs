//! Cases: alerts of one address, or of addresses that clusters hold together, so that one actor is one row. Pure.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aml_miner::wire::spec::severity_rank;
use serde::Serialize;
use utoipa::ToSchema;

/// Alerts and addresses that a case names.
pub const NAMED: usize = 100;

/// An alert of a day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CaseAlert<'a> {
    /// Its id.
    pub alert_id: &'a str,
    /// Its address; one that names none is a case of its own.
    pub address: &'a str,
    /// What kind of behaviour.
    pub typology: &'a str,
    /// `low`, `medium`, `high`, `critical`, or empty.
    pub severity: &'a str,
    /// Its canonical score.
    pub score: f64,
    /// Its probability, where one is told.
    pub probability: Option<f64>,
    /// 1 is the most urgent.
    pub rank: u32,
}

/// Alerts that belong together.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Case {
    /// 1 is the most urgent: by the most urgent of its alerts.
    pub place: usize,
    /// Its most urgent alert, by whose id it is known on this day.
    pub alert_id: String,
    /// Rank of that alert.
    pub rank: u32,
    /// Score of that alert, the highest.
    pub score: f64,
    /// Probability of that alert; null while too little is known.
    pub probability: Option<f64>,
    /// The highest severity of its alerts.
    pub severity: String,
    /// Kinds of behaviour, by name.
    pub typologies: Vec<String>,
    /// How many alerts it has.
    pub alerts: usize,
    /// Their ids, the most urgent first, at most a hundred.
    pub alert_ids: Vec<String>,
    /// How many addresses it has.
    pub addresses: usize,
    /// The addresses, those of the most urgent alerts first, at most a hundred.
    pub address_list: Vec<String>,
}

/// The cases of a day, the most urgent first. Addresses of one of the `groups` are one actor; so are the alerts that one names.
#[must_use]
pub fn cases<'a>(alerts: &[CaseAlert<'a>], groups: &[Group<'a>]) -> Vec<Case> {
    let of = |members: Vec<usize>| -> Vec<CaseAlert<'a>> {
        members.iter().filter_map(|at| alerts.get(*at)).copied().collect()
    };
    (1..).zip(members(alerts, groups)).filter_map(|(place, members)| case(place, &of(members))).collect()
}

/// The alerts of each case, by their places in `alerts`, the most urgent case and the most urgent alert first.
#[must_use]
pub fn members<'a>(alerts: &[CaseAlert<'a>], groups: &[Group<'a>]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..alerts.len()).collect();
    order.sort_by_key(|at| alerts[*at].rank);
    let mut joined = Joined::new(alerts.len());
    let mut by_address: HashMap<&str, usize> = HashMap::new();
    let mut by_id: HashMap<&str, usize> = HashMap::new();
    for &at in &order {
        let alert = &alerts[at];
        by_id.insert(alert.alert_id, at);
        if alert.address.is_empty() {
            continue;
        }
        match by_address.get(alert.address) {
            Some(first) => joined.join(*first, at),
            None => drop(by_address.insert(alert.address, at)),
        }
    }
    for group in groups {
        let of_alerts = group.alerts.iter().filter_map(|id| by_id.get(id));
        let members = of_alerts.chain(group.addresses.iter().filter_map(|address| by_address.get(address)));
        let members: Vec<usize> = members.copied().collect();
        members.windows(2).for_each(|two| joined.join(two[0], two[1]));
    }
    let mut found: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut first: Vec<usize> = Vec::new();
    for at in order {
        let root = joined.root(at);
        let members = found.entry(root).or_default();
        if members.is_empty() {
            first.push(root);
        }
        members.push(at);
    }
    first.iter().filter_map(|root| found.remove(root)).collect()
}

/// What holds addresses and alerts together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Group<'a> {
    /// Ids of alerts.
    pub alerts: Vec<&'a str>,
    /// Addresses.
    pub addresses: Vec<&'a str>,
}

/// The case of these alerts, the most urgent first; `None` without any.
#[must_use]
pub fn case(place: usize, of: &[CaseAlert<'_>]) -> Option<Case> {
    let urgent = of.first()?;
    let mut seen = BTreeSet::new();
    let named: Vec<&str> =
        of.iter().map(|alert| alert.address).filter(|address| !address.is_empty() && seen.insert(*address)).collect();
    let typologies: BTreeSet<&str> = of.iter().map(|alert| alert.typology).filter(|name| !name.is_empty()).collect();
    let severity =
        of.iter().map(|alert| alert.severity).max_by_key(|severity| severity_rank(severity).map_or(0, |at| at + 1));
    Some(Case {
        place,
        alert_id: urgent.alert_id.to_owned(),
        rank: urgent.rank,
        score: urgent.score,
        probability: urgent.probability,
        severity: severity.unwrap_or_default().to_owned(),
        typologies: typologies.into_iter().take(NAMED).map(str::to_owned).collect(),
        alerts: of.len(),
        alert_ids: of.iter().take(NAMED).map(|alert| alert.alert_id.to_owned()).collect(),
        addresses: named.len(),
        address_list: named.into_iter().take(NAMED).map(str::to_owned).collect(),
    })
}

/// Sets that were joined (union by the smaller number, paths halved).
struct Joined(Vec<usize>);

impl Joined {
    fn new(count: usize) -> Self {
        Self((0..count).collect())
    }

    fn root(&mut self, mut at: usize) -> usize {
        while self.0[at] != at {
            self.0[at] = self.0[self.0[at]];
            at = self.0[at];
        }
        at
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        self.0[one.max(other)] = one.min(other);
    }
}

#[cfg(test)]
mod tests {
    use super::{CaseAlert, Group, NAMED, cases};

    fn alert(alert_id: &'static str, address: &'static str, rank: u32) -> CaseAlert<'static> {
        let severity = if rank == 3 { "critical" } else { "low" };
        CaseAlert {
            alert_id,
            address,
            typology: "mixing",
            severity,
            score: 1.0 / f64::from(rank),
            probability: None,
            rank,
        }
    }

    #[test]
    fn one_actor_is_one_row() {
        let alerts = [
            alert("a", "x", 2),
            alert("b", "y", 1),
            alert("c", "x", 3),
            alert("d", "z", 4),
            alert("e", "", 5),
            alert("f", "", 6),
        ];
        let by_address = cases(&alerts, &[]);
        let ids: Vec<Vec<String>> = by_address.iter().map(|case| case.alert_ids.clone()).collect();
        assert_eq!(ids, [vec!["b"], vec!["a", "c"], vec!["d"], vec!["e"], vec!["f"]]);
        assert_eq!((by_address[1].severity.as_str(), by_address[1].rank, by_address[1].addresses), ("critical", 2, 1));
        let cluster = Group { alerts: vec!["d", "nobody"], addresses: vec!["y", "unknown"] };
        let joined = cases(&alerts, &[cluster]);
        assert_eq!(joined[0].alert_ids, ["b", "d"]);
        assert_eq!((joined[0].address_list.join(" "), joined.len(), joined[0].place), ("y z".to_owned(), 4, 1));
    }

    #[test]
    fn a_crowd_is_counted_and_named_in_part() {
        let ids: Vec<String> = (0..5_000).map(|at| format!("{at}")).collect();
        let alerts: Vec<CaseAlert<'_>> = (1..)
            .zip(&ids)
            .map(|(rank, id)| CaseAlert { alert_id: id, address: id, rank, ..alert("", "", 1) })
            .collect();
        let all = Group { alerts: Vec::new(), addresses: ids.iter().map(String::as_str).collect() };
        let found = cases(&alerts, &[all]);
        assert_eq!((found.len(), found[0].alerts, found[0].addresses), (1, 5_000, 5_000));
        assert_eq!((found[0].alert_ids.len(), found[0].address_list.len()), (NAMED, NAMED));
        assert_eq!(cases(&[], &[]), []);
    }
}
