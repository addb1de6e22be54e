//! `aml-subnet compare`: a day as this validator has it beside what another one says.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::fetch;
use super::ledger::LedgerArgs;
use crate::http::client::printable;
use crate::readers::comparing::{Advice, Compared, Missed, Side, TOP, compare};
use crate::store::Ledger;
use crate::store::records::{Round, RoundId, Step};

const PATIENCE: Duration = Duration::from_secs(60);
/// An answer that is longer is none: a day of 50,000 alerts has some 20 MB.
const LONGEST: u64 = 128 << 20;
/// Pages of miners that are asked for: more than a subnet has.
const PAGES: usize = 20;
/// Miners that are named, and letters of what is said of each.
const NAMED: usize = 10;
const WORDS: usize = 120;

/// Arguments of `compare`.
#[derive(Debug, Args)]
#[command(after_help = "Exits with 1 when a reader should not use this validator's scores of the day.

Example:
  aml-subnet compare --with https://validator.example.org --round 1-2026-01-05-30")]
pub(super) struct CompareArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// The other validator's API
    #[arg(long, value_name = "URL")]
    with: String,
    /// The round, as in 1-2026-01-05-30 [default: the newest that is published here]
    #[arg(long, value_name = "ID")]
    round: Option<RoundId>,
}

