//! The ledger over both databases: steps, what is read back, who may write.

use std::collections::BTreeMap;

use aml_miner::digest::Digest;
use aml_subnet::store::records::{Answer, Dormancy, Round, Step, WeightsState, WeightsTarget};
use aml_subnet::store::{Ledger, PlanWeightsError, RecordError, Retention, StepError, StorageError};
use aml_subnet::validation::performance::RoundScore;
use chrono::NaiveDate;

use crate::ledger_kit::{
    Home, NETUID, NOW, answer, body, canonical, commitment, hashed, id, miner, must_reach, round, settled, silence,
    task, verdict, verdicts, weights,
};

const START: NaiveDate = NaiveDate::from_epoch_days(0).expect("the first day");

#[tokio::test]
async fn a_round_is_read_back_as_it_was_recorded() {
    for home in Home::both() {
        let ledger = home.open().await;
        assert_eq!(ledger.round(id(1)).await.unwrap(), None, "{}", home.name);
        must_reach(&ledger, 1, Step::Settled).await;
        let ledger = reopened(&home, ledger).await;
        let stored = ledger.round(id(1)).await.unwrap().expect("it is there");
        let expected = Round {
            step: Step::Settled,
            deadline_ms: Some(task(1).deadline_ms),
            commitment: Some(commitment()),
            published_ms: Some(NOW + 1),
            settled_ms: Some(NOW + 2),
            ..round(1)
        };
        assert_eq!(stored, expected, "{}", home.name);
        assert_eq!(ledger.task(id(1)).await.unwrap(), Some(task(1)));
        assert_eq!(ledger.answers(id(1)).await.unwrap(), [answer(1, 1), answer(1, 2), silence(3)]);
        assert_eq!(ledger.body(&Digest::of(&body(1, 2))).await.unwrap(), Some(body(1, 2)));
        assert_eq!(ledger.body(&Digest::of(b"unknown")).await.unwrap(), None);
        assert_eq!(ledger.verdicts(id(1)).await.unwrap(), verdicts());
        assert_eq!(ledger.canonical(id(1)).await.unwrap(), Some(canonical()));
        assert_eq!(ledger.settled(id(1)).await.unwrap(), Some(settled()));
    }
}

/// Closed and opened again, as after a restart.
async fn reopened(home: &Home, ledger: Ledger) -> Ledger {
    ledger.close().await;
    home.open().await
}

#[tokio::test]
async fn repeating_a_step_changes_nothing_and_another_content_is_refused() {
    for home in Home::both() {
        let ledger = home.open().await;
        must_reach(&ledger, 1, Step::Settled).await;
        let before = ledger.round(id(1)).await.unwrap();
        must_reach(&ledger, 1, Step::Settled).await;
        ledger.publish(id(1), NOW + 50).await.unwrap();
        ledger.record_settled(id(1), &settled(), NOW + 60).await.unwrap();
        assert_eq!(ledger.round(id(1)).await.unwrap(), before, "{}", home.name);

        let mut other = task(1);
        other.salt = [1; 32];
        must_differ(ledger.record_task(id(1), &other, commitment()).await);
        must_differ(ledger.record_task(id(1), &task(1), Digest::of(b"another")).await);
        let mut other = verdicts();
        other[0].tier1 = Some(f64::from_bits(other[0].tier1.expect("accepted").to_bits() + 1));
        must_differ(ledger.record_verdicts(id(1), &other).await);
        must_differ(ledger.record_verdicts(id(1), &verdicts()[..2]).await);
        must_differ(ledger.record_canonical(id(1), None).await);
        let mut other = settled();
        other.miners.remove(&miner(2));
        must_differ(ledger.record_settled(id(1), &other, NOW).await);
        must_differ(ledger.begin(&Round { batch: Digest::of(b"another"), ..round(1) }).await);
        assert_eq!(ledger.round(id(1)).await.unwrap(), before);
        assert_eq!(ledger.verdicts(id(1)).await.unwrap(), verdicts());
    }
}

fn must_differ<T: std::fmt::Debug>(result: Result<T, RecordError>) {
    assert!(matches!(result, Err(RecordError::Differs { .. })), "{result:?}");
}

