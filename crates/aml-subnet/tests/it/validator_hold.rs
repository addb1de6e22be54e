//! A failure of ours is no round: it is held, goes on when our side is back, and is void when that takes too long.

use std::time::Duration;

use aml_miner::clock::Clock as _;
use aml_subnet::store::Ledger;
use aml_subnet::store::records::{Mark, Reply, Round, RoundId, Step};
use tokio_util::sync::CancellationToken;

use crate::fake_miner::Behaviour;
use crate::validator_world::World;

const PATIENCE: Duration = Duration::from_secs(60);

fn honest(skill: f64) -> Behaviour {
    Behaviour::Honest { skill }
}

/// A world whose miners answered yesterday and are gone today.
async fn deserted() -> (World, RoundId) {
    let mut world = World::new(2, vec![("Bob", honest(0.8)), ("Charlie", honest(0.7)), ("Dave", honest(0.6))]).await;
    world.dawn(0);
    pass(&world).await;
    world.miners.clear();
    let id = world.dawn(1);
    (world, id)
}

async fn pass(world: &World) -> Round {
    let validator = world.validator();
    let stop = CancellationToken::new();
    let turned = tokio::time::timeout(PATIENCE, validator.round_turn(&stop)).await.expect("it ends");
    turned.expect("no trouble").expect("a round")
}

async fn round(world: &World, id: RoundId) -> Option<Round> {
    world.ledger.round(id).await.expect("a ledger")
}

async fn until_held(world: &World, id: RoundId) -> Round {
    loop {
        match round(world, id).await.filter(|round| round.marks.held.is_some()) {
            Some(round) => return round,
            None => tokio::task::yield_now().await,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn miners_alone_hold_no_round() {
    let (world, id) = deserted().await;
    let round = pass(&world).await;
    assert_eq!((round.id, round.step, &round.marks.held), (id, Step::Published, &None));
    let answers = world.ledger.answers(id).await.expect("a ledger");
    assert_eq!(answers.len(), 3);
    assert!(answers.iter().all(|answer| matches!(answer.reply, Reply::Unreachable(_))), "{answers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_is_held_while_our_own_side_fails_and_goes_on_when_it_is_back() {
    let (world, id) = deserted().await;
    // The task is made, and then no endpoint answers.
    world.subnet.down_after(1);
    let back = async {
        let held = until_held(&world, id).await;
        let answers = world.ledger.answers(id).await.expect("a ledger");
        assert!(answers.is_empty(), "nobody is blamed yet: {answers:?}");
        world.subnet.set_down(false);
        held
    };
    let (ended, held) = tokio::join!(pass(&world), back);
    assert!(held.marks.held.expect("held").why.contains("no endpoint answers"));
    assert_eq!((ended.step, &ended.marks.held, &ended.marks.void), (Step::Published, &None, &None));
    let task = world.ledger.task(id).await.expect("a ledger").expect("a task");
    let length = i64::try_from(world.settings.deadline.as_millis()).expect("fits");
    assert_eq!(ended.deadline_ms, Some(task.deadline_ms + length), "extended once, by its own length");
    assert_eq!(world.ledger.answers(id).await.expect("a ledger").len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_that_is_held_until_its_extended_deadline_is_void() {
    let (world, id) = deserted().await;
    world.subnet.down_after(1);
    let late = async {
        until_held(&world, id).await;
        world.clock.forward(2 * world.settings.deadline + Duration::from_secs(1));
    };
    let (ended, ()) = tokio::join!(pass(&world), late);
    assert!(ended.marks.void.as_ref().is_some_and(|void| void.why.contains("no endpoint answers")), "{ended:?}");
    assert_eq!(ended.step, Step::Tasked);
    assert_eq!(world.ledger.canonical(id).await.expect("a ledger"), None);
    // It stays so, and nobody is asked again.
    world.subnet.set_down(false);
    let again = pass(&world).await;
    assert_eq!((again.id, again.step, again.marks.void), (id, Step::Tasked, ended.marks.void));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_that_was_wrong_is_made_void_by_hand_beside_the_validator() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite:{}", folder.path().join("ledger.sqlite").display());
    let opening = aml_subnet::store::Opening { holder: "the test".to_owned(), read_only: false };
    let ledger = Ledger::open(&url, &opening).await.expect("a ledger");
    let mut world = World::new(1, vec![("Bob", honest(0.8))]).await;
    world.ledger = ledger;
    let id = world.dawn(0);
    assert_eq!(pass(&world).await.step, Step::Published);
    let now_ms = i64::try_from(world.clock.now().as_millis()).expect("fits");
    let mark = |why: &str| Mark { at_ms: now_ms, why: why.to_owned() };
    assert!(Ledger::void_round(&url, id, &mark("labels of another day")).await.expect("it is there"));
    assert!(!Ledger::void_round(&url, id, &mark("twice")).await.expect("the first reason stands"));
    let void = round(&world, id).await.expect("a round").marks;
    assert_eq!(void.void, Some(mark("labels of another day")));
    assert!(!void.counts());
    let nobody = RoundId { netuid: 9, ..id };
    assert!(Ledger::void_round(&url, nobody, &mark("no such round")).await.is_err());
}
