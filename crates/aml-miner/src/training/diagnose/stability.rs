//! The recipe under other seeds: how much of a figure is luck.

use serde::Serialize;

use super::{mean, ranks};
use crate::models::bundle::ModelKind;
use crate::training::assemble::Assembled;
use crate::training::evaluation::{Judging, evaluate};
use crate::training::fit::{Settings, fit};
use crate::training::session::{Session, TrainError};

/// What one seed came to on the test period.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OfSeed {
    /// The seed.
    pub seed: u64,
    /// Rounds that were kept.
    pub rounds: usize,
    /// Area under the curve.
    pub roc_auc: Option<f64>,
    /// Average precision.
    pub average_precision: Option<f64>,
}

/// The same recipe under several seeds, on the split of the days.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stability {
    /// By seed.
    pub seeds: Vec<OfSeed>,
    /// Mean correlation of the ranks that two of them give the rows of the test period.
    pub rank_correlation: Option<f64>,
}

/// Trains the recipe of the session's configuration `seeds` times; nothing is written.
///
/// # Errors
/// When the days cannot be split, or LightGBM refuses.
pub fn stability(session: &Session<'_>, assembled: &Assembled, seeds: u32) -> Result<Stability, TrainError> {
    let split = session.split(assembled)?;
    let (mut all, mut told) = (Vec::new(), Vec::<Vec<f64>>::new());
    for offset in 0..u64::from(seeds) {
        let seed = session.config.seed.wrapping_add(offset);
        let settings = Settings { seed, ..session.settings(ModelKind::AlertScorer) };
        let fit = fit(settings, &split.train, &split.validation, session.watch)?;
        if fit.raised.grown.interrupted {
            break;
        }
        let answers = fit.answers(&split.test);
        let config = crate::training::config::EvaluationConfig { bootstrap: 0, ..session.config.evaluation.clone() };
        let evaluation = evaluate(&split.test, answers.clone(), true, 0.0, Judging { config: &config, seed });
        all.push(OfSeed {
            seed,
            rounds: fit.raised.grown.rounds,
            roc_auc: evaluation.value("roc_auc"),
            average_precision: evaluation.value("average_precision"),
        });
        told.push(answers);
    }
    let pairs = (0..told.len()).flat_map(|one| (0..one).map(move |other| (one, other)));
    let rank_correlation = mean(pairs.filter_map(|(one, other)| ranks::correlation(&told[one], &told[other])));
    Ok(Stability { seeds: all, rank_correlation })
}
