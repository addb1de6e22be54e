//! What rows of the round's batch look like, so that re-issued ones look the same.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use aml_miner::wire::{Batch, Column, Table};
use chrono::NaiveDate;

use super::levels::Levels;
use super::names::Shape;
use super::slice::Kind;

/// The batch of the round, as far as traps must look like it.
#[derive(Clone, Debug)]
pub(super) struct Today {
    pub(super) date: NaiveDate,
    pub(super) window_days: u16,
    /// Which columns each table has; `None` for a table without rows, which gets none from traps either.
    columns: [Option<Vec<bool>>; 4],
    shapes: [Shape; 4],
    /// Digests of names that are in use: a clash of digests costs another try, no more.
    taken: HashSet<u64>,
    levels: Levels,
}

impl Today {
    pub(super) fn of(date: NaiveDate, window_days: u16, batch: &Batch) -> Self {
        let columns = tables(batch).map(|table| (table.rows() > 0).then(|| present(table)));
        let named: [Vec<&Table>; 2] = [vec![&batch.alerts], vec![&batch.features, &batch.alerts]];
        let [alerts, addresses] = &named;
        let shape = |tables: &[&Table], column: &str| {
            Shape::learn(tables.iter().filter_map(|table| table.texts(column)).take(1).flat_map(|texts| texts.iter()))
        };
        let shapes = [
            shape(alerts, "alert_id"),
            shape(addresses, "address"),
            shape(alerts, "pattern_id"),
            shape(&[&batch.clusters], "cluster_id"),
        ];
        Self { date, window_days, columns, shapes, taken: taken(batch), levels: Levels::of(batch) }
    }

    /// What names of a kind look like.
    pub(super) fn shape(&self, kind: Kind) -> &Shape {
        &self.shapes[match kind {
            Kind::Alert => 0,
            Kind::Address => 1,
            Kind::Pattern => 2,
            Kind::Cluster => 3,
        }]
    }

    /// Where columns of the day stand.
    pub(super) fn levels(&self) -> &Levels {
        &self.levels
    }

    /// Whether the batch has such a name.
    pub(super) fn is_taken(&self, name: &str) -> bool {
        self.taken.contains(&digest(name))
    }

    /// Whether the batch has rows in the table of this index.
    pub(super) fn has(&self, table: usize) -> bool {
        self.columns[table].is_some()
    }

    /// `table`, the one of this index, with the columns that the batch has: others are dropped, lacking ones missing.
    pub(super) fn fitted(&self, index: usize, mut table: Table) -> Table {
        let rows = table.rows();
        for (column, wanted) in self.columns[index].iter().flatten().enumerate() {
            let kind = table.spec().columns[column].kind;
            let there = table.column(column).is_some();
            if there != *wanted {
                let mut missing = Column::empty(kind);
                missing.pad(rows);
                table.set_column(column, wanted.then_some(missing));
            }
        }
        table
    }
}

/// The tables in the order of a body.
pub(super) fn tables(batch: &Batch) -> [&Table; 4] {
    [&batch.alerts, &batch.features, &batch.clusters, &batch.money_flows]
}

fn present(table: &Table) -> Vec<bool> {
    table.columns().iter().map(Option::is_some).collect()
}

fn taken(batch: &Batch) -> HashSet<u64> {
    let columns = [
        batch.alerts.texts("alert_id"),
        batch.alerts.texts("address"),
        batch.alerts.texts("pattern_id"),
        batch.features.texts("address"),
        batch.clusters.texts("cluster_id"),
        batch.money_flows.texts("from_address"),
        batch.money_flows.texts("to_address"),
    ];
    columns.into_iter().flatten().flat_map(|column| column.iter()).map(digest).collect()
}

fn digest(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}
