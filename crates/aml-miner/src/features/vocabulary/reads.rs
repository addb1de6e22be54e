//! What a set of features reads of a batch: decides what is computed and what is reported as lacking.

use std::collections::BTreeSet;

use super::part::Part;
use crate::wire::Batch;

/// The columns, joins and aggregations that a set of features needs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reads {
    columns: BTreeSet<(Part, usize)>,
    /// Whether money flows are aggregated.
    pub(crate) flows: bool,
    /// Whether counterparties are looked at.
    pub(crate) dealings: bool,
    /// Whether earlier days are asked about addresses.
    pub(crate) history: bool,
    /// Whether values are compared within the batch.
    pub(crate) relative: bool,
}

impl Reads {
    /// Adds a column by its position in the table's specification.
    pub(crate) fn add(&mut self, part: Part, column: usize) {
        self.columns.insert((part, column));
    }

    /// Adds a column by name; names that the table does not have are passed over.
    pub(crate) fn add_named(&mut self, part: Part, name: &str) {
        if let Some(column) = part.spec().position(name) {
            self.add(part, column);
        }
    }

    /// Adds all of `other`.
    pub(crate) fn extend(&mut self, other: &Self) {
        self.columns.extend(&other.columns);
        self.flows |= other.flows;
        self.dealings |= other.dealings;
        self.history |= other.history;
        self.relative |= other.relative;
    }

    /// Adds the columns by which alerts are joined to the tables that are read.
    pub(crate) fn add_joins_of_alerts(&mut self) {
        if self.has(Part::Addresses) || self.flows || self.dealings || self.history {
            self.add_named(Part::Alerts, "address");
        }
        if self.history {
            self.add_named(Part::Alerts, "processing_date");
        }
        if self.has(Part::Clusters) {
            self.add_named(Part::Clusters, "related_alert_ids");
        }
    }

    /// Whether a column of `part` is read.
    pub(crate) fn has(&self, part: Part) -> bool {
        self.columns.iter().any(|(read, _)| *read == part)
    }

    /// Table and name of every needed column.
    pub(crate) fn names(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.columns.iter().map(|&(part, column)| (part.spec().name, part.spec().columns[column].name))
    }

    /// The needed columns that `batch` lacks, in the order of the format.
    pub(crate) fn lacking(&self, batch: &Batch) -> Vec<(&'static str, &'static str)> {
        let lacks = |&&(part, column): &&(Part, usize)| {
            let table = part.of(batch);
            if table.rows() == 0 { !part.may_be_empty() } else { table.column(column).is_none() }
        };
        let name = |&(part, column): &(Part, usize)| (part.spec().name, part.spec().columns[column].name);
        self.columns.iter().filter(lacks).map(name).collect()
    }
}
