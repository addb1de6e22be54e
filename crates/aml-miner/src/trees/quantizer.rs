//! Turns rows of doubles into small integers by the thresholds a model really uses.
//!
//! Every split becomes `code <= limit` on some column of codes, exactly: numerical splits by counting the thresholds
//! below a value, missing values by codes below or above all others, categorical splits by a column of their own that
//! is 0 inside the set and 1 outside.

mod cuts;

use std::collections::BTreeMap;

use super::forest::nearest_single;
use super::isa::{Isa, Kernel};
use super::model::{Categories, Missing, Model, Reading, Split};
use cuts::{Cuts, LANES};

/// Rows that are evaluated together: their codes and scores stay in the first-level cache.
pub(super) const BLOCK: usize = 64;
/// Rows up to which a block is evaluated as a short one: one vector of codes.
pub(super) const FEW: usize = 8;

/// Rows up to which each value is searched for by itself.
const SEARCHED: usize = 4;

/// The codes of one block: one entry per column, one place per row.
pub(super) type Codes = Vec<[i16; BLOCK]>;

/// LightGBM's `kZeroThreshold`: the C library takes anything this close to zero for zero.
const ZERO: f64 = 1e-35_f32 as f64;
/// Thresholds of one column. A feature with more gets several columns, whose codes end at their first and last.
const MAX_CUTS: usize = 32_000;
/// The code of a missing value that goes left: at most any limit.
const BELOW_ALL: i16 = -1;
/// The code of a missing value that goes right: above any limit.
const ABOVE_ALL: i16 = i16::MAX;

/// A split, in terms of codes: a row goes left when `codes[column] <= limit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Test {
    pub(super) column: u32,
    pub(super) limit: i16,
}

/// The columns of a model.
#[derive(Debug)]
pub(super) struct Quantizer {
    features: usize,
    reading: Reading,
    columns: Vec<Column>,
}

#[derive(Debug)]
struct Column {
    feature: u32,
    rule: Rule,
}

#[derive(Debug)]
enum Rule {
    /// Rising thresholds, and what is missing.
    Cuts(Cuts, Missing),
    /// 0 for the categories that go left, 1 for the others.
    Set(Categories),
}

impl Quantizer {
    /// The columns `model` needs, and each tree's splits in terms of them.
    pub(super) fn new(model: &Model) -> (Self, Vec<Vec<Test>>) {
        let mut columns = Vec::new();
        let cuts = Thresholds::of(model, &mut columns);
        let mut sets = BTreeMap::new();
        let mut tests = Vec::with_capacity(model.trees.len());
        for tree in &model.trees {
            let test = |node: &super::model::Node| match &node.split {
                Split::Numerical { threshold, missing } => cuts.test(node.feature, *missing, *threshold),
                Split::Categorical(categories) => {
                    let key = (node.feature, categories.clone());
                    let column = *sets.entry(key).or_insert_with(|| {
                        columns.push(Column { feature: node.feature, rule: Rule::Set(categories.clone()) });
                        columns.len() - 1
                    });
                    Test { column: index(column), limit: 0 }
                }
            };
            tests.push(tree.nodes.iter().map(test).collect());
        }
        (Self { features: model.features, reading: model.reading, columns }, tests)
    }

    /// Values of one row.
    pub(super) fn features(&self) -> usize {
        self.features
    }

    /// Room for the codes of one block.
    pub(super) fn codes(&self) -> Codes {
        vec![[0; BLOCK]; self.columns.len()]
    }

    /// Writes the codes of up to [`BLOCK`] rows; what stands in the places of absent rows means nothing.
    pub(super) fn encode(&self, isa: Isa, rows: &[f64], codes: &mut Codes) {
        if rows.len() > SEARCHED * self.features {
            return isa.run(Encode { quantizer: self, rows, codes });
        }
        for (column, codes) in self.columns.iter().zip(codes) {
            let values = rows.iter().skip(column.feature as usize).step_by(self.features);
            values.zip(codes).for_each(|(x, code)| *code = column.rule.code(*x, self.reading));
        }
    }
}

impl Rule {
    /// The code of one value.
    #[inline(always)]
    fn code(&self, x: f64, reading: Reading) -> i16 {
        match self {
            Self::Set(categories) => i16::from(!categories.left(x, reading)),
            Self::Cuts(cuts, missing) => missing.code(x).unwrap_or_else(|| cuts.below(reading.read(x))),
        }
    }
}

impl Missing {
    /// The code of a value that is missing.
    #[inline(always)]
    fn code(self, x: f64) -> Option<i16> {
        match self {
            Self::None => None,
            Self::Zero { left } => (x.is_nan() || x.abs() <= ZERO).then_some(missing_code(left)),
            Self::Nan { left } => x.is_nan().then_some(missing_code(left)),
        }
    }

    /// Puts the codes of missing values in the place of what was counted for them.
    #[inline(always)]
    fn mark(self, values: &[f64; LANES], codes: &mut [i16; LANES]) {
        let places = codes.iter_mut().zip(values);
        match self {
            Self::None => {}
            Self::Zero { left } => {
                let missing = missing_code(left);
                places.for_each(|(code, x)| *code = if x.abs() > ZERO { *code } else { missing });
            }
            Self::Nan { left } => {
                let missing = missing_code(left);
                places.for_each(|(code, x)| *code = if x.is_nan() { missing } else { *code });
            }
        }
    }
}