#[tokio::test]
async fn a_step_is_neither_skipped_nor_taken_back() {
    for home in Home::both() {
        let ledger = home.open().await;
        let unknown = ledger.finish_asking(id(1)).await;
        assert!(matches!(unknown, Err(RecordError::UnknownRound(round)) if round == id(1)), "{unknown:?}");

        must_reach(&ledger, 1, Step::Fetched).await;
        let early = [
            ledger.finish_asking(id(1)).await,
            ledger.record_verdicts(id(1), &verdicts()).await,
            ledger.record_canonical(id(1), Some(&canonical())).await,
            ledger.publish(id(1), NOW).await,
            ledger.record_settled(id(1), &settled(), NOW).await,
            ledger.record_answer(id(1), &silence(1), None).await.map(|_| ()),
        ];
        for result in early {
            let Err(RecordError::Step(StepError { round, actual, .. })) = result else { panic!("{result:?}") };
            assert_eq!((round, actual), (id(1), Step::Fetched));
        }
        assert_eq!(ledger.verdicts(id(1)).await.unwrap(), [], "a refused step leaves nothing behind");

        must_reach(&ledger, 1, Step::Asked).await;
        let late = ledger.record_answer(id(1), &silence(4), None).await;
        assert!(matches!(late, Err(RecordError::Step(_))), "no answer is added once asking is over: {late:?}");
    }
}

#[tokio::test]
async fn of_ten_writers_of_the_same_step_one_wins() {
    for home in Home::both() {
        let ledger = home.open().await;
        must_reach(&ledger, 1, Step::Fetched).await;
        let writers = (0..10_u8).map(|writer| {
            let (ledger, mut task) = (ledger.clone(), task(1));
            task.salt = [writer; 32];
            tokio::spawn(async move { ledger.record_task(id(1), &task, commitment()).await })
        });
        let writers: Vec<_> = writers.collect();
        let mut won = 0;
        for writer in writers {
            match writer.await.expect("it does not panic") {
                Ok(()) => won += 1,
                Err(error) => assert!(matches!(error, RecordError::Differs { .. }), "{}: {error}", home.name),
            }
        }
        assert_eq!(won, 1, "{}", home.name);
    }
}

