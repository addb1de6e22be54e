//! From raw scores to probabilities: Platt's sigmoid or, from [`ISOTONIC_ROWS`] rows on, an isotonic curve, whichever
//! held up better on days it was not fitted on. Both rise with every raw score, the isotonic one from the lowest to the
//! highest that it was fitted on: rows between them that the trees tell apart stay apart.

use crate::metrics::{MetricError, log_loss};
use crate::models::Calibration;

/// Fewest rows that an isotonic curve is fitted on: with fewer it has a handful of steps, placed by chance.
pub const ISOTONIC_ROWS: usize = 1_000;

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

/// What was chosen, and how both did on the days they were not fitted on.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// Fitted on all rows.
    pub fitted: Calibration,
    /// Mean log loss of Platt's sigmoid on the other half.
    pub platt_log_loss: f64,
    /// Mean log loss of the isotonic curve on the other half; `None` where there are too few rows for one.
    pub isotonic_log_loss: Option<f64>,
}

/// Fits both on each half of the rows (as `half` says), measures on the other, and fits the better one on all rows.
/// Platt's sigmoid wins a tie, where a half lacks a class, and where there are fewer than [`ISOTONIC_ROWS`] rows.
///
/// # Errors
/// When there are no rows of both classes.
pub fn choose(labels: &[bool], raw: &[f64], half: &[bool]) -> Result<Choice, MetricError> {
    crate::metrics::roc_auc(labels, raw)?;
    let halves = [false, true].map(|side| Half::of(labels, raw, half, side));
    let across = |fit: fn(&[bool], &[f64]) -> Calibration| -> f64 {
        let [one, other] = &halves;
        f64::midpoint(one.loss(&fit(&other.labels, &other.raw)), other.loss(&fit(&one.labels, &one.raw)))
    };
    let platt_log_loss = across(platt);
    let enough = raw.len() >= ISOTONIC_ROWS && halves.iter().all(|half| !half.raw.is_empty());
    let isotonic_log_loss = enough.then(|| across(isotonic));
    let better = isotonic_log_loss.is_some_and(|loss| loss < platt_log_loss);
    let fitted = if better { isotonic(labels, raw) } else { platt(labels, raw) };
    Ok(Choice { fitted, platt_log_loss, isotonic_log_loss })
}

/// The rows on one side of a halving.
struct Half {
    labels: Vec<bool>,
    raw: Vec<f64>,
}

impl Half {
    fn of(labels: &[bool], raw: &[f64], half: &[bool], side: bool) -> Self {
        let rows = (0..raw.len()).filter(|&row| half[row] == side);
        let (labels, raw) = rows.map(|row| (labels[row], raw[row])).unzip();
        Self { labels, raw }
    }

    /// Log loss of a calibration that was fitted elsewhere.
    fn loss(&self, fitted: &Calibration) -> f64 {
        let probabilities: Vec<f64> = self.raw.iter().map(|&score| probability(fitted, score)).collect();
        log_loss(&self.labels, &probabilities).unwrap_or(f64::INFINITY)
    }
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

/// The isotonic curve by pooling neighbours that are out of order: straight lines between the pools' centres, and on to
/// the lowest and the highest raw score, so that it rises throughout. Ends are kept off 0 and 1 by the size of their
/// pool, so that no score claims certainty.
#[must_use]
pub fn isotonic(labels: &[bool], raw: &[f64]) -> Calibration {
    let pools = pools(labels, raw);
    let (mut x, mut y): (Vec<f64>, Vec<f64>) = pools.iter().map(|pool| (pool.centre(), pool.value())).unzip();
    if let [first, second, ..] = pools.as_slice() {
        let lowest = first.value() - first.slope_to(second) * (first.centre() - first.from);
        if first.from < first.centre() {
            x.insert(0, first.from);
            y.insert(0, lowest.max(first.value() / 2.0));
        }
    }
    if let [.., before, last] = pools.as_slice() {
        let highest = last.value() + before.slope_to(last) * (last.to - last.centre());
        if last.to > last.centre() {
            x.push(last.to);
            y.push(highest.min(f64::midpoint(last.value(), 1.0)));
        }
    }
    Calibration::Isotonic { x, y }
}

/// Runs of rows in the order of their raw scores, each with a higher share of positives than the one before.
fn pools(labels: &[bool], raw: &[f64]) -> Vec<Pool> {
    let mut order: Vec<usize> = (0..raw.len()).collect();
    order.sort_by(|&a, &b| raw[a].total_cmp(&raw[b]));
    let mut equal: Vec<Pool> = Vec::new();
    for row in order {
        let one = Pool::of(raw[row], labels[row]);
        match equal.last_mut() {
            Some(last) if raw[row] <= last.to => last.join(&one),
            _ => equal.push(one),
        }
    }
    let mut pools: Vec<Pool> = Vec::with_capacity(equal.len());
    for mut pool in equal {
        while let Some(mut before) = pools.pop_if(|before| before.value() >= pool.value()) {
            before.join(&pool);
            pool = before;
        }
        pools.push(pool);
    }
    pools
}

/// Rows whose raw scores follow each other.
#[derive(Clone, Copy)]
struct Pool {
    from: f64,
    to: f64,
    sum: f64,
    rows: f64,
    positives: f64,
}

impl Pool {
    fn of(raw: f64, label: bool) -> Self {
        Self { from: raw, to: raw, sum: raw, rows: 1.0, positives: f64::from(u8::from(label)) }
    }

    /// Takes the rows of the pool after this one.
    fn join(&mut self, after: &Self) {
        self.to = after.to;
        self.sum += after.sum;
        self.rows += after.rows;
        self.positives += after.positives;
    }

    /// The share of positives, off 0 and 1.
    fn value(&self) -> f64 {
        let least = 1.0 / (self.rows + 2.0);
        (self.positives / self.rows).clamp(least, 1.0 - least)
    }

    /// The mean raw score.
    fn centre(&self) -> f64 {
        // Rounding may not move it out of the pool.
        (self.sum / self.rows).clamp(self.from, self.to)
    }

    /// How steeply the curve rises from here to `next`.
    fn slope_to(&self, next: &Self) -> f64 {
        (next.value() - self.value()) / (next.centre() - self.centre())
    }
}

fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}
