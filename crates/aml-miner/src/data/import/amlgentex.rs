//! AMLGentex runs: one batch for every step on which alerts were raised, knowing only what came before it.
//!
//! Step `k` is the day `base_date + k`. The source's 28-day window is the batch's window; its other windows, income and
//! spending have no column in the format and are dropped.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use chrono::NaiveDate;

use super::{
    ImportError, ImportOptions, Made, day_after, midnight_ms, number, read_source, source_table, table_of, text,
    write_day,
};
use crate::data::days_of;
use crate::table::Batch;
use crate::table::spec::{ALERTS, CLUSTERS, ColumnSpec, FEATURES, LABELS, MONEY_FLOWS, TableSpec};
use crate::table::{Column, Table, TextLists};

/// The window of the source that becomes the batch's.
const WINDOW_DAYS: u16 = 28;
/// Steps that fit the format's days: a century.
const MAX_STEP: f64 = 36_500.0;

const fn step(name: &'static str) -> ColumnSpec {
    ColumnSpec { min: 0.0, max: MAX_STEP, ..number(name) }
}

/// A measurement, which an account without transfers lacks.
const fn measured(name: &'static str) -> ColumnSpec {
    ColumnSpec { required: false, ..number(name) }
}

static SOURCE_ALERTS: TableSpec = source_table(
    "alerts",
    &[number("alert_id"), number("cluster_id"), number("account"), text("typology"), step("alert_step")],
);
static SOURCE_LABELS: TableSpec =
    source_table("labels", &[number("alert_id"), number("is_sar"), step("label_known_step")]);
static SOURCE_FLOWS: TableSpec =
    source_table("money_flows", &[step("step"), number("src"), number("dst"), number("amount")]);
static SOURCE_FEATURES: TableSpec = source_table(
    "features",
    &[
        number("alert_id"),
        measured("o_n28"),
        measured("o_sum28"),
        measured("o_u28"),
        measured("o_avg28"),
        measured("o_max28"),
        measured("o_std28"),
        measured("o_new28"),
        measured("i_n28"),
        measured("i_sum28"),
        measured("i_u28"),
        measured("i_avg28"),
        measured("i_max28"),
        measured("i_std28"),
        measured("o_n7"),
        measured("i_n7"),
    ],
);

/// The tables of a run, and where an alert stands in each.
struct Run {
    alerts: Table,
    features: Table,
    flows: Table,
    labels: Table,
    feature_row: HashMap<u64, usize>,
    label_row: HashMap<u64, usize>,
    flow_rows: BTreeMap<u64, Vec<usize>>,
}

/// Imports the run in `source`.
///
/// # Errors
/// The first file that is missing or wrong; days before it stay written.
pub fn import(source: &Path, options: &ImportOptions) -> Result<Vec<PathBuf>, ImportError> {
    let (features, labels) = (read_source(source, &SOURCE_FEATURES)?, read_source(source, &SOURCE_LABELS)?);
    let (feature_row, label_row) = (rows_by_id(&features), rows_by_id(&labels));
    let (alerts, flows) = (read_source(source, &SOURCE_ALERTS)?, read_source(source, &SOURCE_FLOWS)?);
    let flow_rows = grouped(values(&flows, "step"));
    let run = Run { alerts, features, flows, labels, feature_row, label_row, flow_rows };
    let day_of = |(step, rows): (u64, Vec<usize>)| {
        let day = day_after(options.base_date, step);
        let batch = Batch {
            alerts: run.alert_table(&rows, day),
            features: run.feature_table(&rows, day),
            clusters: run.cluster_table(&rows, day),
            money_flows: run.flow_table(step, options.base_date),
        };
        write_day(
            options,
            Made { day, window_days: WINDOW_DAYS, network: "amlgentex" },
            &batch,
            &run.label_table(&rows, options.base_date),
        )
    };
    grouped(values(&run.alerts, "alert_step")).into_iter().take(options.limit()).map(day_of).collect()
}

impl Run {
    fn alert_table(&self, rows: &[usize], day: NaiveDate) -> Table {
        let typology = texts(rows.iter().map(|&row| self.alerts.texts("typology").map_or("", |texts| texts.get(row))));
        let columns = vec![
            ("alert_id", self.names(rows, "alert_id", "alert")),
            ("address", self.names(rows, "account", "account")),
            ("typology_type", typology.clone()),
            ("pattern_type", typology),
            ("pattern_id", self.names(rows, "cluster_id", "pattern")),
        ];
        table_of(&ALERTS, rows.len(), [stamps(rows.len(), day), columns].concat())
    }

