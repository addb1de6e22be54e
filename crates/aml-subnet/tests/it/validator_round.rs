//! Rounds from batch to canonical scores and settlement: with miners of every kind, broken off, resumed, on bad days.

use std::time::Duration;

use aml_miner::data::batch_dir::BatchDir;
use aml_miner::data::listing::directory_name;
use aml_miner::wire::Batch;
use aml_subnet::store::records::{Reply, RoundId, Step, Verdict};
use aml_subnet::validation::rules::RulesVersion;
use aml_subnet::validation::tier2_traps::Expected;
use aml_subnet::validator::replay::replay;
use aml_subnet::validator::round::RoundError;
use aml_subnet::validator::settling::Settling;
use aml_subnet::validator::standing::History;
use aml_subnet::validator::traps::{Consensus, TrapPool};
use chrono::Days;
use tokio_util::sync::CancellationToken;

use crate::common::dev_key;
use crate::fake_miner::{Behaviour, Lie, Wire};
use crate::validator_world::{ALERTS, NETUID, WINDOW, World, first_day, noon};

/// Long enough for a busy machine; a broken round fails by it.
const PATIENCE: Duration = Duration::from_secs(120);

fn honest(skill: f64) -> Behaviour {
    Behaviour::Honest { skill }
}

async fn must_pass(world: &World) -> aml_subnet::validator::run::Pass {
    let pass = tokio::time::timeout(PATIENCE, world.validator().once(&CancellationToken::new())).await;
    let pass = pass.expect("a round ends");
    assert!(pass.errors.is_empty(), "{:#?}", pass.errors);
    pass
}

async fn verdict(world: &World, round: RoundId, name: &str) -> Verdict {
    let all = world.ledger.verdicts(round).await.expect("verdicts");
    all.into_iter().find(|verdict| verdict.hotkey == dev_key(name).hotkey()).expect("everybody has a verdict")
}

async fn step(world: &World, round: RoundId) -> Step {
    world.ledger.round(round).await.expect("a ledger").expect("a round").step
}

#[tokio::test(flavor = "multi_thread")]
async fn a_season_pays_skill_and_can_be_computed_again() {
    let cast = vec![
        ("Bob", honest(0.9)),
        ("Charlie", honest(0.3)),
        ("Dave", Behaviour::Lazy),
        ("Eve", Behaviour::Lying(Lie::Nan)),
        ("Ferdie", Behaviour::Dead),
    ];
    let world = World::new(4, cast).await;
    let mut rounds = Vec::new();
    for day in 0..3 {
        let id = world.dawn(day);
        let pass = must_pass(&world).await;
        assert_eq!(pass.round.map(|round| (round.id, round.step)), Some((id, Step::Published)));
        assert!(pass.settling.is_empty(), "outcomes are not known on the same day");
        rounds.push(id);
    }
    world.clock.set(noon(first_day() + Days::new(40)));
    let pass = must_pass(&world).await;
    assert_eq!(pass.settling.len(), 3);
    assert!(pass.settling.iter().all(|(_, settling)| matches!(settling, Settling::Done(_))));
    for id in &rounds {
        let again = replay(&world.ledger, *id, None).await.expect("everything is stored");
        assert!(again.identical, "{:#?}", again.differences);
        assert_eq!((again.verdicts, again.scores, again.settlement), (5, ALERTS, true));
    }
    let rules = RulesVersion::V1.rules();
    let history = History::newest(&world.ledger, NETUID, &rules, Duration::ZERO).await.expect("a ledger");
    let worth = history.expect("published rounds").performance(&rules);
    let of = |name: &str| worth[&dev_key(name).hotkey()];
    assert!(of("Bob") > of("Charlie") && of("Charlie") > of("Eve"), "{worth:?}");
    assert!(of("Eve").abs() < 1e-12 && of("Ferdie").abs() < 1e-12, "what counts nowhere is worth nothing: {worth:?}");
    let settled = world.ledger.settled(rounds[2]).await.expect("a ledger").expect("settled");
    let measured = settled.canonical.expect("canonical scores");
    assert!(measured.auc > 0.5, "better than chance: {measured:?}");
    assert_eq!(settled.miners[&dev_key("Eve").hotkey()], None);
    // From now on skill is heard louder.
    let next = world.dawn(3);
    must_pass(&world).await;
    let canonical = world.ledger.canonical(next).await.expect("a ledger").expect("merged");
    assert!(canonical.weights[&dev_key("Bob").hotkey()] > canonical.weights[&dev_key("Charlie").hotkey()]);
    assert!(!canonical.weights.contains_key(&dev_key("Eve").hotkey()));
}

