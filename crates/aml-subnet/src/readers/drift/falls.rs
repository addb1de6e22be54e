//! Figures of slices that are lower than in the month before, by more than chance explains.

use serde::Serialize;
use utoipa::ToSchema;

use super::Summary;
use super::figures::Measure;
use super::slices::Part;

/// Standard errors of the difference that chance is given. One-sided, that is 1 in 2,000 a figure: some sixty figures of a month
/// give a false alarm in about three years.
pub const Z: f64 = 3.3;
/// Smaller falls are told to nobody, however sure they are.
pub const FALL: f64 = 0.05;

/// A figure that fell.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Fall {
    /// `typology`, `network`, `severity`, `age` or `volume`.
    pub by: &'static str,
    /// Which slice.
    pub name: String,
    /// `auc` or `precision`.
    pub figure: &'static str,
    /// In the month before.
    pub before: f64,
    /// In this month.
    pub now: f64,
    /// How much of the difference chance explains: 3.3 standard errors of it.
    pub chance: f64,
}

/// How many figures could be compared, and those that fell.
pub(super) fn falls(of: &Summary, before: &Summary, reviews: usize) -> (usize, Vec<Fall>) {
    let (mut compared, mut falls) = (0, Vec::new());
    for (key, now) in &of.slices {
        // The names that make up the rest are others each month.
        let (by, Part::Named(name)) = key else { continue };
        let Some(then) = before.slices.get(key) else { continue };
        let (auc, precision) = ((now.figures.auc, then.figures.auc), (now.precision(reviews), then.precision(reviews)));
        for (figure, (now, then)) in [("auc", auc), ("precision", precision)] {
            let Some((now, then)) = now.zip(then) else { continue };
            compared += 1;
            let chance = chance(&now, &then);
            if then.value - now.value > chance.max(FALL) {
                let (before, now) = (then.value, now.value);
                falls.push(Fall { by: by.name(), name: name.clone(), figure, before, now, chance });
            }
        }
    }
    (compared, falls)
}

fn chance(now: &Measure, then: &Measure) -> f64 {
    Z * (now.error * now.error + then.error * then.error).sqrt()
}
