//! Ranks of a column, the correlation of two columns' ranks, and mutual information with a label.

use std::collections::BTreeMap;

use crate::features::vocabulary::{Matrix, count};

/// The ranks of a column's values; equal values share their mean rank, missing ones have NaN.
pub(super) struct Ranks {
    ranks: Vec<f64>,
    known: usize,
    distinct: usize,
}

impl Ranks {
    /// The ranks of every `step`-th row of a column.
    pub(super) fn of(matrix: &Matrix, column: usize, step: usize) -> Self {
        let values: Vec<f64> = (0..matrix.rows()).step_by(step).map(|row| matrix.row(row)[column]).collect();
        let mut order: Vec<usize> = (0..values.len()).filter(|&row| !values[row].is_nan()).collect();
        order.sort_by(|&one, &other| values[one].total_cmp(&values[other]));
        let mut ranks = vec![f64::NAN; values.len()];
        let (mut before, mut distinct) = (0, 0);
        for equal in order.chunk_by(|&one, &other| values[one].total_cmp(&values[other]).is_eq()) {
            let mean = count(before) + (count(equal.len()) - 1.0) / 2.0;
            equal.iter().for_each(|&row| ranks[row] = mean);
            before += equal.len();
            distinct += 1;
        }
        Self { ranks, known: before, distinct }
    }

    /// Whether the column has one value, or none: then it says nothing unless it is missing in some rows.
    pub(super) fn is_constant(&self) -> bool {
        self.distinct == 0 || (self.distinct == 1 && self.known == self.ranks.len())
    }

    /// The correlation of both columns' ranks over the rows in which both are known; 0 where there is none, and
    /// where one is missing in rows in which the other is not, since then they do not say the same.
    pub(super) fn correlation(&self, other: &Self) -> f64 {
        let pairs = || self.ranks.iter().zip(&other.ranks).filter(|(one, other)| !one.is_nan() && !other.is_nan());
        let both = pairs().count();
        if both != self.known || both != other.known || both == 0 {
            return 0.0;
        }
        let total = count(both);
        let mean = |values: &[f64]| values.iter().filter(|rank| !rank.is_nan()).sum::<f64>() / total;
        let (left_mean, right_mean) = (mean(&self.ranks), mean(&other.ranks));
        let (mut product, mut left_square, mut right_square) = (0.0, 0.0, 0.0);
        for (left, right) in pairs() {
            let (left, right) = (left - left_mean, right - right_mean);
            product += left * right;
            left_square += left * left;
            right_square += right * right;
        }
        let scale = (left_square * right_square).sqrt();
        if scale > 0.0 { product / scale } else { 0.0 }
    }

    /// The equally filled bin of each row, of `bins`; missing values have a bin of their own.
    fn bins(&self, bins: usize) -> Vec<usize> {
        let per_bin = count(self.known.div_ceil(bins.max(1)).max(1));
        let bin = |rank: &f64| {
            if rank.is_nan() {
                return usize::MAX;
            }
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank is below the rows")]
            let bin = (rank / per_bin) as usize;
            bin
        };
        self.ranks.iter().map(bin).collect()
    }
}

/// Mutual information in nats between the binned column and the label.
pub(super) fn mutual_information(column: &Ranks, labels: &[u8], bins: usize) -> f64 {
    let mut joint: BTreeMap<(usize, u8), usize> = BTreeMap::new();
    let (mut of_bin, mut of_label) = (BTreeMap::new(), BTreeMap::new());
    for (bin, &label) in column.bins(bins).into_iter().zip(labels) {
        *joint.entry((bin, label)).or_default() += 1;
        *of_bin.entry(bin).or_default() += 1_usize;
        *of_label.entry(label).or_default() += 1_usize;
    }
    let total = count(labels.len());
    let part = |(&(bin, label), &rows): (&(usize, u8), &usize)| {
        let independent = count(of_bin[&bin]) * count(of_label[&label]);
        count(rows) / total * (count(rows) * total / independent).ln()
    };
    joint.iter().map(part).sum::<f64>().max(0.0)
}
