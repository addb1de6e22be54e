//! Past days as rounds: what a new owner rehearses with, and where a demo's history comes from.

use std::process::Command;
use std::sync::Arc;

use aml_miner::clock::Clock;
use aml_miner::data::batch_dir::BatchDir;
use aml_miner::data::listing::directory_name;
use aml_subnet::store::records::{Form, RoundId, Step};
use aml_subnet::validation::rules::RulesVersion;
use aml_subnet::validation::rules_list::RulesList;
use aml_subnet::validator::past::{Came, PastClock, PastDay, PastDays, Rehearsal, RehearsalError};
use aml_subnet::validator::query::Clocks;
use aml_subnet::validator::replay::replay;
use chrono::Days;
use tokio_util::sync::CancellationToken;

use crate::common::dev_key;
use crate::fake_miner::Behaviour;
use crate::validator_world::{WINDOW, World, first_day, noon};

/// Days of the world; outcomes of the first become known from the eighth on.
const DAYS: u32 = 14;

/// A world long after its days, with the batches of some of them.
async fn world(days: &[u64]) -> (World, Vec<RoundId>) {
    let cast = vec![("Bob", Behaviour::Honest { skill: 0.9 }), ("Charlie", Behaviour::Honest { skill: 0.4 })];
    let mut world = World::new(DAYS, cast).await;
    world.settings.shadow = true;
    let rounds = days.iter().map(|day| world.publish(*day)).collect();
    world.clock.set(noon(first_day() + Days::new(400)));
    (world, rounds)
}

fn past(first: u64, last: u64) -> PastDays {
    PastDays::new(first_day() + Days::new(first), first_day() + Days::new(last)).expect("days")
}

/// Runs these days; what came of each, by day.
async fn run(world: &World, days: PastDays, stop: &CancellationToken) -> Result<Vec<String>, RehearsalError> {
    let clock = Arc::new(PastClock::new(days.first()));
    let clocks = Clocks { rounds: Arc::clone(&clock) as Arc<_>, stamps: Arc::clone(&world.clock) as Arc<dyn Clock> };
    let (validator, sot) = (world.validator_by(clocks), world.sot());
    let mut came = Vec::new();
    let say = |day: &PastDay| {
        came.push(match &day.came {
            Came::NoBatch => "none".to_owned(),
            Came::Before => "before".to_owned(),
            Came::Ran(pass) => format!("ran, {} settled", pass.settling.len()),
        });
    };
    Rehearsal { validator: &validator, sot: &sot, clock: &clock }.run(days, stop, say).await?;
    Ok(came)
}

