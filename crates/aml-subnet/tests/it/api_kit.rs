//! A validator's ledger after a month of rounds, and its read API.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aml_miner::clock::FixedClock;
use aml_miner::digest::Digest;
use aml_subnet::api::access::Access;
use aml_subnet::api::chain_view::ChainView;
use aml_subnet::api::router;
use aml_subnet::api::state::{ApiParts, ApiState, Readiness};
use aml_subnet::chain::commit::PendingReveal;
use aml_subnet::chain::plan::WeightsPlan;
use aml_subnet::chain::reading::ChainReading;
use aml_subnet::chain::route::Route;
use aml_subnet::chain::types::{Block, Metagraph, Neuron, Uid};
use aml_subnet::chain::weights::ChainWeights;
use aml_subnet::outputs::{Edition, Manifest, publish};
use aml_subnet::readers::calibration::{Calibration, Knot};
use aml_subnet::readers::reasons::catalogue::CodeName;
use aml_subnet::readers::reasons::data::Datum;
use aml_subnet::readers::reasons::{Effect, Found, Reasons};
use aml_subnet::store::records::{
    Answer, Ask, BodyForm, Canonical, Dormancy, Form, Observations, Reply, RosterRow, Round, RoundId, Settled, Step,
    Task, Verdict, WeightsRecord, WeightsState, WeightsTarget,
};
use aml_subnet::store::{Ledger, Opening};
use aml_subnet::validation::rules::RulesVersion;
use aml_subnet::validation::score::CanonicalScore;
use aml_subnet::validation::score::Score;
use aml_subnet::validation::tier1_integrity::{Check, Finding};
use aml_subnet::validation::tier2_traps::{Expected, TrapFinding, TrapGroup};
use aml_subnet::validation::tier3_settlement::{Label, Settlement};
use aml_subnet::wallet::{Hotkey, Signer};
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::api_batch;
use crate::common::dev_key;

pub(crate) const NETUID: u16 = 1;
/// The days that are published; the day after them is still being worked on.
pub(crate) const DAYS: u32 = 30;
/// The days that are settled.
pub(crate) const SETTLED: u32 = 22;
/// Miners; the last five have troubles of their own.
pub(crate) const MINERS: u8 = 12;
/// Alerts of a round.
pub(crate) const ALERTS: usize = 240;
/// 31 January 2026, noon.
pub(crate) const NOW: Duration = Duration::from_secs(1_769_860_800);
const DAY_MS: i64 = 86_400_000;
/// What a hostile miner calls its model.
pub(crate) const HOSTILE: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;";

/// A server without a socket, and what is behind it.
pub(crate) struct Kit {
    pub(crate) api: ApiState,
    pub(crate) ledger: Ledger,
    pub(crate) chain: Arc<ChainView>,
    pub(crate) folder: tempfile::TempDir,
}

/// An answer.
pub(crate) struct Reached {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Reached {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("UTF-8")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    #[track_caller]
    pub(crate) fn must_succeed(self) -> Self {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text());
        self
    }

    #[track_caller]
    pub(crate) fn must_fail_with(self, status: u16, code: &str) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        let body = self.json();
        assert_eq!(body["code"], code, "{body}");
        assert_eq!(body["request_id"].as_str(), self.header("x-request-id"), "{body}");
        assert!(!body["detail"].is_null(), "{body}");
        self
    }
}

impl Kit {
    /// Nothing has happened yet, and the chain was not read.
    pub(crate) async fn empty() -> Self {
        Self::empty_read_by(Access::default()).await
    }

    async fn empty_read_by(access: Access) -> Self {
        let opening = Opening { holder: "the test".to_owned(), read_only: false };
        let ledger = Ledger::open("sqlite::memory:", &opening).await.expect("a ledger");
        Self::over(ledger, NETUID, access)
    }

