//! `aml-subnet reasons`: what reasons a round would tell, from answers about a batch, with no chain and no ledger.
//!
//! All answers have the same voice, but those that are alike share one, as in a round of rules v1 in which nobody is known yet.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use aml_miner::data::batch_dir::BatchDir;
use aml_miner::whole_file::{self, Readers};
use aml_miner::wire::reply::{ReplyLimits, read_scores};
use aml_miner::wire::{Batch, TextColumn};
use anyhow::Context as _;
use clap::Args;

use crate::outputs::format::encode;
use crate::outputs::{CanonicalRow, Format, canonical_rows, with_reasons};
use crate::readers::reasons::data::Data;
use crate::readers::reasons::merging::Merging;
use crate::readers::reasons::said::{Asked, Said};
use crate::readers::reasons::{About, Effect, Reasons};
use crate::store::records::{Canonical, RosterRow};
use crate::validation::ensemble_aggregator::aggregate_scores;
use crate::validation::rules::Rules;
use crate::validation::submission::Submission;
use crate::validator::reasoning::{about, above};
use crate::wallet::Hotkey;

/// Reasons that an alert should have for a person to go by.
const ENOUGH: usize = 2;
/// Codes that are named.
const NAMED: usize = 10;

/// Arguments of `reasons`.
#[derive(Debug, Args)]
#[command(after_help = "An answer is what /score/alerts says of the batch, as JSON; all answers have the same voice.

Example:
  aml-subnet reasons --batch data/2025-10-26_w7 --answer answer.json --out canonical.json")]
pub(super) struct ReasonsArgs {
    /// Directory of the batch
    #[arg(long, value_name = "DIR")]
    batch: PathBuf,
    /// An answer about it; may be given several times
    #[arg(long, value_name = "FILE", required = true)]
    answer: Vec<PathBuf>,
    /// Where scores and reasons are written, as a round publishes them: JSON, or CSV or Parquet where the name ends so
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Merges the reasons, and says how many there are.
pub(super) fn run(args: &ReasonsArgs) -> anyhow::Result<ExitCode> {
    let batch = BatchDir::open(&args.batch)?.load()?.batch;
    let roster = roster(&batch)?;
    let answers = args.answer.iter().map(|path| read(path)).collect::<anyhow::Result<Vec<_>>>()?;
    let canonical = merged(&roster, &answers)?;
    let merging = merging(&roster, &canonical, &answers);
    let about: Vec<About> = about(&roster);
    let reasons = Reasons::made(&merging, &about, &mut Data::new(&batch));
    let rows = with_reasons(canonical_rows(&roster, &canonical, None)?, Some(&reasons))?;
    say(&reasons, &rows);
    for (number, path) in args.answer.iter().enumerate() {
        let voice = canonical.weights.get(&miner(number)).copied().unwrap_or(0.0);
        println!("voice    {}: {voice}", path.display());
    }
    if let Some(out) = &args.out {
        let form = Format::ALL.into_iter().find(|form| out.extension().is_some_and(|end| end == form.name()));
        let bytes = encode(&rows, form.unwrap_or(Format::Json))?;
        whole_file::write(out, &bytes, Readers::Everyone).with_context(|| format!("cannot write {}", out.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

fn roster(batch: &Batch) -> anyhow::Result<Vec<RosterRow>> {
    let column = |name: &str| batch.alerts.texts(name);
    let ids = column("alert_id").context("the batch has no alerts")?;
    let text =
        |texts: Option<&TextColumn>, row: usize| texts.map(|texts| texts.get(row).to_owned()).unwrap_or_default();
    let row = |(row, id): (usize, &str)| RosterRow {
        alert_id: id.to_owned(),
        address: text(column("address"), row),
        typology: text(column("typology_type"), row),
        severity: text(column("severity"), row),
    };
    Ok(ids.iter().enumerate().map(row).collect())
}

/// The canonical scores, of miners that are numbers.
fn merged(roster: &[RosterRow], answers: &[Vec<u8>]) -> anyhow::Result<Canonical> {
    let ids: Vec<String> = roster.iter().map(|row| row.alert_id.clone()).collect();
    let mut submissions = BTreeMap::new();
    for (number, answer) in answers.iter().enumerate() {
        let rows = read_scores(answer, &ReplyLimits::default()).with_context(|| format!("answer {}", number + 1))?;
        let submission = Submission::accept(&ids, &rows).with_context(|| format!("answer {}", number + 1))?;
        submissions.insert(miner(number), submission);
    }
    let (rules, performance) = (Rules::V1, BTreeMap::new());
    let merged = aggregate_scores(&rules, &performance, &submissions).context("no answers")?;
    Ok(Canonical { rules: rules.version, scores: merged.scores, weights: merged.weights, performance })
}

fn merging(roster: &[RosterRow], canonical: &Canonical, answers: &[Vec<u8>]) -> Merging {
    let places: HashMap<&str, usize> =
        roster.iter().enumerate().map(|(place, row)| (row.alert_id.as_str(), place)).collect();
    let above = above(canonical);
    let mut merging = Merging::new(roster.len());
    for (number, answer) in answers.iter().enumerate() {
        let voice = canonical.weights.get(&miner(number)).copied().unwrap_or(0.0);
        merging.add(voice, &Said::of(answer, Asked { places: &places, canonical: &above }));
    }
    merging
}

fn miner(number: usize) -> Hotkey {
    let mut bytes = [0; 32];
    bytes[24..].copy_from_slice(&(number as u64).to_be_bytes());
    Hotkey::from_bytes(bytes)
}

fn say(reasons: &Reasons, rows: &[CanonicalRow]) {
    let count = |row: &CanonicalRow| row.reasons.as_ref().map_or(0, Vec::len);
    let share = |rows: &[&CanonicalRow]| {
        let enough = rows.iter().filter(|row| count(row) >= ENOUGH).count();
        format!("{enough} of {} ({:.1} %)", rows.len(), 100.0 * enough as f64 / rows.len().max(1) as f64)
    };
    let mut order: Vec<&CanonicalRow> = rows.iter().collect();
    order.sort_by_key(|row| row.rank);
    let top = &order[..rows.len().div_ceil(10).min(order.len())];
    println!(
        "alerts   {}, explained by {} answers with {:.3} of all voices",
        rows.len(),
        reasons.miners,
        reasons.voices
    );
    println!("top      {} of the tenth with the highest scores have {ENOUGH} reasons or more", share(top));
    println!("all      {} have", share(&order));
    let raises = |row: &&&CanonicalRow| {
        let raise = row.reasons.iter().flatten().filter(|reason| reason.effect == Effect::Raises);
        raise.count() >= ENOUGH
    };
    let raised = top.iter().filter(raises).count();
    println!("raise    {raised} of {} of that tenth have {ENOUGH} or more that raise the score", top.len());
    let mut codes: BTreeMap<&str, usize> = BTreeMap::new();
    for code in top.iter().flat_map(|row| row.reason_codes.iter().flatten()) {
        *codes.entry(code).or_default() += 1;
    }
    let mut codes: Vec<(&str, usize)> = codes.into_iter().collect();
    codes.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(other.0)));
    for (code, times) in codes.into_iter().take(NAMED) {
        println!("code     {code}: {times} of {}", top.len());
    }
}
