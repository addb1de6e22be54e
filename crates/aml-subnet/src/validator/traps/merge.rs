//! Tables put together: end to end, and with rows at given places.

use aml_miner::wire::{Batch, Column, Table};

/// The rows of `first`, then those of `second`. Columns that one lacks are missing there.
pub(super) fn append(first: &Table, second: &Table) -> Table {
    let rows = first.rows() + second.rows();
    let join = |(index, (a, b)): (usize, (&Option<Column>, &Option<Column>))| {
        let kind = first.spec().columns[index].kind;
        if a.is_none() && b.is_none() {
            return None;
        }
        let mut column = a.clone().unwrap_or_else(|| Column::empty(kind));
        column.pad(first.rows());
        b.iter().for_each(|more| column.append(more));
        column.pad(rows);
        Some(column)
    };
    let columns = first.columns().iter().zip(second.columns()).enumerate().map(join).collect();
    Table::new(first.spec(), rows, columns, first.unknown_columns().to_vec())
}

/// `table` with the rows of `added` at `places`, which are ascending.
fn spliced(table: &Table, added: &Table, places: &[usize]) -> Table {
    if added.rows() == 0 {
        return table.clone();
    }
    let (mut own, mut more) = (0..table.rows(), table.rows()..table.rows() + added.rows());
    let mut at = places.iter().peekable();
    let pick = |place| if at.next_if_eq(&&place).is_some() { more.next() } else { own.next() };
    let order: Vec<usize> = (0..table.rows() + added.rows()).filter_map(pick).collect();
    append(table, added).take(&order)
}

/// A batch with more rows at the given places of each table.
pub(crate) fn merged(batch: &Batch, added: &Batch, places: &[Vec<usize>; 4]) -> Batch {
    Batch {
        alerts: spliced(&batch.alerts, &added.alerts, &places[0]),
        features: spliced(&batch.features, &added.features, &places[1]),
        clusters: spliced(&batch.clusters, &added.clusters, &places[2]),
        money_flows: spliced(&batch.money_flows, &added.money_flows, &places[3]),
    }
}
