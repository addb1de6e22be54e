//! A labelled batch, in blocks.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::labels::Label;
use super::past::on_day;
use super::reader::AssembleError;
use crate::data::BatchDir;
use crate::features::{BuildError, FeatureBuilder};
use crate::history::History;
use crate::offline::{Batches, Blocks, ScoreDayError, Wanted, read_day};

/// A labelled batch.
pub(super) struct Source<'a> {
    pub(super) path: &'a Path,
    pub(super) directory: &'a BatchDir,
    /// Its usable labels, by alert.
    pub(super) labels: &'a HashMap<&'a str, Label>,
    /// What earlier days say of addresses, where that is asked for.
    pub(super) history: Option<Arc<History>>,
}

impl Source<'_> {
    /// Its day, in days since 1970-01-01.
    pub(super) fn day(&self) -> i32 {
        self.directory.manifest().processing_date.to_epoch_days()
    }

    /// `builder` with what is known on the day.
    pub(super) fn knowing(&self, builder: &FeatureBuilder) -> FeatureBuilder {
        on_day(builder, self.history.as_ref())
    }

    /// Its blocks, with all that `builders` take and these columns.
    pub(super) fn blocks(
        &self,
        builders: &[&FeatureBuilder],
        columns: &[(&str, &str)],
        clusters: bool,
    ) -> Result<Batches, AssembleError> {
        let wanted = Wanted::of_builders(builders, columns, clusters);
        let read = read_day(self.directory, wanted, Blocks::default(), &std::env::temp_dir());
        read.map_err(|source| self.of_day(source))
    }

    /// The error with the batch's directory.
    pub(super) fn of_day(&self, source: ScoreDayError) -> AssembleError {
        let path = self.path.to_owned();
        match source {
            ScoreDayError::Batch(source) => AssembleError::Batch { path, source: Box::new(source) },
            other => AssembleError::Day { path, source: Box::new(other) },
        }
    }

    /// As [`Source::of_day`].
    pub(super) fn of_features(&self, source: BuildError) -> AssembleError {
        AssembleError::Features { path: self.path.to_owned(), source: Box::new(source) }
    }
}
