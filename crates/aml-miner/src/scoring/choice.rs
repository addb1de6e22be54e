//! Which rows of a batch are explained, and how far.

use super::explanation::Extent;
use super::prepared::Prepared;
use super::ranks::ranks;
use super::stop::{Stop, Stopped};
use crate::features::{Matrix, RowKind};
use crate::wire::{Batch, Explain, Share, TextColumn};

/// Severities whose rows are explained whatever their score.
const SEVERE: [&str; 2] = ["high", "critical"];

/// The rows of an answer, as far as it matters for what is explained.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    /// Their ids.
    pub ids: &'a TextColumn,
    /// Which of them are severe; empty where nobody asks for it.
    pub severe: &'a [bool],
}

/// Which rows are explained, and how far.
#[derive(Clone, Debug)]
pub enum Choice {
    /// None.
    Nothing,
    /// All.
    All(Extent),
    /// Some, by their top features. All scores are known then.
    Some {
        /// One score per row.
        scores: Vec<f64>,
        /// Which rows are explained.
        rows: Vec<bool>,
    },
}

impl Choice {
    /// What `explain` comes to in these rows of `model`.
    ///
    /// # Errors
    /// When the work is no longer wanted.
    pub fn of(
        explain: Explain,
        model: &Prepared,
        matrix: &Matrix,
        named: Named<'_>,
        stop: &Stop,
    ) -> Result<Self, Stopped> {
        let share = match explain {
            Explain::None => return Ok(Self::Nothing),
            Explain::Top => return Ok(Self::All(Extent::Top)),
            Explain::Full => return Ok(Self::All(Extent::Full)),
            Explain::Share(share) => share,
        };
        let scores = model.scores(matrix, stop)?;
        let rows = chosen(&scores, named, share);
        Ok(Self::Some { scores, rows })
    }

    /// Whether anything is explained.
    #[must_use]
    pub const fn explains(&self) -> bool {
        !matches!(self, Self::Nothing)
    }
}

/// The rows that are explained where a share of them is: those with the highest scores, and severe ones.
#[must_use]
pub fn chosen(scores: &[f64], named: Named<'_>, share: Share) -> Vec<bool> {
    let ids: Vec<&str> = named.ids.iter().collect();
    let most = share.of(scores.len());
    let mut rows: Vec<bool> =
        ranks(scores, &ids).into_iter().map(|rank| usize::try_from(rank).is_ok_and(|rank| rank <= most)).collect();
    rows.iter_mut().zip(named.severe).for_each(|(row, severe)| *row |= severe);
    rows
}

/// Whether a row of this severity is explained whatever its score.
#[must_use]
pub fn is_severe(severity: &str) -> bool {
    SEVERE.contains(&severity)
}

/// Which rows of a model over `kind` are severe, where `explain` asks for that; else nothing.
#[must_use]
pub fn severe(explain: Explain, kind: RowKind, batch: &Batch) -> Vec<bool> {
    let (table, column) = match kind {
        RowKind::Alert => (&batch.alerts, "severity"),
        RowKind::Cluster => (&batch.clusters, "severity_max"),
    };
    match (explain, table.texts(column)) {
        (Explain::Share(_), Some(column)) => column.iter().map(is_severe).collect(),
        _ => Vec::new(),
    }
}
