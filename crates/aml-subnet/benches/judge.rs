//! Judging and merging a round of full size: 50,000 alerts, 256 miners.
//!
//! ```text
//! cargo bench -p aml-subnet --bench judge                 all, about a minute
//! cargo bench -p aml-subnet --bench judge -- answer       those whose name has `answer` in it
//! ```
//!
//! Every line is one measurement: median, least and most of some runs. Making answers, receipts and the ledger is not part
//! of it. The ledger of a round is a SQLite file. `judged and merged` begins with what it keeps, as after a restart and in a
//! replay: answers are read from it, unpacked, hashed, judged and merged. `after asking` begins where a running validator
//! stands when the last answer is there: each was judged as it came.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::num::NonZero;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aml_miner::digest::{Digest, Hashed};
use aml_miner::receipt::{InputForm, ReceiptKey, Statement};
use aml_miner::wire::reply::{AnswerWriter, Explanation, FeatureNames, Impact, concat_blocks};
use aml_subnet::beacon::{Beacon, BeaconRound, Pulse};
use aml_subnet::protocol::sealed::{OVERHEAD, Packed, Parties, Sealed, seal};
use aml_subnet::store::records::{Answer, Ask, BodyForm, Form, Reply, RosterRow, Round, RoundId, Step, Task};
use aml_subnet::store::{Ledger, Opening};
use aml_subnet::validation::ensemble_aggregator::aggregate_groups;
use aml_subnet::validation::rules::{Rules, RulesVersion};
use aml_subnet::validation::score::CanonicalScore;
use aml_subnet::validation::score::Score;
use aml_subnet::validation::similarity::Likeness;
use aml_subnet::validation::submission::Submission;
use aml_subnet::validation::tier2_traps::{Expected, TrapGroup};
use aml_subnet::validator::evidence::{Archive, Heard};
use aml_subnet::validator::judge::{Bench, Judged};
use aml_subnet::validator::merge::merge;
use aml_subnet::validator::world::Threads;
use aml_subnet::wallet::Hotkey;

const RULES: Rules = Rules::V1;
const ALERTS: usize = 50_000;
const MINERS: u16 = 256;
/// Of those with explanations fewer are stored: they are four times as large.
const EXPLAINED: u16 = 32;
const GROUPS: usize = 4;
const GROUP: usize = 20;
const VERSION: &str = "1.0.0+0a1b2c3d4e5f";

/// Which rows of an answer are explained.
#[derive(Clone, Copy)]
enum Explained {
    None,
    /// As many as a share of a tenth and severe alerts come to.
    Fifth,
    All,
}

impl Explained {
    const fn row(self, at: usize) -> bool {
        match self {
            Self::None => false,
            Self::Fifth => at.is_multiple_of(5),
            Self::All => true,
        }
    }
}

fn main() {
    let wanted = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let wants = |name: &str| name.contains(&wanted);
    println!("{} threads, load {}", std::thread::available_parallelism().map_or(1, NonZero::get), load());
    let answers = [
        ("answer", Explained::None),
        ("answer, a fifth explained", Explained::Fifth),
        ("answer explained", Explained::All),
    ];
    for (name, explained) in answers {
        if wants(name) {
            one_answer(name, explained);
        }
    }
    if wants("likeness") || wants("merge") {
        likeness_and_merge();
    }
    for (name, miners, explained) in
        [("round", MINERS, Explained::None), ("round explained", EXPLAINED, Explained::All)]
    {
        if wants(name) {
            whole_round(name, miners, explained);
        }
    }
}

/// Prints a line about some runs.
fn report(what: &str, mut took: Vec<Duration>) {
    took.sort_unstable();
    let ms = |took: Duration| took.as_secs_f64() * 1000.0;
    let (median, least, most) = (took[took.len() / 2], took[0], took[took.len() - 1]);
    println!("{what:<40} {:>9.2} ms   ({:.2} to {:.2}, {} runs)", ms(median), ms(least), ms(most), took.len());
}

fn measure<T>(what: &str, runs: usize, mut work: impl FnMut() -> T) {
    black_box(work());
    let run = |_| {
        let start = Instant::now();
        black_box(work());
        start.elapsed()
    };
    report(what, (0..runs).map(run).collect());
}

/// A line of `/proc`, where there is one.
fn proc_value(file: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| Some(line.strip_prefix(name)?.trim().to_owned()))
}

fn load() -> String {
    proc_value("/proc/loadavg", "").unwrap_or_else(|| "unknown".to_owned())
}

/// Numbers from 0 to 1 that look random, the same for the same seed.
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mixed = (self.0 ^ (self.0 >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        (mixed >> 11) as f64 / (1_u64 << 53) as f64
    }
}

fn hotkey(number: u16) -> Hotkey {
    Hotkey::from_bytes(*Digest::of(&number.to_le_bytes()).as_bytes())
}

/// Most alerts are low, as they are; every miner sees them with noise of its own.
fn scores(miner: u16, length: usize) -> Vec<f64> {
    let (mut shared, mut own) = (Draws(1), Draws(1000 + u64::from(miner)));
    (0..length).map(|_| 0.8 * shared.next().powi(3) + 0.2 * own.next()).collect()
}

