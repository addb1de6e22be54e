//! `aml-subnet my-rounds`: what validators made of a miner's answers, and what to do about it.

use std::process::ExitCode;

use clap::Args;

use super::{SettingsArgs, chain};
use crate::miner::verdicts::{self, Standing, Verdicts};
use crate::wallet::Hotkey;

/// A newcomer with fewer rounds is told what to expect.
const NEWCOMER: usize = 10;
const EXPECT: &str = "\
What to expect in the first ten days: a round a day. A round counts up to 0.5 at once (integrity and traps), and up to 1 when
its outcomes are known, 7 to 21 days later: so performance rises for weeks while nothing changes. Rounds without an answer
count as 0 after the days of grace, three unless the validator says otherwise.";

/// Arguments of `my-rounds`.
#[derive(Debug, Args)]
#[command(after_help = "Example: aml-subnet my-rounds --validator https://validator.example.com\n\n\
                        Exits with 1 when no validator answers.")]
pub(super) struct MyRoundsArgs {
    #[command(flatten)]
    settings: SettingsArgs,
    /// The miner's hotkey; the wallet's without it
    #[arg(long = "hotkey", value_name = "SS58")]
    miner: Option<Hotkey>,
    /// Read API of a validator, may be repeated; miner.validators of the settings without it
    #[arg(long, value_name = "URL")]
    validator: Vec<String>,
    /// Rounds that are listed
    #[arg(long, default_value_t = 10, value_name = "N")]
    rounds: usize,
}

/// Asks each validator and prints what it says.
pub(super) fn run(args: &MyRoundsArgs) -> anyhow::Result<ExitCode> {
    let settings = args.settings.load(&[])?;
    let validators = if args.validator.is_empty() { &settings.miner.validators } else { &args.validator };
    anyhow::ensure!(
        !validators.is_empty(),
        "no validator is named: give --validator URL, or miner.validators in the settings. The chain does not tell where \
         read APIs are; their owners do"
    );
    let hotkey = match args.miner {
        Some(hotkey) => hotkey,
        None => {
            let file = args.settings.wallet(&settings).locate(|name| std::env::var_os(name))?;
            file.open(|name| std::env::var_os(name))?.signer.hotkey()
        }
    };
    let heard = chain::block_on(async {
        let asking = validators.iter().map(|url| async move { (url, verdicts::ask(url, &hotkey).await) });
        Ok(futures_util::future::join_all(asking).await)
    })?;
    let mut newcomer = false;
    let mut answered = false;
    for (url, told) in heard {
        match told {
            Ok(told) => {
                answered = true;
                newcomer |= told.standing.as_ref().is_none_or(|standing| standing.rounds < NEWCOMER);
                print!("{url}\n{}", render(&told, args.rounds));
            }
            Err(error) => println!("{url}\n  {error}"),
        }
    }
    if newcomer {
        println!("{EXPECT}");
    }
    Ok(if answered { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn render(told: &Verdicts, rounds: usize) -> String {
    let mut text = told.standing.as_ref().map_or_else(|| "  no round counts yet\n".to_owned(), standing);
    if let Some(until) = &told.left_alone_until {
        text.push_str(&format!("  left alone until {until}, after {} failures in a row\n", told.failures));
    }
    for round in told.rounds.iter().take(rounds) {
        let seconds = std::time::Duration::from_millis(round.took_ms).as_secs_f64();
        let outcome = round.outcome.replace('_', " ");
        text.push_str(&format!("  {}  {outcome:<12} {:.3}  {seconds:>6.1} s", round.date, round.score));
        if let Some(reason) = &round.reason {
            text.push_str(&format!("  {reason}"));
        }
        text.push('\n');
        if !round.advice().is_empty() {
            text.push_str(&format!("              -> {}\n", round.advice()));
        }
    }
    text
}

fn standing(of: &Standing) -> String {
    let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.3}"));
    let share = of.share.map_or_else(|| "-".to_owned(), |share| format!("{:.2} %", share * 100.0));
    format!(
        "  rank {}, share of the weights {share}, performance {:.3} over {} rounds, {} of them settled\n  integrity {}, \
         traps {}, outcomes {}\n",
        of.rank,
        of.performance,
        of.rounds,
        of.settled,
        number(of.tier1),
        number(of.tier2),
        number(of.tier3)
    )
}
