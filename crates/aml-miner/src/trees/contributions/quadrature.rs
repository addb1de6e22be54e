//! Gauss and Legendre's quadrature on [0, 1].
//!
//! With `n` points it integrates every polynomial of a degree below `2 n` exactly: rounding is all that is left.

use std::collections::BTreeMap;
use std::f64::consts::PI;
use std::sync::Arc;

/// One point of a rule.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    /// Where it is.
    pub(super) at: f64,
    /// `1 - at`.
    pub(super) rest: f64,
    pub(super) weight: f64,
}

/// The rules made so far, by their number of points.
#[derive(Debug, Default)]
pub(super) struct QuadratureRules(BTreeMap<usize, Arc<[Point]>>);

impl QuadratureRules {
    /// Points up to which every number has a rule of its own; beyond, only multiples of it do.
    const EXACT: usize = 16;

    /// The points that a path with so many distinct features takes: its integrand has one degree less.
    pub(super) fn points(features: usize) -> usize {
        let enough = features.div_ceil(2).max(1);
        if enough > Self::EXACT { enough.next_multiple_of(Self::EXACT) } else { enough }
    }

    /// A rule that is exact for paths of up to so many distinct features.
    pub(super) fn for_features(&mut self, features: usize) -> Arc<[Point]> {
        let n = Self::points(features);
        self.0.entry(n).or_insert_with(|| (1..=n).map(|root| legendre(n, root)).collect()).clone()
    }
}

/// A point of the n-point rule, by Newton's method on the Legendre polynomial.
fn legendre(n: usize, root: usize) -> Point {
    let degree = n as f64;
    let mut x = (PI * (root as f64 - 0.25) / (degree + 0.5)).cos();
    let mut slope = 1.0;
    // Quadratic convergence from a good start: five steps reach the last bit, the rest are cheap insurance.
    for _ in 0..8 {
        let (mut before, mut value) = (1.0, x);
        for k in 2..=n {
            let k = k as f64;
            (before, value) = (value, ((2.0 * k - 1.0) * x * value - (k - 1.0) * before) / k);
        }
        slope = degree * (x * value - before) / (x * x - 1.0);
        x -= value / slope;
    }
    Point { at: (1.0 + x) / 2.0, rest: (1.0 - x) / 2.0, weight: 1.0 / ((1.0 - x * x) * slope * slope) }
}
