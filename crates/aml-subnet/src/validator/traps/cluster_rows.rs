//! Clusters of re-issued alerts: only with members that were re-issued, and with sums that fit those.

use std::collections::{HashMap, HashSet};

use aml_miner::wire::spec::{SEVERITIES, severity_rank};
use aml_miner::wire::{Column, Table, TextColumn, TextLists};

use super::jitter::Known;

/// `clusters` reduced to members that are among `alerts`, the re-issued ones with their new values under their old ids.
pub(super) fn closed<'a>(clusters: &Table, alerts: &Table, known: impl Fn(&str) -> Known<'a>) -> Table {
    let rows: Vec<Members<'_>> = (0..clusters.rows()).map(|row| Members::of(clusters, row, alerts)).collect();
    let mut closed = clusters.clone();
    let mut set = |name: &str, column: Option<Column>| {
        let index = clusters.spec().position(name).filter(|index| clusters.column(*index).is_some());
        if let (Some(index), Some(column)) = (index, column) {
            closed.set_column(index, Some(column));
        }
    };
    set("related_alert_ids", Some(lists(rows.iter().map(|members| members.texts("alert_id").collect()))));
    set(
        "addresses_involved",
        clusters.text_lists("addresses_involved").map(|listed| {
            lists(rows.iter().enumerate().map(|(row, members)| {
                let own: HashSet<&str> = members.texts("address").collect();
                listed.get(row).filter(|address| own.contains(address)).collect()
            }))
        }),
    );
    for (primary, key) in [("primary_alert_id", "alert_id"), ("primary_address", "address")] {
        set(
            primary,
            clusters.texts(primary).map(|column| texts(&rows, |row, members| members.primary(column.get(row), key))),
        );
    }
    set(
        "severity_max",
        clusters.texts("severity_max").map(|column| {
            texts(&rows, |row, members| if column.get(row).is_empty() { "" } else { members.severity() })
        }),
    );
    let numbers =
        |name: &str, of: &dyn Fn(&Members<'_>) -> Option<f64>| numbers(clusters, name, &rows, known(name), of);
    set("total_alerts", numbers("total_alerts", &|members| Some(members.rows.len() as f64)));
    set("total_volume_usd", numbers("total_volume_usd", &|members| Some(members.values("volume_usd").sum())));
    set(
        "confidence_avg",
        numbers("confidence_avg", &|members| {
            let (sum, count) =
                members.values("alert_confidence_score").fold((0.0, 0), |(sum, n), value| (sum + value, n + 1));
            (count > 0).then(|| sum / f64::from(count))
        }),
    );
    closed
}

/// The re-issued members of one cluster.
struct Members<'a> {
    alerts: &'a Table,
    rows: Vec<usize>,
}

impl<'a> Members<'a> {
    fn of(clusters: &Table, row: usize, alerts: &'a Table) -> Self {
        let ids = alerts.texts("alert_id").into_iter().flat_map(|column| column.iter().zip(0..));
        let row_of: HashMap<&str, usize> = ids.collect();
        let listed = clusters.text_lists("related_alert_ids").into_iter().flat_map(|lists| lists.get(row));
        Self { alerts, rows: listed.filter_map(|id| row_of.get(id).copied()).collect() }
    }

    fn texts(&self, name: &str) -> impl Iterator<Item = &'a str> {
        let column = self.alerts.texts(name);
        self.rows.iter().filter_map(move |&row| Some(column?.get(row)))
    }

    /// Values that are known.
    fn values(&self, name: &str) -> impl Iterator<Item = f64> {
        let column = self.alerts.numbers(name);
        self.rows.iter().filter_map(move |&row| Some(column?[row])).filter(|value| !value.is_nan())
    }

    /// `named` where it is a member, else the first member; nothing where nothing was named.
    fn primary<'b>(&self, named: &'b str, key: &str) -> &'b str
    where
        'a: 'b,
    {
        if named.is_empty() || self.texts(key).any(|own| own == named) {
            return named;
        }
        self.texts(key).next().unwrap_or(named)
    }

    fn severity(&self) -> &'static str {
        self.texts("severity").filter_map(severity_rank).max().map_or("", |rank| SEVERITIES[rank])
    }
}

fn lists<'a>(rows: impl Iterator<Item = Vec<&'a str>>) -> Column {
    let mut lists = TextLists::default();
    for items in rows {
        items.into_iter().for_each(|item| lists.push_item(item));
        lists.end_row();
    }
    Column::TextLists(lists)
}

fn texts<'a>(rows: &'a [Members<'a>], text: impl Fn(usize, &'a Members<'a>) -> &'a str) -> Column {
    Column::Texts(rows.iter().enumerate().map(|(row, members)| text(row, members)).collect::<TextColumn>())
}

/// The column with new values where it had some, written as it is.
fn numbers(
    clusters: &Table,
    name: &str,
    rows: &[Members<'_>],
    known: Known<'_>,
    of: &dyn Fn(&Members<'_>) -> Option<f64>,
) -> Option<Column> {
    let old = clusters.numbers(name)?;
    let new = |(&old, members): (&f64, &Members<'_>)| {
        of(members).filter(|_| !old.is_nan()).map_or(old, |new| known.written(old, new))
    };
    Some(Column::Numbers(old.iter().zip(rows).map(new).collect()))
}
