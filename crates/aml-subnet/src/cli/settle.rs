//! `aml-subnet settle`: measures rounds against the outcomes that are known by now.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use aml_miner::clock::SystemClock;
use aml_miner::data::download::DownloadSettings;
use aml_miner::error_chain::with_causes;
use anyhow::Context as _;
use clap::Args;

use super::chain;
use super::ledger::{LedgerArgs, open};
use crate::config::ValidatorSettings;
use crate::store::records::{Round, RoundId};
use crate::validator::settling::{Settler, Settling};
use crate::validator::sot::{Sot, SotSettings};
use crate::validator::world::{MachineTime, Threads};

/// Arguments of `settle`.
#[derive(Debug, Args)]
#[command(
    after_help = "A running validator settles by itself; stop it before, for one process writes to a ledger. Exits with \
                        0 unless something went wrong; a round that has to wait is not wrong.

Examples:
  aml-subnet settle                                               everything that is due
  aml-subnet settle --round 1-2026-01-05-30 --labels ./batches    one round, outcomes from a folder"
)]
pub(super) struct SettleArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// Only this round, as NETUID-YYYY-MM-DD-WINDOW
    #[arg(long, value_name = "ID")]
    round: Option<RoundId>,
    /// Folder of batches whose labels are read, instead of the usual source
    #[arg(long, value_name = "DIR")]
    labels: Option<PathBuf>,
}

/// Settles and says what came of it.
pub(super) fn run(args: &SettleArgs) -> anyhow::Result<ExitCode> {
    let mut settings = args.ledger.load()?;
    if let Some(labels) = &args.labels {
        settings.validator.sot = labels.display().to_string();
    }
    chain::block_on(async {
        let ledger = open(&settings, false).await?;
        args.ledger.choose_subnet(&mut settings, &ledger).await?;
        let settler = Settler {
            ledger: Arc::new(ledger.clone()),
            source: Arc::new(Sot::open(sot_settings(&settings.validator))?),
            time: Arc::new(MachineTime::new(Arc::new(SystemClock))),
            workers: Arc::new(Threads),
            netuid: settings.netuid,
            settings: settings.validator.clone(),
            unsure: AtomicBool::new(true),
        };
        let mut errors = Vec::new();
        settler.look(&mut errors).await?;
        errors.iter().for_each(|error| eprintln!("{error}"));
        let rounds = match args.round {
            Some(id) => vec![ledger.round(id).await?.with_context(|| format!("there is no round {id}"))?],
            None => settler.due().await?,
        };
        let mut good = errors.is_empty();
        for round in &rounds {
            good &= settle(&settler, round).await;
        }
        if rounds.is_empty() {
            println!("nothing is due");
        }
        ledger.close().await;
        Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

async fn settle(settler: &Settler, round: &Round) -> bool {
    match settler.settle(round).await {
        Ok(settling) => println!("round {}: {}", round.id, say(&settling)),
        Err(error) => {
            eprintln!("round {}: {}", round.id, with_causes(&error));
            return false;
        }
    }
    true
}

/// What came of it, in words.
pub(super) fn say(settling: &Settling) -> String {
    match settling {
        Settling::Done(settled) => {
            let measured = settled.miners.values().flatten().count();
            let canonical = settled.canonical.map(|canonical| format!(", canonical AUC {:.4}", canonical.auc));
            let (outcomes, canonical) = (settled.labels.len(), canonical.unwrap_or_default());
            format!("settled with {outcomes} outcomes, {measured} submissions measured{canonical}")
        }
        Settling::Already => "was settled before".to_owned(),
        Settling::Unpublished => "is not published yet".to_owned(),
        Settling::Early { from } => format!("outcomes are looked for from {from} on"),
        Settling::NoOutcomes => "no outcome is known yet".to_owned(),
        Settling::Open { outcomes, illicit, until } => {
            format!("{outcomes} outcomes, {illicit} illicit, are known; others count until {until}")
        }
        Settling::TooFew { illicit, clean, needed } => {
            format!("{illicit} illicit and {clean} clean outcomes are known, {needed} of each are needed")
        }
    }
}

/// Where batches come from.
pub(super) fn sot_settings(own: &ValidatorSettings) -> SotSettings {
    let download = DownloadSettings { publisher: own.sot_publisher.clone(), ..DownloadSettings::default() };
    let usual = SotSettings::new(own.sot.clone(), own.data_dir.clone());
    SotSettings { window_days: own.window_days, download, pools: own.shared().join("pools"), ..usual }
}
