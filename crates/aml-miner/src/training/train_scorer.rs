//! Trains the alert scorer: the calibrated probability that an alert is confirmed illicit.

use crate::models::bundle::ModelKind;
use crate::training::assemble::{Assembled, alerts};
use crate::training::keeping::train_on;
use crate::training::session::{Session, TrainError, Trained};

/// Reads, splits, grows, calibrates, judges and writes the alert scorer.
///
/// # Errors
/// Whatever step fails; nothing is written then.
pub fn train_scorer(session: &Session<'_>) -> Result<Trained, TrainError> {
    let assembled = alerts(&session.range, &session.schema(ModelKind::AlertScorer), session.watch)?;
    train_scorer_on(session, &assembled)
}

/// Like [`train_scorer`], on alerts that were read before.
///
/// # Errors
/// As [`train_scorer`].
pub fn train_scorer_on(session: &Session<'_>, assembled: &Assembled) -> Result<Trained, TrainError> {
    train_on(session, ModelKind::AlertScorer, assembled)
}
