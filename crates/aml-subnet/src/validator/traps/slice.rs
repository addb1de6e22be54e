//! What is kept of a settled batch for traps: some of its alerts with known outcomes, and every row that belongs to them.
//!
//! Alerts of one cluster are kept together, so that a cluster is not torn apart when they are issued again. An address
//! with more money flows than [`MAX_FLOWS`] is passed over: cutting its flows would set it apart from real ones.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use aml_miner::wire::{Batch, Column, Table};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::consensus::Consensus;
use super::draw::Draw;
use super::fineness::{self, Fineness};
use super::jitter::Known;
use super::levels::Levels;
use super::reword::tokens;
use super::today::tables;
use super::together::{Companies, MOST};
use crate::validation::tier2_traps::Expected;

/// A group of fewer says little: four of five are passed by chance too easily.
pub const LEAST_GROUP: usize = 5;

/// Money flows of an address, in and out: beyond that it is not re-issued.
pub const MAX_FLOWS: usize = 64;
/// Alerts of a cluster: of larger ones only this many stay together.
const MAX_CLUSTER: usize = 12;

/// An alert of a settled batch whose outcome is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Candidate {
    /// Its row in the slice's alerts.
    pub(super) row: usize,
    /// Where a good submission puts it.
    pub(super) expected: Expected,
    /// What kind of behaviour.
    pub(super) typology: String,
    /// Candidates of the same unit belong to one cluster.
    pub(super) unit: usize,
    /// Whether the slice has everything that belongs to it, so that it can be issued with its company.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) whole: bool,
}

/// What a word in a text names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// An alert.
    Alert,
    /// An address.
    Address,
    /// A pattern.
    Pattern,
    /// A cluster.
    Cluster,
}

/// A settled batch, and what is known of its alerts by now.
#[derive(Clone, Copy, Debug)]
pub struct SettledBatch<'a> {
    /// Its day.
    pub date: NaiveDate,
    /// Its tables.
    pub batch: &'a Batch,
    /// The outcomes that count.
    pub labels: &'a Table,
    /// Where all miners together put its alerts; `None` when they were never asked.
    pub consensus: Option<&'a Consensus>,
}

/// The kept part of a settled batch.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Slice {
    pub(super) date: NaiveDate,
    pub(super) batch: Batch,
    pub(super) candidates: Vec<Candidate>,
    /// Smallest and largest value of each numeric column of the whole batch, by `table.column`.
    pub(super) ranges: BTreeMap<String, (f64, f64)>,
    /// How finely each of them is written; empty in pools of programs that did not look.
    pub(super) fineness: BTreeMap<String, Fineness>,
    /// Where columns of the day stood.
    pub(super) levels: Levels,
    /// Names that stand within texts.
    pub(super) mentions: BTreeMap<String, Kind>,
}

impl Slice {
    /// Cuts up to `per_class` confirmed illicit and as many clean alerts out of a settled batch.
    pub(super) fn cut(settled: &SettledBatch<'_>, per_class: usize, draw: &mut Draw) -> Option<Self> {
        let alerts = &settled.batch.alerts;
        let (ids, addresses) = (alerts.texts("alert_id")?, alerts.texts("address")?);
        let known = agreed(outcomes(settled.labels), settled.consensus);
        let classes: Vec<Option<Expected>> = ids.iter().map(|id| known.get(id).copied()).collect();
        let companies = Companies::of(settled.batch);
        let labelled = (0..alerts.rows()).filter(|&row| classes[row].is_some());
        let company = |row: usize| companies.with(row).iter().filter(|rows| companies.with(**rows).len() <= MOST);
        let addressed = labelled.flat_map(|row| company(row).copied().chain([row])).map(|row| addresses.get(row));
        let flows = Flows::of(&settled.batch.money_flows, addressed.collect());
        let usable = |row: &usize| classes[*row].is_some() && flows.few(addresses.get(*row));
        let rows: Vec<usize> = (0..alerts.rows()).filter(usable).collect();
        let chosen = chosen(&settled.batch.clusters, &rows, |row| (ids.get(row), classes[row]), per_class, draw);
        if chosen.is_empty() {
            return None;
        }
        let is_whole = |row: usize| {
            let company = companies.with(row);
            company.len() <= MOST && company.iter().all(|&row| flows.few(addresses.get(row)))
        };
        let companions = chosen.iter().filter(|(row, _)| is_whole(*row)).flat_map(|(row, _)| companies.with(*row));
        let kept: BTreeSet<usize> = chosen.iter().map(|(row, _)| row).chain(companions).copied().collect();
        let kept: Vec<usize> = kept.into_iter().collect();
        let typologies = alerts.texts("typology_type");
        let candidate = |&(row, unit): &(usize, usize)| {
            let typology = typologies.map_or("", |column| column.get(row)).to_owned();
            let at = kept.binary_search(&row).ok()?;
            classes[row].map(|expected| Candidate { row: at, expected, typology, unit, whole: is_whole(row) })
        };
        let candidates = chosen.iter().filter_map(candidate).collect();
        let batch = around(settled.batch, &kept, &flows);
        let mentions = mentions(settled.batch, &batch.alerts);
        Some(Self {
            date: settled.date,
            candidates,
            ranges: ranges(settled.batch),
            fineness: fineness::of_batch(settled.batch),
            levels: Levels::of(settled.batch),
            mentions,
            batch,
        })
    }