#[tokio::test]
async fn of_ten_answers_of_the_same_miner_the_first_counts() {
    for home in Home::both() {
        let ledger = home.open().await;
        must_reach(&ledger, 1, Step::Tasked).await;
        let writers = (0..10_u8).map(|writer| {
            let ledger = ledger.clone();
            let mut given = answer(1, writer + 10);
            given.hotkey = miner(1);
            tokio::spawn(async move {
                let body = hashed(body(1, writer + 10));
                let recorded = ledger.record_answer(id(1), &given, Some(&body)).await;
                recorded.expect("a later answer is no error").then_some(given)
            })
        });
        let writers: Vec<_> = writers.collect();
        let mut won = Vec::new();
        for writer in writers {
            won.extend(writer.await.expect("it does not panic"));
        }
        assert_eq!(won.len(), 1, "{}", home.name);
        assert_eq!(ledger.answers(id(1)).await.unwrap(), won);
        let digest = won[0].body.expect("it has one");
        assert!(ledger.body(&digest).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_body_that_is_not_what_its_answer_says_is_refused() {
    let ledger = memory().await;
    must_reach(&ledger, 1, Step::Tasked).await;
    let right = body(1, 1);
    let wrong = [Some(b"another".to_vec()), Some(vec![b' '; right.len()]), None];
    for wrong in wrong {
        let refused = ledger.record_answer(id(1), &answer(1, 1), wrong.map(hashed).as_ref()).await;
        assert!(matches!(refused, Err(RecordError::Body { .. })), "{refused:?}");
    }
    let refused = ledger.record_answer(id(1), &silence(1), Some(&hashed(right))).await;
    assert!(matches!(refused, Err(RecordError::Body { .. })), "{refused:?}");
    assert_eq!(ledger.answers(id(1)).await.unwrap(), []);
}

/// A ledger in memory.
async fn memory() -> Ledger {
    crate::ledger_kit::must_open("sqlite::memory:").await
}

#[tokio::test]
async fn what_would_not_read_back_is_not_recorded() {
    let ledger = memory().await;
    must_reach(&ledger, 1, Step::Judged).await;
    let mut broken = canonical();
    broken.scores[1].deviation = f64::NAN;
    let refused = ledger.record_canonical(id(1), Some(&broken)).await;
    assert!(matches!(refused, Err(RecordError::Storage(StorageError::Unrecordable { .. }))), "{refused:?}");
    let mut short = canonical();
    short.scores.pop();
    let refused = ledger.record_canonical(id(1), Some(&short)).await;
    assert!(matches!(refused, Err(RecordError::Storage(StorageError::Unrecordable { .. }))), "{refused:?}");
    assert_eq!(ledger.round(id(1)).await.unwrap().map(|round| round.step), Some(Step::Judged));
}

#[tokio::test]
async fn rounds_are_listed_newest_first_and_unfinished_ones_oldest_first() {
    for home in Home::both() {
        let ledger = home.open().await;
        for (day, step) in [(3, Step::Fetched), (1, Step::Settled), (4, Step::Merged), (2, Step::Published)] {
            must_reach(&ledger, day, step).await;
        }
        let days = |rounds: Vec<Round>| rounds.into_iter().map(|round| round.id).collect::<Vec<_>>();
        assert_eq!(days(ledger.rounds(NETUID, 10, None).await.unwrap()), [id(4), id(3), id(2), id(1)]);
        assert_eq!(days(ledger.rounds(NETUID, 2, Some(id(4).date)).await.unwrap()), [id(3), id(2)]);
        assert_eq!(days(ledger.rounds(NETUID + 1, 10, None).await.unwrap()), []);
        assert_eq!(days(ledger.unfinished(NETUID).await.unwrap()), [id(3), id(4)]);
    }
}

#[tokio::test]
async fn history_has_published_rounds_with_their_bits_and_spares_the_new() {
    for home in Home::both() {
        let ledger = home.open().await;
        must_reach(&ledger, 1, Step::Settled).await;
        must_reach(&ledger, 2, Step::Published).await;
        must_reach(&ledger, 3, Step::Merged).await;
        let day = |day: u32| i64::from(id(day).date.to_epoch_days());
        let score = |number: u8, on: u32, tier3: Option<f64>| {
            let verdict = verdict(number);
            RoundScore { day: day(on), tier1: verdict.tier1, tier2: verdict.tier2, tier3, copies: 1 }
        };
        let expected = BTreeMap::from([
            (miner(1), vec![score(1, 1, Some(0.1 + 0.7)), score(1, 2, None)]),
            (miner(2), vec![score(2, 1, Some(0.0)), score(2, 2, None)]),
            // Not listed by the settlement of the first day, and nothing accepted: it was new then.
            (miner(3), vec![score(3, 2, None)]),
        ]);
        assert_eq!(ledger.history(NETUID, START).await.unwrap(), expected, "{}", home.name);
        let later = ledger.history(NETUID, id(2).date).await.unwrap();
        assert_eq!(later[&miner(1)], [score(1, 2, None)]);
    }
}

#[tokio::test]
async fn alerts_are_found_by_address_once_they_are_published() {
    for home in Home::both() {
        let ledger = home.open().await;
        must_reach(&ledger, 1, Step::Published).await;
        must_reach(&ledger, 2, Step::Merged).await;
        let found = ledger.address_alerts(NETUID, "address-0", START).await.unwrap();
        let scores = canonical().scores;
        let seen: Vec<_> = found.iter().map(|alert| (alert.alert_id.as_str(), alert.score.to_bits())).collect();
        let expected = [("alert-1-0", scores[0].score.get().to_bits()), ("alert-1-2", scores[2].score.get().to_bits())];
        assert_eq!(seen, expected, "{}", home.name);
        assert_eq!(
            (found[0].round, found[0].typology.as_str(), found[0].severity.as_str()),
            (id(1), "structuring", "high")
        );
        assert_eq!(ledger.address_alerts(NETUID, "address-0", id(2).date).await.unwrap(), []);
        assert_eq!(ledger.address_alerts(NETUID, "nobody", START).await.unwrap(), []);
    }
}

#[tokio::test]
async fn the_first_sight_and_the_first_key_of_a_hotkey_count() {
    for home in Home::both() {
        let ledger = home.open().await;
        ledger.note_seen(&[miner(1), miner(2)], NOW).await.unwrap();
        ledger.note_seen(&[miner(2), miner(4)], NOW + 5).await.unwrap();
        must_reach(&ledger, 1, Step::Judged).await;
        must_reach(&ledger, 2, Step::Asked).await;
        let mut later = verdicts();
        later[0].receipt_key = Some(Digest::of(b"another key"));
        ledger.record_verdicts(id(2), &later).await.unwrap();
        let seen = BTreeMap::from([(miner(1), NOW), (miner(2), NOW), (miner(4), NOW + 5)]);
        assert_eq!(ledger.first_seen().await.unwrap(), seen, "{}", home.name);
        let keys = BTreeMap::from([(miner(1), Digest::of(&[1])), (miner(2), Digest::of(&[2]))]);
        assert_eq!(ledger.receipt_keys().await.unwrap(), keys);

        let asleep = Dormancy { failures: 4, next_try_ms: NOW + 9 };
        ledger.set_dormancy(&miner(1), Some(asleep)).await.unwrap();
        ledger.set_dormancy(&miner(9), Some(asleep)).await.unwrap();
        assert_eq!(ledger.dormancy().await.unwrap(), BTreeMap::from([(miner(1), asleep), (miner(9), asleep)]));
        ledger.set_dormancy(&miner(1), None).await.unwrap();
        assert_eq!(ledger.dormancy().await.unwrap(), BTreeMap::from([(miner(9), asleep)]));
        assert_eq!(ledger.first_seen().await.unwrap(), seen);
    }
}

#[tokio::test]
async fn a_window_has_one_vector() {
    for home in Home::both() {
        let ledger = home.open().await;
        let window = WeightsTarget { netuid: NETUID, mechanism: 0 };
        ledger.plan_weights(window, &weights(5)).await.unwrap();
        let mut again = weights(5);
        again.plan.content.salt = vec![7];
        ledger.plan_weights(window, &again).await.unwrap();
        let mut other = weights(5);
        other.vector = Digest::of(b"another");
        let refused = ledger.plan_weights(window, &other).await;
        assert!(matches!(refused, Err(PlanWeightsError::AnotherVector { epoch: 5, .. })), "{refused:?}");
        ledger.plan_weights(WeightsTarget { mechanism: 1, ..window }, &other).await.unwrap();
        ledger.plan_weights(window, &weights(6)).await.unwrap();
        let state = WeightsState::Timelocked { block: u64::MAX, round: 2, reveal_from: 3 };
        ledger.weights_state(window, 5, &state).await.unwrap();
        let mut first = weights(5);
        first.state = state;
        assert_eq!(
            ledger.weights(window, 10).await.unwrap(),
            [weights(6), first],
            "{}: the first salt stays",
            home.name
        );
        assert_eq!(ledger.weights(window, 1).await.unwrap(), [weights(6)]);
        assert!(ledger.weights_state(window, 7, &WeightsState::Planned).await.is_err());
    }
}

#[tokio::test]
async fn a_sweep_takes_bodies_and_keeps_what_was_made_of_them() {
    for home in Home::both() {
        let ledger = home.open().await;
        for (day, step) in [(1, Step::Settled), (2, Step::Published), (3, Step::Asked)] {
            must_reach(&ledger, day, step).await;
        }
        let day = std::time::Duration::from_secs(86_400);
        let now = NOW + 100 * 86_400_000;
        let all = Retention { age: 1000 * day, bytes: u64::MAX };
        assert_eq!(ledger.sweep(now, &all).await.unwrap().bodies, 0);
        let swept = ledger.sweep(now, &Retention { bytes: 1, ..all }).await.unwrap();
        assert_eq!(swept.bodies, 2, "{}: those of the settled round", home.name);
        assert!(swept.left > 1, "what is still needed stays");
        assert_eq!(ledger.body(&Digest::of(&body(1, 1))).await.unwrap(), None);
        assert_eq!(ledger.body(&Digest::of(&body(2, 1))).await.unwrap(), Some(body(2, 1)));
        let swept = ledger.sweep(now, &Retention { age: day, bytes: u64::MAX }).await.unwrap();
        assert_eq!(swept.bodies, 2, "{}: those of the published round", home.name);
        assert_eq!(
            ledger.body(&Digest::of(&body(3, 1))).await.unwrap(),
            Some(body(3, 1)),
            "an unfinished round needs it"
        );
        assert_eq!(ledger.verdicts(id(1)).await.unwrap(), verdicts());
        assert_eq!(ledger.canonical(id(1)).await.unwrap(), Some(canonical()));
        assert_eq!(ledger.answers(id(1)).await.unwrap()[0], answer(1, 1));

        // The same body comes again: it is there again.
        must_reach(&ledger, 4, Step::Tasked).await;
        ledger.record_answer(id(4), &answer(1, 1), Some(&hashed(body(1, 1)))).await.unwrap();
        assert_eq!(ledger.body(&Digest::of(&body(1, 1))).await.unwrap(), Some(body(1, 1)));
        let again = ledger.sweep(now, &Retention { age: std::time::Duration::ZERO, bytes: 0 }).await.unwrap();
        assert_eq!(again.bodies, 0, "a body that an unfinished round shares stays");
    }
}

#[tokio::test]
async fn a_swept_file_gives_its_space_back() {
    let home = Home::file();
    let ledger = home.open().await;
    must_reach(&ledger, 1, Step::Tasked).await;
    let noise: Vec<u8> = (0..100_000_u32).flat_map(|part| *Digest::of(&part.to_le_bytes()).as_bytes()).collect();
    let given = Answer { body: Some(Digest::of(&noise)), bytes: noise.len() as u64, ..answer(1, 1) };
    ledger.record_answer(id(1), &given, Some(&hashed(noise.clone()))).await.unwrap();
    must_reach(&ledger, 1, Step::Settled).await;
    let ledger = reopened(&home, ledger).await;
    let size = || std::fs::metadata(home.path()).expect("it is there").len();
    assert!(size() > noise.len() as u64);
    ledger.sweep(NOW, &Retention { age: std::time::Duration::MAX, bytes: 0 }).await.unwrap();
    ledger.close().await;
    assert!(size() < noise.len() as u64 / 10, "{} bytes are left", size());
}
