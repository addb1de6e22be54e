//! What must hold when a season is over.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aml_miner::digest::Digest;
use aml_subnet::chain::types::Uid;
use aml_subnet::chain::weights::quantise;
use aml_subnet::outputs::{CanonicalRow, Format, Published, canonical_rows, directory, verify, with_reasons};
use aml_subnet::store::Ledger;
use aml_subnet::store::records::{Answer, Reply, RoundId, Shares, Step, Verdict, WeightsRecord, WeightsState};
use aml_subnet::validation::weights::shares;
use aml_subnet::validator::pay::{WeightsTarget, vector_digest};
use aml_subnet::validator::standing::worth_now;
use aml_subnet::wallet::Hotkey;
use serde_json::{Value, json};

use super::cast::{Actor, Cast, NEWCOMER, POORER, SKILLED, is_bad};
use super::seat::{Seat, is_confirmed};
use crate::common::dev_key;
use crate::validator_kill::{Rules, submissions, subtensor, weights_on};
use crate::validator_world::NETUID;

/// Rounds under rules v2 after which a miner's skill shows in its pay: a newcomer's twenty, and outcomes of some days.
const ROUNDS_UNTIL_PAID: usize = 35;
/// As the validators are set up.
const GRACE: Duration = Duration::from_secs(86_400);

/// The end of one validator's season.
pub(super) struct Laws<'a> {
    pub(super) seat: &'a Seat,
    pub(super) cast: &'a Cast,
    pub(super) days: &'a [RoundId],
}

