//! Blocks of rows, spread over the rayon pool that the caller runs in.

use std::ops::Range;

use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use super::stop::{Stop, Stopped};
use crate::wire::Spread;

/// Rows of a block: its contributions fit a core's cache.
const BLOCK_ROWS: usize = 512;
/// Fewer rows than this are not worth handing to other threads.
const SPREAD_FROM: usize = 64;

/// Spreads work over the rayon pool that the caller runs in.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pool;

impl Spread for Pool {
    fn map<T: Send>(&self, count: usize, work: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
        if count == 1 { vec![work(0)] } else { (0..count).into_par_iter().map(work).collect() }
    }
}

/// What `work` gives for each block of `rows` rows, in order.
pub(super) fn map_blocks<T: Send>(
    rows: usize,
    stop: &Stop,
    work: impl Fn(Range<usize>) -> T + Sync + Send,
) -> Result<Vec<T>, Stopped> {
    let size = if rows < SPREAD_FROM {
        rows.max(1)
    } else {
        rows.div_ceil(2 * rayon::current_num_threads()).clamp(SPREAD_FROM / 2, BLOCK_ROWS)
    };
    let block = |index: usize| {
        stop.check()?;
        Ok(work(index * size..((index + 1) * size).min(rows)))
    };
    Pool.map(rows.div_ceil(size), block).into_iter().collect()
}
