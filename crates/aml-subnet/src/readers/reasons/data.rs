//! What a batch says of a code at an alert: the value of the code's expression over the batch's own columns.
//!
//! Names of the batch are a stranger's texts too: of them only short plain ones are told, with every other character replaced.

use std::collections::{HashMap, HashSet};

use aml_miner::wire::{Batch, Column, Table};
use serde::{Deserialize, Serialize};

use super::catalogue::{At, Dealt, Expression, Flow, Row};
use super::flows::{Figures, Graph};

const DAY_MS: f64 = 86_400_000.0;
const HOUR_MS: f64 = 3_600_000.0;
/// Characters of a name.
const LONGEST: usize = 40;

/// What the batch says of a code.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Datum {
    /// A number; flags are 0 and 1.
    Number(f64),
    /// A name, as it may be shown.
    Name(String),
}

/// A batch, found by alert and address.
pub struct Data<'a> {
    batch: &'a Batch,
    alerts: HashMap<&'a str, usize>,
    addresses: HashMap<&'a str, usize>,
    clusters: HashMap<&'a str, usize>,
    graph: Graph<'a>,
    figures: HashMap<String, Figures>,
    means: HashMap<(String, Dealt, &'static str), Option<f64>>,
}

impl<'a> Data<'a> {
    /// Of a batch.
    #[must_use]
    pub fn new(batch: &'a Batch) -> Self {
        let alerts = rows(&batch.alerts, "alert_id");
        let of: HashSet<&str> = batch.alerts.texts("address").into_iter().flat_map(|texts| texts.iter()).collect();
        Self {
            alerts,
            addresses: rows(&batch.features, "address"),
            clusters: clusters(&batch.clusters),
            graph: Graph::new(batch, &of),
            figures: HashMap::new(),
            means: HashMap::new(),
            batch,
        }
    }

    /// The value of an expression at an alert; `None` where the batch does not have it.
    #[must_use]
    pub fn of(&mut self, expression: Expression, alert_id: &str, address: &str) -> Option<Datum> {
        let rows = Rows {
            alert: self.alerts.get(alert_id).copied(),
            address: self.addresses.get(address).copied().filter(|_| !address.is_empty()),
            cluster: self.clusters.get(alert_id).copied(),
        };
        let number = |at| self.number(rows, at);
        let value = match expression {
            Expression::Column(at) => return self.cell(rows, at),
            Expression::Count(at) => self.count(rows, at),
            Expression::Ratio(of, over) => ratio(number(of)?, number(over)?),
            Expression::DaysSince(from) => {
                let day = number(At(Row::Alert, "processing_date"))?;
                Some(day - number(from)? / DAY_MS)
            }
            Expression::Hours(to, from) => Some((number(to)? - number(from)?) / HOUR_MS),
            Expression::Flow(figure) => self.figure(figure, address),
            Expression::Mean(of, column) => self.mean(of, column, address),
        };
        value.and_then(told).map(Datum::Number)
    }

    fn figure(&mut self, figure: Flow, address: &str) -> Option<f64> {
        if !self.figures.contains_key(address) {
            let made = self.graph.figures(address);
            self.figures.insert(address.to_owned(), made);
        }
        self.figures.get(address)?.of(figure)
    }

    /// The mean of a column over those that an address deals with; values are put in order before they are added up.
    fn mean(&mut self, of: Dealt, column: &'static str, address: &str) -> Option<f64> {
        let key = (address.to_owned(), of, column);
        if let Some(known) = self.means.get(&key) {
            return *known;
        }
        let numbers = self.batch.features.numbers(column);
        let row = |other: &&str| Some(numbers?[*self.addresses.get(*other)?]).filter(|value| value.is_finite());
        let mut values: Vec<f64> = self.graph.dealt_with(address, of).iter().filter_map(row).collect();
        values.sort_by(f64::total_cmp);
        let mean = ratio(values.iter().sum(), values.len() as f64);
        self.means.insert(key, mean);
        mean
    }

    fn cell(&self, rows: Rows, At(row, name): At) -> Option<Datum> {
        let (table, row) = self.row(rows, row)?;
        match table.column(table.spec().position(name)?)? {
            Column::Numbers(numbers) => numbers.get(row).copied().and_then(told).map(Datum::Number),
            Column::Texts(texts) => plain(texts.get(row)).map(Datum::Name),
            Column::TextLists(_) | Column::NumberLists(_) => None,
        }
    }

