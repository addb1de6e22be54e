//! `model_config.yaml`: what a training run may be told. Unknown keys and wrong values are all listed before exiting.

mod boosting;
mod features;
mod section;
mod training;

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_yaml_ng::Value;

use crate::features::RowKind;
pub use boosting::{Boosting, ClassWeight};
pub use features::FeatureChoice;
pub use features::default_schema;
use section::{Problems, Section, any, small_share};
pub use training::{Refit, Returning, TrainingConfig};

/// A configuration is a page of text; more is not one.
const MAX_CONFIG_BYTES: u64 = 1 << 20;

/// Who keeps an address that has alerts in two periods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SharedAddresses {
    /// The later period: what is measured stays whole, the earlier period loses the rows.
    Later,
    /// The earlier period: only addresses never trained on are measured.
    Earlier,
    /// Both. The figures then include addresses that the model has seen.
    Both,
}

/// How days are split into training, validation and test.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SplitConfig {
    /// Days left out before validation and again before test, while the labels of the days before become known.
    pub embargo_days: u32,
    /// Share of the days that validate (early stopping, calibration).
    pub validation_share: f64,
    /// Share of the days that are held out and only measured.
    pub test_share: f64,
    /// What happens to addresses on two sides.
    pub shared_addresses: SharedAddresses,
}

/// What is measured, and how finely.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EvaluationConfig {
    /// Resamples behind the 95 % intervals; 0 leaves them out.
    pub bootstrap: u32,
    /// Bins of the reliability curve and of the calibration error.
    pub calibration_bins: u32,
}

/// How the tuner searches.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TuningConfig {
    /// Trials, where `--trials` does not say.
    pub trials: u32,
    /// Folds of the cross-validation, each validating on later days than it trains on.
    pub folds: u32,
    /// Trials drawn at random before the search learns from them.
    pub startup_trials: u32,
}

/// Everything a training run may be told.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelConfig {
    /// Semantic version of the models.
    pub model_version: String,
    /// Seed of everything random.
    pub seed: u64,
    /// Whether features that compare within the batch are used.
    pub batch_relative: bool,
    /// Whether features of earlier days are used; the models then need a state of addresses to be served.
    pub history: bool,
    /// Changes to the features of alerts.
    pub alert_features: FeatureChoice,
    /// Changes to the features of clusters.
    pub cluster_features: FeatureChoice,
    /// How days are split.
    pub split: SplitConfig,
    /// How the model that is kept is made.
    pub training: TrainingConfig,
    /// Parameters of the alert scorer.
    pub scorer: Boosting,
    /// Parameters of the alert ranker.
    pub ranker: Boosting,
    /// Parameters of the cluster scorer.
    pub clusters: Boosting,
    /// What is measured.
    pub evaluation: EvaluationConfig,
    /// How the tuner searches.
    pub tuning: TuningConfig,
}

impl Default for ModelConfig {
    fn default() -> Self {
        Self {
            model_version: "1.0.0".into(),
            seed: 42,
            batch_relative: false,
            history: false,
            alert_features: FeatureChoice::default(),
            cluster_features: FeatureChoice::default(),
            split: SplitConfig {
                embargo_days: 21,
                validation_share: 0.15,
                test_share: 0.15,
                shared_addresses: SharedAddresses::Later,
            },
            training: TrainingConfig::default(),
            scorer: Boosting::default(),
            ranker: Boosting::default(),
            clusters: Boosting::default(),
            evaluation: EvaluationConfig { bootstrap: 200, calibration_bins: 10 },
            tuning: TuningConfig { trials: 50, folds: 3, startup_trials: 10 },
        }
    }
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}", path = path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file is far too long.
    #[error("{path} is longer than {MAX_CONFIG_BYTES} bytes: not a configuration", path = path.display())]
    TooLong {
        /// Which file.
        path: PathBuf,
    },
    /// Not YAML.
    #[error("not YAML: {0}")]
    Syntax(#[from] serde_yaml_ng::Error),
    /// Keys or values that are wrong: all of them.
    #[error("the configuration has {} problem(s):\n  {}", .0.len(), .0.join("\n  "))]
    Problems(Vec<String>),
}

