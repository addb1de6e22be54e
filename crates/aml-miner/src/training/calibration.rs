//! From raw scores to probabilities: Platt's sigmoid or an isotonic curve, whichever held up better on days it was
//! not fitted on.

use crate::metrics::{MetricError, log_loss};
use crate::models::Calibration;

/// Newton's method on two parameters converges in a handful of steps; this many means that it does not.
const MAX_STEPS: usize = 100;

/// The probability that a fitted calibration gives for a raw score.
#[must_use]
pub fn probability(calibration: &Calibration, raw: f64) -> f64 {
    calibration.apply(raw).unwrap_or_else(|| sigmoid(raw))
}

/// A calibration's name in reports.
#[must_use]
pub const fn name(calibration: &Calibration) -> &'static str {
    match calibration {
        Calibration::None => "none",
        Calibration::Platt { .. } => "platt",
        Calibration::Isotonic { .. } => "isotonic",
    }
}

/// One way to fit.
type Fit = fn(&[bool], &[f64]) -> Calibration;

/// What was chosen, and how both did on the days they were not fitted on.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// Fitted on all rows.
    pub fitted: Calibration,
    /// Mean log loss of Platt's sigmoid on the other half.
    pub platt_log_loss: f64,
    /// Mean log loss of the isotonic curve on the other half.
    pub isotonic_log_loss: f64,
}

/// Fits both on each half of the rows (as `half` says), measures on the other, and fits the better one on all rows.
/// Platt's sigmoid wins a tie, and where a half lacks a class.
///
/// # Errors
/// When there are no rows of both classes.
pub fn choose(labels: &[bool], raw: &[f64], half: &[bool]) -> Result<Choice, MetricError> {
    crate::metrics::roc_auc(labels, raw)?;
    let across = |fit: Fit| -> f64 {
        let losses = [false, true].map(|side| held_out_loss(labels, raw, half, (side, fit)));
        f64::midpoint(losses[0], losses[1])
    };
    let (platt_log_loss, isotonic_log_loss) = (across(platt), across(isotonic));
    let fitted = if isotonic_log_loss < platt_log_loss { isotonic(labels, raw) } else { platt(labels, raw) };
    Ok(Choice { fitted, platt_log_loss, isotonic_log_loss })
}

fn held_out_loss(labels: &[bool], raw: &[f64], half: &[bool], (side, fit): (bool, Fit)) -> f64 {
    let pick = |wanted: bool| -> (Vec<bool>, Vec<f64>) {
        (0..raw.len()).filter(|&row| half[row] == wanted).map(|row| (labels[row], raw[row])).unzip()
    };
    let ((seen_labels, seen_raw), (other_labels, other_raw)) = (pick(side), pick(!side));
    let fitted = fit(&seen_labels, &seen_raw);
    let probabilities: Vec<f64> = other_raw.iter().map(|&score| probability(&fitted, score)).collect();
    log_loss(&other_labels, &probabilities).unwrap_or(f64::INFINITY)
}

/// Platt's sigmoid with his smoothed targets, by damped Newton steps on the log loss.
#[must_use]
pub fn platt(labels: &[bool], raw: &[f64]) -> Calibration {
    let (mut positives, mut negatives) = (0.0_f64, 0.0_f64);
    labels.iter().for_each(|&label| if label { positives += 1.0 } else { negatives += 1.0 });
    let (high, low) = ((positives + 1.0) / (positives + 2.0), 1.0 / (negatives + 2.0));
    let targets: Vec<f64> = labels.iter().map(|&label| if label { high } else { low }).collect();
    let (mut slope, mut intercept) = (0.0, ((positives + 1.0) / (negatives + 1.0)).ln());
    let mut loss = sigmoid_loss(&targets, raw, slope, intercept);
    for _ in 0..MAX_STEPS {
        let Some((step_slope, step_intercept)) = newton_step(&targets, raw, slope, intercept) else { break };
        let mut damping = 1.0;
        let next = loop {
            let (a, b) = (slope + damping * step_slope, intercept + damping * step_intercept);
            let tried = sigmoid_loss(&targets, raw, a, b);
            if tried < loss {
                break Some((a, b, tried));
            }
            damping /= 2.0;
            if damping < 1e-10 {
                break None;
            }
        };
        let Some((a, b, better)) = next else { break };
        (slope, intercept, loss) = (a, b, better);
    }
    // A model may never turn its own order round, whatever a short validation period says.
    Calibration::Platt { a: slope.clamp(1e-12, 1e12), b: intercept }
}

