//! One model grown on a split: class weight, early stopping on the validation period, calibration.

use std::ops::ControlFlow;

use crate::metrics::{MetricError, roc_auc};
use crate::models::Calibration;
use crate::models::bundle::{CodeBook, ModelKind};
use crate::training::boost::{Grown, Measured, Task, grow};
use crate::training::calibration::{Choice, choose, probability};
use crate::training::config::{Boosting, ClassWeight, Returning};
use crate::training::lightgbm::{LightGbmError, Parameters};
use crate::training::masked::masked;
pub use crate::training::raw::{halves, raw_scores};
use crate::training::returning;
use crate::training::samples::{Samples, Target, Targets};
use crate::training::scored::Scored;
use crate::training::watch::Watch;
use crate::trees::forest::Forest;
use crate::trees::lightgbm::{ParseError, parse};
use crate::trees::limits::MAX_CATEGORY_WORDS;

/// The ranker is stopped by the order of this many alerts a day.
const RANKER_CUTOFF: usize = 100;
/// Gains of the relevances 0, 1 and 2.
const LABEL_GAIN: &str = "0,1,3";

/// The largest category that a model file holds.
const MAX_CATEGORY: f64 = (32 * MAX_CATEGORY_WORDS - 1) as f64;

/// How a model is grown.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    /// Which model.
    pub kind: ModelKind,
    /// Parameters.
    pub boosting: &'a Boosting,
    /// Seed of everything random.
    pub seed: u64,
    /// Threads LightGBM may use; they do not change the model.
    pub threads: usize,
    /// Features whose values are categories.
    pub categories: &'a [String],
    /// What becomes of addresses that come again.
    pub returning: Returning,
    /// Share of the rows learnt from whose features of earlier days are made missing.
    pub history_masked: f64,
}

/// What a model is grown on.
#[derive(Clone, Copy, Debug)]
pub struct Sides<'a> {
    /// Learnt from.
    pub train: &'a Samples,
    /// Stops boosting; where there is none, every round is kept.
    pub validation: Option<&'a Samples>,
}

/// A model before it can score.
pub struct Raised {
    /// What LightGBM made.
    pub grown: Grown,
    /// With which parameters.
    pub parameters: Parameters,
    /// Weight of an illicit row.
    pub positive_weight: f32,
    /// Rows learnt from.
    pub rows: usize,
    /// Illicit ones among them.
    pub positives: usize,
}

/// Why a model could not be grown.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    /// LightGBM refused.
    #[error(transparent)]
    LightGbm(#[from] LightGbmError),
    /// The model that LightGBM wrote is not one that we read.
    #[error("the trained model cannot be read back")]
    Parse(#[from] ParseError),
    /// A value that is no category.
    #[error(
        "feature `{feature}` has the value {value}, and a category is a whole number from 0 to {MAX_CATEGORY}: take it out of \
         `categorical`"
    )]
    Category {
        /// The feature.
        feature: String,
        /// The value.
        value: f64,
    },
    /// The raw scores of the validation period cannot be calibrated.
    #[error("the validation period cannot calibrate the scores")]
    Calibration(#[from] MetricError),
}

/// A grown model that can score.
pub struct Fit {
    /// The model and what it was made of.
    pub raised: Raised,
    /// How calibration was chosen, where the scores are probabilities.
    pub choice: Option<Choice>,
    forest: Forest,
}

impl Fit {
    /// One raw score per row.
    #[must_use]
    pub fn raw(&self, samples: &Samples) -> Vec<f64> {
        raw_scores(&self.forest, &CodeBook::default(), samples)
    }

    /// From raw scores to answers.
    #[must_use]
    pub fn calibration(&self) -> Calibration {
        self.choice.as_ref().map_or(Calibration::None, |choice| choice.fitted.clone())
    }

    /// One answer per row: a probability, or the raw score of a ranker.
    #[must_use]
    pub fn answers(&self, samples: &Samples) -> Vec<f64> {
        let raw = self.raw(samples);
        match &self.choice {
            Some(choice) => raw.into_iter().map(|score| probability(&choice.fitted, score)).collect(),
            None => raw,
        }
    }

    /// The trees alone.
    #[must_use]
    pub fn into_forest(self) -> Forest {
        self.forest
    }
}

/// Grows a model on `train`, stopped and calibrated by `validation`.
///
/// # Errors
/// When LightGBM refuses, or the validation rows lack a class.
pub fn fit(settings: Settings<'_>, train: &Samples, validation: &Samples, watch: &dyn Watch) -> Result<Fit, FitError> {
    check_categories(settings.categories, train)?;
    let what = format!("training {}", settings.kind.name());
    let raised = grown(settings, Sides { train, validation: Some(validation) }, &what, watch)?;
    let forest = Forest::new(&parse(raised.grown.model_text.as_bytes())?);
    let choice = match settings.kind.is_probability() {
        true => Some(choose(
            &validation.labels(),
            &raw_scores(&forest, &CodeBook::default(), validation),
            &halves(validation),
        )?),
        false => None,
    };
    Ok(Fit { raised, choice, forest })
}