    /// What a ledger has of a subnet.
    pub(crate) fn over(ledger: Ledger, netuid: u16, access: Access) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let chain = Arc::new(ChainView::default());
        let parts = ApiParts {
            ledger: ledger.clone(),
            target: WeightsTarget { netuid, mechanism: 0 },
            hotkey: validator().hotkey(),
            rules: RulesVersion::V1.rules(),
            grace: Duration::ZERO,
            published: folder.path().join("published"),
            batches: folder.path().join("batches"),
            clock: Arc::new(FixedClock(NOW)),
            chain: Arc::clone(&chain),
            metrics: recorder(),
            upkeep: Arc::default(),
            access: Arc::new(access),
            readiness: Readiness::default(),
        };
        Self { api: ApiState::new(parts), ledger, chain, folder }
    }

    /// After a month.
    pub(crate) async fn season() -> Self {
        Self::season_read_by(Access::default()).await
    }

    /// After a month, for readers who may read so much.
    pub(crate) async fn season_read_by(access: Access) -> Self {
        let kit = Self::empty_read_by(access).await;
        api_batch::must_write(&kit.folder.path().join("batches"));
        for day in 1..=DAYS {
            must_round(&kit.ledger, day, if day <= SETTLED { Step::Settled } else { Step::Published }).await;
        }
        must_round(&kit.ledger, DAYS + 1, Step::Judged).await;
        let seen: Vec<Hotkey> = (1..=MINERS).map(miner).collect();
        kit.ledger.note_seen(&seen, opened(1)).await.expect("noted");
        let dormancy = Dormancy { failures: 5, next_try_ms: opened(DAYS) + DAY_MS };
        kit.ledger.set_dormancy(&miner(11), Some(dormancy)).await.expect("noted");
        for (epoch, state) in [
            (99, WeightsState::Failed { why: "the chain refused: SettingWeightsTooFast".to_owned() }),
            (100, WeightsState::Confirmed { block: 5_123_100 }),
            (101, WeightsState::Committed { block: 5_123_400 }),
        ] {
            let target = WeightsTarget { netuid: NETUID, mechanism: 0 };
            kit.ledger.plan_weights(target, &weights(epoch)).await.expect("planned");
            kit.ledger.weights_state(target, epoch, &state).await.expect("its state");
        }
        let target = WeightsTarget { netuid: NETUID, mechanism: 0 };
        let records = kit.ledger.weights(target, 64).await.expect("readable");
        kit.chain.put(reading(), &records, NOW.checked_sub(Duration::from_secs(9)).expect("later than 1970"));
        kit
    }

    pub(crate) async fn get(&self, path: &str) -> Reached {
        self.send(Method::GET, path, &[]).await
    }

    pub(crate) async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Reached {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).expect("a request");
        let response = router(self.api.clone()).oneshot(request).await.expect("infallible");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a body").to_bytes().to_vec();
        Reached { status: parts.status, headers: parts.headers, body }
    }
}

fn recorder() -> Option<PrometheusHandle> {
    static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    RECORDER.get_or_init(aml_subnet::logging::record_metrics).clone()
}

/// Publishes the round of `day` below `root`.
pub(crate) fn must_publish(root: &Path, day: u32) -> Manifest {
    must_publish_scores(root, day, &canonical(day), NOW)
}

/// Publishes the round of `day` below `root` with these scores.
pub(crate) fn must_publish_scores(root: &Path, day: u32, canonical: &Canonical, now: Duration) -> Manifest {
    let (round, Task { roster, .. }, signer) = (round(day), task(day), validator());
    let told = calibration(day);
    let reasons = reasons(day);
    let edition = Edition {
        round: &round,
        roster: &roster,
        canonical,
        calibration: told.as_ref(),
        reasons: reasons.as_ref(),
        signer: &signer,
        now,
    };
    publish(root, &edition).expect("published")
}

