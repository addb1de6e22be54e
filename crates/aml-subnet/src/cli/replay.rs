//! `aml-subnet replay`: computes a stored round again from its raw answers.

use std::process::ExitCode;

use clap::Args;

use super::ledger::LedgerArgs;
use crate::store::records::RoundId;
use crate::validation::rules::RulesVersion;
use crate::validator::replay::{Replay, replay};

/// Arguments of `replay`.
#[derive(Debug, Args)]
#[command(
    after_help = "Exits with 0 when every byte is the same, with 1 when something differs. Reads the ledger beside a \
                        running validator.

Example:
  aml-subnet replay --round 1-2026-01-05-30"
)]
pub(super) struct ReplayArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// The round, as NETUID-YYYY-MM-DD-WINDOW
    #[arg(long, value_name = "ID")]
    round: RoundId,
    /// Rules to compute it under [default: those that it was judged by]
    #[arg(long, value_name = "NAME")]
    rules: Option<RulesVersion>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Computes it again and says what differs.
pub(super) fn run(args: &ReplayArgs) -> anyhow::Result<ExitCode> {
    args.ledger.read(async |_, ledger| {
        let replay = replay(&ledger, args.round, args.rules).await?;
        if args.json {
            println!("{}", serde_json::to_string_pretty(&replay)?);
        } else {
            say(&replay);
        }
        Ok(if replay.identical { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

fn say(replay: &Replay) {
    let Replay { round, verdicts, scores, rules, .. } = replay;
    let settlement = if replay.settlement { " and the settlement" } else { "" };
    let calibration = if replay.calibration { " and the calibration" } else { "" };
    let reasons = if replay.reasons { " and the reasons" } else { "" };
    let scored = format!("{verdicts} verdicts, {scores} canonical scores");
    let name = rules.name();
    let what = format!("round {round} under rules {name}: {scored}{settlement}{calibration}{reasons}");
    if replay.identical {
        println!("{what}: byte-identical");
        return;
    }
    println!("{what}: different");
    for difference in &replay.differences {
        println!("  {}: stored {}, again {}", difference.place, difference.stored, difference.again);
    }
}
