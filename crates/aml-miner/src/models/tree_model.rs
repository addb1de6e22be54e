//! A model of any kind: a checked bundle, its trees compiled, its explanation prepared.

use std::borrow::Cow;
use std::path::Path;

use super::base_model::BaseModel;
use super::bundle::{Bundle, CodeBook, Entry, LoadError, ModelKind};
use super::calibration::Calibration;
use crate::digest::Digest;
use crate::features::Schema;
use crate::trees::contributions::{ExplainError, Explainer, MAX_TABLE_BYTES};
use crate::trees::forest::Forest;

/// A bundle, ready to score and explain.
#[derive(Debug)]
pub struct TreeModel {
    entry: Entry,
    forest: Forest,
    explainer: Explainer,
    codes: CodeBook,
    /// See [`BaseModel::raw_rounding`].
    rounding: f64,
}

/// Why a model cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// Its bundle does not load.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// Its scores cannot be explained.
    #[error("the model's scores cannot be explained")]
    Explain(#[from] ExplainError),
}

impl TreeModel {
    /// Loads the model file at `path`, of this kind, and the metadata beside it.
    ///
    /// # Errors
    /// What is missing, broken or different.
    pub fn load(path: &Path, kind: ModelKind) -> Result<Self, ModelError> {
        let Bundle { entry, model, codes } = Bundle::load(path, kind)?;
        let forest = Forest::new(&model);
        // Nothing explains ranks but a report: tables for them would be memory and time for nobody.
        let table_bytes = if kind == ModelKind::AlertRanker { 0 } else { MAX_TABLE_BYTES };
        let explainer = Explainer::beside(&forest, &model, table_bytes)?;
        let rounding = model.rounding();
        Ok(Self { forest, explainer, entry, codes, rounding })
    }

    /// `rows` with categories by their codes; as they are where the model has no code book.
    fn coded<'a>(&self, rows: &'a [f64]) -> Cow<'a, [f64]> {
        if self.codes.is_empty() {
            return Cow::Borrowed(rows);
        }
        Cow::Owned(self.codes.translate(rows, self.entry.schema.features.len()))
    }

    /// Everything the bundle says about it.
    #[must_use]
    pub fn entry(&self) -> &Entry {
        &self.entry
    }

    /// From raw scores to the model's own answers, or the calibrated ones where the bundle has a curve.
    fn finish(&self, scores: &mut [f64]) {
        let calibration = &self.entry.calibration;
        if matches!(calibration, Calibration::None) {
            return self.forest.convert(scores);
        }
        for score in scores {
            *score = calibration.apply(*score).unwrap_or(*score);
        }
    }
}

impl BaseModel for TreeModel {
    fn name(&self) -> &str {
        self.entry.model.name()
    }

    fn version(&self) -> &str {
        &self.entry.model_version
    }

    fn digest(&self) -> Digest {
        self.entry.sha256
    }

    fn schema(&self) -> &Schema {
        &self.entry.schema
    }

    fn base_value(&self) -> f64 {
        self.explainer.base_values()[0]
    }

    fn raw_into(&self, rows: &[f64], raw: &mut [f64]) {
        self.forest.raw_into(&self.coded(rows), raw);
    }

    fn predict_into(&self, rows: &[f64], scores: &mut [f64]) {
        self.forest.raw_into(&self.coded(rows), scores);
        self.finish(scores);
    }

    /// The rows are turned into codes once for both.
    fn predict_and_explain_into(&self, rows: &[f64], scores: &mut [f64], contributions: &mut [f64]) {
        self.explainer.raw_and_contributions_into(&self.forest, &self.coded(rows), scores, contributions);
        self.finish(scores);
    }

    fn explain_into(&self, rows: &[f64], contributions: &mut [f64]) {
        self.explainer.contributions_into(&self.coded(rows), contributions);
    }

    fn made_by(&self) -> Option<String> {
        Some(self.entry.made_by())
    }

    fn raw_rounding(&self) -> f64 {
        self.rounding
    }

    fn explain_steps(&self) -> Option<u64> {
        Some(self.explainer.steps() as u64)
    }
}