/// Grows a model of `rounds` rounds on all of `rows`; how its scores become probabilities was chosen before.
///
/// # Errors
/// When LightGBM refuses.
pub fn again(
    settings: Settings<'_>,
    rows: &Samples,
    rounds: u32,
    choice: Option<&Choice>,
    watch: &dyn Watch,
) -> Result<Fit, FitError> {
    check_categories(settings.categories, rows)?;
    let boosting = Boosting { rounds, early_stopping: 0, ..settings.boosting.clone() };
    let what = format!("fitting {} again", settings.kind.name());
    let sides = Sides { train: rows, validation: None };
    let raised = grown(Settings { boosting: &boosting, ..settings }, sides, &what, watch)?;
    let forest = Forest::new(&parse(raised.grown.model_text.as_bytes())?);
    Ok(Fit { raised, choice: choice.cloned(), forest })
}

/// Whether every value of the features that are categories can be one.
fn check_categories(categories: &[String], samples: &Samples) -> Result<(), FitError> {
    for (place, feature) in samples.schema.features.iter().enumerate().filter(|(_, name)| categories.contains(name)) {
        let rows = samples.days.iter().flat_map(|day| (0..day.rows.len()).map(|row| day.matrix.row(row)[place]));
        let category = |value: f64| value.is_nan() || (value.fract() == 0.0 && (0.0..=MAX_CATEGORY).contains(&value));
        if let Some(value) = rows.into_iter().find(|value| !category(*value)) {
            return Err(FitError::Category { feature: feature.clone(), value });
        }
    }
    Ok(())
}

/// Grows the trees alone.
///
/// # Errors
/// When LightGBM refuses.
pub fn grown(settings: Settings<'_>, sides: Sides<'_>, what: &str, watch: &dyn Watch) -> Result<Raised, LightGbmError> {
    let train = returning::learnt(sides.train, settings.returning);
    let train = &*masked(train, settings.history_masked, settings.seed);
    let target = target(settings.kind);
    let positive_weight = match target {
        Target::Illicit => positive_weight(settings.boosting.class_weight, train),
        // Every row of a query counts the same.
        Target::Relevance => 1.0,
    };
    let mut parameters = parameters(settings);
    if let Some(columns) = category_columns(settings.categories, &train.schema.features) {
        parameters.set("categorical_feature", columns);
    }
    let mut targets = Targets::new(train, target, positive_weight);
    if settings.returning == Returning::Weight {
        targets = targets.weighted(&returning::weights(train));
    }
    let of_train = measure(train, target);
    let held = sides.validation.map(|rows| (rows, Targets::new(rows, target, 1.0), measure(rows, target)));
    let total = settings.boosting.rounds as usize;
    let task = Task {
        parameters: parameters.clone(),
        features: &train.schema.features,
        rounds: total,
        patience: settings.boosting.early_stopping as usize,
        train: Measured { rows: targets.rows(train), measure: &of_train },
        validation: held.as_ref().map(|(rows, targets, measure)| Measured { rows: targets.rows(rows), measure }),
    };
    let grown = grow(&task, &mut |round| {
        watch.round(what, round.round, total, round.validation);
        if watch.stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok(Raised { grown, parameters, positive_weight, rows: train.len(), positives: train.positives() })
}

/// The places of the features that are categories, as LightGBM takes them; `None` where there are none.
fn category_columns(categories: &[String], features: &[String]) -> Option<String> {
    let places = features.iter().enumerate().filter(|(_, name)| categories.contains(name));
    let places: Vec<String> = places.map(|(place, _)| place.to_string()).collect();
    (!places.is_empty()).then(|| places.join(","))
}

/// What a kind of model is trained to tell.
#[must_use]
pub fn target(kind: ModelKind) -> Target {
    if kind.is_probability() { Target::Illicit } else { Target::Relevance }
}

/// LightGBM's parameters for a kind of model.
#[must_use]
pub fn parameters(settings: Settings<'_>) -> Parameters {
    match target(settings.kind) {
        Target::Illicit => settings.boosting.parameters("binary", settings.seed, settings.threads),
        Target::Relevance => {
            let mut all = settings.boosting.parameters("lambdarank", settings.seed, settings.threads);
            all.set("label_gain", LABEL_GAIN).set("lambdarank_truncation_level", RANKER_CUTOFF);
            all
        }
    }
}

/// The metric that stops boosting: ROC-AUC, or the mean NDCG of the days.
pub fn measure(samples: &Samples, target: Target) -> impl Fn(&[f64]) -> f64 + '_ {
    let frame = Scored::new(samples, Vec::new(), false);
    move |scores| {
        let value = match target {
            Target::Illicit => roc_auc(&frame.labels, scores),
            Target::Relevance => frame.rescored(scores.to_vec(), false).ndcg(RANKER_CUTOFF),
        };
        // Rows that cannot be told apart are worth nothing; boosting then keeps its first round.
        value.unwrap_or(0.0)
    }
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a weight needs no more precision")]
fn positive_weight(weight: ClassWeight, samples: &Samples) -> f32 {
    let positives = samples.positives().max(1) as f64;
    let ratio = (samples.len() as f64 - positives).max(1.0) / positives;
    match weight {
        ClassWeight::None => 1.0,
        ClassWeight::Sqrt => ratio.sqrt() as f32,
        ClassWeight::Balanced => ratio as f32,
    }
}
