//! The Shapley values of one leaf, in closed form.
//!
//! Down a path with distinct features 1..d, feature i lets a known row through or not (`p` is 1 or 0) and an unknown one
//! with probability `z`. The leaf is a product game, and feature j's Shapley value in it is
//! `v (p_j - z_j) ∫₀¹ Π_{i≠j} (z_i (1 - t) + p_i t) dt`: a polynomial of degree d - 1, which Gauss and Legendre's
//! quadrature with ⌈d/2⌉ points integrates exactly. All terms are products of numbers in [0, 1], so nothing cancels.

use std::collections::BTreeMap;
use std::f64::consts::PI;
use std::sync::Arc;

/// Points and weights on [0, 1].
#[derive(Debug)]
pub(super) struct Quadrature(Vec<(f64, f64)>);

impl Quadrature {
    /// The number of points.
    pub(super) fn points(&self) -> usize {
        self.0.len()
    }
}

/// The rules made so far, by their number of points.
#[derive(Debug, Default)]
pub(super) struct Rules(BTreeMap<usize, Arc<Quadrature>>);

impl Rules {
    /// Points up to which every number has a rule of its own; beyond, only multiples of it do.
    const EXACT: usize = 16;

    /// A rule that is exact for a path with so many distinct features.
    pub(super) fn for_features(&mut self, features: usize) -> Arc<Quadrature> {
        let enough = features.div_ceil(2).max(1);
        let n = if enough > Self::EXACT { enough.next_multiple_of(Self::EXACT) } else { enough };
        let rule = || Arc::new(Quadrature((1..=n).map(|root| legendre(n, root)).collect()));
        self.0.entry(n).or_insert_with(rule).clone()
    }
}

/// A point of the n-point rule and its weight, by Newton's method on the Legendre polynomial.
fn legendre(n: usize, root: usize) -> (f64, f64) {
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
    ((1.0 + x) / 2.0, 1.0 / ((1.0 - x * x) * slope * slope))
}

/// One leaf: its value, and how likely an unknown row passes each of its distinct features.
#[derive(Clone, Debug)]
pub(super) struct Leaf {
    pub(super) value: f64,
    pub(super) pass: Vec<f64>,
}

impl Leaf {
    /// The leaf's Shapley values for a row that passes the features of which `passes` says so.
    pub(super) fn values(&self, rule: &Quadrature, passes: &[bool], values: &mut Vec<f64>) {
        values.clear();
        values.resize(self.pass.len(), 0.0);
        for &(t, weight) in &rule.0 {
            let features = || self.pass.iter().zip(passes);
            let product: f64 = features().map(|(&z, &p)| chance(z, p, t)).product();
            for (value, (&z, &p)) in values.iter_mut().zip(features()) {
                *value += weight * product * without(z, p, t);
            }
        }
        values.iter_mut().for_each(|value| *value *= self.value);
    }

    /// The values for every pattern of passed features: row `m` is for those whose bits are set in `m`.
    pub(super) fn table(&self, rule: &Quadrature) -> Vec<f64> {
        let features = self.pass.len();
        let mut table = vec![0.0; features << features];
        let mut products = vec![0.0; 1 << features];
        let mut others = vec![0.0; 2 * features];
        for &(t, weight) in &rule.0 {
            products[0] = weight * self.value;
            for (bit, &z) in self.pass.iter().enumerate() {
                let (low, high) = products.split_at_mut(1 << bit);
                for (low, high) in low.iter_mut().zip(high) {
                    *high = *low * chance(z, true, t);
                    *low *= chance(z, false, t);
                }
                others[2 * bit] = without(z, false, t);
                others[2 * bit + 1] = without(z, true, t);
            }
            for (pattern, (row, product)) in table.chunks_exact_mut(features).zip(&products).enumerate() {
                for (bit, value) in row.iter_mut().enumerate() {
                    *value += product * others[2 * bit + (pattern >> bit & 1)];
                }
            }
        }
        table
    }
}

/// How likely a row passes when it is known with probability `t`.
fn chance(z: f64, p: bool, t: f64) -> f64 {
    if p { z * (1.0 - t) + t } else { z * (1.0 - t) }
}

/// `(p - z) / chance`: what turns the product over all features into one feature's term.
fn without(z: f64, p: bool, t: f64) -> f64 {
    // For p = 0 the two z cancel, which also settles z = 0: then the product is 0 as well.
    if p { (1.0 - z) / chance(z, true, t) } else { -1.0 / (1.0 - t) }
}
