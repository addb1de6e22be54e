//! `verify`: hashes, rules and signature of batch directories.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::{Verdict, batches_in};
use crate::data::{BatchDir, ReadBatchError};

/// Arguments of `verify`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Batch directories, or data directories with batches in them
    #[arg(required = true, value_name = "DIR")]
    directories: Vec<PathBuf>,
    /// Demand the signature of this ed25519 public key (64 hex digits)
    #[arg(long, value_name = "KEY")]
    publisher: Option<String>,
    /// Compare lengths and hashes only, without reading the tables
    #[arg(long)]
    hashes_only: bool,
}

pub(super) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<Verdict> {
    let mut verdict = Verdict::Passed;
    for directory in &args.directories {
        for batch in batches_in(directory)? {
            match check(&batch, args) {
                Ok(summary) => writeln!(out, "ok   {}: {summary}", batch.display())?,
                Err(error) if error.is_corrupt() => {
                    writeln!(out, "BAD  {}: {error}", batch.display())?;
                    verdict = Verdict::Failed;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(verdict)
}

fn check(path: &Path, args: &Args) -> Result<String, ReadBatchError> {
    let directory = BatchDir::open(path)?;
    if let Some(publisher) = &args.publisher {
        directory.manifest().require_publisher(publisher)?;
    }
    let unlisted = directory.unlisted()?;
    let mut summary = if args.hashes_only {
        directory.verify_files()?;
        format!("{} files", directory.manifest().files.len())
    } else {
        let loaded = directory.load()?;
        let rows = |table: &crate::wire::Table| format!("{} {}", table.rows(), table.spec().name);
        let batch = &loaded.batch;
        let tables = [&batch.alerts, &batch.features, &batch.clusters, &batch.money_flows].into_iter();
        tables.chain(&loaded.labels).map(rows).collect::<Vec<_>>().join(", ")
    };
    summary.push_str(&format!(", digest {}", directory.manifest().digest()));
    match &directory.manifest().publisher {
        Some(publisher) => summary.push_str(&format!(", signed by {publisher}")),
        None => summary.push_str(", not signed"),
    }
    if !unlisted.is_empty() {
        let names: Vec<_> = unlisted.into_iter().collect();
        summary.push_str(&format!("; not in META.json and never read: {}", names.join(", ")));
    }
    Ok(summary)
}
