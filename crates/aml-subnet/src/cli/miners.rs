//! `aml-subnet miners`: the leaderboard, from the ledger alone; and what an operator may correct about a miner.

mod forget_key;

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use super::ledger::{LedgerArgs, share};
use crate::api::information::Informed;
use crate::validation::leaderboard::Place;
use crate::validation::rules::Rules;
use crate::validator::standing::History;

/// Arguments of `miners`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Under rules v2 it is told what each miner is paid for what; --json has every part, and says why in words. \
                        Performance, which rules v1 pay for, is the mean over the published rounds of the last 30 days: tier \
                        1 counts 0.2, tier 2 0.3 and, once a round is settled, tier 3 counts 0.5."
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
        let rules = Rules::V1;
        let history = History::newest(&ledger, settings.netuid, &rules, settings.validator.grace).await?;
        let places = history.map(|history| history.leaderboard(&rules)).unwrap_or_default();
        let informed = Informed::newest(&ledger, settings.netuid).await?;
        if args.json {
            let all: Vec<_> = places.iter().map(|place| as_json(place, informed.as_ref())).collect();
            println!("{}", serde_json::to_string_pretty(&all)?);
        } else {
            print!("{}{}", table(&places), informed.map(|informed| paid(&informed)).unwrap_or_default());
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn as_json(place: &Place, informed: Option<&Informed>) -> serde_json::Value {
    let missed = place.recent.len() - place.accepted();
    let [tier1, tier2, tier3] = place.tiers();
    json!({
        "hotkey": place.hotkey,
        "performance": place.performance,
        "rounds": place.recent.len(),
        "accepted": place.accepted(),
        "tier1": tier1,
        "tier2": tier2,
        "tier3": tier3,
        "information": informed.and_then(|informed| informed.of(&place.hotkey, missed)),
    })
}

/// What rules v2 pay for, best paid first.
fn paid(informed: &Informed) -> String {
    let (standing, shares) = (&informed.standing, &informed.shares);
    let mut text = format!(
        "\npaid under rules v2 on {}: {:.0} outcomes, {:.0} of them illicit; unearned {:.4}\n{:<48}  {:>7}  {:>7}  {:>7}  {:>7}  {:>7}  {:>5}  {:>9}  {:>7}  {:>6}\n",
        informed.round.date,
        standing.number,
        standing.illicit,
        shares.unearned,
        "hotkey",
        "share",
        "b",
        "z error",
        "c",
        "w",
        "mass",
        "points",
        "quality",
        "part"
    );
    let mut miners: Vec<_> =
        shares.miners.keys().filter_map(|hotkey| Some((hotkey, informed.of(hotkey, 0)?))).collect();
    miners.sort_by(|one, two| two.1.share.total_cmp(&one.1.share).then(one.0.cmp(two.0)));
    for (hotkey, one) in miners {
        let _ = writeln!(
            text,
            "{hotkey:<48}  {:>7.4}  {:>7.4}  {:>7.4}  {:>7.4}  {:>7.4}  {:>5.3}  {:>9.6}  {:>7.3}  {:>6.3}",
            one.share, one.b, one.z_error, one.c, one.w, one.mass, one.points, one.quality, one.part
        );
    }
    text
}

fn table(places: &[Place]) -> String {
    if places.is_empty() {
        return "no round is published yet\n".to_owned();
    }
    let mut text = format!(
        "{:<48}  {:>11}  {:>6}  {:>8}  {:>9}  {:>6}  {:>8}\n",
        "hotkey", "performance", "rounds", "accepted", "integrity", "traps", "outcomes"
    );
    for place in places {
        let [tier1, tier2, tier3] = place.tiers().map(share);
        let _ = writeln!(
            text,
            "{:<48}  {:>11.4}  {:>6}  {:>8}  {tier1:>9}  {tier2:>6}  {tier3:>8}",
            place.hotkey,
            place.performance,
            place.recent.len(),
            place.accepted(),
        );
    }
    text
}
