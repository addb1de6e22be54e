//! The alerts of a batch, as a feature of the caller's own sees them.

use super::joined::JoinedRows;
use crate::features::vocabulary::Reads;
use crate::history::History;
use crate::wire::Batch;

/// The alerts of a batch with the rows that belong to them.
#[derive(Debug)]
pub struct AlertsView<'a>(JoinedRows<'a>);

impl<'a> AlertsView<'a> {
    /// The alerts of `batch`, with the joins that `reads` asks for, and what `history` says of their addresses.
    pub(crate) fn new(batch: &'a Batch, reads: &Reads, history: Option<&'a History>) -> Self {
        Self(JoinedRows::of_alerts(batch, reads, history))
    }

    /// The rows behind it.
    pub(crate) fn joined(&self) -> &JoinedRows<'a> {
        &self.0
    }

    /// The batch.
    #[must_use]
    pub fn batch(&self) -> &'a Batch {
        self.0.batch
    }

    /// Number of alerts.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.0.rows
    }

    /// The row of the batch's `features` that holds the address of alert `row`.
    #[must_use]
    pub fn address_row(&self, row: usize) -> Option<usize> {
        self.0.address.of(row)
    }

    /// The row of the batch's `clusters` that alert `row` belongs to: the first that names it.
    #[must_use]
    pub fn cluster_row(&self, row: usize) -> Option<usize> {
        self.0.cluster.of(row)
    }
}
