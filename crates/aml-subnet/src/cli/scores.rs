//! `aml-subnet scores`: canonical scores of a published round as files, and whether such files hold.

use std::path::PathBuf;
use std::process::ExitCode;

use aml_miner::clock::{Clock as _, SystemClock};
use anyhow::Context as _;
use clap::{Args, Subcommand};

use super::settings_args::ValidatorArgs;
use super::{SettingsArgs, chain};
use crate::outputs::{Edition, Manifest, directory, publish, verify};
use crate::store::records::{RoundId, Step};
use crate::store::{Ledger, Opening};
use crate::wallet::{Hotkey, Signer};

/// Arguments of `scores`.
#[derive(Debug, Args)]
pub(super) struct ScoresArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Writes the files of a published round from the ledger, with a signed manifest
    Export(Box<ExportArgs>),
    /// Checks a directory of published files: signature, lengths, digests
    Verify(VerifyArgs),
}

#[derive(Debug, Args)]
struct ExportArgs {
    #[command(flatten)]
    settings: SettingsArgs,
    #[command(flatten)]
    validator: ValidatorArgs,
    /// The round, as in 1-2026-01-05-30
    #[arg(long, value_name = "ID")]
    round: RoundId,
    /// Where the round's directory is made
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
}

#[derive(Debug, Args)]
struct VerifyArgs {
    /// Directory of one round
    directory: PathBuf,
    /// The hotkey that must have signed
    #[arg(long, value_name = "ADDRESS")]
    hotkey: Option<Hotkey>,
}

/// Writes files, or checks them.
pub(super) fn run(args: &ScoresArgs) -> anyhow::Result<ExitCode> {
    let (manifest, place) = match &args.command {
        Command::Export(args) => {
            let settings = args.settings.load(&args.validator.overrides())?;
            let file = args.settings.wallet(&settings).locate(|name| std::env::var_os(name))?;
            let signer = file.open(|name| std::env::var_os(name))?.signer;
            let url = settings.validator.ledger_url();
            let manifest = chain::block_on(export(&url, args, &signer))?;
            (manifest, directory(&args.out, &args.round))
        }
        Command::Verify(args) => {
            let checked = verify(&args.directory, args.hotkey.as_ref());
            (checked.with_context(|| format!("{} does not hold", args.directory.display()))?, args.directory.clone())
        }
    };
    println!("round    {}", manifest.round);
    println!("rules    {}", crate::api::views::brief::rules_name(manifest.rules));
    println!("hotkey   {} ({})", manifest.hotkey, manifest.scheme);
    println!("made     {}", manifest.made_at);
    for (name, file) in &manifest.files {
        println!("file     {} ({} rows, {} bytes)", place.join(name).display(), file.rows, file.bytes);
    }
    Ok(ExitCode::SUCCESS)
}

async fn export(url: &str, args: &ExportArgs, signer: &Signer) -> anyhow::Result<Manifest> {
    let opening = Opening { holder: "scores export".to_owned(), read_only: true };
    let ledger = Ledger::open(url, &opening).await?;
    let id = args.round;
    let round = ledger.round(id).await?.with_context(|| format!("the ledger has no round {id}"))?;
    anyhow::ensure!(round.step >= Step::Published, "round {id} is not published yet");
    let canonical = ledger.canonical(id).await?;
    let canonical = canonical.with_context(|| format!("round {id} has no canonical scores: no submission counted"))?;
    let task = ledger.task(id).await?.with_context(|| format!("the ledger has no task of round {id}"))?;
    let calibration = ledger.calibration(id).await?;
    let reasons = ledger.reasons(id).await?;
    let (round, roster, canonical, now) = (&round, &*task.roster, &canonical, SystemClock.now());
    let (calibration, reasons) = (calibration.as_ref(), reasons.as_ref());
    let edition = Edition { round, roster, canonical, calibration, reasons, signer, now };
    Ok(publish(&args.out, &edition)?)
}
