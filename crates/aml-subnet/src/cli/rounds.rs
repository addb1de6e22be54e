//! `aml-subnet rounds` and `aml-subnet round show`: what the ledger says of rounds.

use std::fmt::Write as _;
use std::process::ExitCode;

use aml_miner::clock::{Clock as _, SystemClock};
use anyhow::Context as _;
use chrono::NaiveDate;
use clap::{Args, Subcommand};
use serde_json::json;

use super::chain;
use super::ledger::{LedgerArgs, share, time};
use crate::calendar::rfc3339;
use crate::outputs;
use crate::store::Ledger;
use crate::store::records::{Answer, Canonical, Mark, OutcomeTally, Reply, Round, RoundId, Settled, Verdict};

/// Arguments of `rounds`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  aml-subnet rounds                                    the newest rounds of the subnet
  aml-subnet rounds --json --before 2026-02-01         older ones, for a program")]
pub(super) struct RoundsArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// How many
    #[arg(long, default_value_t = 20)]
    limit: u32,
    /// Only rounds of days before this one
    #[arg(long, value_name = "YYYY-MM-DD")]
    before: Option<NaiveDate>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `round`.
#[derive(Debug, Args)]
pub(super) struct RoundArgs {
    #[command(subcommand)]
    command: One,
}

#[derive(Debug, Subcommand)]
enum One {
    /// Prints what every miner of a round answered, and what was made of it
    #[command(after_help = "Example:
  aml-subnet round show 1-2026-01-05-30")]
    Show(ShowArgs),
    /// Makes a round void, for good: it is in nobody's average, and its scores are withdrawn; works beside the validator
    #[command(after_help = "Example:
  aml-subnet round void --round 1-2026-01-05-30 --reason 'the batch had the labels of another day'")]
    Void(VoidArgs),
}

#[derive(Debug, Args)]
struct VoidArgs {
    /// The round, as NETUID-YYYY-MM-DD-WINDOW
    #[arg(long, value_name = "ID")]
    round: RoundId,
    /// Why, in one line: everybody can read it
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    ledger: LedgerArgs,
}

