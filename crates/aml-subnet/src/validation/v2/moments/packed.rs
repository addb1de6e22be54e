//! A round's columns at the alerts whose outcome is known, laid out for [`products`](super::kernel::products).
//!
//! Outcomes are sorted by multiplicity, then place. Each multiplicity is filled up with zeros to whole units of
//! [`LANES`]; runs of units in which no sum of products can leave 32 bits are blocks.

use std::num::NonZero;
use std::ops::Range;

use crate::validation::v2::constants::Constants;
use crate::validation::v2::once::Weighed;

/// Products that are summed side by side.
pub(super) const LANES: usize = 16;
/// Units of a block, at most: a block of 256 columns fits into a core's second cache.
const UNITS: usize = 16;
/// Sums of products of two columns stay below the root of their squares' sums (Cauchy and Schwarz).
const NARROW: u64 = 1 << 31;

/// Consecutive units of one multiplicity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// Places in a packed column.
    pub(super) lanes: Range<usize>,
    /// Whether sums of products may leave 32 bits.
    pub(super) wide: bool,
}

/// All outcomes of one multiplicity.
#[derive(Debug)]
pub(super) struct Group {
    /// Outcomes of the address in the window.
    pub(super) times: f64,
    outcomes: u64,
    illicit: u64,
    /// Places in a packed column; clean outcomes and zeros may be mixed.
    lanes: Range<usize>,
    pub(super) blocks: Vec<Block>,
}

/// Columns of a round at its outcomes.
#[derive(Debug)]
pub(super) struct Packed {
    length: usize,
    values: Vec<i16>,
    illicit: Vec<bool>,
    pub(super) groups: Vec<Group>,
}

impl Packed {
    /// Gathers the outcomes from the columns.
    pub(super) fn new(outcomes: &[Weighed], columns: &[&[i16]], threads: NonZero<usize>) -> Self {
        let mut outcomes = outcomes.to_vec();
        outcomes.sort_unstable();
        let (places, mut groups) = layout(&outcomes);
        let length = places.len();
        let mut values = vec![0; length * columns.len()];
        let illicit = places.iter().map(|outcome| outcome.is_some_and(|outcome| outcome.illicit)).collect();
        let energies = gather(&places, columns, &mut values, threads);
        for group in &mut groups {
            group.blocks = blocks(group.lanes.clone(), &energies);
        }
        Self { length, values, illicit, groups }
    }

    /// Columns without outcomes: every alert counts once.
    pub(super) fn whole(columns: &[&[i16]], threads: NonZero<usize>) -> Self {
        let alerts = columns.first().map_or(0, |column| column.len());
        let places = 0..u32::try_from(alerts).expect("a batch has fewer than 2^32 alerts");
        let outcomes: Vec<Weighed> = places.map(|place| Weighed { times: 1, place, illicit: false }).collect();
        Self::new(&outcomes, columns, threads)
    }

    pub(super) fn columns(&self) -> usize {
        self.values.len().checked_div(self.length).unwrap_or(0)
    }

    pub(super) fn column(&self, at: usize) -> &[i16] {
        &self.values[at * self.length..][..self.length]
    }

    /// `sum a`.
    pub(super) fn number(&self) -> f64 {
        self.groups.iter().map(|group| group.outcomes as f64 / group.times).sum()
    }

    /// `sum a y`.
    pub(super) fn illicit(&self) -> f64 {
        self.groups.iter().map(|group| group.illicit as f64 / group.times).sum()
    }

    /// `sum a x` of a column.
    pub(super) fn sum(&self, at: usize) -> f64 {
        self.divided(at, |_, values| values.iter().map(|value| i64::from(*value)).sum())
    }

    /// `sum a x y` of a column.
    pub(super) fn illicit_sum(&self, at: usize) -> f64 {
        self.divided(at, |lanes, values| {
            let illicit = self.illicit[lanes].iter().zip(values).filter(|(illicit, _)| **illicit);
            illicit.map(|(_, value)| i64::from(*value)).sum()
        })
    }

    fn divided(&self, at: usize, sum: impl Fn(Range<usize>, &[i16]) -> i64) -> f64 {
        let column = self.column(at);
        let of = |group: &Group| sum(group.lanes.clone(), &column[group.lanes.clone()]) as f64 / group.times;
        self.groups.iter().map(of).sum::<f64>() / Constants::GRAIN
    }
}