/// Turns a block of rows into codes, one feature after the other.
struct Encode<'a> {
    quantizer: &'a Quantizer,
    rows: &'a [f64],
    codes: &'a mut Codes,
}

impl Kernel for Encode<'_> {
    #[inline(always)]
    fn run(self) {
        let features = self.quantizer.features;
        let groups = (self.rows.len() / features).div_ceil(LANES);
        let (mut values, mut held) = ([0.0; BLOCK], None);
        for (column, codes) in self.quantizer.columns.iter().zip(self.codes) {
            if held != Some(column.feature) {
                held = Some(column.feature);
                let rows = self.rows.chunks_exact(features);
                rows.zip(&mut values).for_each(|(row, value)| *value = row[column.feature as usize]);
            }
            let reading = self.quantizer.reading;
            let places = values.as_chunks::<LANES>().0.iter().zip(codes.as_chunks_mut::<LANES>().0).take(groups);
            for (values, codes) in places {
                match &column.rule {
                    Rule::Set(_) => {
                        values.iter().zip(codes).for_each(|(x, code)| *code = column.rule.code(*x, reading))
                    }
                    Rule::Cuts(cuts, missing) => {
                        let mut present = *values;
                        reading.read_all(&mut present);
                        *codes = cuts.count_below(&present);
                        missing.mark(values, codes);
                    }
                }
            }
        }
    }
}

fn missing_code(left: bool) -> i16 {
    if left { BELOW_ALL } else { ABOVE_ALL }
}

/// Zero for what LightGBM takes for zero, NaN included.
#[inline(always)]
fn or_zero(x: f64) -> f64 {
    if x.abs() > ZERO { x } else { 0.0 }
}

impl Reading {
    /// What a value is compared as; zero for NaN.
    #[inline(always)]
    fn read(self, x: f64) -> f64 {
        match self {
            Self::NearZero => or_zero(x),
            Self::Single => number(nearest_single(x)),
            Self::Double => number(x),
        }
    }

    /// The same for many values.
    #[inline(always)]
    fn read_all(self, values: &mut [f64; LANES]) {
        match self {
            Self::NearZero => values.iter_mut().for_each(|x| *x = or_zero(*x)),
            Self::Single => values.iter_mut().for_each(|x| *x = number(nearest_single(*x))),
            Self::Double => values.iter_mut().for_each(|x| *x = number(*x)),
        }
    }

    /// A value cut to a category. LightGBM casts to a 32-bit integer, and what does not fit becomes negative; elsewhere every
    /// negative value is none.
    fn category(self, x: f64) -> Option<u32> {
        let x = if self == Self::Single { nearest_single(x) } else { x };
        let lowest = if self == Self::NearZero { x > -1.0 } else { x >= 0.0 };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "range checked")]
        (lowest && x < 2_147_483_648.0).then_some(x as u32)
    }
}

impl Categories {
    /// Whether a value goes left.
    fn left(&self, x: f64, reading: Reading) -> bool {
        if x.is_nan() {
            return self.missing_left;
        }
        let within = |category: u32| {
            let word = self.set.get(category as usize / 32);
            word.is_some_and(|word| word >> (category % 32) & 1 == 1)
        };
        reading.category(x).is_some_and(within) == self.members_left
    }
}

#[inline(always)]
fn number(x: f64) -> f64 {
    if x.is_nan() { 0.0 } else { x }
}

fn index(column: usize) -> u32 {
    u32::try_from(column).expect("a column is a split of a file of at most 64 MiB")
}

/// The numerical thresholds of a model, by feature and by what they take for missing.
struct Thresholds(BTreeMap<(u32, Missing), (usize, Vec<f64>)>);

impl Thresholds {
    /// Gathers them, and appends their columns.
    fn of(model: &Model, columns: &mut Vec<Column>) -> Self {
        let mut found = BTreeMap::<_, (usize, Vec<f64>)>::new();
        for node in model.trees.iter().flat_map(|tree| &tree.nodes) {
            if let Split::Numerical { threshold, missing } = node.split {
                found.entry((node.feature, missing)).or_default().1.push(positive_zero(threshold));
            }
        }
        for ((feature, missing), (first, cuts)) in &mut found {
            cuts.sort_unstable_by(f64::total_cmp);
            cuts.dedup();
            *first = columns.len();
            let rule = |cuts| Rule::Cuts(Cuts::new(cuts), *missing);
            columns.extend(cuts.chunks(MAX_CUTS).map(|cuts| Column { feature: *feature, rule: rule(cuts) }));
        }
        Self(found)
    }

    fn test(&self, feature: u32, missing: Missing, threshold: f64) -> Test {
        let (first, cuts) = &self.0[&(feature, missing)];
        let place = cuts.partition_point(|cut| *cut < positive_zero(threshold));
        #[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "< MAX_CUTS")]
        let limit = (place % MAX_CUTS) as i16;
        Test { column: index(first + place / MAX_CUTS), limit }
    }
}

/// Negative zero is zero, and no threshold of its own.
fn positive_zero(threshold: f64) -> f64 {
    threshold + 0.0
}
