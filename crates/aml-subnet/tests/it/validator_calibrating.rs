//! The curve of a round comes from what was known when the round was opened, and comes out the same whenever it is made again.

use std::collections::BTreeMap;

use aml_subnet::calendar::{DAY_MS, start_ms};
use aml_subnet::readers::calibration::Calibration;
use aml_subnet::store::Ledger;
use aml_subnet::store::records::{
    Canonical, KnownOutcome, Mark, MarkKind, RosterRow, Round, RoundId, Settled, Step, Task,
};
use aml_subnet::validation::rules::RulesVersion;
use aml_subnet::validation::score::{CanonicalScore, Score};
use aml_subnet::validation::tier3_settlement::Label;
use aml_subnet::validator::calibrating::Calibrator;
use aml_subnet::validator::world::Threads;

use crate::api_kit::id;
use crate::ledger_kit::{Home, commitment, must_open, round};

const ALERTS: usize = 120;

fn opened(day: u32) -> i64 {
    start_ms(id(day).date) + DAY_MS / 2
}

/// A number of 0 to 999 that looks like chance.
fn chance(day: u32, place: usize) -> usize {
    (place * 7_919 + day as usize * 104_729 + place * place * 31) % 1_000
}

/// A day with scores, of which the share of illicit ones is the square.
async fn must_play(ledger: &Ledger, day: u32) -> Round {
    let begun =
        Round { id: id(day), rules: RulesVersion::V2, alerts: ALERTS as u64, opened_ms: opened(day), ..round(1) };
    let begun = ledger.begin(&begun).await.expect("it begins");
    let row = |place: usize| RosterRow {
        alert_id: format!("{day}-{place}"),
        address: format!("0x{day}-{place}"),
        typology: "structuring".to_owned(),
        severity: "low".to_owned(),
    };
    let roster = (0..ALERTS).map(row).collect();
    let task = Task {
        salt: [1; 32],
        deadline_ms: 0,
        traps: None,
        roster,
        asks: BTreeMap::new(),
        common: None,
        sealing: None,
        arrow: None,
        reference: None,
    };
    ledger.record_task(id(day), &task, commitment()).await.expect("tasked");
    ledger.finish_asking(id(day)).await.expect("asked");
    ledger.record_verdicts(id(day), &[]).await.expect("judged");
    let score = |place: usize| CanonicalScore {
        score: Score::new(place as f64 / ALERTS as f64).expect("a probability"),
        deviation: 0.1,
        miners: 3,
    };
    let scores = (0..ALERTS).map(score).collect();
    let (weights, performance) = (BTreeMap::new(), BTreeMap::new());
    let canonical = Canonical { rules: RulesVersion::V2, scores, weights, performance };
    ledger.record_canonical(id(day), Some(&canonical)).await.expect("merged");
    ledger.publish(id(day), opened(day) + 1_000).await.expect("published");
    begun
}

fn outcome(day: u32, place: usize, confirmed_ms: i64) -> KnownOutcome {
    let square = place * place * 1_000 / ALERTS / ALERTS;
    KnownOutcome {
        place: u32::try_from(place).expect("small"),
        address: format!("0x{day}-{place}"),
        illicit: Some(chance(day, place) < square),
        relevance: 0,
        confirmed_ms,
        seen_ms: 0,
        replaced_ms: None,
    }
}

/// All outcomes of a day, confirmed on the eighth day after it and seen then.
async fn must_see(ledger: &Ledger, day: u32) {
    let then = opened(day) + 8 * DAY_MS;
    let all: Vec<KnownOutcome> = (0..ALERTS).map(|place| outcome(day, place, then)).collect();
    ledger.record_outcomes(id(day), &all, then).await.expect("kept");
}