impl Laws<'_> {
    pub(super) async fn hold(&self, end: &Value) {
        let ledger = self.seat.must_read().await;
        self.every_day_is_settled_once(&ledger).await;
        self.files_are_the_ledgers(&ledger).await;
        let weights = ledger.weights(WeightsTarget { netuid: NETUID, mechanism: 0 }, u32::MAX).await.expect("a ledger");
        self.no_window_is_paid_twice(&weights, end).await;
        let worth = worth_now(&ledger, NETUID, GRACE).await.expect("a ledger").performance;
        self.skill_is_paid(&worth);
        self.weights_are_worth(&worth, &weights).await;
        ledger.close().await;
    }

    async fn every_day_is_settled_once(&self, ledger: &Ledger) {
        let rounds = ledger.rounds(NETUID, u32::MAX, None).await.expect("a ledger");
        let known: Vec<RoundId> = rounds.iter().rev().map(|round| round.id).collect();
        assert_eq!(known, self.days, "{}: a round a day, and no other", self.seat.name);
        for round in rounds {
            assert!(round.step == Step::Settled && round.published_ms <= round.settled_ms, "{round:?}");
            assert!(ledger.canonical(round.id).await.expect("a ledger").is_some(), "{}", round.id);
            let task = ledger.task(round.id).await.expect("a ledger").expect("a task");
            assert_eq!(task.traps.is_some(), round.id != self.days[0], "{}: traps of settled batches", round.id);
        }
    }

    async fn files_are_the_ledgers(&self, ledger: &Ledger) {
        for id in self.days {
            let folder = directory(&self.seat.data.join("published"), id);
            verify(&folder, Some(&dev_key("Alice").hotkey())).expect("files that hold");
            let published = Published::open(&folder, None).expect("a manifest");
            let rows = published.read(Format::Json).expect("scores");
            let rows: Vec<CanonicalRow> = serde_json::from_slice(&rows).expect("scores");
            let task = ledger.task(*id).await.expect("a ledger").expect("a task");
            let canonical = ledger.canonical(*id).await.expect("a ledger").expect("scores");
            let calibration = ledger.calibration(*id).await.expect("a ledger").expect("one a published round");
            let reasons = ledger.reasons(*id).await.expect("a ledger").expect("a published round has them");
            let expected = canonical_rows(&task.roster, &canonical, Some(&calibration)).expect("scores");
            let expected = with_reasons(expected, Some(&reasons)).expect("of the same alerts");
            assert_eq!(rows, expected, "{}: {id}", self.seat.name);
            assert_eq!(published.manifest.contributors, canonical.weights, "{}: {id}", self.seat.name);
        }
    }

    /// Every transaction of the hotkey is a confirmed record, and none lies in the same window as another.
    async fn no_window_is_paid_twice(&self, weights: &[WeightsRecord], end: &Value) {
        let name = self.seat.name;
        let blocks: Vec<u64> = weights
            .iter()
            .filter_map(|record| match &record.state {
                WeightsState::Confirmed { block } => Some(*block),
                WeightsState::Failed { why } => {
                    let known = ["nothing of it was on chain", "a later submission of the same weights"];
                    assert!(known.iter().any(|known| why.contains(known)), "{name}: {record:?}");
                    None
                }
                open => panic!("{name}: {open:?} after the end"),
            })
            .collect();
        let distinct: BTreeSet<u64> = blocks.iter().copied().collect();
        assert_eq!(distinct.len(), blocks.len(), "{name}: two records of one block");
        assert_eq!(end["submissions"], json!(blocks.len()), "{name}: {weights:?}");
        assert_eq!(submissions(&self.seat.localnet).await, end["submissions"], "{name}: nothing was on its way");
        let last = &weights.iter().find(|record| is_confirmed(record)).expect("weights").plan.content.weights;
        let stored: Vec<Value> = last.uids.iter().zip(&last.values).map(|pair| json!([pair.0, pair.1])).collect();
        assert_eq!(weights_on(&self.seat.localnet).await, json!(stored), "{name}: on chain and in the ledger");
    }

    /// Honest skill earns more than laziness and copies, and what never counts earns nothing.
    fn skill_is_paid(&self, worth: &BTreeMap<Hotkey, f64>) {
        let of = |name: &str| worth.get(&dev_key(name).hotkey()).copied().unwrap_or_default();
        let (skilled, is_paid) = match self.seat.play.rules {
            Rules::V1 => ([SKILLED[0], SKILLED[1], NEWCOMER], true),
            Rules::V2Sealed => ([SKILLED[0]; 3], self.days.len() >= ROUNDS_UNTIL_PAID),
        };
        for skilled in skilled.into_iter().filter(|_| is_paid) {
            for poorer in POORER {
                assert!(of(skilled) > of(poorer), "{skilled} {} and {poorer} {}", of(skilled), of(poorer));
            }
        }
        for actor in self.cast.actors.iter().filter(|actor| is_bad(actor.name)) {
            assert!(of(actor.name).abs() < f64::EPSILON, "{} {}", actor.name, of(actor.name));
        }
    }

    /// The last weights on chain say what everybody has earned, and the owner's have what nobody has.
    async fn weights_are_worth(&self, worth: &BTreeMap<Hotkey, f64>, weights: &[WeightsRecord]) {
        let earned: f64 = worth.values().sum();
        if self.seat.play.rules == Rules::V2Sealed && earned < 0.999 {
            return;
        }
        let metagraph = subtensor(&self.seat.localnet).metagraph(NETUID).await.expect("a chain");
        let shares: Vec<(Uid, f64)> =
            shares(worth, &metagraph.hotkeys()).iter().map(|one| (Uid(one.uid), one.share)).collect();
        let vector =
            vector_digest(WeightsTarget { netuid: NETUID, mechanism: 0 }, &quantise(&shares).expect("weights"));
        let last = weights.iter().find(|record| is_confirmed(record)).expect("weights");
        assert_eq!(last.vector, vector, "{}: the last weights are what was earned", self.seat.name);
    }
}