#[tokio::test(flavor = "multi_thread")]
async fn traps_are_alerts_that_the_miners_of_their_day_had_right() {
    let world = World::new(9, vec![("Bob", honest(0.7)), ("Charlie", honest(0.5))]).await;
    let past = world.dawn(0);
    must_pass(&world).await;
    let today = world.dawn(8);
    world.clock.set(noon(first_day() + Days::new(30)));
    must_pass(&world).await;

    let (said, asked) = (world.ledger.canonical(past).await, world.ledger.task(past).await);
    let (said, asked) = (said.expect("a ledger").expect("merged"), asked.expect("a ledger").expect("asked"));
    let consensus = Consensus::of(&asked.roster, &said);
    let batch = BatchDir::open(world.batch_dir(&directory_name(past.date, Some(WINDOW)))).expect("a batch");
    let labels = batch.load_labels().expect("a table").expect("outcomes");
    let ids = labels.texts("alert_id").expect("ids");
    let illicit = labels.numbers("confirmed_illicit").expect("outcomes");
    let right = |row: &usize| {
        let outcome = if illicit[*row] > 0.5 { Expected::High } else { Expected::Low };
        consensus.agrees(ids.get(*row), outcome)
    };
    let (right, all) = ((0..labels.rows()).filter(right).count(), labels.rows());

    let file = world.settings.data_dir.join(format!("pools/{today}.zst"));
    let pool = TrapPool::from_file(&std::fs::read(&file).expect("gathered")).expect("a pool");
    assert!(pool.len() > 20 && pool.len() <= right && right < all, "{} of {right} of {all}", pool.len());
    let task = world.ledger.task(today).await.expect("a ledger").expect("asked");
    assert!(task.asks.values().all(|ask| !ask.groups.is_empty()), "and they are issued");
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_miners_cost_only_themselves() {
    let cast = vec![
        ("Bob", honest(0.8)),
        ("b", Behaviour::Lying(Lie::OutOfRange)),
        ("c", Behaviour::Lying(Lie::WrongTask)),
        ("d", Behaviour::Lying(Lie::Missing)),
        ("e", Behaviour::Lying(Lie::WrongInput)),
        ("f", Behaviour::Lying(Lie::OtherKey)),
        ("g", Behaviour::Wire(Wire::HangsInBody)),
        ("h", Behaviour::Wire(Wire::Floods)),
        ("i", Behaviour::Wire(Wire::Bomb("gzip"))),
        ("j", Behaviour::Refusing(503)),
        ("k", Behaviour::Wire(Wire::Resets)),
    ];
    let mut world = World::new(1, cast).await;
    // An honest miner needs a moment on a busy machine.
    world.settings.timeout = Duration::from_secs(30);
    let id = world.dawn(0);
    must_pass(&world).await;
    assert_eq!(verdict(&world, id, "Bob").await.accepted, Ok(()));
    for name in ["b", "c", "d", "e", "f", "g", "h", "i", "j", "k"] {
        let said = verdict(&world, id, name).await;
        assert!(said.accepted.is_err() && said.observations.similarity.is_none(), "{name}: {said:?}");
    }
    let canonical = world.ledger.canonical(id).await.expect("a ledger").expect("merged");
    assert_eq!(canonical.weights.keys().collect::<Vec<_>>(), [&dev_key("Bob").hotkey()]);
    assert!(replay(&world.ledger, id, None).await.expect("stored").identical);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_accepted_submission_nothing_is_made_up() {
    let world = World::new(1, vec![("Bob", Behaviour::Lying(Lie::Garbage)), ("Eve", Behaviour::Dead)]).await;
    let id = world.dawn(0);
    must_pass(&world).await;
    assert_eq!(step(&world, id).await, Step::Published);
    assert_eq!(world.ledger.canonical(id).await.expect("a ledger"), None);
    assert!(!world.folder.path().join("data/published").join(format!("{}_{}", id.date, id.window_days)).exists());
    assert!(replay(&world.ledger, id, None).await.expect("stored").identical);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_without_alerts_asks_nobody() {
    let world = World::new(0, vec![("Bob", honest(1.0))]).await;
    let id = world.dawn_with(&Batch::empty());
    must_pass(&world).await;
    assert_eq!(step(&world, id).await, Step::Published);
    assert_eq!((world.ledger.canonical(id).await.expect("a ledger"), world.miners[0].seen.connections()), (None, 0));
}

/// Runs a round until one answer is recorded, and stops it there.
async fn break_off(world: &World, id: RoundId) {
    let stop = CancellationToken::new();
    let validator = world.validator();
    let until_one = async {
        while world.ledger.answers(id).await.expect("a ledger").is_empty() {
            tokio::task::yield_now().await;
        }
        stop.cancel();
    };
    let (ended, ()) = tokio::join!(tokio::time::timeout(PATIENCE, validator.round_turn(&stop)), until_one);
    assert!(matches!(ended.expect("it stops"), Err(RoundError::Stopped)));
    assert_eq!(step(world, id).await, Step::Tasked);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_only_those_are_asked_who_have_no_answer() {
    let mut world = World::new(1, vec![("Bob", honest(0.8)), ("Eve", Behaviour::Wire(Wire::HangsBeforeHeaders))]).await;
    let id = world.dawn(0);
    break_off(&world, id).await;
    world.settings.timeout = Duration::from_secs(2);
    // What happened to the clock meanwhile does not matter, as long as the deadline is ahead.
    world.clock.set(noon(first_day()) - Duration::from_secs(7_200));
    must_pass(&world).await;
    assert_eq!(step(&world, id).await, Step::Published);
    assert_eq!((world.miners[0].seen.connections(), world.miners[1].seen.connections()), (1, 2));
    assert_eq!(verdict(&world, id, "Bob").await.accepted, Ok(()));
    assert_eq!(verdict(&world, id, "Eve").await.accepted, Err("timed out".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_deadline_nobody_is_asked_any_more() {
    let world = World::new(1, vec![("Bob", honest(0.8)), ("Eve", Behaviour::Wire(Wire::HangsBeforeHeaders))]).await;
    let id = world.dawn(0);
    break_off(&world, id).await;
    world.clock.forward(Duration::from_secs(3_600));
    // Nothing but the ledger is needed: neither the source nor the chain.
    world.subnet.set_down(true);
    must_pass(&world).await;
    assert_eq!(world.miners[1].seen.connections(), 1);
    let answers = world.ledger.answers(id).await.expect("a ledger");
    let replies: Vec<_> = answers.into_iter().filter(|one| one.hotkey != dev_key("Bob").hotkey()).collect();
    // It was our process that ended: nobody is blamed for it.
    assert_eq!(replies.iter().map(|one| &one.reply).collect::<Vec<_>>(), [&Reply::NotAsked]);
    assert_eq!(step(&world, id).await, Step::Published);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_that_does_not_answer_delays_a_round_and_loses_nothing() {
    let world = World::new(1, vec![("Bob", honest(0.8))]).await;
    let id = world.dawn(0);
    world.subnet.set_down(true);
    let failed = world.validator().round_turn(&CancellationToken::new()).await;
    assert!(matches!(failed, Err(RoundError::Neurons(_))), "{failed:?}");
    assert_eq!(step(&world, id).await, Step::Fetched);
    world.subnet.set_down(false);
    must_pass(&world).await;
    assert_eq!(step(&world, id).await, Step::Published);
}

#[tokio::test(flavor = "multi_thread")]
async fn canonical_scores_wait_for_their_time() {
    let mut world = World::new(1, vec![("Bob", honest(0.8))]).await;
    world.settings.publish_delay = Duration::from_secs(3_600);
    let id = world.dawn(0);
    must_pass(&world).await;
    assert_eq!(step(&world, id).await, Step::Merged);
    world.clock.forward(Duration::from_secs(3_599));
    must_pass(&world).await;
    assert_eq!(step(&world, id).await, Step::Merged);
    world.clock.forward(Duration::from_secs(1));
    must_pass(&world).await;
    assert_eq!(step(&world, id).await, Step::Published);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_is_replaced_in_mid_round_is_an_error_that_names_both() {
    let world = World::new(2, vec![("Bob", honest(0.8)), ("Eve", Behaviour::Wire(Wire::HangsBeforeHeaders))]).await;
    let id = world.dawn(0);
    break_off(&world, id).await;
    std::fs::remove_dir_all(world.folder.path().join("data/batches")).expect("the cache");
    let source = std::fs::read_dir(world.folder.path().join("sot")).expect("the source");
    let there: Vec<_> = source.map(|entry| entry.expect("a batch").path()).collect();
    std::fs::remove_dir_all(&there[0]).expect("the batch");
    world.dawn_with(&Batch::empty());
    let failed = world.validator().round_turn(&CancellationToken::new()).await;
    assert!(matches!(failed, Err(RoundError::OtherBatch { .. })), "{failed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_receipt_key_is_known_to_the_next_task() {
    let world = World::new(2, vec![("Bob", honest(0.8))]).await;
    let rounds = [world.dawn(0), {
        must_pass(&world).await;
        world.dawn(1)
    }];
    must_pass(&world).await;
    let mut known = Vec::new();
    for id in rounds {
        let task = world.ledger.task(id).await.expect("a ledger").expect("a task");
        known.push(task.asks[&world.miners[0].hotkey()].receipt_key);
    }
    assert_eq!(known, [None, Some(world.miners[0].receipt_key())]);
    assert_eq!(verdict(&world, rounds[1], "Bob").await.accepted, Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_settlement_waits_for_outcomes_and_happens_once() {
    let world = World::new(1, vec![("Bob", honest(0.8))]).await;
    let id = world.dawn(0);
    must_pass(&world).await;
    let settler = world.validator().settler;
    let round = world.ledger.round(id).await.expect("a ledger").expect("a round");
    let early = settler.settle(&round).await.expect("no trouble");
    assert_eq!(early, Settling::Early { from: first_day() + Days::new(7) });
    world.clock.set(noon(first_day() + Days::new(7)));
    let few = settler.settle(&round).await.expect("no trouble");
    assert!(matches!(few, Settling::NoOutcomes | Settling::TooFew { .. }), "{few:?}");
    world.clock.set(noon(first_day() + Days::new(21)));
    let done = settler.settle(&round).await.expect("no trouble");
    let Settling::Done(settled) = done else { panic!("{done:?}") };
    assert!((20..=ALERTS).contains(&settled.labels.len()), "{}", settled.labels.len());
    let round = world.ledger.round(id).await.expect("a ledger").expect("a round");
    assert_eq!(settler.settle(&round).await.expect("no trouble"), Settling::Already);
    assert_eq!(world.ledger.settled(id).await.expect("a ledger").as_ref(), Some(&*settled));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_that_asked_nobody_before_a_newer_batch_came_stays_behind() {
    let world = World::new(2, vec![("Bob", honest(0.8))]).await;
    let old = world.dawn(0);
    world.subnet.set_down(true);
    let failed = world.validator().round_turn(&CancellationToken::new()).await;
    assert!(failed.is_err());
    world.subnet.set_down(false);
    let new = world.dawn(1);
    must_pass(&world).await;
    assert_eq!((step(&world, old).await, step(&world, new).await), (Step::Fetched, Step::Published));
}