/// The Newton step of the log loss; `None` where the gradient is (numerically) zero.
fn newton_step(targets: &[f64], raw: &[f64], slope: f64, intercept: f64) -> Option<(f64, f64)> {
    let (mut g_slope, mut g_intercept) = (0.0, 0.0);
    let (mut h_ss, mut h_si, mut h_ii) = (1e-12, 0.0, 1e-12);
    for (&target, &x) in targets.iter().zip(raw) {
        let p = sigmoid(slope * x + intercept);
        let (error, weight) = (p - target, p * (1.0 - p));
        g_slope += error * x;
        g_intercept += error;
        h_ss += weight * x * x;
        h_si += weight * x;
        h_ii += weight;
    }
    if g_slope.abs() < 1e-9 && g_intercept.abs() < 1e-9 {
        return None;
    }
    let determinant = h_ss * h_ii - h_si * h_si;
    (determinant > 0.0).then(|| {
        (-(h_ii * g_slope - h_si * g_intercept) / determinant, -(h_ss * g_intercept - h_si * g_slope) / determinant)
    })
}

fn sigmoid_loss(targets: &[f64], raw: &[f64], slope: f64, intercept: f64) -> f64 {
    let of_row = |(&target, &x): (&f64, &f64)| {
        let z = slope * x + intercept;
        // ln(1 + e^z) - target * z, without overflow.
        z.max(0.0) + (-z.abs()).exp().ln_1p() - target * z
    };
    targets.iter().zip(raw).map(of_row).sum()
}

/// The isotonic curve by pooling neighbours that are out of order; ends are kept off 0 and 1 by the size of their
/// pool, so that no score claims certainty.
#[must_use]
pub fn isotonic(labels: &[bool], raw: &[f64]) -> Calibration {
    let mut order: Vec<usize> = (0..raw.len()).collect();
    order.sort_by(|&a, &b| raw[a].total_cmp(&raw[b]));
    let mut pools: Vec<Pool> = Vec::new();
    for row in order {
        let positives = f64::from(u8::from(labels[row]));
        match pools.last_mut() {
            Some(last) if raw[row] <= last.to => last.join(&Pool { from: last.to, to: last.to, rows: 1.0, positives }),
            _ => pools.push(Pool { from: raw[row], to: raw[row], rows: 1.0, positives }),
        }
    }
    let mut merged: Vec<Pool> = Vec::with_capacity(pools.len());
    for pool in pools {
        merged.push(pool);
        while let [.., before, last] = merged.as_slice() {
            if before.share() < last.share() {
                break;
            }
            let last = *last;
            merged.pop();
            if let Some(before) = merged.last_mut() {
                before.join(&last);
            }
        }
    }
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for pool in &merged {
        let value = pool.share().clamp(1.0 / (pool.rows + 2.0), 1.0 - 1.0 / (pool.rows + 2.0));
        let value = y.last().map_or(value, |&before: &f64| value.max(before));
        x.push(pool.from);
        y.push(value);
        if pool.to > pool.from {
            x.push(pool.to);
            y.push(value);
        }
    }
    Calibration::Isotonic { x, y }
}

#[derive(Clone, Copy)]
struct Pool {
    from: f64,
    to: f64,
    rows: f64,
    positives: f64,
}

impl Pool {
    fn share(&self) -> f64 {
        self.positives / self.rows
    }

    fn join(&mut self, other: &Self) {
        self.to = other.to;
        self.rows += other.rows;
        self.positives += other.positives;
    }
}

fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}
