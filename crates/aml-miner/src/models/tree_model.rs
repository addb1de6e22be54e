//! What the three models have in common: a checked bundle, its trees compiled, its tables made.

use std::path::Path;

use super::bundle::{Bundle, Entry, LoadError, ModelKind};
use super::shap::{ExplainError, Explainer};
use super::trees::Forest;

/// A bundle, ready to score and explain.
#[derive(Debug)]
pub(super) struct TreeModel {
    pub(super) entry: Entry,
    pub(super) forest: Forest,
    pub(super) explainer: Explainer,
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
    pub(super) fn load(path: &Path, kind: ModelKind) -> Result<Self, ModelError> {
        let Bundle { entry, model } = Bundle::load(path, kind)?;
        let explainer = Explainer::new(&model)?;
        Ok(Self { forest: Forest::new(&model), explainer, entry })
    }

    /// The model's own answers, or the calibrated ones where the bundle has a curve.
    pub(super) fn predict_into(&self, rows: &[f64], scores: &mut [f64]) {
        if matches!(self.entry.calibration, super::Calibration::None) {
            return self.forest.predict_into(rows, scores);
        }
        self.forest.raw_into(rows, scores);
        for score in scores {
            *score = self.entry.calibration.apply(*score).unwrap_or(*score);
        }
    }
}

/// Implements [`BaseModel`](super::BaseModel) and the constructor of a type around a [`TreeModel`].
macro_rules! tree_model {
    ($model:ty, $kind:expr) => {
        impl $model {
            /// Loads the model file at `path` and the metadata beside it.
            ///
            /// # Errors
            /// What is missing, broken or different.
            pub fn load(path: &std::path::Path) -> Result<Self, $crate::models::ModelError> {
                $crate::models::tree_model::TreeModel::load(path, $kind).map(Self)
            }

            /// Everything the bundle says about it.
            #[must_use]
            pub fn entry(&self) -> &$crate::models::bundle::Entry {
                &self.0.entry
            }
        }

        impl $crate::models::BaseModel for $model {
            fn name(&self) -> &str {
                self.0.entry.model.name()
            }

            fn version(&self) -> &str {
                &self.0.entry.model_version
            }

            fn digest(&self) -> $crate::digest::Digest {
                self.0.entry.sha256
            }

            fn schema(&self) -> &$crate::features::Schema {
                &self.0.entry.schema
            }

            fn base_value(&self) -> f64 {
                self.0.explainer.base_values()[0]
            }

            fn raw_into(&self, rows: &[f64], raw: &mut [f64]) {
                self.0.forest.raw_into(rows, raw);
            }

            fn predict_into(&self, rows: &[f64], scores: &mut [f64]) {
                self.0.predict_into(rows, scores);
            }

            fn explain_into(&self, rows: &[f64], contributions: &mut [f64]) {
                self.0.explainer.contributions_into(rows, contributions);
            }
        }
    };
}
pub(super) use tree_model;
