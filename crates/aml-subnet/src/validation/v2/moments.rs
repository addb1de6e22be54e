//! Second moments of columns and outcomes over the window: all that pricing looks at.
//!
//! With `a = 1 / (outcomes of the address in the window)`, `x_i` the column of miner or reference `i` (0 in rounds where its
//! submission did not count), `y` the outcome (1 illicit, 0 clean), and per round `n = sum a`, `m = sum a y`:
//!
//! ```text
//! P[i,j] = sum over rounds of (sum a x_i x_j - sum a x_i * sum a x_j / n)
//! p[i]   = sum over rounds of (sum a x_i y   - sum a x_i * m / n)
//! u      = sum over rounds of (m - m^2 / n),      N = sum over rounds of n
//! ```
//!
//! Rounds in which only one class is known are left out. `P` is a Gram matrix for any pattern of absence, hence positive
//! semidefinite. Within a round the sums run over integers, one for each multiplicity `1 / a`, and are divided at the end
//! in ascending order of multiplicity; so neither the order of alerts nor the number of threads shows.
//!
//! Rounds are added one after another, by day: one round's columns are in memory at a time. Cost: half the square of the
//! columns times the outcomes, in products of 16-bit integers.

mod kernel;
mod packed;

use std::num::NonZero;

use crate::validation::v2::constants::Constants;
use crate::validation::v2::once::Weighed;
use packed::Packed;

use kernel::{Products, products};

/// The moments of a window. Columns are miners in the order of hotkeys, then references.
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    columns: usize,
    /// `P`, row by row.
    cross: Vec<f64>,
    /// `p`.
    told: Vec<f64>,
    /// `u`: the outcome's own second moment.
    pub own: f64,
    /// `N`: outcomes, an address counting once.
    pub number: f64,
    /// Illicit ones among them, an address counting once.
    pub illicit: f64,
}

impl Moments {
    /// No round yet, of so many columns.
    #[must_use]
    pub fn new(columns: usize) -> Self {
        let cross = vec![0.0; columns * columns];
        Self { columns, cross, told: vec![0.0; columns], own: 0.0, number: 0.0, illicit: 0.0 }
    }

    /// Moments that are known already: `cross` row by row.
    ///
    /// # Panics
    /// When `cross` is not the square of `told`.
    #[must_use]
    pub fn of(cross: Vec<f64>, told: Vec<f64>, totals: Totals) -> Self {
        let Totals { own, number, illicit } = totals;
        assert_eq!(cross.len(), told.len() * told.len(), "one row and one product a column");
        Self { columns: told.len(), cross, told, own, number, illicit }
    }

    /// How many columns there are.
    #[must_use]
    pub const fn columns(&self) -> usize {
        self.columns
    }

    /// `P[i,j]`.
    #[must_use]
    pub fn cross(&self, i: usize, j: usize) -> f64 {
        self.cross[i * self.columns + j]
    }

    /// Row `i` of `P`.
    #[must_use]
    pub fn row(&self, i: usize) -> &[f64] {
        &self.cross[i * self.columns..][..self.columns]
    }

    /// `P[i,i]`.
    #[must_use]
    pub fn size(&self, i: usize) -> f64 {
        self.cross(i, i)
    }

    /// `p[i]`.
    #[must_use]
    pub fn told(&self, i: usize) -> f64 {
        self.told[i]
    }

    /// Whether so much is known that weights can be learned.
    #[must_use]
    pub fn is_enough(&self, k: &Constants) -> bool {
        self.illicit.min(self.number - self.illicit) >= k.least
    }

    /// Adds a round: its outcomes and the column of each miner and reference, `None` where the submission did not count.
    /// What comes out does not depend on the number of threads.
    ///
    /// # Panics
    /// When there are not as many columns as in this window, or one has no row for an outcome.
    pub fn add(&mut self, outcomes: &[Weighed], columns: &[Option<&[i16]>], threads: NonZero<usize>) {
        assert_eq!(columns.len(), self.columns, "a place for each column of the window");
        let illicit = outcomes.iter().filter(|outcome| outcome.illicit).count();
        if illicit == 0 || illicit == outcomes.len() {
            return;
        }
        let there: Vec<usize> = (0..columns.len()).filter(|at| columns[*at].is_some()).collect();
        let given: Vec<&[i16]> = columns.iter().flatten().copied().collect();
        let packed = Packed::new(outcomes, &given, threads);
        let (number, known) = (packed.number(), packed.illicit());
        let sums: Vec<f64> = (0..given.len()).map(|at| packed.sum(at)).collect();
        let illicit_sums: Vec<f64> = (0..given.len()).map(|at| packed.illicit_sum(at)).collect();
        let products = products(&packed, threads);
        for (at, i) in there.iter().enumerate() {
            self.told[*i] += illicit_sums[at] - sums[at] * known / number;
            for (to, j) in there.iter().enumerate().skip(at) {
                let product = products.get(at, to) - sums[at] * sums[to] / number;
                self.cross[i * self.columns + j] += product;
                if i != j {
                    self.cross[j * self.columns + i] += product;
                }
            }
        }
        self.own += known - known * known / number;
        self.number += number;
        self.illicit += known;
    }
}

/// Uncentred second moments of every two columns over a whole batch, an alert counting once.
#[derive(Debug)]
pub struct Pairs(Products);

impl Pairs {
    /// `sum x_i x_j`.
    #[must_use]
    pub fn get(&self, i: usize, j: usize) -> f64 {
        self.0.get(i.min(j), i.max(j))
    }
}

/// Sums the products of every two columns of a batch. What comes out does not depend on the number of threads.
///
/// # Panics
/// When columns are of different lengths.
#[must_use]
pub fn pairs(columns: &[&[i16]], threads: NonZero<usize>) -> Pairs {
    assert!(columns.windows(2).all(|two| two[0].len() == two[1].len()), "columns are of one batch");
    Pairs(products(&Packed::whole(columns, threads), threads))
}

/// What moments say about the outcomes alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Totals {
    /// `u`.
    pub own: f64,
    /// `N`.
    pub number: f64,
    /// Illicit ones among `N`.
    pub illicit: f64,
}
