//! The Shapley values of one leaf, in closed form.
//!
//! Down a path with distinct features 1..d, feature i lets a known row through or not (`p` is 1 or 0) and an unknown one
//! with probability `z`. The leaf is a product game, and feature j's Shapley value in it is
//! `v (p_j - z_j) ∫₀¹ Π_{i≠j} (z_i (1 - t) + p_i t) dt`: a polynomial of degree d - 1. All terms are products of numbers
//! in [0, 1], so nothing cancels.

use super::quadrature::Point;

/// One leaf: its value, and how likely an unknown row passes each of its distinct features.
#[derive(Clone, Debug)]
pub(super) struct Leaf {
    pub(super) value: f64,
    pub(super) pass: Vec<f64>,
}

impl Leaf {
    /// The values for every pattern of passed features: row `m` is for those whose bits are set in `m`.
    pub(super) fn table(&self, rule: &[Point]) -> Vec<f64> {
        let features = self.pass.len();
        let mut table = vec![0.0; features << features];
        let mut products = vec![0.0; 1 << features];
        let mut others = vec![0.0; 2 * features];
        for point in rule {
            products[0] = point.weight * self.value;
            for (bit, &z) in self.pass.iter().enumerate() {
                let (low, high) = products.split_at_mut(1 << bit);
                for (low, high) in low.iter_mut().zip(high) {
                    *high = *low * chance(z, true, point);
                    *low *= chance(z, false, point);
                }
                others[2 * bit] = without(z, false, point);
                others[2 * bit + 1] = without(z, true, point);
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
fn chance(z: f64, p: bool, t: &Point) -> f64 {
    if p { z * t.rest + t.at } else { z * t.rest }
}

/// `(p - z) / chance`: what turns the product over all features into one feature's term.
fn without(z: f64, p: bool, t: &Point) -> f64 {
    // For p = 0 the two z cancel, which also settles z = 0: then the product is 0 as well.
    if p { (1.0 - z) / chance(z, true, t) } else { -1.0 / t.rest }
}