/// What each miner earns by what a ledger knows.
pub(super) async fn pay(seat: &Seat, cast: &Cast) -> BTreeMap<&'static str, f64> {
    let ledger = seat.must_read().await;
    let worth = worth_now(&ledger, NETUID, GRACE).await.expect("a ledger").performance;
    ledger.close().await;
    let of = |actor: &Actor| (actor.name, worth.get(&actor.miner.hotkey()).copied().unwrap_or_default());
    cast.actors.iter().chain([&cast.newcomer]).map(of).collect()
}

/// All that does not depend on the clock is the same with kills as without.
///
/// An answer that a kill has cut off is asked for again, and who failed three times in a row is left alone for an hour:
/// a failure that a kill has kept from being counted is not among the three. So *how* a miner failed that sent nothing
/// whole (timed out, unreachable, not asked) may differ. That it failed, and everything else, may not.
pub(super) async fn rounds_are_equal(tried: &Seat, twin: &Seat, days: &[RoundId]) {
    let (tried, twin) = (tried.must_read().await, twin.must_read().await);
    for id in days {
        let (with, without) = (told(&tried, *id).await, told(&twin, *id).await);
        for (what, value) in without.as_object().expect("an object") {
            assert_eq!(with[what], *value, "{id}: {what}, with kills and without");
        }
    }
    assert_eq!(tried.first_seen().await.expect("a ledger"), twin.first_seen().await.expect("a ledger"));
    assert_eq!(tried.receipt_keys().await.expect("a ledger"), twin.receipt_keys().await.expect("a ledger"));
    tried.close().await;
    twin.close().await;
}

/// What a ledger says of a round, but for times.
async fn told(ledger: &Ledger, id: RoundId) -> Value {
    let round = ledger.round(id).await.expect("a ledger").expect("a round");
    let task = ledger.task(id).await.expect("a ledger").expect("a task");
    let answers = ledger.answers(id).await.expect("a ledger");
    let whole: BTreeSet<_> = answers.iter().filter(|answer| is_whole(answer)).map(|answer| answer.hotkey).collect();
    let mut bodies: BTreeMap<String, Digest> = BTreeMap::new();
    for answer in &answers {
        if let Some(body) = answer.body.filter(|_| is_whole(answer)) {
            let kept = ledger.body(&body).await.expect("a ledger").expect("it is kept");
            bodies.insert(answer.hotkey.to_string(), Digest::of(&kept));
        }
    }
    let verdicts = ledger.verdicts(id).await.expect("a ledger");
    let judged = |verdict: &Verdict| match whole.contains(&verdict.hotkey) {
        true => json!(Verdict { took_ms: 0, ..verdict.clone() }),
        false => {
            let is_nothing = verdict.tier1.is_none() && verdict.tier2.is_none() && verdict.checks.is_empty();
            json!([verdict.hotkey, verdict.uid, verdict.accepted.is_ok(), is_nothing])
        }
    };
    let answered = |answer: &Answer| match is_whole(answer) {
        true => json!([
            answer.hotkey,
            answer.reply,
            answer.form,
            answer.request,
            answer.status,
            answer.body,
            answer.in_time
        ]),
        false => json!([answer.hotkey, "nothing whole"]),
    };
    json!({
        "round": [json!(round.step), json!(round.rules), json!(round.batch), json!(round.alerts), json!(round.commitment)],
        "task": [json!(task.salt), json!(task.traps), json!(task.roster), json!(task.asks)],
        "answers": answers.iter().map(answered).collect::<Vec<_>>(),
        "bodies": bodies,
        "verdicts": verdicts.iter().map(judged).collect::<Vec<_>>(),
        "canonical": ledger.canonical(id).await.expect("a ledger"),
        "settled": ledger.settled(id).await.expect("a ledger"),
        "shares": ledger.shares(id).await.expect("a ledger").map(|shares| Shares { made_ms: 0, ..shares }),
    })
}

/// Whether something came that is the same whenever it is asked for.
const fn is_whole(answer: &Answer) -> bool {
    matches!(answer.reply, Reply::Answered | Reply::Refused(_))
}
