//! `aml-subnet chain`: what can be said of a runtime without a node.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};

use crate::subtensor::runtime::{self, MAX_BYTES, Report, Verdict};

/// Exit code where a neuron would not work.
const EXIT_BROKEN: u8 = 1;
/// Exit code where the metadata does not tell enough.
const EXIT_UNKNOWN: u8 = 3;

/// Arguments of `chain`.
#[derive(Debug, Args)]
pub(super) struct ChainArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Says for everything that we use of a runtime whether it is there, and as we need it
    #[command(
        after_help = "Exits with 0 when a neuron works with this runtime, 1 when it does not, 2 when the file is no \
        metadata of a Subtensor,\n3 when the metadata does not tell enough.\n\nExample: aml-subnet chain check-metadata \
        metadata.scale"
    )]
    CheckMetadata(CheckArgs),
    /// Lists everything that we use of a runtime
    Needs(NeedsArgs),
}

/// Arguments of `chain needs`.
#[derive(Debug, Args)]
struct NeedsArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `chain check-metadata`.
#[derive(Debug, Args)]
struct CheckArgs {
    /// SCALE of version 14, 15 or 16: as bytes, as hexadecimal digits, or a node's answer; `-` for the standard input
    file: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the subcommand to its end.
pub(super) fn run(args: &ChainArgs) -> anyhow::Result<ExitCode> {
    let args = match &args.command {
        Command::CheckMetadata(args) => args,
        Command::Needs(args) => return list(args.json),
    };
    let report = match read(&args.file).and_then(|bytes| Ok(runtime::check(&bytes)?)) {
        Ok(report) => report,
        Err(error) => {
            eprintln!("error: {}: {error:#}", args.file.display());
            return Ok(ExitCode::from(super::EXIT_CONFIG));
        }
    };
    print(&report, args.json)?;
    Ok(ExitCode::from(match report.verdict {
        Verdict::Works | Verdict::WorksWithLess => 0,
        Verdict::Unknown => EXIT_UNKNOWN,
        Verdict::Broken => EXIT_BROKEN,
    }))
}

fn list(json: bool) -> anyhow::Result<ExitCode> {
    let used = runtime::used();
    if json {
        println!("{}", serde_json::to_string_pretty(&used)?);
    } else {
        used.iter().for_each(|used| println!("{:<9} {:<50} {}", used.kind, used.name, used.wanted));
    }
    Ok(ExitCode::SUCCESS)
}

fn print(report: &Report, json: bool) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(report)?);
    } else {
        println!("{report}");
    }
    Ok(())
}

/// The file, so far as it may be metadata.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        std::io::stdin().take(limit).read_to_end(&mut bytes).context("cannot read the standard input")?;
    } else {
        File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)).context("cannot read it")?;
    }
    Ok(bytes)
}
