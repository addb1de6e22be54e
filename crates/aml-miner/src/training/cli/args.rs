//! Arguments of the commands.

mod measuring;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use anyhow::Context;
use chrono::NaiveDate;
use clap::{Args, ValueEnum};

use crate::models::bundle::ModelKind;
use crate::training::assemble::Range;
use crate::training::config::{ModelConfig, check_version};
pub(super) use measuring::{DiagnoseArgs, EvaluateArgs, ReportArgs, SelectArgs};

/// Which batches are read.
#[derive(Args, Clone, Debug)]
pub(super) struct RangeArgs {
    /// Directory of batch directories, one per day.
    #[arg(long, value_name = "DIR")]
    data_dir: PathBuf,
    /// First day, such as 2025-01-01.
    #[arg(long, value_name = "DATE")]
    start_date: Option<NaiveDate>,
    /// Last day.
    #[arg(long, value_name = "DATE")]
    end_date: Option<NaiveDate>,
    /// State of addresses that the first day begins with, for features of earlier days; days of --data-dir go on from it.
    #[arg(long, value_name = "FILE")]
    history: Option<PathBuf>,
}

impl RangeArgs {
    pub(super) fn range(&self) -> Range {
        Range {
            data_dir: self.data_dir.clone(),
            start: self.start_date,
            end: self.end_date,
            history: self.history.clone(),
        }
    }
}

/// What every command that trains or measures takes.
#[derive(Args, Clone, Debug)]
pub(super) struct ConfigArgs {
    /// Configuration in YAML; see config/model_config.yaml.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Seed of everything random; goes before the configuration's.
    #[arg(long)]
    seed: Option<u64>,
    /// Days left out before validation and test; goes before the configuration's.
    #[arg(long, value_name = "DAYS")]
    embargo_days: Option<u32>,
    /// Threads; they do not change a model. All processors where it is not given.
    #[arg(long)]
    threads: Option<NonZeroUsize>,
}

impl ConfigArgs {
    pub(super) fn config(&self) -> anyhow::Result<ModelConfig> {
        let mut config = match &self.config {
            Some(path) => ModelConfig::from_file(path).with_context(|| format!("configuration {}", path.display()))?,
            None => ModelConfig::default(),
        };
        config.seed = self.seed.unwrap_or(config.seed);
        config.split.embargo_days = self.embargo_days.unwrap_or(config.split.embargo_days);
        Ok(config)
    }

    pub(super) fn threads(&self) -> usize {
        self.threads.or_else(|| std::thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get)
    }
}

/// Arguments of `scorer`, `ranker`, `clusters` and `all`.
#[derive(Args, Clone, Debug)]
pub(super) struct TrainArgs {
    #[command(flatten)]
    pub(super) range: RangeArgs,
    #[command(flatten)]
    pub(super) config: ConfigArgs,
    /// Directory the models are written to, as `MODEL_vVERSION.txt` with `model_metadata.json` beside them.
    #[arg(long, value_name = "DIR", value_parser = directory)]
    pub(super) output: PathBuf,
    /// Make models anew that are there already.
    #[arg(long)]
    pub(super) replace: bool,
    /// Version of the models, such as 1.0.1; goes before the configuration's.
    #[arg(long, value_name = "VERSION", value_parser = version)]
    pub(super) model_version: Option<String>,
}

/// Arguments of `adopt`.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Example:\n  aml-miner-train adopt model.ubj --kind alert_scorer --schema features.txt --output adopted --calibrate data"
)]
pub(super) struct AdoptArgs {
    /// The model file: LightGBM's text, XGBoost's JSON or UBJSON, CatBoost's .cbm or JSON, or what scripts/export_sklearn.py wrote.
    #[arg(value_name = "MODEL")]
    pub(super) model: PathBuf,
    /// What it is for.
    #[arg(long, value_enum)]
    pub(super) kind: Kind,
    /// File of its features in the order of its columns: names, one per line, a JSON list, or a schema. Not needed where the model
    /// file names them.
    #[arg(long, value_name = "FILE")]
    pub(super) schema: Option<PathBuf>,
    /// Directory the bundle is written to.
    #[arg(long, value_name = "DIR", value_parser = directory)]
    pub(super) output: PathBuf,
    /// Directory of labelled batches that the model did not learn from: a curve from scores to probabilities is fitted on them.
    #[arg(long, value_name = "DIR")]
    pub(super) calibrate: Option<PathBuf>,
    /// First day that calibrates.
    #[arg(long, value_name = "DATE", requires = "calibrate")]
    pub(super) start_date: Option<NaiveDate>,
    /// Last day that calibrates.
    #[arg(long, value_name = "DATE", requires = "calibrate")]
    pub(super) end_date: Option<NaiveDate>,
    /// State of addresses that the first day begins with, for features of earlier days.
    #[arg(long, value_name = "FILE", requires = "calibrate")]
    pub(super) history: Option<PathBuf>,
    /// The values of the model's categorical features are the codes that it was trained on.
    #[arg(long)]
    pub(super) values_are_codes: bool,
    /// Make a bundle anew that is there already.
    #[arg(long)]
    pub(super) replace: bool,
    /// Version of the bundle.
    #[arg(long, value_name = "VERSION", value_parser = version, default_value = "1.0.0")]
    pub(super) model_version: String,
}

/// What a model is for, as `adopt` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(super) enum Kind {
    /// Scores alerts.
    AlertScorer,
    /// Orders alerts.
    AlertRanker,
    /// Scores clusters.
    ClusterScorer,
}

impl From<Kind> for ModelKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::AlertScorer => Self::AlertScorer,
            Kind::AlertRanker => Self::AlertRanker,
            Kind::ClusterScorer => Self::ClusterScorer,
        }
    }
}

/// Arguments of `tune`.
#[derive(Args, Clone, Debug)]
pub(super) struct TuneArgs {
    #[command(flatten)]
    pub(super) range: RangeArgs,
    #[command(flatten)]
    pub(super) config: ConfigArgs,
    /// Which model's parameters are searched.
    #[arg(long, value_enum, default_value = "scorer")]
    pub(super) model: Model,
    /// Trials in all, those of the study file included.
    #[arg(long)]
    pub(super) trials: Option<u32>,
    /// YAML file that the best parameters are written to; `--config` takes it.
    #[arg(long, value_name = "FILE")]
    pub(super) output: PathBuf,
    /// Study file (JSON lines); one that is there is continued. Beside the output where it is not given.
    #[arg(long, value_name = "FILE")]
    pub(super) study: Option<PathBuf>,
}

/// A model, as `tune` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Model {
    /// The alert scorer.
    Scorer,
    /// The alert ranker.
    Ranker,
    /// The cluster scorer.
    Clusters,
}

impl Model {
    pub(super) fn kind(self) -> ModelKind {
        match self {
            Self::Scorer => ModelKind::AlertScorer,
            Self::Ranker => ModelKind::AlertRanker,
            Self::Clusters => ModelKind::ClusterScorer,
        }
    }
}

fn version(text: &str) -> Result<String, &'static str> {
    check_version(text).map(|()| text.to_owned())
}

fn directory(text: &str) -> Result<PathBuf, String> {
    if Path::new(text).extension().is_some_and(|extension| extension == "txt") {
        return Err("give the directory: the file is named <model>_v<version>.txt, and model_version is a key of the \
                    configuration"
            .to_owned());
    }
    Ok(PathBuf::from(text))
}