impl ModelConfig {
    /// The configuration in the file at `path`; what it does not say is the default.
    ///
    /// # Errors
    /// When the file cannot be read, is not YAML, or says something unknown or wrong.
    pub fn from_file(path: &Path) -> Result<Self, ConfigError> {
        let read = |source| ConfigError::Read { path: path.to_owned(), source };
        if std::fs::metadata(path).map_err(read)?.len() > MAX_CONFIG_BYTES {
            return Err(ConfigError::TooLong { path: path.to_owned() });
        }
        Self::from_yaml(&std::fs::read_to_string(path).map_err(read)?)
    }

    /// The configuration in `text`; what it does not say is the default.
    ///
    /// # Errors
    /// When the text is not YAML, or says something unknown or wrong.
    pub fn from_yaml(text: &str) -> Result<Self, ConfigError> {
        let value: Value = serde_yaml_ng::from_str(text)?;
        let mut problems = Problems::default();
        let config = Self::default().read(Section::new("", value, &mut problems));
        if problems.0.is_empty() { Ok(config) } else { Err(ConfigError::Problems(problems.0)) }
    }

    fn read(mut self, mut root: Section<'_>) -> Self {
        root.read("model_version", &mut self.model_version, |text: &String| check_version(text));
        root.read("seed", &mut self.seed, any);
        root.read("batch_relative", &mut self.batch_relative, any);
        root.read("history", &mut self.history, any);
        root.section("alert_features", |section| self.alert_features.read(section, RowKind::Alert));
        root.section("cluster_features", |section| self.cluster_features.read(section, RowKind::Cluster));
        root.section("split", |section| self.split.read(section));
        root.section("training", |section| self.training.read(section));
        let common = root.section("boosting", |section| self.scorer.clone().read(section));
        self.scorer = root.section("scorer", |section| common.clone().read(section));
        self.ranker = root.section("ranker", |section| common.clone().read(section));
        self.clusters = root.section("clusters", |section| common.clone().read(section));
        root.section("evaluation", |section| self.evaluation.read(section));
        root.section("tuning", |section| self.tuning.read(section));
        root.finish();
        self
    }
}

impl SplitConfig {
    fn read(&mut self, mut section: Section<'_>) {
        let days = |&value: &u32| if value <= 365 { Ok(()) } else { Err("must be at most 365") };
        section.read("embargo_days", &mut self.embargo_days, days);
        section.read("validation_share", &mut self.validation_share, small_share);
        section.read("test_share", &mut self.test_share, small_share);
        section.read("shared_addresses", &mut self.shared_addresses, any);
        section.finish();
    }
}

impl EvaluationConfig {
    fn read(&mut self, mut section: Section<'_>) {
        let times = |&value: &u32| if value <= 10_000 { Ok(()) } else { Err("must be at most 10000") };
        section.read("bootstrap", &mut self.bootstrap, times);
        let bins = |&value: &u32| if (2..=100).contains(&value) { Ok(()) } else { Err("must be from 2 to 100") };
        section.read("calibration_bins", &mut self.calibration_bins, bins);
        section.finish();
    }
}

impl TuningConfig {
    fn read(&mut self, mut section: Section<'_>) {
        let some = |&value: &u32| if (1..=100_000).contains(&value) { Ok(()) } else { Err("must be from 1 to 100000") };
        section.read("trials", &mut self.trials, some);
        let folds = |&value: &u32| if (1..=10).contains(&value) { Ok(()) } else { Err("must be from 1 to 10") };
        section.read("folds", &mut self.folds, folds);
        section.read("startup_trials", &mut self.startup_trials, some);
        section.finish();
    }
}

/// Whether `text` is a version that a model may have.
pub(super) fn check_version(text: &str) -> Result<(), &'static str> {
    let parts: Vec<&str> = text.split('.').collect();
    let number = |part: &&str| !part.is_empty() && part.len() <= 6 && part.bytes().all(|byte| byte.is_ascii_digit());
    if parts.len() == 3 && parts.iter().all(number) {
        Ok(())
    } else {
        Err("must be a semantic version of three numbers, such as \"1.0.0\"")
    }
}
