//! From settled alerts to rows of a miner's task: fresh names, other days, jittered values, whole clusters.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::calendar::day_of;
use aml_miner::wire::spec::ALERTS;
use aml_miner::wire::{Batch, Column, Table};

use super::choose::{Chosen, Issuing, Source};
use super::cluster_rows::closed;
use super::draw::Draw;
use super::jitter::{Change, change};
use super::names::Shape;
use super::pool::TrapPool;
use super::renaming::Renaming;
use super::slice::{Kind, Slice};
use super::today::{Today, tables};
use super::together::Companies;

/// The rows that are added for one miner, and where: one table of each, in the order of a body.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Forged {
    /// The rows in the order of their places.
    pub(crate) rows: Batch,
    /// Places in the merged tables, ascending.
    pub(crate) places: [Vec<usize>; 4],
    /// Every fresh name of these rows, also those that only texts have.
    pub(crate) names: Vec<(Kind, String)>,
}

/// Rows of a slice that belong to chosen alerts, and which trap's change each takes.
struct Part<'a> {
    slice: &'a Slice,
    /// By table: row of the slice, unit.
    rows: [Vec<(usize, usize)>; 4],
}

/// Fresh ids for chosen alerts, in the order of their places; `issued` are those that other miners have.
pub(super) fn fresh_ids(
    pool: &TrapPool,
    today: &Today,
    chosen: &Chosen,
    draw: &Draw,
    issued: &mut HashSet<String>,
) -> Vec<String> {
    let mut draw = draw.fork("ids");
    let fresh = |source: &Source| {
        let slice = &pool.slices[source.slice];
        let model = alert_text(slice, *source, "alert_id");
        let shape: &Shape = today.shape(Kind::Alert);
        let id = shape.fresh(model, &mut draw, &|name| today.is_taken(name) || issued.contains(name));
        issued.insert(id.clone());
        id
    };
    chosen.sources.iter().map(fresh).collect()
}

/// Chosen alerts, and the ids that they are issued under.
pub(super) struct Issued<'a> {
    pub(super) chosen: &'a Chosen,
    pub(super) ids: &'a [String],
    /// Whether their company comes along.
    pub(super) issuing: Issuing,
}

/// Makes the rows of what is issued. `sizes` are the rows of the batch's tables.
pub(super) fn forge(
    pool: &TrapPool,
    today: &Today,
    Issued { chosen, ids, issuing }: Issued<'_>,
    sizes: [usize; 4],
    draw: &Draw,
) -> Forged {
    let mut values = draw.fork("values");
    let mut names = draw.fork("names");
    let mut given = HashSet::new();
    if issuing == Issuing::InCompany {
        given.extend(ids.iter().cloned());
    }
    let mut forged: [Vec<Table>; 4] = Default::default();
    let (mut order, mut all_names) = (Vec::new(), Vec::new());
    for number in chosen.sources.iter().map(|source| source.slice).collect::<BTreeSet<_>>() {
        let own: Vec<(usize, &Source)> =
            chosen.sources.iter().enumerate().filter(|(_, source)| source.slice == number).collect();
        let slice = &pool.slices[number];
        let part = Part::of(slice, &own, issuing, today);
        order.extend(own.iter().map(|(rank, _)| *rank));
        // Companions come after all traps.
        order.resize(order.len() + part.rows[0].len() - own.len(), usize::MAX);
        let mut renaming = Renaming::new(today, slice, &mut names, &mut given);
        for (rank, source) in &own {
            renaming.set(Kind::Alert, alert_text(slice, **source, "alert_id"), &ids[*rank]);
        }
        for (index, table) in part.forge(today, &mut renaming, &mut values).into_iter().enumerate() {
            forged[index].push(today.fitted(index, table));
        }
        all_names.extend(renaming.into_names());
    }
    let mut placing = draw.fork("rows");
    let mut tables = forged.map(joined).into_iter();
    let mut places: [Vec<usize>; 4] = Default::default();
    let mut rows = Batch::empty();
    let slots = [&mut rows.alerts, &mut rows.features, &mut rows.clusters, &mut rows.money_flows];
    for (index, slot) in slots.into_iter().enumerate() {
        let Some(table) = tables.next().flatten() else { continue };
        let mut turn: Vec<usize> = (0..table.rows()).collect();
        if index == 0 {
            turn.sort_by_key(|&row| order[row]);
            places[index].clone_from(&chosen.places);
            places[index].extend(sizes[index] + chosen.places.len()..sizes[index] + table.rows());
        } else {
            placing.shuffle(&mut turn);
            places[index] = placing.places(table.rows(), sizes[index] + table.rows());
        }
        *slot = table.take(&turn);
    }
    Forged { rows, places, names: all_names }
}

fn alert_text<'a>(slice: &'a Slice, source: Source, column: &str) -> &'a str {
    let row = slice.candidates[source.candidate].row;
    slice.batch.alerts.texts(column).map_or("", |texts| texts.get(row))
}