fn task(miners: u16) -> Task {
    let severities = ["low", "medium", "high", "critical"];
    let row = |number: usize| RosterRow {
        alert_id: format!("2026-01-05-a{number:07}"),
        address: format!("0x{number:040x}"),
        typology: "structuring".to_owned(),
        severity: severities[number * 7 % 4].to_owned(),
    };
    let ask = |uid: u16| {
        let places: Vec<usize> = (0..GROUPS * GROUP).map(|trap| trap * 600 + usize::from(uid)).collect();
        let group = |(number, places): (usize, &[usize])| TrapGroup {
            name: format!("group {number}"),
            expected: if number < GROUPS / 2 { Expected::High } else { Expected::Low },
            places: places.to_vec(),
        };
        let issued = places.iter().map(|&place| (place, format!("2026-01-05-b{place:07}"))).collect();
        Ask {
            uid,
            axon: None,
            issued,
            groups: places.chunks(GROUP).enumerate().map(group).collect(),
            receipt_key: None,
        }
    };
    Task {
        salt: [9; 32],
        deadline_ms: 10_000,
        traps: None,
        roster: (0..ALERTS).map(row).collect(),
        asks: (0..miners).map(|uid| (hotkey(uid), ask(uid))).collect(),
        common: None,
        sealing: None,
        arrow: None,
    }
}

/// A miner's answer, written and signed as the inference API does it.
fn answer(task: &Task, number: u16, explained: Explained) -> (Answer, Vec<u8>) {
    let ids = task.asks[&hotkey(number)].alert_ids(&task.roster);
    let names = FeatureNames::new(&(0..40).map(|at| format!("some_feature_of_an_alert_{at}")).collect::<Vec<_>>());
    let mut draws = Draws(u64::from(number));
    let mut writer = AnswerWriter::new("alert_id", VERSION);
    for (at, (id, score)) in ids.iter().zip(scores(number, ids.len())).enumerate() {
        let mut impact = |at: usize| Impact { feature: at * 7, value: draws.next() * 1e4, impact: draws.next() - 0.5 };
        let impacts: Vec<Impact> = (0..5).map(&mut impact).collect();
        let explanation = Explanation { names: &names, base_value: -2.197, impacts: &impacts };
        writer.row(id, score, explained.row(at).then_some(explanation));
    }
    let body = concat_blocks(&[writer.finish(0.01)]);
    let request = Digest::of(&number.to_le_bytes());
    let statement = Statement {
        input: request,
        form: InputForm::Json,
        output: Digest::of(&body),
        model_version: VERSION.to_owned(),
        model: Digest::of(b"model"),
        schema: Digest::of(b"schema"),
        state: None,
        timestamp: 1,
    };
    let key = ReceiptKey::from_secret(Digest::of(&[number.to_le_bytes(), [1, 1]].concat()).as_bytes());
    let answer = Answer {
        hotkey: hotkey(number),
        reply: Reply::Answered,
        form: Form::Btauth,
        request: Some(request),
        request_form: BodyForm::Json,
        sent_bytes: None,
        status: Some(200),
        receipt: Some(key.sign(&statement).to_header()),
        headers: BTreeMap::new(),
        body: Some(statement.output),
        bytes: body.len() as u64,
        asked_ms: 1,
        took_ms: 1,
        in_time: true,
        attempts: Vec::new(),
        sealed: None,
        takes_arrow: false,
    };
    (answer, body)
}

/// What sealing adds to an answer, and what opening takes.
fn sealed(name: &str, answer: &Answer, body: &[u8]) {
    let to = BeaconRound { beacon: Beacon::Development, round: 1_800_000_000 };
    let parties = Parties { miner: answer.hotkey, validator: hotkey(7), task: Digest::of(b"task") };
    let packed = || Packed::of(answer.receipt.as_deref(), body).expect("a receipt");
    let sent = seal(packed(), to, &parties).expect("sealed");
    println!("{name}, sealed: {:.1} MB, {OVERHEAD} bytes more than compressed", sent.len() as f64 / 1e6);
    measure(&format!("{name}, compressed"), 15, packed);
    measure(&format!("{name}, compressed and sealed"), 15, || seal(packed(), to, &parties).expect("sealed"));
    let pulse = Pulse::of_development(to.round).expect("a key that everybody knows");
    measure(&format!("{name}, opened"), 15, || {
        Sealed::read(&sent, to).and_then(|read| read.open(&pulse, &parties, 1 << 30)).expect("it opens")
    });
}

fn one_answer(name: &str, explained: Explained) {
    let task = task(1);
    let (answer, mut body) = answer(&task, 0, explained);
    println!("{name}: {:.1} MB", body.len() as f64 / 1e6);
    measure(&format!("{name}, its digest"), 15, || Digest::of(&body));
    sealed(name, &answer, &body);
    let bench = Bench { rules: &RULES, task: &task };
    measure(&format!("{name}, digest and tiers 1 and 2"), 15, || {
        let hashed = Hashed::of(std::mem::take(&mut body));
        let judged = bench.judge(&answer, Some(&hashed)).expect("it was asked");
        assert!(judged.submission.is_some(), "{:?}", judged.verdict.accepted);
        body = hashed.into_bytes();
    });
}

