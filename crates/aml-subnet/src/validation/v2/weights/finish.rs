//! The exact weights, from a guess of which are 0, before and beyond their knees.
//!
//! Columns that are nearly one, with next to no losses, make coordinates creep: two references that say the same would need a
//! hundred thousand sweeps. Where every weight is on a known side of its knee, the rest is one linear system.

use super::terms::{Correlations, Loss};

/// Guesses, at most.
const GUESSES: usize = 200;
/// Guesses in which everything that was wrong is changed; after these only the last one is, so that none comes again.
const BOLD: usize = 12;
/// A pull on a weight of 0 that is nothing but rounding.
const ROUNDING: f64 = 1e-13;

/// Where a weight is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Zero,
    Before,
    Beyond,
}

/// The weights that minimise what [`combine`](super::combine) does, guessing from weights that are near them; `None` when no
/// guess holds.
pub(super) fn finish(correlations: &Correlations, pulls: &[f64], losses: &[Loss], near: &[f64]) -> Option<Vec<f64>> {
    let side = |(weight, loss): (&f64, &Loss)| {
        if *weight <= 0.0 {
            Side::Zero
        } else if *weight > loss.knee {
            Side::Beyond
        } else {
            Side::Before
        }
    };
    let mut guess: Vec<Side> = near.iter().zip(losses).map(side).collect();
    for turn in 0..GUESSES {
        let weights = solve(correlations, pulls, losses, &guess)?;
        let rests = correlations.times(&weights);
        let found = (0..guess.len()).map(|i| match guess[i] {
            Side::Zero if pulls[i] - rests[i] > ROUNDING => Side::Before,
            Side::Zero => Side::Zero,
            _ => side((&weights[i], &losses[i])),
        });
        let found: Vec<Side> = found.collect();
        let Some(last) = (0..guess.len()).rev().find(|i| found[*i] != guess[*i]) else {
            return Some(weights);
        };
        if turn < BOLD {
            guess = found;
        } else {
            guess[last] = found[last];
        }
    }
    None
}

/// The weights at which every slope vanishes, on the given sides; `None` when that is no system with one solution.
fn solve(correlations: &Correlations, pulls: &[f64], losses: &[Loss], sides: &[Side]) -> Option<Vec<f64>> {
    let on: Vec<usize> = (0..sides.len()).filter(|i| sides[*i] != Side::Zero).collect();
    let beyond = |i: usize| sides[i] == Side::Beyond;
    let rise = |i: usize| losses[i].step / losses[i].knee * if beyond(i) { losses[i].tail } else { 1.0 };
    let pull = |i: usize| pulls[i] - if beyond(i) { losses[i].step * (1.0 - losses[i].tail) } else { 0.0 };
    let mut weights = vec![0.0; sides.len()];
    // Cholesky: rows of a lower triangle whose product with its mirror image is the matrix.
    let mut rows: Vec<Vec<f64>> = Vec::with_capacity(on.len());
    let mut forward: Vec<f64> = Vec::with_capacity(on.len());
    let dot = |one: &[f64], two: &[f64]| one.iter().zip(two).map(|(one, two)| one * two).sum::<f64>();
    for (at, i) in on.iter().enumerate() {
        let mut row: Vec<f64> = Vec::with_capacity(at + 1);
        for (to, j) in on[..at].iter().enumerate() {
            let rest = correlations.row(*i)[*j] - dot(&row, &rows[to][..to]);
            row.push(rest / rows[to][to]);
        }
        let pivot = 1.0 + rise(*i) - dot(&row, &row);
        if pivot <= 0.0 {
            return None;
        }
        forward.push((pull(*i) - dot(&row, &forward)) / pivot.sqrt());
        row.push(pivot.sqrt());
        rows.push(row);
    }
    for at in (0..on.len()).rev() {
        let later: f64 = (at + 1..on.len()).map(|to| rows[to][at] * weights[on[to]]).sum();
        weights[on[at]] = (forward[at] - later) / rows[at][at];
    }
    Some(weights)
}
