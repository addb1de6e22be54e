//! Rows on their way to the blocks that need them.

use std::io;

use super::batches::DayTable;
use super::lists::index;
use super::reading::{OF_ALERTS, OF_CLUSTERS, TABLES};
use super::rows;
use super::spools::Spools;
use crate::scoring::Pool;
use crate::wire::{Spread as _, Table};

/// Blocks whose rows are written side by side.
const WAVE: usize = 8;

/// Rows on their way to blocks.
pub(super) struct Sending {
    pub(super) spools: Spools,
    pub(super) of_alerts: usize,
    /// Whether every row goes to every block.
    whole: bool,
    pub(super) tables: [DayTable; 4],
    /// For each block of clusters the rows of its alerts.
    pub(super) alert_rows: Vec<Vec<u32>>,
    /// And of its clusters.
    pub(super) cluster_rows: Vec<Vec<u32>>,
    rows: Vec<Vec<u32>>,
    pub(super) failed: Option<io::Error>,
}

impl Sending {
    pub(super) fn new(spools: Spools, count: usize, of_alerts: usize, whole: bool) -> Self {
        let of_clusters = count - of_alerts;
        Self {
            spools,
            of_alerts,
            whole,
            tables: std::array::from_fn(|table| DayTable::new(TABLES[table])),
            alert_rows: vec![Vec::new(); of_clusters],
            cluster_rows: vec![Vec::new(); of_clusters],
            rows: vec![Vec::new(); count],
            failed: None,
        }
    }

    /// Sends the rows of `chunk` to the blocks that `targets` names.
    pub(super) fn send(&mut self, table: usize, chunk: &Table, mut targets: impl FnMut(usize, &mut Vec<u32>)) {
        let before = self.tables[table].rows;
        self.tables[table].learn(chunk);
        let mut found = Vec::new();
        for row in 0..chunk.rows() {
            found.clear();
            targets(row, &mut found);
            if self.whole {
                found = (0..index(self.rows.len())).collect();
            }
            found.sort_unstable();
            found.dedup();
            for &block in &found {
                // More rows than the manifest says are told as such when the file ends.
                if let Some(rows) = self.rows.get_mut(block as usize) {
                    rows.push(index(row));
                }
            }
        }
        let sent: Vec<usize> = (0..self.rows.len()).filter(|&block| !self.rows[block].is_empty()).collect();
        for wave in sent.chunks(WAVE) {
            let written = Pool.map(wave.len(), |place| {
                let mut bytes = Vec::new();
                rows::write(chunk, &self.rows[wave[place]], &mut bytes);
                bytes
            });
            for (&block, bytes) in wave.iter().zip(written) {
                let sent = self.spools.add(block * TABLES.len() + table, &bytes);
                self.failed = self.failed.take().or(sent.err());
            }
        }
        for block in sent {
            let rows = &mut self.rows[block];
            if let Some(of) = block.checked_sub(self.of_alerts) {
                let all = rows.iter().map(|&row| index(before + row as usize));
                match table {
                    OF_ALERTS => self.alert_rows[of].extend(all),
                    OF_CLUSTERS => self.cluster_rows[of].extend(all),
                    _ => {}
                }
            }
            rows.clear();
        }
    }
}
