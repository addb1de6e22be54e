//! Sums over long rows, for all pairs of many: in blocks that stay in the cache, on several threads.
//!
//! Every sum runs in one fixed order, whichever thread it is on.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Rows of a block: each is read once for so many partners.
const ROWS: usize = 8;
/// Values of a row that are looked at before the next row: two blocks of them fit into a core's cache.
const COLUMNS: usize = 2048;
/// Sums that run beside each other, so that vector registers are used.
const LANES: usize = 16;

/// What `work` gives for each of `0..count`, in order; spread over the threads of this machine.
pub(super) fn on_threads<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(count.max(1));
    let next = AtomicUsize::new(0);
    let run = || {
        let claim = || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|index| *index < count);
        std::iter::from_fn(claim).map(|index| (index, work(index))).collect::<Vec<_>>()
    };
    let mut done: Vec<(usize, T)> = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(run)).collect();
        let mut done = run();
        for other in others {
            done.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        done
    });
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, value)| value).collect()
}

/// Rows of `length` values, one after another, each filled by `fill`; spread over the threads of this machine.
pub(super) fn rows_on_threads(rows: usize, length: usize, fill: impl Fn(usize, &mut [f32]) + Sync) -> Vec<f32> {
    let mut values = vec![0.0; rows * length];
    {
        let open: Vec<Mutex<&mut [f32]>> = values.chunks_exact_mut(length.max(1)).map(Mutex::new).collect();
        on_threads(open.len(), |row| fill(row, &mut open[row].lock().unwrap_or_else(PoisonError::into_inner)));
    }
    values
}

/// The scalar product of each row of `values` with every earlier one; rows are `length` long and lie one after another.
pub(super) fn products(values: &[f32], length: usize) -> Vec<Vec<f64>> {
    let rows = values.len() / length.max(1);
    let blocks = rows.div_ceil(ROWS);
    let pairs: Vec<(usize, usize)> = (0..blocks).flat_map(|a| (0..=a).map(move |b| (a, b))).collect();
    let row = |index: usize| &values[index * length..(index + 1) * length];
    let range = |block: usize| block * ROWS..rows.min((block + 1) * ROWS);
    let sums = on_threads(pairs.len(), |pair| {
        let (later, earlier) = pairs[pair];
        let mut sums = [[0.0_f64; ROWS]; ROWS];
        for start in (0..length).step_by(COLUMNS) {
            let columns = start..length.min(start + COLUMNS);
            for (a, sums) in range(later).zip(&mut sums) {
                for (b, sum) in range(earlier).zip(sums) {
                    *sum += f64::from(short_product(&row(a)[columns.clone()], &row(b)[columns.clone()]));
                }
            }
        }
        sums
    });
    let mut all: Vec<Vec<f64>> = (0..rows).map(|row| vec![0.0; row]).collect();
    for ((later, earlier), sums) in pairs.into_iter().zip(sums) {
        for (a, sums) in range(later).zip(sums) {
            for (b, sum) in range(earlier).zip(sums).filter(|(b, _)| *b < a) {
                all[a][b] = sum.clamp(-1.0, 1.0);
            }
        }
    }
    all
}

/// Scalar product of short rows.
fn short_product(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let (a, b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f32 = a.remainder().iter().zip(b.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a.zip(b) {
        lanes.iter_mut().zip(x.iter().zip(y)).for_each(|(lane, (x, y))| *lane += x * y);
    }
    lanes.iter().sum::<f32>() + rest
}

/// Scalar product.
///
/// # Panics
/// When the lengths differ.
pub(super) fn product(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len(), "one value each");
    let mut lanes = [0.0_f64; LANES];
    let (a, b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f64 = a.remainder().iter().zip(b.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a.zip(b) {
        lanes.iter_mut().zip(x.iter().zip(y)).for_each(|(lane, (x, y))| *lane += x * y);
    }
    lanes.iter().sum::<f64>() + rest
}
