//! `aml-subnet diagnose`: what a model's submission would be paid, before anything is registered.
//!
//! The submission is what `aml-miner-train diagnose` wrote. It is played under the rules as the validator plays rounds: among the miners of
//! a ledger's rounds, or on batches with outcomes among public models and the detector's own confidence.

mod days;
mod ledger;
mod submission;

use std::path::PathBuf;
use std::process::ExitCode;

use aml_miner::whole_file::{self, Readers};
use anyhow::{Context as _, ensure};
use chrono::NaiveDate;
use clap::Args;
use serde::Serialize;

use crate::calendar::{date_of, day_of};
use crate::cli::ledger::LedgerArgs;
use crate::cli::rules::season;
use crate::seasons::{Comparison, StoredRound, Under};
use crate::validation::rules::RulesVersion;
use crate::wallet::Hotkey;
use submission::Submitted;

/// Arguments of `diagnose`.
#[derive(Debug, Args)]
#[command(
    after_help = "The submission is what aml-miner-train diagnose wrote. Without --data-dir it is played among the miners of the ledger's \
                  rounds, as one more or in the place of --as. With --data-dir it is played on batches with outcomes, among the public models \
                  that it names, further submissions, and the detector's own confidence; there are no traps then, and everybody is taken to \
                  pass them. Nothing is stored.