    fn number(&self, rows: Rows, At(row, name): At) -> Option<f64> {
        let (table, row) = self.row(rows, row)?;
        table.numbers(name)?.get(row).copied().filter(|value| value.is_finite())
    }

    fn count(&self, rows: Rows, At(row, name): At) -> Option<f64> {
        let (table, row) = self.row(rows, row)?;
        Some(table.text_lists(name)?.count(row) as f64)
    }

    fn row(&self, rows: Rows, row: Row) -> Option<(&'a Table, usize)> {
        match row {
            Row::Alert => Some((&self.batch.alerts, rows.alert?)),
            Row::Address => Some((&self.batch.features, rows.address?)),
            Row::Cluster => Some((&self.batch.clusters, rows.cluster?)),
        }
    }
}

/// The rows that belong to an alert.
#[derive(Clone, Copy)]
struct Rows {
    alert: Option<usize>,
    address: Option<usize>,
    cluster: Option<usize>,
}

/// A number that can be told: finite, and no zero below zero.
fn told(value: f64) -> Option<f64> {
    value.is_finite().then_some(value + 0.0)
}

/// One over the other, where that is a number.
pub(super) fn ratio(of: f64, over: f64) -> Option<f64> {
    Some(of / over).filter(|value| over != 0.0 && value.is_finite())
}

/// Rows by name; of a name that stands twice the first.
fn rows<'a>(table: &'a Table, column: &str) -> HashMap<&'a str, usize> {
    let mut rows = HashMap::new();
    for (row, name) in table.texts(column).into_iter().flat_map(|texts| texts.iter()).enumerate() {
        rows.entry(name).or_insert(row);
    }
    rows
}

/// Of each alert the first cluster that lists it.
fn clusters(table: &Table) -> HashMap<&str, usize> {
    let mut of = HashMap::new();
    let Some(lists) = table.text_lists("related_alert_ids") else { return of };
    for row in 0..table.rows() {
        for alert in lists.get(row) {
            of.entry(alert).or_insert(row);
        }
    }
    of
}

