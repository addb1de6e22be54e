//! The alert scorer whose scores a cluster scorer learnt from: its file and its curve, for both decide what a score means.

use crate::digest::Digest;

/// An alert scorer, by all that decides its scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LearntFrom {
    /// SHA-256 of its file.
    pub file: Digest,
    /// Digest of its calibration, [`Calibration::digest`](crate::models::Calibration::digest).
    pub curve: Digest,
}
