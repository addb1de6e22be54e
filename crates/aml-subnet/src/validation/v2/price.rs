//! What each column tells about the outcomes that chance, references and the other columns do not.
//!
//! In units of standard errors of the outcomes: `b_i` is the correlation of column `i` with the outcomes, `c_i` what is left
//! of it beyond chance. The weights `v` of the best combination of the columns (with losses, see [`combine`]) make the
//! points `v_i c_i`: at the optimum of a quadratic problem that is the additive price in which nobody gains by splitting or
//! merging. Columns that are alike beyond what the ensemble explains share one knee.

use serde::{Deserialize, Serialize};

use crate::validation::v2::constants::Constants;
use crate::validation::v2::moments::Moments;
use crate::validation::v2::weights::{Correlations, Loss, combine};

/// Combined columns shorter than this have no direction.
const SHORTEST: f64 = 1e-12;
/// Likeness that the ensemble explains, at most.
const EXPLAINED: f64 = 0.999;

/// What pricing says of one column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Priced {
    /// `b`: correlation with the outcomes over the whole window; 0 for a column that says nothing.
    pub correlation: f64,
    /// `c`: correlation beyond chance; 0 for a column that dropped out.
    pub beyond: f64,
    /// `v`: weight of the standardised column.
    pub standard_weight: f64,
    /// `w`: weight of the column itself.
    pub weight: f64,
    /// `m`: the part of a knee that it has to itself, 1 when nobody is like it; 0 for a column that dropped out.
    pub mass: f64,
    /// `v max(c, 0)`: what it is paid for. A reference's points are nobody's.
    pub points: f64,
}

/// A column that did not drop out.
struct Inside {
    column: usize,
    miner: bool,
    /// `sqrt(P[i,i])`.
    length: f64,
    beyond: f64,
}

/// Prices the columns of a window, of which the first `miners` are miners' and the others references.
///
/// Everything is 0 when no outcome is known or only one class.
#[must_use]
pub fn price(k: &Constants, moments: &Moments, miners: usize) -> Vec<Priced> {
    let mut priced = vec![Priced::default(); moments.columns()];
    if moments.number <= 0.0 || moments.own <= 0.0 {
        return priced;
    }
    let error = 1.0 / moments.number.sqrt();
    let inside = drop_out(k, moments, miners, &mut priced);
    let correlations = Correlations::new(inside.len(), |i, j| {
        let (one, two) = (&inside[i], &inside[j]);
        moments.cross(one.column, two.column) / (one.length * two.length)
    });
    let pulls: Vec<f64> = inside.iter().map(|one| one.beyond).collect();
    let solve = |masses: &[f64]| {
        let loss = |(one, mass): (&Inside, &f64)| Loss {
            step: if one.miner { k.h } else { k.h_reference } * error,
            knee: mass * k.knee,
            tail: k.tail,
        };
        let losses: Vec<Loss> = inside.iter().zip(masses).map(loss).collect();
        combine(&correlations, &pulls, &losses)
    };
    let mut masses = vec![1.0; inside.len()];
    let mut weights = solve(&masses);
    let mine: Vec<bool> = inside.iter().map(|one| one.miner).collect();
    for _ in 0..k.turns {
        masses = shared(k, &correlations, &weights, &mine);
        weights = solve(&masses);
    }
    for (one, (mass, weight)) in inside.iter().zip(masses.iter().zip(&weights)) {
        let priced = &mut priced[one.column];
        priced.beyond = one.beyond;
        priced.standard_weight = *weight;
        priced.weight = weight * moments.number.sqrt() / one.length;
        priced.mass = *mass;
        priced.points = weight * one.beyond.max(0.0);
    }
    priced
}

/// Those whose correlation passes chance (references: 0); notes everybody's correlation.
fn drop_out(k: &Constants, moments: &Moments, miners: usize, priced: &mut [Priced]) -> Vec<Inside> {
    let error = 1.0 / moments.number.sqrt();
    let mut inside = Vec::new();
    for (column, priced) in priced.iter_mut().enumerate() {
        let (size, miner) = (moments.size(column), column < miners);
        if size <= Constants::SILENT * moments.number {
            continue;
        }
        let length = size.sqrt();
        let correlation = moments.told(column) / (length * moments.own.sqrt());
        priced.correlation = correlation;
        let chance = if miner { k.z * error } else { 0.0 };
        if correlation > chance {
            // Root of the part of the window that it was there for.
            let there = (size / moments.number).min(1.0).sqrt();
            inside.push(Inside { column, miner, length, beyond: correlation - chance * there });
        }
    }
    inside
}

/// The part of a knee that each column has: miners that are alike beyond what the ensemble explains share one.
fn shared(k: &Constants, correlations: &Correlations, weights: &[f64], mine: &[bool]) -> Vec<f64> {
    let with = correlations.times(weights);
    let length: f64 = weights.iter().zip(&with).map(|(weight, with)| weight * with).sum();
    let length = length.max(SHORTEST).sqrt();
    let along: Vec<f64> = with.iter().map(|with| with / length).collect();
    let near = |i: usize, j: usize| {
        let explained = (along[i] * along[j]).clamp(-1.0, EXPLAINED);
        let likeness = (correlations.row(i)[j] - explained) / (1.0 - explained);
        ((likeness - k.alike) / (1.0 - k.alike)).clamp(0.0, 1.0)
    };
    let mass = |i: usize| {
        let others = (0..mine.len()).filter(|j| mine[*j]);
        let all: f64 = others.map(|j| if i == j { 1.0 } else { near(i, j) }).sum();
        1.0 / all
    };
    (0..mine.len()).map(|i| if mine[i] { mass(i) } else { 1.0 }).collect()
}

/// The usual likeness of each miner's column, where it was there, to what the others say together: their correlation under
/// these weights of miners, each without its own part; 0 for one that is alone.
#[must_use]
pub fn usual_likeness(moments: &Moments, weights: &[f64]) -> Vec<f64> {
    let with = |i: usize| weights.iter().zip(moments.row(i)).map(|(weight, cross)| weight * cross).sum::<f64>();
    let with: Vec<f64> = (0..weights.len()).map(with).collect();
    let total: f64 = weights.iter().zip(&with).map(|(weight, with)| weight * with).sum();
    let largest = (0..weights.len()).map(|i| moments.size(i)).fold(0.0, f64::max);
    let usual = |i: usize| {
        let (weight, size) = (weights[i], moments.size(i));
        let others = (total - 2.0 * weight * with[i] + weight * weight * size).max(0.0);
        if others * size <= 1e-12 * total.max(1e-300) * largest {
            return 0.0;
        }
        let there = (size / moments.number).clamp(0.0, 1.0);
        (with[i] - weight * size) / (size * others * there).max(0.0).sqrt()
    };
    (0..weights.len()).map(usual).collect()
}
