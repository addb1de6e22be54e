//! A partial answer of an endpoint must not look like mass deregistration; a second one that says the same is believed.

use std::collections::BTreeSet;

use aml_subnet::store::records::Step;
use aml_subnet::wallet::Hotkey;
use tokio_util::sync::CancellationToken;

use crate::common::dev_key;
use crate::fake_miner::Behaviour;
use crate::validator_world::World;

/// Who is asked on a day, and how often the subnet was read for it.
async fn asked(world: &World, day: u64) -> (BTreeSet<Hotkey>, usize) {
    let id = world.dawn(day);
    let round = world.validator().round_turn(&CancellationToken::new()).await.expect("no trouble").expect("a batch");
    assert_eq!((round.id, round.step), (id, Step::Published));
    let task = world.ledger.task(id).await.expect("a ledger").expect("a task");
    (task.asks.into_keys().collect(), world.subnet.reads())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subnet_that_lost_most_neurons_is_read_twice_before_it_is_believed() {
    let names = ["Bob", "Charlie", "Dave", "Eve", "Ferdie"];
    let world = World::new(5, names.map(|name| (name, Behaviour::Dead)).to_vec()).await;
    let everybody: BTreeSet<Hotkey> = names.iter().map(|name| dev_key(name).hotkey()).collect();
    assert_eq!(asked(&world, 0).await, (everybody.clone(), 1), "nothing is known of before: believed at once");

    // The first read shows the validator and one miner, the second one all.
    world.subnet.show_only(&[2]);
    assert_eq!(asked(&world, 1).await, (everybody.clone(), 2), "one partial answer takes nobody out of a round");

    // Half of them are gone: that happens, and is believed at once.
    world.subnet.show_only(&[3]);
    let half: BTreeSet<Hotkey> = names[..2].iter().map(|name| dev_key(name).hotkey()).collect();
    assert_eq!(asked(&world, 2).await, (half, 1));
    assert_eq!(asked(&world, 3).await, (everybody, 1), "more than before need no second look");

    // Both reads say that most are gone.
    world.subnet.show_only(&[2, 2]);
    assert_eq!(asked(&world, 4).await, (BTreeSet::from([dev_key("Bob").hotkey()]), 2));
}