/// The outcome of each lane, and the groups without their blocks.
fn layout(sorted: &[Weighed]) -> (Vec<Option<Weighed>>, Vec<Group>) {
    let (mut places, mut groups) = (Vec::new(), Vec::new());
    for group in sorted.chunk_by(|one, two| one.times == two.times) {
        let start = places.len();
        places.extend(group.iter().copied().map(Some));
        places.resize(places.len().next_multiple_of(LANES), None);
        groups.push(Group {
            times: f64::from(group[0].times),
            outcomes: group.len() as u64,
            illicit: group.iter().filter(|outcome| outcome.illicit).count() as u64,
            lanes: start..places.len(),
            blocks: Vec::new(),
        });
    }
    (places, groups)
}

/// Fills `values` column by column; the sums of squares of each column's units, unit by unit.
fn gather(
    places: &[Option<Weighed>],
    columns: &[&[i16]],
    values: &mut [i16],
    threads: NonZero<usize>,
) -> Vec<Vec<u64>> {
    let (length, share) = (places.len(), columns.len().div_ceil(threads.get()).max(1));
    let fill_all = |columns: &[&[i16]], values: &mut [i16]| -> Vec<Vec<u64>> {
        let filled = columns.iter().zip(values.chunks_exact_mut(length.max(1)));
        filled.map(|(column, to)| fill(column, places, to)).collect()
    };
    if columns.len() <= share {
        return fill_all(columns, values);
    }
    std::thread::scope(|scope| {
        let parts = columns.chunks(share).zip(values.chunks_mut((share * length).max(1)));
        let parts: Vec<_> = parts.map(|(columns, values)| scope.spawn(move || fill_all(columns, values))).collect();
        parts.into_iter().flat_map(|part| part.join().expect("gathering does not panic")).collect()
    })
}

fn fill(column: &[i16], places: &[Option<Weighed>], to: &mut [i16]) -> Vec<u64> {
    for (to, outcome) in to.iter_mut().zip(places) {
        *to = outcome.map_or(0, |outcome| column[outcome.place as usize]);
    }
    let square = |value: &i16| u64::from(value.unsigned_abs()) * u64::from(value.unsigned_abs());
    to.chunks_exact(LANES).map(|unit| unit.iter().map(square).sum()).collect()
}

/// Cuts a group's lanes into blocks that are as long as may be.
fn blocks(lanes: Range<usize>, energies: &[Vec<u64>]) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut sums = vec![0_u64; energies.len()];
    let mut narrow = false;
    for unit in lanes.start / LANES..lanes.end / LANES {
        let fits = sums.iter().zip(energies).all(|(sum, energy)| sum + energy[unit] < NARROW);
        let end = (unit + 1) * LANES;
        match blocks.last_mut() {
            Some(block) if narrow && fits && block.lanes.len() < UNITS * LANES => {
                block.lanes.end = end;
                sums.iter_mut().zip(energies).for_each(|(sum, energy)| *sum += energy[unit]);
            }
            _ => {
                sums.iter_mut().zip(energies).for_each(|(sum, energy)| *sum = energy[unit]);
                narrow = sums.iter().all(|sum| *sum < NARROW);
                blocks.push(Block { lanes: unit * LANES..end, wide: !narrow });
            }
        }
    }
    blocks
}

#[cfg(test)]
mod tests {
    use std::num::NonZero;

    use super::{Packed, Weighed};

    #[test]
    fn multiplicities_are_apart_and_large_values_are_wide() {
        let outcome = |place, times| Weighed { times, place, illicit: place % 2 == 0 };
        let outcomes: Vec<Weighed> = (0..40).map(|place| outcome(place, 1 + place / 20)).collect();
        let (small, large) = (vec![1; 40], vec![i16::MIN; 40]);
        for threads in [1, 2, 3].map(|threads| NonZero::new(threads).expect("some")) {
            let packed = Packed::new(&outcomes, &[&small, &large], threads);
            assert!((packed.number() - 30.0).abs() < 1e-12 && (packed.illicit() - 15.0).abs() < 1e-12);
            assert!(
                (packed.sum(0) * 2048.0 - 30.0).abs() < 1e-9 && (packed.illicit_sum(0) * 2048.0 - 15.0).abs() < 1e-9
            );
            assert_eq!(packed.groups.len(), 2);
            let packed_blocks = packed.groups.iter().flat_map(|group| &group.blocks);
            let wide: Vec<bool> = packed_blocks.map(|block| block.wide).collect();
            assert_eq!(wide, [true; 4]);
            let packed = Packed::new(&outcomes, &[&small], threads);
            assert!(packed.groups.iter().all(|group| group.blocks.len() == 1 && !group.blocks[0].wide));
        }
    }
}