/// Compares, and says which one a reader should use.
pub(super) fn run(args: &CompareArgs) -> anyhow::Result<ExitCode> {
    args.ledger.read(async |settings, ledger| {
        let round = match args.round {
            Some(id) => ledger.round(id).await?.with_context(|| format!("the ledger has no round {id}"))?,
            None => newest(&ledger, settings.netuid).await?,
        };
        anyhow::ensure!(round.step >= Step::Published, "round {} is not published yet", round.id);
        let mut ours = own(&ledger, &round).await?;
        ours.pay = paid_now(&ledger, settings.netuid).await?;
        let theirs = told(args.with.trim_end_matches('/'), round.id).await?;
        let compared = compare(&ours, &theirs);
        say(&round, &compared, (&ours, &theirs));
        Ok(if compared.advice == Advice::Theirs { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    })
}

async fn newest(ledger: &Ledger, netuid: u16) -> anyhow::Result<Round> {
    let rounds = ledger.rounds(netuid, 30, None).await?;
    let published = rounds.into_iter().find(|round| round.step >= Step::Published);
    published.context("no round is published here yet")
}

/// What the ledger has.
async fn own(ledger: &Ledger, round: &Round) -> anyhow::Result<Side> {
    let roster = ledger.task(round.id).await?.map(|task| task.roster).unwrap_or_default();
    let canonical = ledger.canonical(round.id).await?;
    let scored = canonical.iter().flat_map(|canonical| roster.iter().zip(&canonical.scores));
    let voices = canonical.iter().flat_map(|canonical| &canonical.weights);
    let aside = [&round.marks.void, &round.marks.late].into_iter().flatten().next();
    Ok(Side {
        batch: round.batch.to_string(),
        rules: round.rules.name().to_owned(),
        set_aside: aside.map(|mark| mark.why.clone()),
        scores: scored.map(|(row, score)| (row.alert_id.clone(), score.score.get())).collect(),
        voices: voices.map(|(hotkey, voice)| (hotkey.to_string(), *voice)).collect(),
        miners: ledger
            .verdicts(round.id)
            .await?
            .into_iter()
            .map(|one| (one.hotkey.to_string(), one.accepted.err()))
            .collect(),
        pay: BTreeMap::new(),
    })
}

/// How the newest day is paid here.
async fn paid_now(ledger: &Ledger, netuid: u16) -> anyhow::Result<BTreeMap<String, f64>> {
    for round in ledger.rounds(netuid, 30, None).await? {
        if let Some(shares) =
            ledger.shares(round.id).await?.filter(|_| round.step >= Step::Published && round.marks.counts())
        {
            return Ok(shares.miners.iter().map(|(hotkey, of)| (hotkey.to_string(), of.share)).collect());
        }
    }
    Ok(BTreeMap::new())
}

#[derive(Deserialize)]
struct ToldRound {
    round: ToldBrief,
    miners: Vec<ToldMiner>,
    set_aside: Option<String>,
}

#[derive(Deserialize)]
struct ToldBrief {
    batch: String,
    rules: String,
}

#[derive(Deserialize)]
struct ToldMiner {
    hotkey: String,
    outcome: String,
    reason: Option<String>,
    weight: Option<f64>,
}

#[derive(Deserialize)]
struct ToldScore {
    alert_id: String,
    score: f64,
}

#[derive(Deserialize)]
struct ToldPay {
    miners: Vec<ToldShare>,
    next_offset: Option<usize>,
}

#[derive(Deserialize)]
struct ToldShare {
    hotkey: String,
    share: Option<f64>,
}

/// What the other validator says.
async fn told(base: &str, id: RoundId) -> anyhow::Result<Side> {
    let round: ToldRound = get(&format!("{base}/api/1/rounds/{id}")).await?;
    let scores = format!("{base}/api/1/canonical/{}?window_days={}&format=json", id.date, id.window_days);
    let scores: Vec<ToldScore> = get(&scores).await?;
    let voices = round.miners.iter().filter_map(|one| Some((one.hotkey.clone(), one.weight?)));
    let voices = voices.collect();
    let came = |one: ToldMiner| {
        let why = one.reason.unwrap_or_else(|| one.outcome.clone());
        (one.hotkey, (one.outcome != "accepted").then_some(why))
    };
    Ok(Side {
        batch: round.round.batch,
        rules: round.round.rules,
        set_aside: round.set_aside,
        scores: scores.into_iter().map(|one| (one.alert_id, one.score)).collect(),
        voices,
        miners: round.miners.into_iter().map(came).collect(),
        pay: pay(base).await?,
    })
}

/// What everybody is paid now, page by page.
async fn pay(base: &str) -> anyhow::Result<BTreeMap<String, f64>> {
    let (mut pay, mut offset) = (BTreeMap::new(), Some(0));
    for _ in 0..PAGES {
        let Some(at) = offset else { break };
        let page: ToldPay = get(&format!("{base}/api/1/miners?limit=100&offset={at}")).await?;
        pay.extend(page.miners.into_iter().filter_map(|one| Some((one.hotkey, one.share?))));
        offset = page.next_offset.filter(|next| *next > at);
    }
    Ok(pay)
}

async fn get<T: DeserializeOwned>(url: &str) -> anyhow::Result<T> {
    let client = fetch::client(PATIENCE)?;
    let answer = fetch::fetch(&client, url, LONGEST).await.with_context(|| format!("{url} does not answer"))?;
    let answer = answer.with_context(|| format!("{url}: the other validator has nothing there"))?;
    serde_json::from_slice(&answer).with_context(|| format!("{url} does not answer as a validator"))
}

fn say(round: &Round, compared: &Compared, (ours, theirs): (&Side, &Side)) {
    let Compared { alerts, alone, correlation, largest, top, pay_apart, .. } = compared;
    println!("round      {}", round.id);
    if ours.batch != theirs.batch {
        println!("batch      another one: {} here, {} there", ours.batch, printable(&theirs.batch, 64));
    }
    if ours.rules != theirs.rules {
        println!("rules      {} here, {} there", ours.rules, printable(&theirs.rules, 10));
    }
    for (where_, side) in [("here", ours), ("there", theirs)] {
        if let Some(why) = &side.set_aside {
            println!("set aside  {where_}: {}", printable(why, WORDS));
        }
    }
    println!("alerts     {alerts} scored by both, {} here alone, {} there alone", alone.0, alone.1);
    let correlation = correlation.map_or_else(|| "none".to_owned(), |value| format!("{value:.6}"));
    println!(
        "order      rank correlation {correlation}; {} of the first {} are the same (of {TOP} at most)",
        top.0, top.1
    );
    if let Some((alert, apart)) = largest {
        println!("scores     apart by {apart:.6} at most: {}", printable(alert, 80));
    }
    println!("pay now    {:.2} % of it goes to others", pay_apart * 100.0);
    missed("missed here", &compared.missed_here);
    missed("missed there", &compared.missed_there);
    println!(
        "{}",
        match compared.advice {
            Advice::NotComparable =>
                "use        each for itself: they do not speak of the same batch under the same rules",
            Advice::Ours =>
                "use        this validator's scores: the other one missed louder voices, or set the day aside",
            Advice::Theirs =>
                "use        the other validator's scores: this one missed louder voices, or set the day aside",
            Advice::Either => "use        either: both heard the same voices, but for 1 %",
        }
    );
}

fn missed(what: &str, missed: &[Missed]) {
    let voices: f64 = missed.iter().map(|one| one.voice).sum();
    println!("{what:<12} {} miners with {:.2} % of the other side's voices", missed.len(), voices * 100.0);
    for one in missed.iter().take(NAMED) {
        println!("  {}  voice {:.4}: {}", printable(&one.hotkey, 60), one.voice, printable(&one.why, WORDS));
    }
    if missed.len() > NAMED {
        println!("  and {} more", missed.len() - NAMED);
    }
}