    /// One row per account: alerts of one account on one day share their measurements.
    fn feature_table(&self, rows: &[usize], day: NaiveDate) -> Table {
        let (accounts, ids) = (values(&self.alerts, "account"), values(&self.alerts, "alert_id"));
        let mut seen = HashSet::new();
        let measured = |row: usize| self.feature_row.get(&whole(ids[row])).copied();
        let kept: Vec<(usize, usize)> = rows
            .iter()
            .filter_map(|&row| Some((row, measured(row)?)))
            .filter(|(row, _)| seen.insert(whole(accounts[*row])))
            .collect();
        let alert_rows: Vec<usize> = kept.iter().map(|(row, _)| *row).collect();
        let mut columns = vec![("address", self.names(&alert_rows, "account", "account"))];
        for (name, measure) in MEASURES {
            let of = |name: &str, row: usize| values(&self.features, name)[row];
            columns.push((name, Column::Numbers(kept.iter().map(|(_, row)| measure(&|n| of(n, *row))).collect())));
        }
        table_of(&FEATURES, kept.len(), [stamps(kept.len(), day), columns].concat())
    }

    fn cluster_table(&self, rows: &[usize], day: NaiveDate) -> Table {
        let mut members: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        for &row in rows {
            members.entry(whole(values(&self.alerts, "cluster_id")[row])).or_default().push(row);
        }
        let first: Vec<usize> = members.values().map(|rows| rows[0]).collect();
        let lists = |column, prefix| {
            let mut lists = TextLists::default();
            for rows in members.values() {
                let ids: BTreeSet<u64> = rows.iter().map(|&row| whole(values(&self.alerts, column)[row])).collect();
                ids.iter().for_each(|id| lists.push_item(&format!("{prefix}-{id}")));
                lists.end_row();
            }
            Column::TextLists(lists)
        };
        let count = members.len();
        let columns = vec![
            ("cluster_id", self.names(&first, "cluster_id", "cluster")),
            ("cluster_type", texts((0..count).map(|_| "pattern"))),
            ("pattern_id", self.names(&first, "cluster_id", "pattern")),
            ("primary_address", self.names(&first, "account", "account")),
            ("primary_alert_id", self.names(&first, "alert_id", "alert")),
            ("related_alert_ids", lists("alert_id", "alert")),
            ("addresses_involved", lists("account", "account")),
            ("total_alerts", Column::Numbers(members.values().map(|rows| rows.len() as f64).collect())),
            ("earliest_alert_timestamp", Column::Numbers(vec![midnight_ms(day); count])),
            ("latest_alert_timestamp", Column::Numbers(vec![midnight_ms(day); count])),
        ];
        table_of(&CLUSTERS, count, [stamps(count, day), columns].concat())
    }

    /// The transfers of the window before `step`, one row each.
    fn flow_table(&self, step: u64, base: NaiveDate) -> Table {
        let steps = values(&self.flows, "step");
        let earliest = step.saturating_sub(u64::from(WINDOW_DAYS));
        let rows: Vec<usize> = self.flow_rows.range(earliest..step).flat_map(|(_, rows)| rows).copied().collect();
        let name = |column| {
            let ids: Vec<String> =
                rows.iter().map(|&row| format!("account-{}", values(&self.flows, column)[row])).collect();
            texts(ids.iter().map(String::as_str))
        };
        let at: Vec<f64> = rows.iter().map(|&row| midnight_ms(day_after(base, whole(steps[row])))).collect();
        let amounts = rows.iter().map(|&row| values(&self.flows, "amount")[row]).collect();
        let columns = vec![
            ("from_address", name("src")),
            ("to_address", name("dst")),
            ("amount_usd", Column::Numbers(amounts)),
            ("tx_count", Column::Numbers(vec![1.0; rows.len()])),
            ("first_seen", Column::Numbers(at.clone())),
            ("last_seen", Column::Numbers(at)),
        ];
        table_of(&MONEY_FLOWS, rows.len(), columns)
    }

