//! Trains the alert ranker: lambdarank over the alerts of each `processing_date`.

use crate::models::bundle::ModelKind;
use crate::training::assemble::{Assembled, alerts};
use crate::training::keeping::train_on;
use crate::training::session::{Session, TrainError, Trained};

/// Reads, splits, grows, judges and writes the alert ranker.
///
/// # Errors
/// Whatever step fails; nothing is written then.
pub fn train_ranker(session: &Session<'_>) -> Result<Trained, TrainError> {
    let assembled = alerts(&session.range, &session.schema(ModelKind::AlertRanker), session.watch)?;
    train_ranker_on(session, &assembled)
}

/// Like [`train_ranker`], on alerts that were read before.
///
/// # Errors
/// As [`train_ranker`].
pub fn train_ranker_on(session: &Session<'_>, assembled: &Assembled) -> Result<Trained, TrainError> {
    train_on(session, ModelKind::AlertRanker, assembled)
}
