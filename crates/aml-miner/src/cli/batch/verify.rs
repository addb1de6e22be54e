//! `verify`: hashes, rules and signature of batch directories.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::{Verdict, batches_in};
use crate::data::{BatchDir, PROBLEMS_AT_ONCE, ReadBatchError};
use crate::scoring::Pool;

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
            match check(&batch, args.publisher.as_deref(), args.hashes_only) {
                Ok(summary) => writeln!(out, "ok   {}: {summary}", batch.display())?,
                Err(problems) => verdict = tell(&batch, problems, out)?,
            }
        }
    }
    Ok(verdict)
}

/// Writes what is wrong with a batch, a line each.
///
/// # Errors
/// When a file cannot be read, as opposed to is wrong.
pub(super) fn tell(path: &Path, problems: Vec<ReadBatchError>, out: &mut dyn Write) -> anyhow::Result<Verdict> {
    let many = problems.len() == PROBLEMS_AT_ONCE;
    for problem in problems {
        if !problem.is_corrupt() {
            return Err(problem.into());
        }
        writeln!(out, "BAD  {}: {problem}", path.display())?;
    }
    if many {
        writeln!(out, "BAD  {}: and perhaps more: the first {PROBLEMS_AT_ONCE} problems are shown", path.display())?;
    }
    Ok(Verdict::Failed)
}

/// What a batch holds, in a line, when nothing is wrong with it.
///
/// # Errors
/// What is wrong, at most [`PROBLEMS_AT_ONCE`] things.
pub(crate) fn check(path: &Path, publisher: Option<&str>, hashes_only: bool) -> Result<String, Vec<ReadBatchError>> {
    let one = |problem: ReadBatchError| vec![problem];
    let directory = BatchDir::open(path).map_err(one)?;
    if let Some(publisher) = publisher {
        directory.manifest().require_publisher(publisher).map_err(|error| one(error.into()))?;
    }
    let unlisted = directory.unlisted().map_err(one)?;
    let mut summary = if hashes_only {
        directory.verify_files().map_err(one)?;
        format!("{} files", directory.manifest().files.len())
    } else {
        let tables = directory.check(PROBLEMS_AT_ONCE, &Pool)?;
        tables.iter().map(|table| format!("{} {}", table.rows, table.name)).collect::<Vec<_>>().join(", ")
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
