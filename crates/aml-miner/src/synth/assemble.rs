//! What the tables of a day have in common: how things are named, and how columns become a table.

use chrono::NaiveDate;

use super::config::SynthConfig;
use super::view::View;
use crate::digest::Digest;
use crate::wire::{Column, Table, TableSpec, TextColumn};

/// What names are made of.
pub(super) struct Names<'a> {
    pub(super) addresses: &'a [String],
    pub(super) config: &'a SynthConfig,
    pub(super) date: NaiveDate,
}

impl Names<'_> {
    pub(super) fn address(&self, view: &View<'_>, account: usize) -> &str {
        &self.addresses[view.id(account) as usize]
    }

    /// The addresses of the accounts at these positions of the window.
    pub(super) fn column(&self, view: &View<'_>, accounts: impl Iterator<Item = usize>) -> Column {
        texts(accounts.map(|account| self.address(view, account)))
    }

    pub(super) fn tag(&self) -> String {
        Digest::of(format!("{}/{}", self.config.seed, self.date).as_bytes()).short()[..8].to_owned()
    }

    pub(super) fn alert_id(&self, position: usize) -> String {
        format!("alert_{}_{}_{position:06}", self.date, self.tag())
    }
}

/// A table from named columns; the window and the date are added, columns not named are absent.
pub(super) fn assemble(
    spec: &'static TableSpec,
    rows: usize,
    names: &Names<'_>,
    columns: Vec<(&str, Column)>,
) -> Table {
    let mut table = Table::new(spec, rows, vec![None; spec.columns.len()], Vec::new());
    let days = f64::from(names.date.to_epoch_days());
    let common = [
        ("window_days", Column::Numbers(vec![f64::from(names.config.window_days); rows])),
        ("processing_date", Column::Numbers(vec![days; rows])),
    ];
    for (name, column) in common.into_iter().chain(columns) {
        if let Some(index) = spec.position(name) {
            table.set_column(index, Some(column));
        }
    }
    table
}

/// Texts of a column.
pub(super) fn texts<'a>(values: impl Iterator<Item = &'a str>) -> Column {
    Column::Texts(values.collect::<TextColumn>())
}