impl<'a> Part<'a> {
    fn of(slice: &'a Slice, own: &[(usize, &Source)], issuing: Issuing, today: &Today) -> Self {
        let mut alerts: Vec<(usize, usize)> = own
            .iter()
            .map(|(_, source)| &slice.candidates[source.candidate])
            .map(|candidate| (candidate.row, candidate.unit))
            .collect();
        if issuing == Issuing::InCompany {
            add_companions(slice, &mut alerts);
        }
        let text = |column: &str, row: usize| slice.batch.alerts.texts(column).map_or("", |texts| texts.get(row));
        let mut unit_of: HashMap<&str, usize> = HashMap::new();
        for &(row, unit) in &alerts {
            unit_of.entry(text("address", row)).or_insert(unit);
        }
        let flows = flows(&slice.batch.money_flows, &mut unit_of);
        let features = slice.batch.features.texts("address").into_iter().flat_map(|column| column.iter().zip(0..));
        let features = features.filter_map(|(address, row)| Some((row, *unit_of.get(address)?))).collect();
        let ids: BTreeMap<&str, usize> = alerts.iter().map(|&(row, unit)| (text("alert_id", row), unit)).collect();
        let clusters = clusters(&slice.batch.clusters, &ids);
        let mut rows = [alerts, features, clusters, flows];
        // A table that the batch does not have gets no rows.
        rows.iter_mut().enumerate().filter(|(index, _)| !today.has(*index)).for_each(|(_, rows)| rows.clear());
        Self { slice, rows }
    }

    /// The four tables, changed and renamed.
    fn forge(&self, today: &Today, renaming: &mut Renaming<'_>, draw: &mut Draw) -> [Table; 4] {
        let days = days(day_of(today.date) - day_of(self.slice.date));
        let units: BTreeSet<usize> = self.rows.iter().flatten().map(|(_, unit)| *unit).collect();
        let changes: BTreeMap<usize, Change> =
            units.into_iter().map(|unit| (unit, Change::random(days, draw))).collect();
        let mut forged = tables(&self.slice.batch).map(|table| Table::empty(table.spec()));
        // With new values, under the old ids, which clusters refer to.
        let mut alerts = Table::empty(&ALERTS);
        for (index, source) in tables(&self.slice.batch).into_iter().enumerate() {
            let rows: Vec<usize> = self.rows[index].iter().map(|(row, _)| *row).collect();
            let own: Vec<Change> = self.rows[index].iter().map(|(_, unit)| changes[unit]).collect();
            let mut table = source.take(&rows);
            let name = table.spec().name;
            let known = |column: &str| self.slice.known(name, column);
            change(&mut table, &own, days, known, draw);
            match index {
                0 => alerts = table.clone(),
                1 => self.slice.levels.lift(&mut table, today.levels(), |column| known(column).fineness),
                2 => table = closed(&table, &alerts, known),
                _ => {}
            }
            renaming.apply(&mut table, &own, days);
            stamp(&mut table, today);
            forged[index] = table;
        }
        forged
    }
}

/// Adds whoever belongs to the given rows of alerts, each in the unit of the first that it belongs to.
fn add_companions(slice: &Slice, alerts: &mut Vec<(usize, usize)>) {
    let companies = Companies::of(&slice.batch);
    let mut there: HashSet<usize> = alerts.iter().map(|(row, _)| *row).collect();
    for (row, unit) in alerts.clone() {
        alerts.extend(companies.with(row).iter().filter(|&&row| there.insert(row)).map(|&row| (row, unit)));
    }
}

/// Rows of flows with a chosen address at one end; the other end joins its unit.
fn flows<'a>(flows: &'a Table, unit_of: &mut HashMap<&'a str, usize>) -> Vec<(usize, usize)> {
    let chosen = unit_of.clone();
    let Some((from, to)) = flows.texts("from_address").zip(flows.texts("to_address")) else { return Vec::new() };
    let mut rows = Vec::new();
    for row in 0..flows.rows() {
        let (a, b) = (from.get(row), to.get(row));
        let Some(&unit) = chosen.get(a).or_else(|| chosen.get(b)) else { continue };
        unit_of.entry(a).or_insert(unit);
        unit_of.entry(b).or_insert(unit);
        rows.push((row, unit));
    }
    rows
}

/// Clusters that stay clusters: with two chosen members, or with the only one that they ever had.
fn clusters(clusters: &Table, chosen: &BTreeMap<&str, usize>) -> Vec<(usize, usize)> {
    let Some(members) = clusters.text_lists("related_alert_ids") else { return Vec::new() };
    let cluster = |row: usize| {
        let units: Vec<usize> = members.get(row).filter_map(|id| chosen.get(id).copied()).collect();
        let whole = units.len() > 1 || (units.len() == 1 && members.count(row) == 1);
        whole.then(|| (row, units[0]))
    };
    (0..clusters.rows()).filter_map(cluster).collect()
}

/// Day and window of the batch.
fn stamp(table: &mut Table, today: &Today) {
    let values =
        [("window_days", f64::from(today.window_days)), ("processing_date", f64::from(days(day_of(today.date))))];
    for (name, value) in values {
        if let Some(index) = table.spec().position(name).filter(|index| table.column(*index).is_some()) {
            table.set_column(index, Some(Column::Numbers(vec![value; table.rows()])));
        }
    }
}

fn days(count: i64) -> i32 {
    i32::try_from(count).expect("dates of the calendar are less than 2^31 days apart")
}

/// Tables with the same columns, end to end; `None` when there are none.
fn joined(parts: Vec<Table>) -> Option<Table> {
    let mut parts = parts.into_iter();
    let first = parts.next()?;
    Some(parts.fold(first, |all, next| super::merge::append(&all, &next)))
}