fn likeness_and_merge() {
    let submission = |number: u16| {
        let merged =
            |value: f64| CanonicalScore { score: Score::new(value).expect("a probability"), deviation: 0.0, miners: 1 };
        Submission::of_canonical(&scores(number, ALERTS).into_iter().map(merged).collect::<Vec<_>>())
    };
    let all: BTreeMap<Hotkey, Submission> = (0..MINERS).map(|number| (hotkey(number), submission(number))).collect();
    let listed: Vec<&Submission> = all.values().map(Borrow::borrow).collect();
    measure("likeness of 256", 7, || Likeness::of(&listed).groups(RULES.alike));
    let groups: Vec<Vec<Hotkey>> = all.keys().map(|hotkey| vec![*hotkey]).collect();
    measure("merge of 256", 7, || aggregate_groups(&RULES, &BTreeMap::new(), &all, &groups));
}

fn round() -> Round {
    let date = chrono::NaiveDate::from_ymd_opt(2026, 1, 5).expect("a day");
    Round {
        id: RoundId { netuid: 1, date, window_days: 30 },
        step: Step::Fetched,
        rules: RulesVersion::V1,
        shadow: false,
        batch: Digest::of(b"batch"),
        alerts: ALERTS as u64,
        opened_ms: 1,
        deadline_ms: None,
        commitment: None,
        published_ms: None,
        settled_ms: None,
        list: None,
        marks: Default::default(),
    }
}

/// A ledger in `folder` whose round was asked.
async fn asked(folder: &std::path::Path, miners: u16, explained: Explained) -> (Ledger, Round) {
    let url = format!("sqlite:{}", folder.join("ledger.sqlite").display());
    let opening = Opening { holder: "a benchmark".to_owned(), read_only: false };
    let ledger = Ledger::open(&url, &opening).await.expect("a ledger");
    let round = ledger.begin(&round()).await.expect("begun");
    let task = task(miners);
    ledger.record_task(round.id, &task, Digest::of(b"commitment")).await.expect("tasked");
    for number in 0..miners {
        let (answer, body) = answer(&task, number, explained);
        ledger.record_answer(round.id, &answer, Some(&Arc::new(Hashed::of(body)))).await.expect("recorded");
    }
    ledger.finish_asking(round.id).await.expect("asked");
    let round = ledger.round(round.id).await.expect("readable").expect("begun");
    (ledger, round)
}

fn whole_round(name: &str, miners: u16, explained: Explained) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads");
    let folder = tempfile::tempdir().expect("a folder");
    let (ledger, round) = runtime.block_on(asked(folder.path(), miners, explained));
    // The most memory from now on; the kernel counts from here.
    let counted = std::fs::write("/proc/self/clear_refs", "5").is_ok();
    let (mut judging, mut merging, mut whole) = (Vec::new(), Vec::new(), Vec::new());
    let mut heard = Heard::new();
    for _ in 0..7 {
        let start = Instant::now();
        let done = runtime.block_on(judge_and_merge(&ledger, &round, Heard::new()));
        let (judged_at, merged_at) = done.at;
        heard = done.judged.into_iter().map(|judged| (judged.verdict.hotkey, judged)).collect();
        assert_eq!(heard.len(), usize::from(miners));
        judging.push(judged_at - start);
        merging.push(merged_at - judged_at);
        whole.push(merged_at - start);
    }
    report(&format!("{name}: {miners} read and judged"), judging);
    report(&format!("{name}: {miners} merged"), merging);
    report(&format!("{name}: {miners} judged and merged"), whole);
    let after_asking = |_| {
        let heard = heard.clone();
        let start = Instant::now();
        runtime.block_on(judge_and_merge(&ledger, &round, heard)).at.1 - start
    };
    report(&format!("{name}: {miners} after asking"), (0..7).map(after_asking).collect());
    let peak = proc_value("/proc/self/status", "VmHWM:").filter(|_| counted);
    println!("{:<40} {}, load {}", format!("{name}: most memory"), peak.as_deref().unwrap_or("unknown"), load());
}

/// What was judged; when all were, and when they were merged.
struct Done {
    judged: Vec<Judged>,
    at: (Instant, Instant),
}

async fn judge_and_merge(ledger: &Ledger, round: &Round, heard: Heard) -> Done {
    let archive = Archive { ledger, workers: &Threads };
    let task = archive.task(round.id).await.expect("a task");
    let judged = archive.judged_beside(round, &task, RULES, heard).await.expect("judged");
    let judged_at = Instant::now();
    assert!(judged.iter().all(|one| one.verdict.accepted.is_ok()));
    let merging = move || {
        let merged = merge(&RULES, &judged, BTreeMap::new()).expect("accepted submissions");
        assert_eq!((merged.scores.len(), merged.weights.len()), (ALERTS, judged.len()));
        judged
    };
    let judged = tokio::task::spawn_blocking(merging).await.expect("no panic");
    Done { judged, at: (judged_at, Instant::now()) }
}