fn never() -> CancellationToken {
    CancellationToken::new()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_day_is_a_round_of_its_day_with_the_outcomes_of_its_time() {
    let (world, rounds) = world(&[0, 1, 13]).await;
    let came = run(&world, past(0, 13), &never()).await.expect("all days");
    assert_eq!((came[0].as_str(), came[2].as_str(), came.len()), ("ran, 0 settled", "none", 14));
    for id in &rounds {
        let round = world.ledger.round(*id).await.expect("a ledger").expect("it was run");
        assert!(round.step >= Step::Published && round.shadow);
        let opened = u128::try_from(round.opened_ms).expect("after 1970");
        let day = noon(id.date).as_millis()..noon(id.date + Days::new(1)).as_millis();
        assert!(day.contains(&opened), "{id}: {opened}");
        let verdicts = world.ledger.verdicts(*id).await.expect("a ledger");
        assert!(verdicts.iter().all(|verdict| verdict.accepted.is_ok()), "{verdicts:?}");
        assert!(replay(&world.ledger, *id, None).await.expect("stored").identical);
    }
    let [first, _, last] = rounds[..] else { panic!("three rounds") };
    let task = world.ledger.task(last).await.expect("a ledger").expect("asked");
    assert!(task.traps_issued() > 0, "outcomes of the first days are known on the last");
    assert_eq!(world.ledger.task(first).await.expect("a ledger").expect("asked").traps_issued(), 0);
    // Whatever the source knows today: on the last day less was known.
    let settled = world.ledger.settled(first).await.expect("a ledger").expect("enough was known");
    let batch = BatchDir::open(world.batch_dir(&directory_name(first.date, Some(WINDOW)))).expect("a batch");
    let labels = batch.load_labels().expect("a table").expect("outcomes");
    let by_then = noon(last.date).as_secs_f64() * 1000.0;
    // Some seconds of the last day pass before it settles.
    let known = |until: f64| labels.numbers("confirmed_at").expect("times").iter().filter(|at| **at <= until).count();
    let counted = settled.labels.len();
    assert!((known(by_then)..=known(by_then + 120_000.0)).contains(&counted) && counted < labels.rows(), "{counted}");
}

#[tokio::test(flavor = "multi_thread")]
async fn under_rules_v2_all_miners_are_sent_one_body_and_unsigned_answers_count_where_that_is_set() {
    for accept_unsigned in [true, false] {
        let cast = vec![
            ("Bob", Behaviour::Honest { skill: 0.9 }),
            ("Charlie", Behaviour::Honest { skill: 0.4 }),
            ("Dave", Behaviour::V10Only { skill: 0.8 }),
        ];
        let mut world = World::new(DAYS, cast).await;
        world.settings.shadow = true;
        world.settings.rules = Some(RulesList::always(RulesVersion::V2));
        (world.settings.v10_fallback, world.settings.accept_unsigned) = (true, accept_unsigned);
        let rounds: Vec<RoundId> = [0, 13].into_iter().map(|day| world.publish(day)).collect();
        world.clock.set(noon(first_day() + Days::new(400)));
        run(&world, past(0, 13), &never()).await.expect("all days");
        for id in &rounds {
            let task = world.ledger.task(*id).await.expect("a ledger").expect("asked");
            let body = task.common.as_ref().expect("one task for all").body();
            let answers = world.ledger.answers(*id).await.expect("a ledger");
            let native = answers.iter().filter(|answer| answer.form == Form::Btauth);
            assert_eq!(native.map(|answer| answer.request).collect::<Vec<_>>(), [Some(body); 2]);
            for verdict in world.ledger.verdicts(*id).await.expect("a ledger") {
                let signed = verdict.hotkey != dev_key("Dave").hotkey();
                assert_eq!(verdict.accepted.is_ok(), signed || accept_unsigned, "{verdict:?}");
                let share = verdict.tier1.expect("everybody answered");
                assert!((share - if signed { 1.0 } else { 6.0 / 9.0 }).abs() < 1e-12, "{share}");
            }
            let again = replay(&world.ledger, *id, None).await.expect("stored");
            assert!(again.identical, "{:?}", again.differences);
            let own: Vec<&str> = task.roster.iter().map(|row| row.alert_id.as_str()).collect();
            assert!(own.iter().all(|id| id.starts_with("alert_")), "the ledger has the batch's own ids");
        }
        assert!(world.ledger.task(rounds[1]).await.expect("a ledger").expect("asked").traps_issued() > 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_goes_on_where_it_was_stopped_and_asks_nobody_twice() {
    let (world, rounds) = world(&[0, 1, 2]).await;
    let stop = CancellationToken::new();
    assert_eq!(run(&world, past(0, 0), &stop).await.expect("a day"), ["ran, 0 settled"]);
    stop.cancel();
    let stopped = run(&world, past(0, 2), &stop).await.expect_err("it is told to stop");
    assert!(matches!(stopped, RehearsalError::Stopped(day) if day == first_day()), "{stopped}");
    let came = run(&world, past(0, 2), &never()).await.expect("all days");
    assert_eq!(came, ["before", "ran, 0 settled", "ran, 0 settled"]);
    assert_eq!(run(&world, past(0, 2), &never()).await.expect("all days"), ["before"; 3]);
    assert_eq!(world.miners[0].seen.connections(), rounds.len());
    // The live validator takes over.
    let pass = world.validator().once(&never()).await;
    assert!(pass.errors.is_empty(), "{:?}", pass.errors);
    assert_eq!(pass.round.map(|round| round.id), Some(rounds[2]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_knows_later_days_is_not_rehearsed_in() {
    let (world, rounds) = world(&[0, 3]).await;
    run(&world, past(3, 3), &never()).await.expect("a day");
    let refused = run(&world, past(0, 2), &never()).await.expect_err("the past cannot be added");
    let RehearsalError::Later { newest, .. } = refused else { panic!("{refused}") };
    assert_eq!(newest, rounds[1]);
    assert!(world.ledger.round(rounds[0]).await.expect("a ledger").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_that_goes_wrong_ends_it_and_is_named() {
    let (world, _) = world(&[0, 1]).await;
    world.subnet.set_down(true);
    let failed = run(&world, past(0, 1), &never()).await.expect_err("no metagraph");
    assert!(matches!(&failed, RehearsalError::Day { date, .. } if *date == first_day()), "{failed}");
    assert!(failed.to_string().contains("no endpoint answers"), "{failed}");
    world.subnet.set_down(false);
    assert_eq!(run(&world, past(0, 1), &never()).await.expect("both"), ["ran, 0 settled"; 2]);
    let seen = world.ledger.first_seen().await.expect("a ledger");
    assert_eq!(seen.len(), 2);
    let first = i64::try_from(noon(first_day()).as_millis()).expect("fits");
    assert!(seen[&dev_key("Bob").hotkey()] <= first, "first seen on the first day, not now");
}

#[test]
fn the_command_line_says_what_days_are() {
    let run = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_aml-subnet")).arg("validator").args(args).output().expect("runs");
        (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    for (args, expected) in [
        (&["--past", "yesterday"][..], "expected FROM..TO"),
        (&["--past", "2026-02-10..2026-01-05"], "the earlier day comes first"),
        (&["--past-weights"], "--past"),
        (&["--past", "2026-01-05..2026-01-06", "--once"], "cannot be used with"),
    ] {
        let (code, said) = run(args);
        assert!(code == Some(2) && said.contains(expected), "{args:?}: {said}");
    }
    let (code, said) = run(&["--help"]);
    assert!(code == Some(0) && said.contains("--past 2026-01-05..2026-02-10"), "{said}");
}
