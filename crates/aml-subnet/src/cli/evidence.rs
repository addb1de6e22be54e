//! `aml-subnet evidence`: the evidence pack of a round, for anybody who wants to check it.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use aml_miner::clock::{Clock as _, SystemClock};
use anyhow::Context as _;
use clap::Args;

use super::settings_args::ValidatorArgs;
use super::{SettingsArgs, chain};
use crate::outputs::PackManifest;
use crate::store::records::RoundId;
use crate::store::{Ledger, Opening};
use crate::validator::packing::{Packing, Wanted};
use crate::validator::world::Threads;
use crate::wallet::Signer;

/// Arguments of `evidence`.
#[derive(Debug, Args)]
#[command(
    after_help = "A pack tells what every miner said of every alert: there is none before the round can change no more. \
                        `scripts/check_evidence.py` checks packs offline; docs/evidence.md has their form.

Examples:
  aml-subnet evidence --round 1-2026-01-05-30 --out evidence.zip
  aml-subnet evidence --round 1-2026-01-05-30 --alert ALERT-17 --full --out evidence.zip"
)]
pub(super) struct EvidenceArgs {
    #[command(flatten)]
    settings: SettingsArgs,
    #[command(flatten)]
    validator: ValidatorArgs,
    /// The round, as in 1-2026-01-05-30
    #[arg(long, value_name = "ID")]
    round: RoundId,
    /// The alert that the pack is for: whoever checks it is told how its score came about
    #[arg(long, value_name = "ID")]
    alert: Option<String>,
    /// Raw answers too, so that the way from answers to scores can be checked
    #[arg(long)]
    full: bool,
    /// File to make
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Writes the pack, whole or not at all.
pub(super) fn run(args: &EvidenceArgs) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(
        args.out.symlink_metadata().is_err(),
        "{} exists already: nothing is overwritten",
        args.out.display()
    );
    let settings = args.settings.load(&args.validator.overrides())?;
    let file = args.settings.wallet(&settings).locate(|name| std::env::var_os(name))?;
    let signer = file.open(|name| std::env::var_os(name))?.signer;
    let manifest = chain::block_on(write(&settings.validator.ledger_url(), args, &signer))?;
    let bytes: u64 = manifest.files.values().map(|entry| entry.bytes).sum();
    println!("round    {}", manifest.round);
    println!("hotkey   {} ({})", manifest.hotkey, manifest.scheme);
    println!("made     {}", manifest.made_at);
    for (what, why) in &manifest.absent {
        println!("absent   {what}: {why}");
    }
    println!("file     {} ({} members, {bytes} bytes)", args.out.display(), manifest.files.len());
    Ok(ExitCode::SUCCESS)
}

async fn write(url: &str, args: &EvidenceArgs, signer: &Signer) -> anyhow::Result<PackManifest> {
    let opening = Opening { holder: "evidence".to_owned(), read_only: true };
    let ledger = Ledger::open(url, &opening).await?;
    let packing = Packing { ledger: &ledger, workers: &Threads, signer, now: SystemClock.now() };
    let wanted = Wanted { round: args.round, alert: args.alert.clone(), full: args.full };
    let folder = args.out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let unfinished =
        tempfile::NamedTempFile::new_in(folder).with_context(|| format!("cannot write into {}", folder.display()))?;
    let (manifest, out) = packing.write(&wanted, BufWriter::new(unfinished)).await?;
    let unfinished = out.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    unfinished.as_file().sync_all()?;
    readable(unfinished.as_file())?;
    unfinished.persist_noclobber(&args.out).with_context(|| format!("cannot make {}", args.out.display()))?;
    Ok(manifest)
}

/// A pack holds no secret: everybody may read it, as far as the folder allows.
fn readable(file: &File) -> std::io::Result<()> {
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
    let _ = file;
    Ok(())
}
