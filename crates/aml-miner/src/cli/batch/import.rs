//! `import`: labelled public datasets to batch directories.

use std::io::Write;
use std::path::PathBuf;

use chrono::NaiveDate;
use clap::ValueEnum;

use super::Verdict;
use crate::data::import::{ImportOptions, amlgentex, gen_batch, openaml};

/// The datasets that can be imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Dataset {
    /// A run of the simulator AMLGentex: one batch for every step with alerts
    Amlgentex,
    /// OpenAML's wallets: one alert per wallet, spread over days with equal label rates
    Openaml,
    /// Batches of the seeded benchmark generator: tables without a manifest
    GenBatch,
}

/// Arguments of `import`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What the source is
    #[arg(value_enum)]
    dataset: Dataset,
    /// Directory of the dataset
    #[arg(value_name = "SRC")]
    source: PathBuf,
    /// Directory that receives one batch directory per day
    #[arg(value_name = "OUT")]
    output: PathBuf,
    /// Day of step 0 (amlgentex) or of the first part (openaml)
    #[arg(long, default_value = "2025-01-01", value_name = "YYYY-MM-DD")]
    base_date: NaiveDate,
    /// Days over which wallets are spread (openaml)
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=3_650))]
    parts: u32,
    /// Write only the first N batches
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Replace batches that are there
    #[arg(long)]
    replace: bool,
}

pub(super) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<Verdict> {
    let options = ImportOptions {
        output: args.output.clone(),
        base_date: args.base_date,
        parts: args.parts,
        replace: args.replace,
        limit: args.limit,
    };
    let written = match args.dataset {
        Dataset::Amlgentex => amlgentex::import(&args.source, &options)?,
        Dataset::Openaml => openaml::import(&args.source, &options)?,
        Dataset::GenBatch => gen_batch::import(&args.source, &options)?,
    };
    match (written.first(), written.last()) {
        (Some(first), Some(last)) => {
            writeln!(out, "wrote {} batches, {} to {}", written.len(), first.display(), last.display())?;
        }
        _ => writeln!(out, "the source holds no alerts: nothing written")?,
    }
    Ok(Verdict::Passed)
}