async fn made(ledger: &Ledger, round: &Round) -> Calibration {
    Calibrator { ledger, workers: &Threads }.made(round).await.expect("the ledger answers")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_curve_is_of_what_was_known_then_and_is_made_again_byte_for_byte() {
    for home in Home::both() {
        let ledger = must_open(&home.url).await;
        let mut rounds = BTreeMap::new();
        for day in 1..=30 {
            rounds.insert(day, must_play(&ledger, day).await);
            if day <= 20 {
                must_see(&ledger, day).await;
            }
        }
        let today = &rounds[&30];
        let first = made(&ledger, today).await;
        assert_eq!(
            (first.outcomes, first.rounds.len(), first.as_of_ms),
            (20 * ALERTS as u64, 20, opened(30)),
            "{}",
            home.name
        );
        assert!(first.is_known() && first.problem().is_none());
        let told = first.told(0.8, 0.05).expect("known");
        assert!((told.probability - 0.64).abs() < 0.1 && told.low < told.probability && told.high > told.probability);
        // A day on which less was known.
        let earlier = made(&ledger, &rounds[&12]).await;
        assert_eq!((earlier.outcomes, earlier.is_known()), (4 * ALERTS as u64, true), "those of the days 1 to 4");
        assert!(!made(&ledger, &rounds[&9]).await.is_known(), "one day is too little");
        // What comes later changes nothing: new outcomes, others, withdrawn ones, a round that becomes void.
        let later = opened(30) + 1;
        let all: Vec<KnownOutcome> = (0..ALERTS).map(|place| outcome(25, place, opened(26))).collect();
        ledger.record_outcomes(id(25), &all, later).await.expect("kept");
        let mut other: Vec<KnownOutcome> = (0..ALERTS / 2).map(|place| outcome(3, place, opened(11))).collect();
        other.iter_mut().for_each(|one| one.illicit = Some(true));
        let change = ledger.record_outcomes(id(3), &other, later).await.expect("kept");
        assert!(change.changed > 0 && change.withdrawn > 0);
        let mark = Mark { at_ms: later, why: "a bad batch".to_owned() };
        ledger.mark_round(id(4), MarkKind::Void, Some(&mark)).await.expect("marked");
        let again = made(&ledger, today).await;
        assert_eq!(
            serde_json::to_vec(&again).expect("JSON"),
            serde_json::to_vec(&first).expect("JSON"),
            "{}",
            home.name
        );
        // But the next day knows.
        let next = must_play(&ledger, 31).await;
        let next = made(&ledger, &next).await;
        assert_eq!(next.outcomes, 20 * ALERTS as u64 - ALERTS as u64 - ALERTS as u64 / 2 + ALERTS as u64);
        ledger.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn outcomes_from_after_the_day_do_not_count_however_early_they_were_seen() {
    let home = Home::file();
    let ledger = must_open(&home.url).await;
    for day in 1..=10 {
        must_play(&ledger, day).await;
        // Confirmed on day 40, says the source, and seen at once.
        let all: Vec<KnownOutcome> = (0..ALERTS).map(|place| outcome(day, place, opened(40))).collect();
        ledger.record_outcomes(id(day), &all, opened(day) + 1).await.expect("kept");
    }
    let (before, after) = (must_play(&ledger, 39).await, must_play(&ledger, 40).await);
    assert_eq!(made(&ledger, &before).await.outcomes, 0);
    assert_eq!(made(&ledger, &after).await.outcomes, 10 * ALERTS as u64);
    let old = must_play(&ledger, 71).await;
    assert_eq!(made(&ledger, &old).await.rounds, Vec::<String>::new(), "nothing of the sixty days before");
    ledger.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_curve_of_a_round_stays() {
    let home = Home::file();
    let ledger = must_open(&home.url).await;
    for day in 1..=10 {
        must_play(&ledger, day).await;
        must_see(&ledger, day).await;
    }
    let today = must_play(&ledger, 30).await;
    let calibrator = Calibrator { ledger: &ledger, workers: &Threads };
    let first = calibrator.in_force(&today).await.expect("made and kept");
    assert_eq!(ledger.calibration(today.id).await.expect("read"), Some(first.clone()));
    let other = Calibration { outcomes: 7, ..first.clone() };
    assert_eq!(ledger.record_calibration(today.id, &other).await.expect("the first one counts"), first);
    assert_eq!(calibrator.in_force(&today).await.expect("kept"), first);
    let none = RoundId { netuid: 9, ..today.id };
    assert!(ledger.record_calibration(none, &first).await.is_err(), "there is no such round");
    // What is stored and falls is refused, not used.
    let mut falling = first.clone();
    falling.knots.reverse();
    ledger.record_calibration(id(5), &falling).await.expect("kept");
    let refused = ledger.calibration(id(5)).await.expect_err("its knots do not rise");
    assert!(refused.to_string().contains("do not rise"), "{refused}");
    ledger.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn under_rules_v1_settled_outcomes_count() {
    let home = Home::file();
    let ledger = must_open(&home.url).await;
    for day in 1..=10 {
        must_play(&ledger, day).await;
        let label = |place: usize| Label { place, illicit: outcome(day, place, 0).illicit == Some(true), relevance: 0 };
        let settled = Settled {
            rules: RulesVersion::V1,
            labels: (0..ALERTS).map(label).collect(),
            miners: BTreeMap::new(),
            canonical: None,
            beside: BTreeMap::new(),
        };
        ledger.record_settled(id(day), &settled, opened(day) + 9 * DAY_MS).await.expect("settled");
    }
    assert_eq!(ledger.round(id(1)).await.expect("read").map(|round| round.step), Some(Step::Settled));
    let round = must_play(&ledger, 15).await;
    let told = made(&ledger, &round).await;
    assert_eq!((told.outcomes, told.rounds.len()), (6 * ALERTS as u64, 6), "those that were settled by then");
    ledger.close().await;
}
