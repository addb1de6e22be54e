//! `aml-subnet erase`: takes an address out of what the validator keeps, or says what that would be.

use std::process::ExitCode;

use aml_miner::clock::{Clock as _, SystemClock};
use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use super::settings_args::ValidatorArgs;
use super::{SettingsArgs, chain, ledger};
use crate::calendar::rfc3339;
use crate::config::Settings;
use crate::entropy::MachineEntropy;
use crate::store::{Ledger, Needle, Pseudonym};
use crate::validator::erasing::{Erasing, Journal, Traces};

/// Arguments of `erase`.
#[derive(Debug, Args)]
#[command(
    after_help = "Without --yes nothing is changed, and the validator may run. With it the validator must be stopped. In the ledger \
                        a random pseudonym (erased-...) takes the place of the address; batches, published files, evidence packs \
                        and pools of traps that name it are taken away. docs/confidentiality.md says what stays, and why.

Exits with 0 when nothing of the address is left (without --yes: would be left), with 1 when something stays or nothing could be
done.

Examples:
  aml-subnet erase --address bc1qexample --validator.data_dir /var/lib/aml-validator
  aml-subnet erase --address bc1qexample --validator.data_dir /var/lib/aml-validator --yes
  aml-subnet erase --address bc1qexample --database-url sqlite:///backup/ledger.sqlite --yes      a backup, likewise"
)]
pub(super) struct EraseArgs {
    #[command(flatten)]
    settings: SettingsArgs,
    #[command(flatten)]
    validator: ValidatorArgs,
    /// The address, in the letters of the batches
    #[arg(long, value_name = "ADDRESS")]
    address: String,
    /// Erase it; without this only what was found is told
    #[arg(long)]
    yes: bool,
    /// Sign and publish the days whose files were taken away again, without the address; needs the hotkey
    #[arg(long, requires = "yes")]
    publish_again: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Erases, or looks.
pub(super) fn run(args: &EraseArgs) -> anyhow::Result<ExitCode> {
    let needle = Needle::new(&args.address).context("--address")?;
    let settings = args.settings.load(&args.validator.overrides())?;
    chain::block_on(async {
        // A ledger that is not there, or is of another version, is nothing to erase from.
        let looked = ledger::open(&settings, true).await?;
        let ledger = if args.yes {
            looked.close().await;
            ledger::open(&settings, false).await?
        } else {
            looked
        };
        let done = work(args, &settings, &ledger, &needle).await;
        ledger.close().await;
        done
    })
}

async fn work(args: &EraseArgs, settings: &Settings, ledger: &Ledger, needle: &Needle) -> anyhow::Result<ExitCode> {
    let erasing = Erasing { needle, ledger, settings: &settings.validator };
    let found = erasing.look().await?;
    let mut told = Told { found: &found, erased: None, again: Vec::new() };
    let by = Pseudonym::fresh(&MachineEntropy)?;
    if args.yes {
        let at_ms = SystemClock.now_ms();
        erasing.erase(&found, &by, at_ms).await?;
        if !found.is_none() {
            journal(&found, &by, at_ms).keep(&settings.validator.data_dir)?;
        }
        told.erased = Some(by.as_str());
        if args.publish_again {
            let file = args.settings.wallet(settings).locate(|name| std::env::var_os(name))?;
            let signer = file.open(|name| std::env::var_os(name))?.signer;
            let again = erasing.publish_again(&signer, SystemClock.now()).await?;
            told.again.extend(again.iter().map(ToString::to_string));
        }
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&told.as_json())?);
    } else {
        told.say();
    }
    let open = &found.ledger.open;
    Ok(if found.stays().is_empty() && open.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn journal<'a>(found: &Traces, by: &'a Pseudonym, at_ms: i64) -> Journal<'a> {
    let name = |path: &std::path::PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Journal {
        at: rfc3339(at_ms),
        pseudonym: by.as_str(),
        rounds: found.ledger.rounds.iter().map(ToString::to_string).collect(),
        batches: found.folders.batches.iter().map(|batch| name(&batch.path)).collect(),
        stays: !found.stays().is_empty(),
    }
}

/// What is told.
struct Told<'a> {
    found: &'a Traces,
    /// What stands for the address, where it was erased.
    erased: Option<&'a str>,
    /// Rounds that were published again.
    again: Vec<String>,
}

impl Told<'_> {
    fn as_json(&self) -> serde_json::Value {
        let Traces { folders, ledger } = self.found;
        let names = |rounds: &std::collections::BTreeSet<crate::store::records::RoundId>| {
            rounds.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        json!({
            "erased": self.erased.is_some(),
            "pseudonym": self.erased.filter(|_| !ledger.rounds.is_empty()),
            "rounds": names(&ledger.rounds),
            "open": names(&ledger.open),
            "ledger": {
                "roster": ledger.roster, "alerts": ledger.alerts, "outcomes": ledger.outcomes,
                "records": ledger.records, "files": ledger.files, "answers": ledger.answers,
                "forms": ledger.forms,
            },
            "batches": folders.batches.iter().map(|batch| &batch.path).collect::<Vec<_>>(),
            "partial": folders.partial,
            "pools": folders.pools.iter().map(|pool| &pool.path).collect::<Vec<_>>(),
            "published": folders.published,
            "evidence": folders.packs,
            "published_again": self.again,
            "stays": self.found.stays(),
            "spellings": ledger.spellings,
        })
    }

    fn say(&self) {
        let Traces { folders, ledger } = self.found;
        if self.found.is_none() {
            println!("found      nothing of the address");
        }
        if !ledger.rounds.is_empty() {
            println!("rounds     {}", ledger.rounds.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
            let by = self.erased.unwrap_or("erased-... (random)");
            println!(
                "ledger     {} alerts in tasks, {} scores by address, {} outcomes, {} records, {} files: {by} stands for it",
                ledger.roster, ledger.alerts, ledger.outcomes, ledger.records, ledger.files
            );
        }
        if ledger.answers + ledger.forms > 0 {
            let (answers, forms) = (ledger.answers, ledger.forms);
            println!(
                "ledger     {answers} raw answers and {forms} packed tasks that name it: emptied, their digests stay"
            );
        }
        let line = |what: &str, path: &std::path::Path, then: &str| println!("{what:<10} {}: {then}", path.display());
        for batch in &folders.batches {
            line("batch", &batch.path, "taken away, and not fetched again");
        }
        folders.partial.iter().for_each(|path| line("download", path, "unfinished, taken away"));
        folders.pools.iter().for_each(|pool| line("traps", &pool.path, "taken away"));
        folders
            .published
            .iter()
            .for_each(|path| line("published", path, "taken away; the API answers from the ledger"));
        folders.packs.iter().for_each(|path| line("evidence", path, "taken away; written again from the ledger"));
        self.again.iter().for_each(|round| println!("again      round {round} is signed and published without it"));
        for other in &ledger.spellings {
            println!("spelling   {other} differs in capitals alone: where it is the same address, erase it too");
        }
        for round in &ledger.open {
            println!("open       round {round} asks about it and is not published: erase again when it is");
        }
        self.found.stays().iter().for_each(|why| println!("stays      {why}"));
        if !self.found.is_none() {
            println!(
                "stays      digests of batches, tasks, answers and packs; copies that miners, readers and the source have"
            );
        }
        println!("{}", if self.erased.is_some() { "erased" } else { "nothing was changed: say --yes to erase" });
    }
}