Example:
  aml-subnet diagnose diagnosis/submission.jsonl --data-dir data"
)]
pub(super) struct DiagnoseArgs {
    /// The submission
    #[arg(value_name = "FILE")]
    submission: PathBuf,
    /// Directory of batch directories with outcomes, instead of a ledger
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// A further submission that is played beside; may be given several times
    #[arg(long, value_name = "FILE", requires = "data_dir")]
    beside: Vec<PathBuf>,
    #[command(flatten)]
    ledger: LedgerArgs,
    /// The miner of the ledger in whose place it is played
    #[arg(long = "as", value_name = "HOTKEY", conflicts_with = "data_dir")]
    in_place_of: Option<Hotkey>,
    /// The first day that counts [default: the last third of the days]
    #[arg(long, value_name = "DATE")]
    from: Option<NaiveDate>,
    /// The last day
    #[arg(long, value_name = "DATE")]
    to: Option<NaiveDate>,
    /// The rules [default: those of the newest round; of batches, v2]
    #[arg(long, value_name = "NAME")]
    rules: Option<RulesVersion>,
    /// Also writes everything as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Rounds, and who answers in them.
struct Cast {
    rounds: Vec<StoredRound>,
    /// Everybody, the one that is diagnosed first.
    names: Vec<(Hotkey, String)>,
    rules: RulesVersion,
    grace: i64,
    /// Days that the submission was not made for, or that cannot be played.
    missing: Vec<String>,
}

/// What it comes to.
#[derive(Debug, Serialize)]
struct Told {
    model_version: String,
    rules: String,
    first: NaiveDate,
    last: NaiveDate,
    rounds: usize,
    outcomes: usize,
    /// Days of these whose outcomes the model has learnt from.
    seen_days: usize,
    /// Rounds that count and for which the submission has no line.
    without_line: usize,
    unearned: f64,
    miners: Vec<Paid>,
    canonical: Canonical,
}

/// A miner's part.
#[derive(Debug, Serialize)]
struct Paid {
    name: String,
    hotkey: String,
    /// Mean share of a day's pay.
    pay: f64,
    /// Mean share of the voice.
    voice: f64,
    counted: usize,
    auc: Option<f64>,
}

/// The canonical scores with the submission among the answers, and without it.
#[derive(Debug, Serialize)]
struct Canonical {
    auc_with: Option<f64>,
    auc_without: Option<f64>,
    log_loss_with: Option<f64>,
    log_loss_without: Option<f64>,
}

/// Plays the submission and prints what it comes to.
pub(super) fn run(args: &DiagnoseArgs) -> anyhow::Result<ExitCode> {
    let own = Submitted::read(&args.submission)?;
    let cast = match &args.data_dir {
        Some(data) => days::cast(args, &own, data)?,
        None => ledger::cast(args, &own)?,
    };
    cast.missing.iter().for_each(|why| eprintln!("left out: {why}"));
    ensure!(!cast.rounds.is_empty(), "there is no round to play");
    let told = told(args, &own, &cast);
    print(&told);
    if let Some(path) = &args.json {
        let mut bytes = serde_json::to_vec_pretty(&told)?;
        bytes.push(b'\n');
        whole_file::write(path, &bytes, Readers::Everyone)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn told(args: &DiagnoseArgs, own: &Submitted, cast: &Cast) -> Told {
    let from = args.from.map_or_else(|| last_third(own, &cast.rounds), day_of);
    let counting = || cast.rounds.iter().filter(move |round| round.day >= from);
    let with = played(cast, &cast.rounds, from);
    let me = cast.names.first().map(|(hotkey, _)| *hotkey);
    let mut others = cast.rounds.clone();
    others.iter_mut().for_each(|round| round.miners.retain(|hotkey, _| Some(*hotkey) != me));
    let without = played(cast, &others, from);
    let name =
        |hotkey: &str| cast.names.iter().find(|(known, _)| known.to_string() == hotkey).map(|(_, name)| name.clone());
    let paid = with.miners.into_iter().map(|one| Paid {
        name: name(&one.hotkey).unwrap_or_default(),
        hotkey: one.hotkey,
        pay: one.pay,
        voice: one.voice,
        counted: one.counted,
        auc: one.auc,
    });
    Told {
        model_version: own.model_version.clone(),
        rules: with.rules,
        first: counting().next().map_or_else(|| date_of(from), |round| date_of(round.day)),
        last: counting().next_back().map_or_else(|| date_of(from), |round| date_of(round.day)),
        rounds: with.rounds,
        outcomes: with.outcomes,
        without_line: counting().filter(|round| !own.is_of(date_of(round.day))).count(),
        seen_days: counting().filter(|round| own.has_seen(date_of(round.day))).count(),
        unearned: with.unearned,
        miners: paid.collect(),
        canonical: Canonical {
            auc_with: with.auc,
            auc_without: without.auc,
            log_loss_with: with.log_loss,
            log_loss_without: without.log_loss,
        },
    }
}

/// The first day of the last third of the rounds that the submission has a line for: those before them are played because pay
/// rests on them.
fn last_third(own: &Submitted, rounds: &[StoredRound]) -> i64 {
    let days: Vec<i64> = rounds.iter().map(|round| round.day).filter(|day| own.is_of(date_of(*day))).collect();
    days.get(days.len() * 2 / 3).copied().unwrap_or(i64::MAX)
}

fn played(cast: &Cast, rounds: &[StoredRound], from: i64) -> Under {
    let mut hotkeys: Vec<Hotkey> = cast.names.iter().map(|(hotkey, _)| *hotkey).collect();
    hotkeys.sort_unstable();
    let mut comparison = Comparison::new(cast.rules.name(), season(cast.rules, hotkeys, cast.grace));
    rounds.iter().for_each(|round| comparison.add(round, round.day >= from));
    comparison.finish()
}

fn print(told: &Told) {
    let Told { model_version, rules, first, last, rounds, outcomes, .. } = told;
    println!("{model_version} under rules {rules}, {first} to {last}: {rounds} rounds, {outcomes} outcomes");
    if told.seen_days > 0 {
        println!(
            "warning: the model has learnt from outcomes of {} of these days: too good to be true",
            told.seen_days
        );
    }
    if told.without_line > 0 {
        println!(
            "warning: the submission has no line for {} of these rounds: it earns nothing in them",
            told.without_line
        );
    }
    if told.miners.iter().all(|one| one.pay <= 0.0) {
        println!("nobody earns anything in these rounds: too few outcomes are known in them, or nobody knows anything");
    }
    let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"));
    println!("{:<44} {:>8} {:>8} {:>7} {:>7}", "miner", "pay", "voice", "rounds", "AUC");
    for Paid { name, pay, voice, counted, auc, .. } in &told.miners {
        println!("{name:<44} {:>7.2}% {:>7.2}% {counted:>7} {:>7}", pay * 100.0, voice * 100.0, number(*auc));
    }
    println!("nobody's {:>42.2}%", told.unearned * 100.0);
    let Canonical { auc_with, auc_without, log_loss_with, log_loss_without } = &told.canonical;
    println!(
        "canonical scores: AUC {} with this submission, {} without; log loss {} and {}",
        number(*auc_with),
        number(*auc_without),
        number(*log_loss_with),
        number(*log_loss_without)
    );
}