/// Where the links of the page at `path` lead, as a browser takes them.
pub(crate) fn led_to(html: &str, path: &str) -> Vec<String> {
    let folder: Vec<&str> = path.split('?').next().unwrap_or(path).split('/').collect();
    let led = |link: &str| {
        let mut at = folder[..folder.len() - 1].to_vec();
        let mut rest = link;
        while let Some((step, after)) = rest.split_once('/').filter(|(step, _)| [".", ".."].contains(step)) {
            if step == ".." {
                assert!(at.len() > 1, "{path} leads above the root with {link}");
                at.pop();
            }
            rest = after;
        }
        format!("{}/{rest}", at.join("/")).replace("&#38;", "&").replace("&amp;", "&")
    };
    let links = html.split(" href=\"").skip(1).map(|rest| rest.split('"').next().expect("ends"));
    links.filter(|link| !link.starts_with('#') && *link != "data:,").map(led).collect()
}

pub(crate) fn validator() -> Signer {
    dev_key("Alice")
}

pub(crate) fn miner(number: u8) -> Hotkey {
    Hotkey::from_bytes([number; 32])
}

pub(crate) fn id(day: u32) -> RoundId {
    let date = chrono::NaiveDate::from_yo_opt(2026, day).expect("a day of that year");
    RoundId { netuid: NETUID, date, window_days: 30 }
}

/// Half past one at night.
fn opened(day: u32) -> i64 {
    let midnight =
        chrono::NaiveDate::from_yo_opt(2026, day).expect("a day").signed_duration_since(chrono::NaiveDate::default());
    midnight.num_milliseconds() + DAY_MS / 16
}

/// From 0 to 1, the same every time.
fn random(seed: &str) -> f64 {
    let digest = Digest::of(seed.as_bytes());
    let bytes = digest.as_bytes();
    f64::from(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])) / f64::from(u32::MAX)
}

pub(crate) fn round(day: u32) -> Round {
    Round {
        id: id(day),
        step: Step::Fetched,
        rules: RulesVersion::V1,
        shadow: day == 3,
        batch: if day == DAYS { api_batch::digest() } else { Digest::of(format!("batch {day}").as_bytes()) },
        alerts: ALERTS as u64,
        opened_ms: opened(day),
        deadline_ms: None,
        commitment: None,
        published_ms: None,
        settled_ms: None,
        list: None,
        marks: Default::default(),
    }
}

/// Place of an alert whose id is not what one expects.
pub(crate) const ODD: usize = ALERTS - 1;

/// The id of that alert.
pub(crate) fn odd_id(day: u32) -> String {
    format!("odd/../{day}?a=b#c%2F<b>\u{202e}\u{7}&\"'")
}

/// What probabilities come from: nothing on the fifth day, too little on the tenth.
pub(crate) fn calibration(day: u32) -> Option<Calibration> {
    let knot = |at: u32| {
        let (score, share) = (f64::from(at) / 8.0, f64::from(at * at) / 80.0);
        Knot { score, share, low: share * 0.8, high: (share * 1.2).min(1.0), outcomes: 100 }
    };
    (day != 5).then(|| Calibration {
        version: 1,
        round: id(day).to_string(),
        as_of_ms: opened(day),
        days: 60,
        rounds: vec!["2025-12-20".to_owned()],
        outcomes: 900,
        illicit: 130,
        addresses: 700,
        rarer: if day == 10 { 12.5 } else { 110.0 },
        least: 100,
        knots: if day == 10 { Vec::new() } else { (0..=8).map(knot).collect() },
    })
}

/// Reasons of the newest three days: of the alerts from number 3 on, one of them by a name that is not the catalogue's.
pub(crate) fn reasons(day: u32) -> Option<Reasons> {
    let found = |code: &str, effect, support, datum| Found {
        code: CodeName::of(code).expect("a code"),
        effect,
        support,
        datum,
    };
    let of_alert = |place: usize| {
        if place < 3 {
            return Vec::new();
        }
        vec![
            found("passed_on", Effect::Raises, 0.41, Datum::Number(0.94)),
            found("typology", Effect::Raises, 0.25, Datum::Name("peel chain".to_owned())),
            found("private_active", Effect::Lowers, 0.05, Datum::Number(1.0)),
        ]
    };
    let none = Reasons::absent(ALERTS, "");
    let alerts = (0..ALERTS).map(of_alert).collect();
    (DAYS - 2..=DAYS).contains(&day).then_some(Reasons { miners: 5, voices: 0.8, absent: None, alerts, ..none })
}

