//! `aml-subnet miners`: the leaderboard, from the ledger alone; and what an operator may correct about a miner.

mod forget_key;

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::{Args as ClapArgs, Subcommand};
use serde_json::json;

use super::ledger::{LedgerArgs, share};
use crate::neurons::validator::standing::History;
use crate::validation::performance::RoundScore;
use crate::validation::rules::{Rules, RulesVersion};
use crate::wallet::Hotkey;

/// Arguments of `miners`.
#[derive(Debug, ClapArgs)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Performance is the mean over the published rounds of the last 30 days: tier 1 counts 0.2, tier 2 \
                        0.3 and, once a round is settled, tier 3 counts 0.5."
)]
pub(super) struct Args {
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
    ForgetKey(Box<forget_key::Args>),
}

/// A hotkey's line.
struct Line {
    hotkey: Hotkey,
    performance: f64,
    rounds: usize,
    accepted: usize,
    means: [Option<f64>; 3],
}

/// Prints who is worth what, best first, or corrects something.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.command {
        Some(Command::ForgetKey(args)) => forget_key::run(args),
        None => leaderboard(args),
    }
}

fn leaderboard(args: &Args) -> anyhow::Result<ExitCode> {
    args.ledger.read(async |settings, ledger| {
        let rules = RulesVersion::LATEST.rules();
        let history = History::newest(&ledger, settings.netuid, &rules, settings.validator.grace).await?;
        let lines = history.map(|history| lines(&rules, &history)).unwrap_or_default();
        if args.json {
            let all: Vec<_> = lines.iter().map(as_json).collect();
            println!("{}", serde_json::to_string_pretty(&all)?);
        } else {
            print!("{}", table(&lines));
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn lines(rules: &Rules, history: &History) -> Vec<Line> {
    let first = history.today - rules.performance_days + 1;
    let line = |(hotkey, performance): (Hotkey, f64)| {
        let all = history.rounds.get(&hotkey).into_iter().flatten();
        let recent: Vec<&RoundScore> = all.filter(|round| (first..=history.today).contains(&round.day)).collect();
        let tiers: [fn(&RoundScore) -> Option<f64>; 3] =
            [|round| round.tier1, |round| round.tier2, |round| round.tier3];
        Line {
            hotkey,
            performance,
            rounds: recent.len(),
            accepted: recent.iter().filter(|round| round.tier1.is_some()).count(),
            means: tiers.map(|tier| mean(recent.iter().filter_map(|round| tier(round)))),
        }
    };
    let mut lines: Vec<Line> = history.performance(rules).into_iter().map(line).collect();
    lines.sort_by(|a, b| b.performance.total_cmp(&a.performance).then(a.hotkey.cmp(&b.hotkey)));
    lines
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let values: Vec<f64> = values.collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn as_json(line: &Line) -> serde_json::Value {
    let [tier1, tier2, tier3] = line.means;
    json!({
        "hotkey": line.hotkey,
        "performance": line.performance,
        "rounds": line.rounds,
        "accepted": line.accepted,
        "tier1": tier1,
        "tier2": tier2,
        "tier3": tier3,
    })
}

fn table(lines: &[Line]) -> String {
    if lines.is_empty() {
        return "no round is published yet\n".to_owned();
    }
    let mut text = format!(
        "{:<48}  {:>11}  {:>6}  {:>8}  {:>6}  {:>6}  {:>6}\n",
        "hotkey", "performance", "rounds", "accepted", "tier 1", "tier 2", "tier 3"
    );
    for line in lines {
        let [tier1, tier2, tier3] = line.means.map(share);
        let _ = writeln!(
            text,
            "{:<48}  {:>11.4}  {:>6}  {:>8}  {tier1:>6}  {tier2:>6}  {tier3:>6}",
            line.hotkey, line.performance, line.rounds, line.accepted,
        );
    }
    text
}
