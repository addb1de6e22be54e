//! Blocks of rows, spread over the rayon pool that the caller runs in.

use std::ops::Range;

use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use super::stop::{Stop, Stopped};
use crate::wire::Spread;

/// Rows of a block: its contributions fit a core's cache.
const BLOCK_ROWS: usize = 512;
/// Steps of an explanation after which the work looks whether it is still wanted: some tens of milliseconds.
const BLOCK_STEPS: u64 = 50_000_000;
/// Rows that are explained together however many steps they take: one walk's.
const LEAST_ROWS: usize = 16;
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

/// As [`Pool`], until the work is no longer wanted.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a>(pub &'a Stop);

impl Spread for Wanted<'_> {
    fn map<T: Send>(&self, count: usize, work: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
        Pool.map(count, work)
    }

    fn stopped(&self) -> bool {
        self.0.check().is_err()
    }
}

/// Rows of a block of which each takes so many steps: few enough to stop soon.
fn block_rows(rows: usize, steps: u64) -> usize {
    let soon = usize::try_from(BLOCK_STEPS / steps.max(1)).unwrap_or(BLOCK_ROWS).clamp(LEAST_ROWS, BLOCK_ROWS);
    if rows < SPREAD_FROM {
        rows.clamp(1, soon)
    } else {
        rows.div_ceil(2 * rayon::current_num_threads()).clamp(SPREAD_FROM / 2, BLOCK_ROWS).min(soon)
    }
}

/// What `work` gives for each block of `rows` rows of so many steps, in order.
pub(super) fn map_blocks<T: Send>(
    rows: usize,
    steps: u64,
    stop: &Stop,
    work: impl Fn(Range<usize>) -> T + Sync + Send,
) -> Result<Vec<T>, Stopped> {
    let size = block_rows(rows, steps);
    let block = |index: usize| {
        stop.check()?;
        Ok(work(index * size..((index + 1) * size).min(rows)))
    };
    Pool.map(rows.div_ceil(size), block).into_iter().collect()
}