    /// What is known of a column from the whole batch.
    pub(super) fn known(&self, table: &str, column: &str) -> Known<'_> {
        let name = format!("{table}.{column}");
        Known { range: self.ranges.get(&name).copied(), fineness: self.fineness.get(&name) }
    }
}

/// Confirmed illicit with the highest relevance, or clean; everything between is no good trap.
fn outcomes(labels: &Table) -> HashMap<&str, Expected> {
    let (Some(ids), Some(illicit)) = (labels.texts("alert_id"), labels.numbers("confirmed_illicit")) else {
        return HashMap::new();
    };
    let relevance = labels.numbers("relevance");
    let class = |row: usize| {
        let relevance = relevance.map_or(f64::NAN, |values| values[row]);
        match (illicit[row] > 0.5, relevance) {
            (true, grade) if grade.is_nan() || grade > 1.5 => Some(Expected::High),
            (false, grade) if grade.is_nan() || grade < 0.5 => Some(Expected::Low),
            _ => None,
        }
    };
    ids.iter().enumerate().filter_map(|(row, id)| Some((id, class(row)?))).collect()
}

/// The outcomes that the consensus had right. Where it had hardly any right, all: it is no measure then.
fn agreed<'a>(mut known: HashMap<&'a str, Expected>, consensus: Option<&Consensus>) -> HashMap<&'a str, Expected> {
    let Some(consensus) = consensus else { return known };
    for class in [Expected::High, Expected::Low] {
        let right = |id: &str, outcome: Expected| outcome != class || consensus.agrees(id, outcome);
        let count = known.iter().filter(|&(id, outcome)| *outcome == class && right(id, class)).count();
        if count >= LEAST_GROUP {
            known.retain(|id, outcome| right(id, *outcome));
        }
    }
    known
}

/// The money flows of some addresses, by address; one row more than [`MAX_FLOWS`] tells that there are too many.
struct Flows<'a> {
    rows: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Flows<'a> {
    fn of(flows: &'a Table, addresses: HashSet<&'a str>) -> Self {
        let mut rows: HashMap<&str, Vec<usize>> = addresses.into_iter().map(|address| (address, Vec::new())).collect();
        for (from, to, row) in ends(flows) {
            for address in [Some(from), (from != to).then_some(to)].into_iter().flatten() {
                if let Some(found) = rows.get_mut(address).filter(|found| found.len() <= MAX_FLOWS) {
                    found.push(row);
                }
            }
        }
        Self { rows }
    }

    fn few(&self, address: &str) -> bool {
        !address.is_empty() && self.of_address(address).len() <= MAX_FLOWS
    }

    fn of_address(&self, address: &str) -> &[usize] {
        self.rows.get(address).map_or(&[], Vec::as_slice)
    }
}

/// Both ends of each money flow, and its row.
fn ends(flows: &Table) -> impl Iterator<Item = (&str, &str, usize)> {
    let columns = flows.texts("from_address").zip(flows.texts("to_address"));
    columns.into_iter().flat_map(|(from, to)| from.iter().zip(to.iter()).zip(0..).map(|((a, b), row)| (a, b, row)))
}