pub(crate) fn task(day: u32) -> Task {
    let typologies = ["structuring", "layering", "peel chain", "mixing", "ransomware cash-out"];
    let severities = ["low", "medium", "high", "critical"];
    let row = |number: usize| RosterRow {
        alert_id: if number == ODD { odd_id(day) } else { format!("alert_{day:02}_{number:05}") },
        address: format!("5{}", &Digest::of(format!("address {}", number % 200).as_bytes()).to_string()[..40]),
        typology: if number == 0 { HOSTILE.to_owned() } else { typologies[number % 5].to_owned() },
        severity: severities[number % 4].to_owned(),
    };
    let ask = |number: u8| Ask {
        uid: u16::from(number),
        axon: Some(([203, 0, 113, number], 8091).into()),
        issued: vec![(7, format!("trap-{day}-{number}")), (31, format!("bait-{day}-{number}"))],
        groups: vec![
            TrapGroup { name: "high_1".to_owned(), expected: Expected::High, places: vec![7] },
            TrapGroup { name: "low_1".to_owned(), expected: Expected::Low, places: vec![31] },
        ],
        receipt_key: None,
    };
    Task {
        salt: salt(day),
        deadline_ms: opened(day) + 900_000,
        traps: None,
        roster: (0..ALERTS).map(row).collect(),
        asks: (1..=MINERS).map(|number| (miner(number), ask(number))).collect(),
        common: None,
        sealing: None,
        arrow: None,
        reference: None,
    }
}

pub(crate) fn salt(day: u32) -> [u8; 32] {
    *Digest::of(format!("salt {day}").as_bytes()).as_bytes()
}

