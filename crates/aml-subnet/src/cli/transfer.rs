//! `aml-subnet export`, `import` and `backup`: the ledger, taken elsewhere.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;

use super::chain::block_on;
use super::ledger::{LedgerArgs, open};
use crate::store::Exported;

/// Arguments of `export`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    aml-subnet export ledger-2026-01-05\n  \
    aml-subnet export --database-url postgres://aml@db/ledger /backup/ledger\n\n\
    A validator may run meanwhile. The folder holds secrets: salts of tasks and of weights that are not revealed yet.")]
pub(super) struct ExportArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// Folder to make
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Arguments of `import`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    aml-subnet import --database-url postgres://aml@db/ledger ledger-2026-01-05\n\n\
    The ledger must be empty, and no validator may hold it. All of the folder is imported, or nothing.")]
pub(super) struct ImportArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// Folder that `export` made
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Arguments of `backup`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    aml-subnet backup /backup/ledger-$(date +%F).sqlite\n\n\
    A validator may run meanwhile. SQLite: a file; to restore it, stop the validator and put it in the ledger's place. \
    PostgreSQL: a folder for `import`; pg_dump does as well.")]
pub(super) struct BackupArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// File (SQLite) or folder (PostgreSQL) to make
    #[arg(value_name = "PATH")]
    path: PathBuf,
}

/// Writes an export and says what it holds.
pub(super) fn export(args: &ExportArgs) -> anyhow::Result<ExitCode> {
    args.ledger.read(async |_, ledger| {
        let exported = ledger.export(&args.folder).await.with_context(|| format!("cannot export {ledger:?}"))?;
        report(&exported);
        println!("exported to {}", args.folder.display());
        Ok(ExitCode::SUCCESS)
    })
}

/// Fills an empty ledger and says with what.
pub(super) fn import(args: &ImportArgs) -> anyhow::Result<ExitCode> {
    let settings = args.ledger.load()?;
    block_on(async {
        let ledger = open(&settings, false).await?;
        let imported = ledger.import(&args.folder).await;
        let exported = imported.with_context(|| format!("cannot import {}", args.folder.display()))?;
        report(&exported);
        println!("imported into {}", ledger.address());
        ledger.close().await;
        Ok(ExitCode::SUCCESS)
    })
}

/// Copies the ledger.
pub(super) fn backup(args: &BackupArgs) -> anyhow::Result<ExitCode> {
    args.ledger.read(async |_, ledger| {
        ledger.backup(&args.path).await.with_context(|| format!("cannot back up {ledger:?}"))?;
        println!("backup written to {}", args.path.display());
        Ok(ExitCode::SUCCESS)
    })
}

fn report(exported: &Exported) {
    for table in &exported.tables {
        println!("{:>12} {}", table.rows, table.name);
    }
}
