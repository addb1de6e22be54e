//! Arguments of the commands that measure and choose.

use std::path::PathBuf;

use clap::Args;

use super::{ConfigArgs, Model, RangeArgs};

/// Arguments of `evaluate`.
#[derive(Args, Clone, Debug)]
pub(in crate::training::cli) struct EvaluateArgs {
    #[command(flatten)]
    pub(in crate::training::cli) range: RangeArgs,
    #[command(flatten)]
    pub(in crate::training::cli) config: ConfigArgs,
    /// Directory of the models.
    #[arg(long, value_name = "DIR")]
    pub(in crate::training::cli) models: PathBuf,
    /// Version of the models, where the directory holds several.
    #[arg(long)]
    pub(in crate::training::cli) model_version: Option<String>,
    /// Directory of other models: says which are better, on days that neither was made from where there are some.
    #[arg(long, value_name = "DIR")]
    pub(in crate::training::cli) against: Option<PathBuf>,
    /// JSON file that the figures are written to.
    #[arg(long, value_name = "FILE")]
    pub(in crate::training::cli) output: Option<PathBuf>,
}

/// Arguments of `report`.
#[derive(Args, Clone, Debug)]
pub(in crate::training::cli) struct ReportArgs {
    #[command(flatten)]
    pub(in crate::training::cli) range: RangeArgs,
    #[command(flatten)]
    pub(in crate::training::cli) config: ConfigArgs,
    /// Directory of the models.
    #[arg(long, value_name = "DIR", required_unless_present = "compare", conflicts_with = "compare")]
    pub(in crate::training::cli) models: Option<PathBuf>,
    /// Two directories of models: the page begins with which are better.
    #[arg(long, value_names = ["DIR", "DIR"], num_args = 2)]
    pub(in crate::training::cli) compare: Vec<PathBuf>,
    /// Version of the models, where a directory holds several.
    #[arg(long)]
    pub(in crate::training::cli) model_version: Option<String>,
    /// HTML file; the same goes as JSON into the file with the extension .json.
    #[arg(long, value_name = "FILE")]
    pub(in crate::training::cli) output: PathBuf,
}

/// Arguments of `select`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  aml-miner-train select --data-dir data --output fewer.yaml")]
pub(in crate::training::cli) struct SelectArgs {
    #[command(flatten)]
    pub(in crate::training::cli) range: RangeArgs,
    #[command(flatten)]
    pub(in crate::training::cli) config: ConfigArgs,
    /// Which model's features are chosen.
    #[arg(long, value_enum, default_value = "scorer")]
    pub(in crate::training::cli) model: Model,
    /// YAML file that the choice is written to; `--config` takes it.
    #[arg(long, value_name = "FILE")]
    pub(in crate::training::cli) output: PathBuf,
}

/// Arguments of `diagnose`.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Writes diagnosis.html, diagnosis.json and submission.jsonl into the output directory. `aml-subnet diagnose` says what the \
                  submission would be paid.\n\nExample:\n  aml-miner-train diagnose --data-dir data --models my_models --public \
                  trained_models --output diagnosis"
)]
pub(in crate::training::cli) struct DiagnoseArgs {
    #[command(flatten)]
    pub(in crate::training::cli) range: RangeArgs,
    #[command(flatten)]
    pub(in crate::training::cli) config: ConfigArgs,
    /// Directory of the models.
    #[arg(long, value_name = "DIR")]
    pub(in crate::training::cli) models: PathBuf,
    /// Version of the models, where the directory holds several.
    #[arg(long)]
    pub(in crate::training::cli) model_version: Option<String>,
    /// Directories of models that others have too: how alike their scores are, and what an ensemble with them gains.
    #[arg(long, value_name = "DIR", num_args = 1..)]
    pub(in crate::training::cli) public: Vec<PathBuf>,
    /// Seeds that the recipe of --config is trained with: its own and those that follow it; 0 leaves it out.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=100))]
    pub(in crate::training::cli) seeds: u32,
    /// Directory that receives the files.
    #[arg(long, value_name = "DIR")]
    pub(in crate::training::cli) output: PathBuf,
    /// Replace files that are there.
    #[arg(long)]
    pub(in crate::training::cli) replace: bool,
}