#[derive(Debug, Args)]
struct ShowArgs {
    /// The round, as NETUID-YYYY-MM-DD-WINDOW
    #[arg(value_name = "ID")]
    id: RoundId,
    #[command(flatten)]
    ledger: LedgerArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Lists rounds, newest first.
pub(super) fn run(args: &RoundsArgs) -> anyhow::Result<ExitCode> {
    args.ledger.read(async |settings, ledger| {
        let rounds = ledger.rounds(settings.netuid, args.limit, args.before).await?;
        if args.json {
            println!("{}", serde_json::to_string_pretty(&rounds)?);
        } else {
            print!("{}", list(&rounds));
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// Looks at one round.
pub(super) fn run_one(args: &RoundArgs) -> anyhow::Result<ExitCode> {
    let args = match &args.command {
        One::Show(args) => args,
        One::Void(args) => return void(args),
    };
    args.ledger.read(async |_, ledger| {
        let seen = Seen::read(&ledger, args.id).await?;
        if args.json {
            println!("{}", serde_json::to_string_pretty(&seen.as_json())?);
        } else {
            print!("{}", seen.table());
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// Marks a round, and takes its files away.
fn void(args: &VoidArgs) -> anyhow::Result<ExitCode> {
    let why = args.reason.trim();
    anyhow::ensure!(!why.is_empty() && !why.contains('\n'), "--reason: one line is needed");
    let settings = args.ledger.load()?;
    let mark = Mark { at_ms: SystemClock.now_ms(), why: why.to_owned() };
    let url = settings.validator.ledger_url();
    let new = chain::block_on(async { Ok(Ledger::void_round(&url, args.round, &mark).await?) })?;
    let withdrawn = outputs::withdraw(&settings.validator.published_dir(), &args.round, why)?;
    let files = if withdrawn { "; its files are withdrawn" } else { "" };
    let done = if new { "is void now" } else { "was void before; the first reason stands" };
    println!("round {} {done}{files}", args.round);
    Ok(ExitCode::SUCCESS)
}

fn list(rounds: &[Round]) -> String {
    let mut text =
        format!("{:<20}  {:<9}  {:>7}  {:<20}  {:<20}  rules\n", "round", "step", "alerts", "began", "published");
    for round in rounds {
        let published = round.published_ms.map_or_else(|| "-".to_owned(), time);
        let shadow = if round.shadow { " (shadow)" } else { "" };
        let _ = writeln!(
            text,
            "{:<20}  {:<9}  {:>7}  {:<20}  {published:<20}  {:?}{shadow}",
            round.id.to_string(),
            step(round),
            round.alerts,
            time(round.opened_ms),
            round.rules,
        );
    }
    text
}

fn step(round: &Round) -> String {
    format!("{:?}", round.step).to_lowercase()
}

/// All of one round.
struct Seen {
    round: Round,
    answers: Vec<Answer>,
    verdicts: Vec<Verdict>,
    canonical: Option<Canonical>,
    settled: Option<Settled>,
    known: OutcomeTally,
}

impl Seen {
    async fn read(ledger: &Ledger, id: RoundId) -> anyhow::Result<Self> {
        let round = ledger.round(id).await?;
        Ok(Self {
            round: round.with_context(|| format!("there is no round {id}; `aml-subnet rounds` lists them"))?,
            answers: ledger.answers(id).await?,
            verdicts: ledger.verdicts(id).await?,
            canonical: ledger.canonical(id).await?,
            settled: ledger.settled(id).await?,
            known: ledger.outcome_tally(id).await?,
        })
    }

    fn as_json(&self) -> serde_json::Value {
        json!({
            "round": self.round,
            "answers": self.answers,
            "verdicts": self.verdicts,
            "canonical": self.canonical.as_ref().map(|canonical| json!({
                "rules": canonical.rules, "alerts": canonical.scores.len(), "weights": canonical.weights,
            })),
            "settled": self.settled.as_ref().map(|settled| json!({
                "rules": settled.rules, "outcomes": settled.labels.len(), "miners": settled.miners,
                "canonical": settled.canonical,
            })),
        })
    }

    fn table(&self) -> String {
        let Self { round, answers, verdicts, canonical, settled, known } = self;
        let mut text =
            format!("round {} is {}: {} alerts, batch {}\n", round.id, step(round), round.alerts, round.batch);
        if let Some(commitment) = round.commitment {
            let _ = writeln!(text, "commitment {commitment}");
        }
        for (what, mark) in [("void", &round.marks.void), ("late", &round.marks.late)] {
            if let Some(mark) = mark {
                let _ = writeln!(text, "{what}, and counts for nobody: {}", mark.why);
            }
        }
        if let Some(at) = known.as_of_ms.filter(|_| settled.is_none()) {
            let (outcomes, illicit) = (known.outcomes, known.illicit);
            let _ = writeln!(text, "{outcomes} outcomes are known, {illicit} illicit, as of {}", rfc3339(at));
        }
        if verdicts.is_empty() {
            answers.iter().for_each(|answer| answered(&mut text, answer));
            return text;
        }
        let _ = writeln!(
            text,
            "\n{:>5}  {:<48}  {:>9}  {:>6}  {:>8}  verdict",
            "uid", "hotkey", "integrity", "traps", "outcomes"
        );
        for verdict in verdicts {
            let tier3 = settled.as_ref().and_then(|settled| settled.miners.get(&verdict.hotkey));
            let tier3 = tier3.map(|measured| measured.map_or(0.0, |measured| measured.score));
            let weight = canonical.as_ref().and_then(|canonical| canonical.weights.get(&verdict.hotkey));
            let said = match (&verdict.accepted, weight) {
                (Err(why), _) => why.clone(),
                (Ok(()), Some(weight)) => format!("accepted, weight {weight:.4}"),
                (Ok(()), None) => "accepted".to_owned(),
            };
            let (tier1, tier2, tier3) = (share(verdict.tier1), share(verdict.tier2), share(tier3));
            let _ = writeln!(
                text,
                "{:>5}  {:<48}  {tier1:>9}  {tier2:>6}  {tier3:>8}  {said}",
                verdict.uid, verdict.hotkey,
            );
        }
        if let Some(measured) = settled.as_ref().and_then(|settled| settled.canonical) {
            let (auc, brier, ndcg, score) = (measured.auc, measured.brier, measured.ndcg, measured.score);
            let _ = writeln!(
                text,
                "\ncanonical scores: AUC {auc:.4}, Brier {brier:.4}, NDCG@500 {ndcg:.4}, tier 3 {score:.4}"
            );
        }
        text
    }
}

fn answered(text: &mut String, answer: &Answer) {
    let came = match &answer.reply {
        Reply::Answered => {
            let sent = answer.sent_bytes.map_or_else(String::new, |sent| {
                let (form, received) = (answer.request_form.name(), answer.received_bytes());
                format!("; {sent} bytes sent ({form}), {received} received")
            });
            format!("answered, {} bytes in {} ms{sent}", answer.bytes, answer.took_ms)
        }
        Reply::Refused(why) => format!("refused: {why}"),
        Reply::Unreachable(why) => format!("unreachable: {why}"),
        Reply::TimedOut => "timed out".to_owned(),
        Reply::NotServing => "not serving".to_owned(),
        Reply::TooLarge => "too large".to_owned(),
        Reply::NotAsked => "not asked".to_owned(),
    };
    let _ = writeln!(text, "  {}  {came}", answer.hotkey);
}
