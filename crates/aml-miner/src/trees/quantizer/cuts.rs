//! How many of a column's thresholds are below a value, for several values at once.
//!
//! Thresholds stand in lines of eight. Those of few lines are all compared; of more, first the last of each line is,
//! which tells the line; there, three comparisons find the place. None decides a jump.

/// Values that are taken together.
pub(super) const LANES: usize = 16;
/// Thresholds of a line: eight doubles are a cache line.
const LINE: usize = 8;
/// Lines of which every threshold is compared.
const FEW_LINES: usize = 2;
/// Lines whose ends are compared one after the other; the ends of more are searched.
const MANY_LINES: usize = 64;

/// Rising thresholds.
#[derive(Debug)]
pub(super) struct Cuts {
    count: usize,
    /// The last threshold of each full line.
    ends: Box<[f64]>,
    /// All, then infinities: one line more than there are ends.
    lines: Box<[[f64; LINE]]>,
}

impl Cuts {
    /// At most `i16::MAX - 1` rising thresholds.
    pub(super) fn new(cuts: &[f64]) -> Self {
        let (full, rest) = cuts.as_chunks::<LINE>();
        let mut last = [f64::INFINITY; LINE];
        last[..rest.len()].copy_from_slice(rest);
        let lines = full.iter().copied().chain([last]).collect();
        Self { count: cuts.len(), ends: full.iter().map(|line| line[LINE - 1]).collect(), lines }
    }

    /// How many are below `x`.
    pub(super) fn below(&self, x: f64) -> i16 {
        short(self.lines.as_flattened()[..self.count].partition_point(|cut| *cut < x))
    }

    /// How many are below each of `values`, none of which is NaN.
    #[inline(always)]
    pub(super) fn count_below(&self, values: &[f64; LANES]) -> [i16; LANES] {
        if self.lines.len() <= FEW_LINES {
            return shorts(&count(&self.lines.as_flattened()[..self.count], values));
        }
        let lines = if self.ends.len() <= MANY_LINES { count(&self.ends, values) } else { self.searched(values) };
        let mut counts = [0; LANES];
        for (count, (line, x)) in counts.iter_mut().zip(lines.iter().zip(values)) {
            *count = short(line * LINE + below_in(&self.lines[*line], *x));
        }
        counts
    }

    fn searched(&self, values: &[f64; LANES]) -> [usize; LANES] {
        values.map(|x| self.ends.partition_point(|end| *end < x))
    }
}

#[inline(always)]
fn shorts(counts: &[usize; LANES]) -> [i16; LANES] {
    let mut short_counts = [0; LANES];
    short_counts.iter_mut().zip(counts).for_each(|(code, count)| *code = short(*count));
    short_counts
}

/// How many of a line, of which the last is not, are below `x`.
#[inline(always)]
fn below_in(line: &[f64; LINE], x: f64) -> usize {
    let mut below = 4 * usize::from(line[3] < x);
    below += 2 * usize::from(line[below + 1] < x);
    below + usize::from(line[below] < x)
}

/// How many of `cuts` are below each value.
#[inline(always)]
fn count(cuts: &[f64], values: &[f64; LANES]) -> [usize; LANES] {
    let mut counts = [0; LANES];
    for cut in cuts {
        counts.iter_mut().zip(values).for_each(|(count, x)| *count += usize::from(*cut < *x));
    }
    counts
}

#[inline(always)]
fn short(count: usize) -> i16 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "a column has at most MAX_CUTS")]
    let count = count as i16;
    count
}
