//! The blocks of a day as batches of their own.
//!
//! A batch has all that its alerts (or clusters) need, and nothing is different in it from the day: a column that the day
//! has is there, tables that a day has are never without rows, and counterparties deal with as many flagged
//! addresses as they do in the day, as far as that is asked.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;

use super::lists::{Lists, NONE, Numbers, index, of_short_name};
use super::reading::TABLES;
use super::rows;
use super::spools::Spools;
use super::{Comparisons, ScoreDayError};
use crate::table::keyed_hash::Keyed;
use crate::wire::{Batch, Column, Table, TableSpec, TextColumn};

/// What stands for an address in rows that only say "there are some": no text of a batch has U+0000.
const NOBODY: &str = "\0";
/// Flagged addresses that stand for all that a counterparty deals with outside of a batch. Features ask whether there is one
/// beside the address itself, so more than two say nothing more.
const FLAGGED: [&str; 2] = ["\0flagged-1", "\0flagged-2"];

/// What all rows of a table of the day have in common.
pub(super) struct DayTable {
    spec: &'static TableSpec,
    pub(super) rows: usize,
    /// Whether the day has each column.
    has: Vec<bool>,
}

impl DayTable {
    pub(super) fn new(spec: &'static TableSpec) -> Self {
        Self { spec, rows: 0, has: vec![false; spec.columns.len()] }
    }

    pub(super) fn learn(&mut self, rows: &Table) {
        self.rows += rows.rows();
        self.has.iter_mut().zip(rows.columns()).for_each(|(has, column)| *has |= column.is_some());
    }
}

/// The blocks of a day.
pub(crate) struct Batches {
    pub(super) place: PathBuf,
    pub(super) spools: Spools,
    pub(super) tables: [DayTable; 4],
    pub(crate) of_alerts: usize,
    pub(crate) of_clusters: usize,
    pub(crate) alert_ids: TextColumn,
    pub(crate) cluster_ids: TextColumn,
    pub(super) severe_alerts: Vec<bool>,
    pub(super) severe_clusters: Vec<bool>,
    pub(crate) compared: Option<Comparisons>,
    /// The numbers of addresses, where rows have their own names and not short ones.
    pub(super) addresses: Option<Numbers>,
    /// For each address the blocks to which it belongs.
    pub(super) blocks: Lists,
    /// For each address the flagged ones that it deals with.
    pub(super) dealing: Lists,
    pub(super) alert_rows: Vec<Vec<u32>>,
    pub(super) cluster_rows: Vec<Vec<u32>>,
    pub(super) block_of_cluster: Vec<u32>,
}

/// A batch of clusters, the rows of its alerts in the day, and which of its clusters are the block's own.
pub(crate) type OfClusters<'a> = (Batch, &'a [u32], Vec<usize>);

impl Batches {
    /// The batch of the alerts of a block.
    pub(crate) fn of_block(&mut self, block: usize) -> Result<Batch, ScoreDayError> {
        self.batch(block).map_err(|source| ScoreDayError::Spool { path: self.place.clone(), source })
    }

