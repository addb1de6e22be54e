//! Figures of the alert scorer's scores of a cluster's alerts.

/// A figure of the known scores, given in ascending order; there is at least one.
#[derive(Clone, Copy)]
pub(crate) struct ScoreFigure(pub(crate) fn(&[f64]) -> f64);
