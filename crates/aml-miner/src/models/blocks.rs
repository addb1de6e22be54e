//! A matrix in blocks of rows, spread over the rayon pool that the caller runs in. The server and the offline scorer
//! both score through here; no score depends on where a block begins.

use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use super::BaseModel;
use crate::features::{BuildError, FeatureBuilder, Matrix, RowKind};
use crate::wire::{Batch, Spread};

/// Rows of a block: its contributions fit a core's cache.
const BLOCK_ROWS: usize = 512;
/// Fewer rows than this are not worth handing to other threads.
const SPREAD_FROM: usize = 64;

/// Spreads work over the rayon pool that the caller runs in.
pub(crate) struct Pool;

impl Spread for Pool {
    fn map<T: Send>(&self, count: usize, work: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
        if count == 1 { vec![work(0)] } else { (0..count).into_par_iter().map(work).collect() }
    }
}

/// The blocks of `rows` rows, as pairs of first row and row after the last.
pub(crate) fn blocks(rows: usize) -> Vec<(usize, usize)> {
    let size = if rows < SPREAD_FROM {
        rows.max(1)
    } else {
        rows.div_ceil(2 * rayon::current_num_threads()).clamp(SPREAD_FROM / 2, BLOCK_ROWS)
    };
    (0..rows).step_by(size).map(|start| (start, (start + size).min(rows))).collect()
}

/// The values of a block's rows.
pub(crate) fn rows_of(matrix: &Matrix, (start, end): (usize, usize)) -> &[f64] {
    &matrix.values()[start * matrix.columns()..end * matrix.columns()]
}

/// The matrix of `batch` that `builder` makes for `model`.
pub(crate) fn matrix(
    model: &dyn BaseModel,
    builder: &FeatureBuilder,
    batch: &Batch,
    alert_scores: Option<&[f64]>,
) -> Result<Matrix, BuildError> {
    let built = match model.schema().rows {
        RowKind::Alert => builder.alerts(batch)?,
        RowKind::Cluster => builder.clusters(batch, alert_scores)?,
    };
    Ok(built.matrix)
}

/// One score a row.
pub(crate) fn predict(model: &dyn BaseModel, matrix: &Matrix) -> Vec<f64> {
    let blocks = blocks(matrix.rows());
    let scores = Pool.map(blocks.len(), |index| {
        let (start, end) = blocks[index];
        let mut scores = vec![0.0; end - start];
        model.predict_into(rows_of(matrix, (start, end)), &mut scores);
        scores
    });
    scores.concat()
}
