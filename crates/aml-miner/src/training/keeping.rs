//! From rows to a model that is kept: features selected, split, grown, calibrated, judged, fitted once more, written.

use crate::models::bundle::{Draft, ModelKind, Origin, save};
use crate::training::assemble::Assembled;
use crate::training::fit::{Fit, fit};
use crate::training::record::{Selected, TrainingRecord};
use crate::training::refit::refit;
use crate::training::select::chosen;
use crate::training::session::{Session, TrainError, Trained};
use crate::training::split::Split;

/// A model of a split, and what it was made of.
struct Made<'a> {
    kind: ModelKind,
    assembled: &'a Assembled,
    split: &'a Split,
    fit: &'a Fit,
    selected: Option<Selected>,
}

/// Selects features where that is wanted, splits, grows, calibrates, judges, fits once more and writes a model.
///
/// # Errors
/// Whatever step fails; nothing is written then.
pub(super) fn train_on(session: &Session<'_>, kind: ModelKind, assembled: &Assembled) -> Result<Trained, TrainError> {
    let (chosen, selected) = chosen(session, kind, assembled)?;
    let split = session.split(&chosen)?;
    let fit = fit(session.settings(kind), &split.train, &split.validation, session.watch)?;
    keep(session, Made { kind, assembled: &chosen, split: &split, fit: &fit, selected })
}

/// Judges a model, fits it once more where that is wanted, and writes it; the record goes beside it.
///
/// # Errors
/// When LightGBM refuses, or the model would not load again or cannot be written.
fn keep(session: &Session<'_>, made: Made<'_>) -> Result<Trained, TrainError> {
    let Made { kind, assembled, split, fit, selected } = made;
    let mut record = TrainingRecord::new(kind, assembled.summary.clone(), split, fit, &session.config);
    record.selected = selected;
    let again = refit(session, kind, assembled, split, fit)?;
    if let Some(again) = &again {
        record = record.refitted(again.record.clone());
    }
    let kept = again.as_ref().map_or(fit, |again| &again.fit);
    let metrics = record.test.metrics.iter().filter_map(|(name, figure)| Some((name.clone(), figure.value?)));
    let draft = Draft {
        model: kind,
        version: session.config.model_version.clone(),
        schema: split.train.schema.clone(),
        calibration: kept.calibration(),
        batch_relative: split.train.schema.batch_relative(),
        origin: Origin::Trained(session.training(assembled, kept)),
        alert_scorer: if kind == ModelKind::ClusterScorer { session.alert_scorer() } else { None },
        metrics: metrics.collect(),
        created_at: session.now(),
    };
    let (model, entry) = save(&session.output, &kept.raised.grown.model_text, draft)?;
    record.save_beside(&model, again.as_ref().map(|again| again.judged_text.as_str()))?;
    Ok(Trained { model, version: entry.model_version, record })
}
