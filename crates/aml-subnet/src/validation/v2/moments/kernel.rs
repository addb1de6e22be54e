//! Sums of products of every two columns, exact: 32-bit sums within a block, 64-bit sums within a multiplicity.

use std::num::NonZero;

use crate::validation::v2::constants::Constants;
use crate::validation::v2::moments::packed::{Block, LANES, Packed};

/// Columns of one side of a tile, whose products with each other are summed at once.
const SIDE: usize = 4;
/// Products that are summed in one step.
const RUN: usize = 2 * LANES;
/// Products below which a second thread is not worth starting.
const SMALL: usize = 4_000_000;

/// `sum a x_i x_j` for every two columns.
#[derive(Debug)]
pub(super) struct Products {
    columns: usize,
    /// Tile by tile, [`SIDE`] rows of [`SIDE`] each.
    tiles: Vec<[f64; SIDE * SIDE]>,
}

/// Two groups of columns, the first not after the second.
#[derive(Clone, Copy)]
struct Tile {
    rows: usize,
    columns: usize,
}

impl Products {
    /// The sum for two columns, `i` not after `j`.
    pub(super) fn get(&self, i: usize, j: usize) -> f64 {
        let tile = place(i / SIDE, j / SIDE, self.columns.div_ceil(SIDE));
        self.tiles[tile][(i % SIDE) * SIDE + j % SIDE]
    }
}

/// The place of a tile in the list of all.
const fn place(rows: usize, columns: usize, groups: usize) -> usize {
    rows * groups - rows * (rows + 1) / 2 + columns
}

/// Sums the products of every two columns. What comes out does not depend on the number of threads.
pub(super) fn products(packed: &Packed, threads: NonZero<usize>) -> Products {
    let columns = packed.columns();
    let groups = columns.div_ceil(SIDE);
    let all: Vec<Tile> =
        (0..groups).flat_map(|rows| (rows..groups).map(move |columns| Tile { rows, columns })).collect();
    let lanes = if columns == 0 { 0 } else { packed.column(0).len() };
    let threads = if all.len() * SIDE * SIDE * lanes < SMALL { 1 } else { threads.get() };
    let share = all.len().div_ceil(threads).max(1);
    let tiles = if threads == 1 {
        of_tiles(packed, &all)
    } else {
        std::thread::scope(|scope| {
            let parts: Vec<_> = all.chunks(share).map(|tiles| scope.spawn(move || of_tiles(packed, tiles))).collect();
            parts.into_iter().flat_map(|part| part.join().expect("sums do not panic")).collect()
        })
    };
    Products { columns, tiles }
}

/// The sums of some tiles: block by block, so that a block stays in the cache.
fn of_tiles(packed: &Packed, tiles: &[Tile]) -> Vec<[f64; SIDE * SIDE]> {
    let mut divided = vec![[0.0; SIDE * SIDE]; tiles.len()];
    let mut sums = vec![[0_i64; SIDE * SIDE]; tiles.len()];
    for group in &packed.groups {
        for block in &group.blocks {
            for (tile, sums) in tiles.iter().zip(&mut sums) {
                add(packed, *tile, block, sums);
            }
        }
        for (divided, sums) in divided.iter_mut().zip(&mut sums) {
            for (divided, sum) in divided.iter_mut().zip(sums) {
                *divided += *sum as f64 / group.times;
                *sum = 0;
            }
        }
    }
    let unit = Constants::GRAIN * Constants::GRAIN;
    divided.iter_mut().flatten().for_each(|sum| *sum /= unit);
    divided
}

fn add(packed: &Packed, tile: Tile, block: &Block, sums: &mut [i64; SIDE * SIDE]) {
    let last = packed.columns() - 1;
    // Columns beyond the last one are read as the last one and never looked at.
    let side = |group: usize| -> [&[i16]; SIDE] {
        std::array::from_fn(|at| &packed.column((group * SIDE + at).min(last))[block.lanes.clone()])
    };
    let (rows, columns) = (side(tile.rows), side(tile.columns));
    for (row, sums) in rows.into_iter().zip(sums.chunks_exact_mut(SIDE)) {
        for (sum, column) in sums.iter_mut().zip(columns) {
            *sum += if block.wide { wide(row, column) } else { i64::from(narrow(row, column)) };
        }
    }
}

/// The sum of products of two columns, where it fits into 32 bits.
fn narrow(row: &[i16], column: &[i16]) -> i32 {
    let ((rows, row), (columns, column)) = (row.as_chunks::<RUN>(), column.as_chunks::<RUN>());
    let two = |(row, column): (&[i16; RUN], &[i16; RUN])| {
        let ((first, second), (with, and)) = (row.split_at(LANES), column.split_at(LANES));
        unit(first, with).wrapping_add(unit(second, and))
    };
    rows.iter().zip(columns).map(two).fold(unit(row, column), i32::wrapping_add)
}

/// Becomes two instructions that multiply 16-bit integers and add pairs of products.
#[inline]
fn unit(row: &[i16], column: &[i16]) -> i32 {
    let products = row.iter().zip(column).map(|(one, two)| i32::from(*one) * i32::from(*two));
    products.fold(0, i32::wrapping_add)
}

fn wide(row: &[i16], column: &[i16]) -> i64 {
    row.iter().zip(column).map(|(one, two)| i64::from(*one) * i64::from(*two)).sum()
}
