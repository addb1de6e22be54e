//! `aml-miner-batch`: batch directories from download to inspection.

mod download;
pub(crate) mod features;
mod history;
mod import;
mod inspect;
mod labels;
mod models;
mod score;
mod seal;
mod synth;
mod validate_submission;
pub(crate) mod verify;
mod verify_receipt;

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};

use crate::data::list_batches;
use crate::data::manifest::MANIFEST_FILE;

const EXAMPLES: &str = "\
Examples:
  aml-miner-batch download --base-url https://sot.example/batches --start-date 2025-10-01 --end-date 2025-10-26 --output data
  aml-miner-batch verify data/2025-10-26_w7
  aml-miner-batch inspect data/2025-10-26_w7 --json
  aml-miner-batch features data --out features.parquet --labels
  aml-miner-batch history data --out state.parquet
  aml-miner-batch import openaml ~/downloads/openaml_wallets data/openaml
  aml-miner-batch synth synth --days 30 --alerts 2000 --addresses 20000 --seed 7
  aml-miner-batch seal data/2025-10-26_w7 --network torus
  aml-miner-batch labels add data/2025-10-26_w7 decisions.csv --source investigations
  aml-miner-batch score data/2025-10-26_w7 --out answers
  aml-miner-batch verify-receipt answers/scores.receipt.json --input data/2025-10-26_w7/META.json --output answers/scores.parquet
  aml-miner-batch validate-submission --api-url http://127.0.0.1:8000 --batch data/2025-10-26_w7

Exit codes:
  0  done, and every check passed
  1  a check failed: a batch, an answer or a receipt is not what it should be
  2  the command line is wrong
  3  something could not be read, written or reached";

/// Verify, inspect, download, import, turn into features and score batch directories.
#[derive(Debug, Parser)]
#[command(name = "aml-miner-batch", version, after_help = EXAMPLES, max_term_width = 120)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check that batch directories are whole and keep every rule of the format
    Verify(verify::Args),
    /// Show tables, missing values, ranges, label rate, and columns that give the label away
    Inspect(inspect::Args),
    /// Write the features of batches as one Parquet file: the values that models take
    Features(features::Args),
    /// Build the state of addresses that models with features of earlier days take
    History(history::Args),
    /// Fetch the batches of a date range
    Download(download::Args),
    /// Turn a labelled public dataset into batch directories
    Import(import::Args),
    /// Simulate batches with labels: for tests, demos and training without real data
    Synth(synth::Args),
    /// Write down, correct, withdraw and show the outcomes of a batch's alerts
    Labels(labels::Args),
    /// Make tables of your own, Parquet or CSV, a batch directory: the same checks, and META.json
    Seal(seal::Args),
    /// Score batch directories without a server, with signed receipts
    Score(score::Args),
    /// Check models and a running API as a validator would, before joining
    ValidateSubmission(validate_submission::Args),
    /// Check that a receipt vouches for exactly this input and this output
    VerifyReceipt(verify_receipt::Args),
}

/// How a command ended, when it could do its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every check passed.
    Passed,
    /// A check failed.
    Failed,
}

/// Arguments that do not make sense together.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(String);

/// The exit code of a command that ended with `error`: 2 for its arguments, else 3.
#[must_use]
pub fn code_of(error: &anyhow::Error) -> u8 {
    if error.is::<UsageError>() { 2 } else { 3 }
}

impl Verdict {
    /// The exit code.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::Failed => 1,
        }
    }

    /// Failed when either failed.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        if self == Self::Passed { other } else { self }
    }
}

/// Runs a command, which writes its findings to `out`.
///
/// # Errors
/// When something cannot be read, written or reached.
pub fn run(cli: &Cli, out: &mut dyn Write) -> anyhow::Result<Verdict> {
    match &cli.command {
        Command::Verify(args) => verify::run(args, out),
        Command::Inspect(args) => inspect::run(args, out),
        Command::Features(args) => features::run(args, out),
        Command::History(args) => history::run(args, out),
        Command::Download(args) => download::run(args, out),
        Command::Import(args) => import::run(args, out),
        Command::Synth(args) => synth::run(args, out),
        Command::Labels(args) => labels::run(args, out),
        Command::Seal(args) => seal::run(args, out),
        Command::Score(args) => score::run(args, out),
        Command::ValidateSubmission(args) => validate_submission::run(args, out),
        Command::VerifyReceipt(args) => verify_receipt::run(args, out),
    }
}

/// The batch directory `path`, or those that the data directory `path` holds.
fn batches_in(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if path.join(MANIFEST_FILE).exists() || !path.is_dir() {
        return Ok(vec![path.to_path_buf()]);
    }
    let found = list_batches(path, None, None)?;
    // Without batches the path itself is checked, which says what it lacks.
    Ok(if found.is_empty() { vec![path.to_path_buf()] } else { found.into_iter().map(|entry| entry.path).collect() })
}
