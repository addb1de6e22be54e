//! `aml-subnet rules compare`: what stored rounds would have come to under other rules, before anybody switches.

mod output;
pub(crate) mod stored;

use std::num::NonZero;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use chrono::{Days, NaiveDate};
use clap::{Args, ValueEnum};

use crate::calendar::{day_of, whole_days};
use crate::cli::ledger::LedgerArgs;
use crate::seasons::{Comparison, Replayed, Under};
use crate::store::Ledger;
use crate::validation::rules::RulesVersion;
use crate::wallet::Hotkey;

/// Arguments of `rules compare`.
#[derive(Debug, Args)]
#[command(
    after_help = "Plays the stored rounds again under each version, with the outcomes as they became known, and tells the mean pay \
                  of every miner over the days and how good the canonical scores are against the outcomes that are known by now. The \
                  rounds of two windows before (75 days under v2) are played too, because pay rests on them. Changes nothing; reads the ledger beside a \
                  running validator.

Example:
  aml-subnet rules compare --from 2026-01-01 --to 2026-01-31 --rules v1,v2 --page compare.html"
)]
pub(super) struct CompareArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// The first day
    #[arg(long, value_name = "DATE")]
    from: NaiveDate,
    /// The last day
    #[arg(long, value_name = "DATE")]
    to: NaiveDate,
    /// Versions of the rules
    #[arg(long, value_name = "NAMES", value_delimiter = ',', default_value = "v1,v2")]
    rules: Vec<RulesVersion>,
    /// What is printed
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    /// Also writes a page
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// For people
    Table,
    /// A line per miner
    Csv,
    /// Everything
    Json,
}

/// Days that are compared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    /// The first.
    pub(super) from: NaiveDate,
    /// The last.
    pub(super) to: NaiveDate,
}

/// A season under rules of a version.
pub(crate) fn season(rules: RulesVersion, hotkeys: Vec<Hotkey>, grace: i64) -> Replayed {
    let threads = std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    match rules.information() {
        None => Replayed::v1(hotkeys, grace),
        Some(constants) => Replayed::v2(constants, hotkeys, grace, threads),
    }
}

/// Plays the rounds again and prints what they come to.
pub(super) fn run(args: &CompareArgs) -> anyhow::Result<ExitCode> {
    ensure!(args.from <= args.to, "--from {} is after --to {}", args.from, args.to);
    args.ledger.read(async |settings, ledger| {
        let grace = whole_days(settings.validator.grace);
        let span = Span { from: args.from, to: args.to };
        let (all, missing) = under_each(&ledger, settings.netuid, grace, &span, &args.rules).await?;
        ensure!(all.iter().any(|one| one.rounds > 0), "no round from {} to {} can be played again", args.from, args.to);
        missing.iter().for_each(|why| eprintln!("left out: {why}"));
        let shown = output::Shown { from: args.from, to: args.to, missing: missing.len(), all: &all };
        match args.format {
            Format::Table => print!("{}", output::table(&shown)),
            Format::Csv => print!("{}", output::csv(&shown)),
            Format::Json => println!("{}", serde_json::to_string_pretty(&all)?),
        }
        if let Some(path) = &args.page {
            let page = output::page(&shown)?;
            std::fs::write(path, page).with_context(|| format!("cannot write {}", path.display()))?;
            eprintln!("{}", path.display());
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// What the rounds come to under each version, and why rounds were left out.
pub(super) async fn under_each(
    ledger: &Ledger,
    netuid: u16,
    grace: i64,
    span: &Span,
    versions: &[RulesVersion],
) -> anyhow::Result<(Vec<Under>, Vec<String>)> {
    let before = versions.iter().map(|version| version.run_up()).max().unwrap_or(0);
    let since = span.from.checked_sub_days(Days::new(before)).unwrap_or(NaiveDate::MIN);
    let rounds = stored::rounds(ledger, netuid, since..=span.to).await?;
    let hotkeys = stored::hotkeys(ledger, &rounds).await?;
    let mut versions = versions.to_vec();
    versions.dedup();
    let begin = |version: &RulesVersion| Comparison::new(version.name(), season(*version, hotkeys.clone(), grace));
    let mut all: Vec<Comparison> = versions.iter().map(begin).collect();
    let mut missing = Vec::new();
    let from = day_of(span.from);
    for round in &rounds {
        match stored::round(ledger, round).await {
            Ok(stored) => all.iter_mut().for_each(|one| one.add(&stored, stored.day >= from)),
            Err(error) => missing.push(format!("round {}: {error:#}", round.id)),
        }
    }
    Ok((all.into_iter().map(Comparison::finish).collect(), missing))
}
