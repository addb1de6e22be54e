//! `aml-subnet miners`: the leaderboard, from the ledger alone; and what an operator may correct about a miner.

mod forget_key;

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use super::ledger::{LedgerArgs, share};
use crate::validation::leaderboard::Place;
use crate::validation::rules::RulesVersion;
use crate::validator::standing::History;

/// Arguments of `miners`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Performance is the mean over the published rounds of the last 30 days: tier 1 counts 0.2, tier 2 \
                        0.3 and, once a round is settled, tier 3 counts 0.5."
)]
pub(super) struct MinersArgs {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    ledger: LedgerArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Forgets the key of a miner's receipts, so that its next one counts
    ForgetKey(Box<forget_key::ForgetKeyArgs>),
}

/// Prints who is worth what, best first, or corrects something.
pub(super) fn run(args: &MinersArgs) -> anyhow::Result<ExitCode> {
    match &args.command {
        Some(Command::ForgetKey(args)) => forget_key::run(args),
        None => leaderboard(args),
    }
}

fn leaderboard(args: &MinersArgs) -> anyhow::Result<ExitCode> {
    args.ledger.read(async |settings, ledger| {
        let rules = RulesVersion::V1.rules();
        let history = History::newest(&ledger, settings.netuid, &rules, settings.validator.grace).await?;
        let places = history.map(|history| history.leaderboard(&rules)).unwrap_or_default();
        if args.json {
            let all: Vec<_> = places.iter().map(as_json).collect();
            println!("{}", serde_json::to_string_pretty(&all)?);
        } else {
            print!("{}", table(&places));
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn as_json(place: &Place) -> serde_json::Value {
    let [tier1, tier2, tier3] = place.tiers();
    json!({
        "hotkey": place.hotkey,
        "performance": place.performance,
        "rounds": place.recent.len(),
        "accepted": place.accepted(),
        "tier1": tier1,
        "tier2": tier2,
        "tier3": tier3,
    })
}

fn table(places: &[Place]) -> String {
    if places.is_empty() {
        return "no round is published yet\n".to_owned();
    }
    let mut text = format!(
        "{:<48}  {:>11}  {:>6}  {:>8}  {:>6}  {:>6}  {:>6}\n",
        "hotkey", "performance", "rounds", "accepted", "tier 1", "tier 2", "tier 3"
    );
    for place in places {
        let [tier1, tier2, tier3] = place.tiers().map(share);
        let _ = writeln!(
            text,
            "{:<48}  {:>11.4}  {:>6}  {:>8}  {tier1:>6}  {tier2:>6}  {tier3:>6}",
            place.hotkey,
            place.performance,
            place.recent.len(),
            place.accepted(),
        );
    }
    text
}