    /// The batch of the clusters of a block.
    pub(crate) fn of_cluster_block(&mut self, block: usize) -> Result<OfClusters<'_>, ScoreDayError> {
        let batch = self.of_block(self.of_alerts + block)?;
        let own = |&(_, cluster): &(usize, &u32)| self.block_of_cluster[*cluster as usize] as usize == block;
        let own = self.cluster_rows[block].iter().enumerate().filter(own).map(|(row, _)| row).collect();
        Ok((batch, &self.alert_rows[block], own))
    }

    fn batch(&mut self, block: usize) -> io::Result<Batch> {
        let mut tables = Vec::with_capacity(TABLES.len());
        for (table, spec) in TABLES.iter().enumerate() {
            let bytes = self.spools.read(block * TABLES.len() + table)?;
            let read = rows::read(&bytes, spec);
            tables.push(read.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "it was changed"))?);
        }
        self.complete(block, &mut tables);
        let mut tables = tables.into_iter().zip(&self.tables).map(|((columns, rows), day)| day.table(columns, rows));
        let mut next = || tables.next().unwrap_or_else(|| Table::empty(TABLES[0]));
        Ok(Batch { alerts: next(), features: next(), clusters: next(), money_flows: next() })
    }

    /// Adds the rows that stand for what is outside of the block.
    fn complete(&self, block: usize, tables: &mut [(Vec<Option<Column>>, usize)]) {
        let [_, features, clusters, flows] = tables else { return };
        let day = &self.tables;
        let flags = day[1].has_column("is_mixer_like");
        let links = if flags { self.outside(block, flows) } else { Vec::new() };
        for (flagged, other) in links {
            add(flows, day[3].spec, &[("from_address", flagged), ("to_address", &other)]);
        }
        if flows.1 == 0 && day[3].rows > 0 {
            add(flows, day[3].spec, &[("from_address", NOBODY), ("to_address", NOBODY)]);
        }
        if clusters.1 == 0 && day[2].rows > 0 {
            add(clusters, day[2].spec, &[("cluster_id", NOBODY)]);
        }
        if features.1 == 0 && day[1].rows > 0 {
            add(features, day[1].spec, &[("address", NOBODY)]);
        }
        if flags {
            for flagged in FLAGGED {
                add(features, day[1].spec, &[("address", flagged)]);
                if let Some(flag) = day[1].spec.position("is_mixer_like") {
                    let column = features.0[flag].get_or_insert_with(|| Column::Numbers(Vec::new()));
                    column.pad(features.1 - 1);
                    if let Column::Numbers(values) = column {
                        values.push(1.0);
                    }
                }
            }
        }
    }

    /// Edges from the flagged that stand for those outside to the counterparties of the block that deal with such.
    fn outside(&self, block: usize, flows: &(Vec<Option<Column>>, usize)) -> Vec<(&'static str, String)> {
        let spec = self.tables[3].spec;
        let ends = ["from_address", "to_address"].map(|end| match flows.0.get(spec.position(end)?) {
            Some(Some(Column::Texts(texts))) => Some(texts),
            _ => None,
        });
        let block = index(block);
        let mut others: HashMap<u32, &str, Keyed> = HashMap::default();
        for name in ends.iter().flatten().flat_map(|texts| texts.iter()) {
            let other = self.addresses.as_ref().map_or_else(|| of_short_name(name), |known| known.known(name));
            if other != NONE && !self.blocks.has(other, block) {
                others.entry(other).or_insert(name);
            }
        }
        let mut links = Vec::new();
        for (other, name) in others {
            let outside = self.dealing.of(other).iter().filter(|flagged| !self.blocks.has(**flagged, block)).count();
            links.extend(FLAGGED.iter().take(outside).map(|flagged| (*flagged, name.to_owned())));
        }
        links
    }
}

impl DayTable {
    fn has_column(&self, name: &str) -> bool {
        self.spec.position(name).is_some_and(|position| self.has[position])
    }

    /// The rows of a block as a table that has the columns of the day.
    fn table(&self, mut columns: Vec<Option<Column>>, rows: usize) -> Table {
        for ((column, has), about) in columns.iter_mut().zip(&self.has).zip(self.spec.columns) {
            if *has {
                column.get_or_insert_with(|| Column::empty(about.kind)).pad(rows);
            }
        }
        Table::new(self.spec, rows, columns, Vec::new())
    }
}

/// Adds a row that has nothing but these texts.
fn add((columns, rows): &mut (Vec<Option<Column>>, usize), spec: &TableSpec, texts: &[(&str, &str)]) {
    for (name, text) in texts {
        let Some(position) = spec.position(name) else { continue };
        let column = columns[position].get_or_insert_with(|| Column::Texts(TextColumn::default()));
        column.pad(*rows);
        if let Column::Texts(values) = column {
            values.push(text);
        }
    }
    *rows += 1;
}