/// Rows of alerts and their units: whole clusters first come first served, in random order, each class up to a limit.
fn chosen<'a>(
    clusters: &'a Table,
    rows: &[usize],
    about: impl Fn(usize) -> (&'a str, Option<Expected>),
    per_class: usize,
    draw: &mut Draw,
) -> Vec<(usize, usize)> {
    let mut cluster_of: HashMap<&str, usize> = HashMap::new();
    if let Some(members) = clusters.text_lists("related_alert_ids") {
        for cluster in 0..clusters.rows() {
            members.get(cluster).take(MAX_CLUSTER).for_each(|id| {
                cluster_of.entry(id).or_insert(cluster);
            });
        }
    }
    let mut units: BTreeMap<(Option<Expected>, usize, usize), Vec<usize>> = BTreeMap::new();
    for &row in rows {
        let (id, class) = about(row);
        let key = cluster_of.get(id).map_or((class, 1, row), |&cluster| (class, 0, cluster));
        units.entry(key).or_default().push(row);
    }
    let mut units: Vec<_> = units.into_iter().collect();
    draw.shuffle(&mut units);
    let mut taken: BTreeMap<Option<Expected>, usize> = BTreeMap::new();
    let mut chosen = Vec::new();
    for (unit, ((class, _, _), members)) in units.into_iter().enumerate() {
        let taken = taken.entry(class).or_default();
        let room = per_class.saturating_sub(*taken);
        *taken += members.len().min(room);
        chosen.extend(members.into_iter().take(room).map(|row| (row, unit)));
    }
    chosen.sort_unstable();
    chosen
}

/// The given alerts with the rows that belong to them: flows of their addresses, features of both ends, clusters.
fn around(batch: &Batch, kept: &[usize], flows: &Flows<'_>) -> Batch {
    let alerts = batch.alerts.take(kept);
    let texts = |name: &str| alerts.texts(name).into_iter().flat_map(|column| column.iter());
    let flow_rows: BTreeSet<usize> = texts("address").flat_map(|address| flows.of_address(address)).copied().collect();
    let money_flows = batch.money_flows.take(&flow_rows.into_iter().collect::<Vec<_>>());
    let mut addresses: HashSet<&str> = texts("address").collect();
    addresses.extend(ends(&money_flows).flat_map(|(from, to, _)| [from, to]));
    let of_kept =
        |row: &usize| batch.features.texts("address").is_some_and(|column| addresses.contains(column.get(*row)));
    let features: Vec<usize> = (0..batch.features.rows()).filter(of_kept).collect();
    let ids: HashSet<&str> = texts("alert_id").collect();
    let members = batch.clusters.text_lists("related_alert_ids");
    let names_one = |row: &usize| members.is_some_and(|lists| lists.get(*row).any(|id| ids.contains(id)));
    let clusters: Vec<usize> = (0..batch.clusters.rows()).filter(names_one).collect();
    Batch { features: batch.features.take(&features), clusters: batch.clusters.take(&clusters), money_flows, alerts }
}

/// Names of the batch that stand within texts of the kept alerts.
fn mentions(batch: &Batch, kept: &Table) -> BTreeMap<String, Kind> {
    let texts = ["description", "evidence_json"].into_iter().filter_map(|name| kept.texts(name));
    let words: HashSet<&str> = texts.flat_map(|column| column.iter()).flat_map(tokens).collect();
    let mut found = BTreeMap::new();
    let columns = [
        (batch.alerts.texts("alert_id"), Kind::Alert),
        (batch.alerts.texts("pattern_id"), Kind::Pattern),
        (batch.clusters.texts("cluster_id"), Kind::Cluster),
        (batch.alerts.texts("address"), Kind::Address),
        (batch.features.texts("address"), Kind::Address),
        (batch.money_flows.texts("from_address"), Kind::Address),
        (batch.money_flows.texts("to_address"), Kind::Address),
    ];
    for (column, kind) in columns {
        let named = column.into_iter().flat_map(|column| column.iter()).filter(|name| words.contains(name));
        named.for_each(|name| {
            found.entry(name.to_owned()).or_insert(kind);
        });
    }
    found
}

fn ranges(batch: &Batch) -> BTreeMap<String, (f64, f64)> {
    let range = |values: &[f64]| {
        let finite = values.iter().copied().filter(|value| value.is_finite());
        finite.fold(None, |range: Option<(f64, f64)>, value| {
            Some(range.map_or((value, value), |(low, high)| (low.min(value), high.max(value))))
        })
    };
    numeric_columns(batch).filter_map(|(name, values)| Some((name, range(values)?))).collect()
}

/// The numeric columns of a batch by `table.column`.
pub(super) fn numeric_columns(batch: &Batch) -> impl Iterator<Item = (String, &[f64])> {
    tables(batch).into_iter().flat_map(|table| {
        table.spec().columns.iter().zip(table.columns()).filter_map(|(about, column)| match column {
            Some(Column::Numbers(values)) => Some((format!("{}.{}", table.spec().name, about.name), values.as_slice())),
            _ => None,
        })
    })
}