    fn label_table(&self, rows: &[usize], base: NaiveDate) -> Table {
        let ids = values(&self.alerts, "alert_id");
        let known: Vec<(usize, usize)> =
            rows.iter().filter_map(|&row| Some((row, *self.label_row.get(&whole(ids[row]))?))).collect();
        let alert_rows: Vec<usize> = known.iter().map(|(row, _)| *row).collect();
        let illicit = |scale: f64| {
            let outcomes = values(&self.labels, "is_sar");
            Column::Numbers(known.iter().map(|(_, row)| f64::from(u8::from(outcomes[*row] > 0.5)) * scale).collect())
        };
        let at = |row: usize| midnight_ms(day_after(base, whole(values(&self.labels, "label_known_step")[row])));
        let columns = vec![
            ("alert_id", self.names(&alert_rows, "alert_id", "alert")),
            ("confirmed_illicit", illicit(1.0)),
            ("relevance", illicit(2.0)),
            ("confirmed_at", Column::Numbers(known.iter().map(|(_, row)| at(*row)).collect())),
            ("source", texts(known.iter().map(|_| "amlgentex"))),
        ];
        table_of(&LABELS, known.len(), columns)
    }

    fn names(&self, rows: &[usize], column: &str, prefix: &str) -> Column {
        let names: Vec<String> =
            rows.iter().map(|&row| format!("{prefix}-{}", values(&self.alerts, column)[row])).collect();
        texts(names.iter().map(String::as_str))
    }
}

type Source<'a> = &'a dyn Fn(&str) -> f64;
type Measure = fn(Source<'_>) -> f64;

/// Where the source's measurements go.
const MEASURES: [(&str, Measure); 21] = [
    ("tx_out_count", |of| of("o_n28")),
    ("tx_in_count", |of| of("i_n28")),
    ("tx_total_count", |of| of("o_n28") + of("i_n28")),
    ("total_out_usd", |of| of("o_sum28")),
    ("total_in_usd", |of| of("i_sum28")),
    ("total_volume_usd", |of| of("o_sum28") + of("i_sum28")),
    ("net_flow_usd", |of| of("i_sum28") - of("o_sum28")),
    ("unique_recipients_count", |of| of("o_u28")),
    ("unique_senders_count", |of| of("i_u28")),
    ("degree_out", |of| of("o_u28")),
    ("degree_in", |of| of("i_u28")),
    ("degree_total", |of| of("o_u28") + of("i_u28")),
    ("avg_tx_out_usd", |of| of("o_avg28")),
    ("avg_tx_in_usd", |of| of("i_avg28")),
    ("max_tx_usd", |of| of("o_max28").max(of("i_max28"))),
    ("avg_daily_volume_usd", |of| (of("o_sum28") + of("i_sum28")) / f64::from(WINDOW_DAYS)),
    ("amount_variance", variance),
    ("volume_std", |of| variance(of).sqrt()),
    ("volume_cv", |of| variance(of).sqrt() * (of("o_n28") + of("i_n28")) / (of("o_sum28") + of("i_sum28"))),
    ("burst_factor", |of| 4.0 * (of("o_n7") + of("i_n7")) / (of("o_n28") + of("i_n28"))),
    ("counterparty_stability", |of| 1.0 - of("o_new28") / of("o_u28")),
];

/// The variance of all amounts, from those of both directions.
fn variance(of: Source<'_>) -> f64 {
    let (out, inward) = (of("o_n28"), of("i_n28"));
    let count = out + inward;
    let mean = (of("o_sum28") + of("i_sum28")) / count;
    let part = |n: f64, mean_of: f64, deviation: f64| {
        if n == 0.0 { 0.0 } else { n * (deviation.powi(2) + (mean_of - mean).powi(2)) }
    };
    (part(out, of("o_avg28"), of("o_std28")) + part(inward, of("i_avg28"), of("i_std28"))) / count
}

fn stamps(rows: usize, day: NaiveDate) -> Vec<(&'static str, Column)> {
    let constant = |value: f64| Column::Numbers(vec![value; rows]);
    vec![("window_days", constant(f64::from(WINDOW_DAYS))), ("processing_date", constant(days_of(day)))]
}

/// The rows of every value, both ascending.
fn grouped(keys: &[f64]) -> BTreeMap<u64, Vec<usize>> {
    let mut groups: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (row, &key) in keys.iter().enumerate() {
        groups.entry(whole(key)).or_default().push(row);
    }
    groups
}

fn rows_by_id(table: &Table) -> HashMap<u64, usize> {
    values(table, "alert_id").iter().map(|&id| whole(id)).zip(0..).collect()
}

fn values<'a>(table: &'a Table, column: &str) -> &'a [f64] {
    table.numbers(column).unwrap_or_default()
}

fn texts<'a>(items: impl Iterator<Item = &'a str>) -> Column {
    Column::Texts(items.collect())
}

/// A number of the source that counts something; saturates where it is not one.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "steps are checked, ids only compared")]
fn whole(value: f64) -> u64 {
    value as u64
}