/// A name as it may be shown anywhere: letters, digits, `_`, `-`, `.` and blanks, of other characters each a `?`; not longer than forty
/// characters. `None` of an empty one.
fn plain(name: &str) -> Option<String> {
    let shown = |one: char| if one.is_ascii_alphanumeric() || "_-. ".contains(one) { one } else { '?' };
    let text: String = name.chars().take(LONGEST).map(shown).collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use aml_miner::wire::spec::{ALERTS, CLUSTERS, FEATURES, MONEY_FLOWS};
    use aml_miner::wire::{Batch, Column, Table, TableSpec, TextColumn, TextLists};

    use super::super::catalogue::CodeName;
    use super::{Data, Datum, plain};

    fn texts(values: &[&str]) -> Column {
        Column::Texts(values.iter().copied().collect::<TextColumn>())
    }

    fn table(spec: &'static TableSpec, rows: usize, columns: Vec<(&str, Column)>) -> Table {
        let mut table = Table::new(spec, rows, spec.columns.iter().map(|_| None).collect(), Vec::new());
        for (name, column) in columns {
            table.set_column(spec.position(name).expect("a column"), Some(column));
        }
        table
    }

    fn lists(rows: &[&[&str]]) -> Column {
        let mut lists = TextLists::default();
        for row in rows {
            row.iter().for_each(|item| lists.push_item(item));
            lists.end_row();
        }
        Column::TextLists(lists)
    }

    fn batch() -> Batch {
        let hour = 3_600_000.0;
        let alerts = vec![
            ("alert_id", texts(&["a", "b", "c"])),
            ("address", texts(&["x", "y", ""])),
            ("processing_date", Column::Numbers(vec![10.0; 3])),
            ("typology_type", texts(&["mixing", "<b>\u{202e};=", ""])),
            ("volume_usd", Column::Numbers(vec![50.0, 7.0, f64::NAN])),
            ("risk_indicators", lists(&[&["one", "two"], &[], &["three"]])),
        ];
        let features = vec![
            ("address", texts(&["x", "y", "m"])),
            ("total_in_usd", Column::Numbers(vec![100.0, 5.0, 0.0])),
            ("total_out_usd", Column::Numbers(vec![80.0, 0.0, 0.0])),
            ("total_volume_usd", Column::Numbers(vec![180.0, 5.0, 7.0])),
            ("first_activity_timestamp", Column::Numbers(vec![9.5 * 24.0 * hour, f64::NAN, 0.0])),
            ("is_new_address", Column::Numbers(vec![1.0, 0.0, f64::NAN])),
            ("is_mixer_like", Column::Numbers(vec![1.0, 0.0, 1.0])),
            ("is_exchange_like", Column::Numbers(vec![0.0, 0.0, 0.0])),
        ];
        let clusters = vec![
            ("cluster_id", texts(&["k", "l"])),
            ("related_alert_ids", lists(&[&["a"], &["a", "b"]])),
            ("total_alerts", Column::Numbers(vec![4.0, 5.0])),
            ("earliest_alert_timestamp", Column::Numbers(vec![hour, 0.0])),
            ("latest_alert_timestamp", Column::Numbers(vec![4.0 * hour, f64::NAN])),
        ];
        let flows = vec![
            ("from_address", texts(&["s", "m", "x", "x", "x", "s"])),
            ("to_address", texts(&["x", "x", "r", "m", "x", ""])),
            ("amount_usd", Column::Numbers(vec![60.0, 40.0, 50.0, 44.0, 1e9, 1e9])),
            ("last_seen", Column::Numbers([1.0, 2.0, 5.0, 90.0, 3.0, 3.0].map(|at| at * hour).to_vec())),
        ];
        Batch {
            alerts: table(&ALERTS, 3, alerts),
            features: table(&FEATURES, 3, features),
            clusters: table(&CLUSTERS, 2, clusters),
            money_flows: table(&MONEY_FLOWS, 6, flows),
        }
    }

    #[test]
    fn data_are_the_batchs_own() {
        let batch = batch();
        let mut data = Data::new(&batch);
        let mut say = |code: &str, alert: &str, address: &str| {
            let entry = CodeName::of(code).expect("a code").entry();
            data.of(entry.expression, alert, address).map(|datum| match datum {
                Datum::Number(value) => format!("{value}"),
                Datum::Name(name) => name,
            })
        };
        for (code, at_a, at_b) in [
            ("received", Some("100"), Some("5")),
            ("received_to_sent", Some("1.25"), None),
            ("typology", Some("mixing"), Some("?b????")),
            ("risk_indicators", Some("2"), Some("0")),
            ("first_seen", Some("0.5"), None),
            ("new_address", Some("1"), Some("0")),
            ("cluster_alerts", Some("4"), Some("5")),
            ("cluster_span", Some("3"), None),
            // 60 and 40 came in; 50 went on after 4 hours, 44 only after the day.
            ("passed_on", Some("0.5"), None),
            ("top_sender", Some("0.6"), None),
            ("from_mixers", Some("0.4"), None),
            ("mixers_near", Some("1"), Some("0")),
            // Its counterparty `m` deals with no mixer but itself.
            ("mixers_behind", Some("0"), Some("0")),
            ("from_exchanges", Some("0"), None),
            ("sent", Some("80"), Some("0")),
            ("severity", None, None),
            // `s` and `r` have no row of `features`, and that of `m` lacks the flag.
            ("senders_new", None, None),
            ("recipients_volume", Some("7"), None),
        ] {
            assert_eq!(say(code, "a", "x").as_deref(), at_a, "{code}");
            assert_eq!(say(code, "b", "y").as_deref(), at_b, "{code}");
        }
        assert_eq!(say("received", "c", ""), None, "an alert without an address");
        assert_eq!(say("alert_volume", "nobody", "nowhere"), None);
    }

    #[test]
    fn names_of_the_batch_are_made_plain() {
        assert_eq!(plain("peel_chain-2.0 x").as_deref(), Some("peel_chain-2.0 x"));
        assert_eq!(plain("=cmd|' /C'!A0;\r\n\u{202e}ж").as_deref(), Some("?cmd?? ?C??A0?????"));
        assert_eq!(plain(&"a".repeat(5_000)).map(|text| text.len()), Some(40));
        assert_eq!((plain(""), plain("   ")), (None, None));
    }
}