/// `sha256(salt ‖ trap list)`, the list written down here by hand.
pub(crate) fn commitment(day: u32) -> Digest {
    let group = |name: &str, expected: &str, place: u8| {
        format!(r#"{{"name":"{name}","expected":"{expected}","places":[{place}]}}"#)
    };
    let traps = |number: u8| {
        let groups = [group("high_1", "high", 7), group("low_1", "low", 31)].join(",");
        let hotkey = miner(number);
        format!(
            r#"{{"hotkey":"{hotkey}","issued":[[7,"trap-{day}-{number}"],[31,"bait-{day}-{number}"]],"groups":[{groups}]}}"#
        )
    };
    let list = (1..=MINERS).map(traps).collect::<Vec<_>>().join(",");
    Digest::of(&[salt(day).as_slice(), format!("[{list}]").as_bytes()].concat())
}

/// What came of asking: the last miners have troubles.
fn reply(number: u8, day: u32) -> Reply {
    match number {
        9 if day.is_multiple_of(3) => Reply::TimedOut,
        10 => Reply::Refused("answered 503: <b>try later</b>".to_owned()),
        11 => Reply::Unreachable("connection refused".to_owned()),
        12 => Reply::NotServing,
        _ => Reply::Answered,
    }
}

fn answer(number: u8, day: u32) -> Answer {
    let reply = reply(number, day);
    let answered = reply == Reply::Answered;
    Answer {
        hotkey: miner(number),
        reply,
        form: Form::Btauth,
        request: Some(Digest::of(b"request")),
        request_form: BodyForm::Json,
        sent_bytes: None,
        status: answered.then_some(200),
        receipt: None,
        headers: BTreeMap::new(),
        body: None,
        bytes: 0,
        asked_ms: opened(day),
        took_ms: 400 + u64::from(number) * 731,
        in_time: answered,
        attempts: Vec::new(),
        sealed: None,
        takes_arrow: false,
        takes_references: false,
    }
}

fn verdict(number: u8, day: u32) -> Verdict {
    let accepted = match (number, reply(number, day)) {
        (8, _) => Err(format!("format: {HOSTILE} is not a list of scores")),
        (_, Reply::Answered) => Ok(()),
        (_, Reply::Refused(why)) => Err(why),
        (_, other) => Err(format!("{other:?}")),
    };
    let counts = accepted.is_ok();
    let fault = |check: Check| (number == 8 && check == Check::Format).then(|| HOSTILE.to_owned());
    let noise = random(&format!("{number} {day}"));
    let share = if noise > 0.15 + 0.06 * f64::from(number) { 1.0 } else { 0.5 };
    Verdict {
        hotkey: miner(number),
        uid: u16::from(number),
        tier1: (counts || number == 8).then_some(if counts { 1.0 } else { 5.0 / 9.0 }),
        checks: Check::ALL.into_iter().map(|check| Finding { check, fault: fault(check) }).collect(),
        tier2: counts.then_some(share),
        traps: vec![
            TrapFinding { name: "high_1".to_owned(), share: 1.0, passed: counts },
            TrapFinding { name: "low_1".to_owned(), share: 0.4, passed: share > 0.75 },
        ],
        observations: Observations {
            similarity: Some(0.4),
            entropy: Some(0.8),
            copies: (number == 5 || number == 6).then_some(2),
            ..Observations::default()
        },
        model_version: counts
            .then(|| if number == 7 { HOSTILE.to_owned() } else { format!("1.{number}.0+0a1b2c3d4e5f") }),
        receipt_key: counts.then(|| Digest::of(&[number])),
        took_ms: if matches!(reply(number, day), Reply::Answered) { 400 + u64::from(number) * 731 } else { 0 },
        advantage: None,
        stored: None,
        accepted,
    }
}

pub(crate) fn canonical(day: u32) -> Canonical {
    let score = |place: usize| {
        let value = random(&format!("score {day} {place}"));
        let skewed = if place.is_multiple_of(7) { 1.0 - value.powi(3) * 0.5 } else { value * value };
        CanonicalScore { score: Score::new(skewed).expect("a probability"), deviation: value / 9.0, miners: 7 }
    };
    Canonical {
        rules: RulesVersion::V1,
        scores: (0..ALERTS).map(score).collect(),
        weights: (1..=7).map(|number| (miner(number), 1.0 / 7.0)).collect(),
        performance: BTreeMap::new(),
    }
}

fn settled(day: u32) -> Settled {
    let settlement = |number: u8| {
        let skill = 0.95 - 0.04 * f64::from(number) - 0.1 * random(&format!("skill {number} {day}"));
        let (auc, brier, ndcg) = (skill, 0.3 - skill / 4.0, skill - 0.03);
        let score = 0.4 * auc + 0.3 * (1.0 - brier) + 0.3 * ndcg;
        Settlement { auc, brier, log_loss: 0.4, ece: 0.05, ndcg, score }
    };
    let counts = |number: u8| verdict(number, day).accepted.is_ok();
    Settled {
        rules: RulesVersion::V1,
        labels: (0..60).map(|place| Label { place, illicit: place % 4 == 0, relevance: 0 }).collect(),
        miners: (1..=MINERS).map(|number| (miner(number), counts(number).then(|| settlement(number)))).collect(),
        canonical: Some(settlement(0)),
        beside: BTreeMap::new(),
    }
}

/// Takes a round up to a step.
pub(crate) async fn must_round(ledger: &Ledger, day: u32, step: Step) {
    must_judge(ledger, &round(day), day).await;
    if step >= Step::Merged {
        ledger.record_canonical(id(day), Some(&canonical(day))).await.expect("it is merged");
    }
    if let Some(told) = calibration(day).filter(|_| step >= Step::Published) {
        ledger.record_calibration(id(day), &told).await.expect("it is kept");
    }
    if let Some(told) = reasons(day).filter(|_| step >= Step::Published) {
        ledger.record_reasons(id(day), &told).await.expect("they are kept");
    }
    if step >= Step::Published {
        must_show(ledger, day).await;
    }
    if step >= Step::Settled {
        must_settle(ledger, day).await;
    }
}

/// Settles a round that is published.
pub(crate) async fn must_settle(ledger: &Ledger, day: u32) {
    ledger.record_settled(id(day), &settled(day), opened(day) + 7 * DAY_MS).await.expect("it is settled");
}

/// Publishes a round that is merged.
pub(crate) async fn must_show(ledger: &Ledger, day: u32) {
    ledger.publish(id(day), opened(day) + 1_200_000).await.expect("it is published");
}

/// Takes a round to where its answers are judged.
pub(crate) async fn must_judge(ledger: &Ledger, round: &Round, day: u32) {
    ledger.begin(round).await.expect("it begins");
    ledger.record_task(round.id, &task(day), commitment(day)).await.expect("it is tasked");
    for number in 1..=MINERS {
        ledger.record_answer(round.id, &answer(number, day), None).await.expect("an answer");
    }
    ledger.finish_asking(round.id).await.expect("it is asked");
    let verdicts: Vec<Verdict> = (1..=MINERS).map(|number| verdict(number, day)).collect();
    ledger.record_verdicts(round.id, &verdicts).await.expect("it is judged");
}

/// Publishes a round in which nobody's submission counted.
pub(crate) async fn must_publish_nothing(ledger: &Ledger, day: u32) {
    ledger.begin(&round(day)).await.expect("it begins");
    ledger.record_task(id(day), &task(day), commitment(day)).await.expect("it is tasked");
    for number in 1..=MINERS {
        ledger.record_answer(id(day), &answer(number, day), None).await.expect("an answer");
    }
    ledger.finish_asking(id(day)).await.expect("it is asked");
    let rejected = |number: u8| Verdict { accepted: Err("format: not a list".to_owned()), ..verdict(number, day) };
    let verdicts: Vec<Verdict> = (1..=MINERS).map(rejected).collect();
    ledger.record_verdicts(id(day), &verdicts).await.expect("it is judged");
    ledger.record_canonical(id(day), None).await.expect("there is nothing to merge");
    ledger.publish(id(day), opened(day) + 1_200_000).await.expect("it is published");
}

/// What is confirmed at epoch 100 is what the chain shows.
pub(crate) fn weights(epoch: u64) -> WeightsRecord {
    let weights = if epoch == 100 {
        ChainWeights { uids: (1..=7).collect(), values: (1..=7).map(|number| 65_535 / number).collect() }
    } else {
        ChainWeights { uids: vec![1, 2], values: vec![65_535, 4_242] }
    };
    let content = PendingReveal { netuid: NETUID, mechanism: 0, weights, salt: vec![54_321; 8], version_key: 1 };
    WeightsRecord {
        epoch,
        vector: Digest::of(format!("vector {epoch}").as_bytes()),
        plan: WeightsPlan { route: Route::HashCommit, content },
        state: WeightsState::Planned,
        made_ms: opened(29) + i64::try_from(epoch).expect("small") * 60_000,
    }
}

/// The subnet as the chain shows it; miner 12 is not registered any more.
pub(crate) fn reading() -> ChainReading {
    let neuron = |(uid, hotkey): (u16, Hotkey)| Neuron {
        uid: Uid(uid),
        hotkey,
        coldkey: hotkey,
        axon: None,
        validator_permit: uid == 0,
        active: true,
        stake: 0,
        last_update: Block(5_123_100),
        incentive: 0,
        dividends: 0,
    };
    let miners = (1..MINERS).map(|number| (u16::from(number), miner(number)));
    let neurons = std::iter::once((0, validator().hotkey())).chain(miners).map(neuron).collect();
    ChainReading {
        metagraph: Metagraph { netuid: NETUID, block: Block(5_123_456), neurons },
        tempo: 360,
        registration_price: Some(1_250_000_000),
        weights: Some((1..=7).map(|number| (Uid(number), 65_535 / number)).collect()),
        last_update: Some(Block(5_123_100)),
        stopped: None,
    }
}
