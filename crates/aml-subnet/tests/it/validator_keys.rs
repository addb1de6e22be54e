//! A miner that has lost the key of its receipts: rejected until an operator forgets the key, beside a running validator.

use std::process::{Command, Output};

use aml_miner::digest::Digest;
use aml_subnet::store::records::{RoundId, Step};
use aml_subnet::store::{ForgetKeyError, Forgotten, Ledger, OpenLedgerError};
use tokio_util::sync::CancellationToken;

use crate::common::dev_key;
use crate::fake_miner::Behaviour;
use crate::ledger_kit::{Home, causes, commitment, id, miner, must_reach, round, silence, task, verdicts};
use crate::validator_world::World;

/// `aml-subnet miners forget-key`, without this machine's settings.
fn forget_key(url: &str, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aml-subnet"));
    command.args(["miners", "forget-key"]).args(words).env("DATABASE_URL", url);
    command.env_remove("AML_SUBNET_CONFIG").env_remove("LOG_LEVEL").output().expect("it runs")
}

fn must_say(output: &Output, code: i32, expected: &str) {
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.contains(expected), "{said}: expected {expected}");
}

/// What a round of the next day says of the only miner.
async fn next_day(world: &World, day: u64) -> Result<(), String> {
    let id: RoundId = world.dawn(day);
    let pass = world.validator().once(&CancellationToken::new()).await;
    assert!(pass.errors.is_empty(), "{:#?}", pass.errors);
    world.ledger.verdicts(id).await.expect("a ledger").remove(0).accepted
}

#[tokio::test(flavor = "multi_thread")]
async fn a_miner_that_lost_its_receipt_key_counts_again_once_the_old_one_is_forgotten() {
    let home = Home::file();
    let mut world = World::new(4, vec![("Bob", Behaviour::Honest { skill: 0.8 })]).await;
    world.ledger = home.open().await;
    let (hotkey, old) = (world.miners[0].hotkey(), world.miners[0].receipt_key());
    assert_eq!(next_day(&world, 0).await, Ok(()));
    world.miners[0].lose_receipt_key();
    let rejected = next_day(&world, 1).await.expect_err("another key");
    assert!(rejected.starts_with("signature: ") && rejected.contains(&old.to_string()), "{rejected}");

    // The ledger is held all the while.
    let said = forget_key(&home.url, &[&hotkey.to_string()]);
    must_say(&said, 0, &format!("forgot receipt key {old} of {hotkey}"));
    let logged = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(logged.contains(&old.to_string()), "the old key is in the log: {logged}");
    assert_eq!(next_day(&world, 2).await, Ok(()));
    assert_eq!(world.ledger.receipt_keys().await.expect("a ledger")[&hotkey], world.miners[0].receipt_key());
    assert_eq!(next_day(&world, 3).await, Ok(()), "and the new one holds");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_receipt_key_that_the_hotkey_vouches_for_counts_at_once_and_no_other_does() {
    let home = Home::file();
    let mut world = World::new(5, vec![("Bob", Behaviour::Honest { skill: 0.8 })]).await;
    world.ledger = home.open().await;
    let hotkey = world.miners[0].hotkey();
    let known = async |world: &World| world.ledger.receipt_keys().await.expect("a ledger")[&hotkey];
    assert_eq!(next_day(&world, 0).await, Ok(()));
    let first = world.miners[0].receipt_key();

    // Somebody else's word is worth nothing.
    world.miners[0].lose_receipt_key();
    world.miners[0].vouch_by(Some(dev_key("Somebody")));
    let rejected = next_day(&world, 1).await.expect_err("nobody vouches for it");
    assert!(rejected.starts_with("signature: ") && rejected.contains(&first.to_string()), "{rejected}");
    assert_eq!(known(&world).await, first);

    world.miners[0].vouch_by(Some(dev_key("Bob")));
    assert_eq!(next_day(&world, 2).await, Ok(()));
    assert_eq!(known(&world).await, world.miners[0].receipt_key(), "the one that was vouched for is known now");

    // From then on nobody has to vouch for it any more, and the next one has to be vouched for again.
    world.miners[0].vouch_by(None);
    assert_eq!(next_day(&world, 3).await, Ok(()));
    world.miners[0].lose_receipt_key();
    next_day(&world, 4).await.expect_err("nobody vouches for this one");
}

#[tokio::test]
async fn a_round_that_was_asked_under_a_forgotten_key_does_not_bring_it_back() {
    for home in Home::both() {
        let ledger = home.open().await;
        must_reach(&ledger, 1, Step::Judged).await;
        let old = ledger.receipt_keys().await.expect("a ledger")[&miner(1)];
        // The round of the second day is on its way when the key is forgotten.
        ledger.begin(&round(2)).await.expect("it begins");
        let mut asked = task(2);
        for (hotkey, ask) in &mut asked.asks {
            ask.receipt_key = Some(Digest::of(&[hotkey.as_bytes()[0]]));
        }
        ledger.record_task(id(2), &asked, commitment()).await.expect("tasked");
        for number in 1..=3 {
            ledger.record_answer(id(2), &silence(number), None).await.expect("an outcome");
        }
        ledger.finish_asking(id(2)).await.expect("asked");
        let forgotten = Ledger::forget_receipt_key(&home.url, &miner(1)).await.expect("beside its holder");
        assert_eq!(forgotten, Forgotten::Key(old), "{}", home.name);
        ledger.record_verdicts(id(2), &verdicts()).await.expect("judged");
        let keys = ledger.receipt_keys().await.expect("a ledger");
        assert_eq!(keys.keys().collect::<Vec<_>>(), [&miner(2)], "{}", home.name);
        // Its holder writes on as if nothing had been.
        must_reach(&ledger, 3, Step::Judged).await;
        assert_eq!(ledger.receipt_keys().await.expect("a ledger")[&miner(1)], old, "what is signed from now on counts");
    }
}

#[tokio::test]
async fn who_has_no_key_and_who_is_unknown_are_told_apart() {
    for home in Home::both() {
        let missing = Ledger::forget_receipt_key(&home.url, &miner(1)).await.expect_err("there is nothing yet");
        assert!(matches!(missing, ForgetKeyError::Open(OpenLedgerError::Missing { .. })), "{}", causes(&missing));
        let ledger = home.open().await;
        must_reach(&ledger, 1, Step::Judged).await;
        ledger.note_seen(&[miner(3)], 1).await.expect("a ledger");
        let forget = async |number| Ledger::forget_receipt_key(&home.url, &miner(number)).await.expect("a ledger");
        assert_eq!(forget(3).await, Forgotten::NoKey, "{}", home.name);
        assert_eq!(forget(9).await, Forgotten::Unknown, "{}", home.name);
        assert!(matches!(forget(1).await, Forgotten::Key(_)));
        assert_eq!(forget(1).await, Forgotten::NoKey, "once is enough");
        must_say(&forget_key(&home.url, &[&miner(3).to_string()]), 0, "has no receipt key");
        must_say(&forget_key(&home.url, &[&miner(9).to_string()]), 1, "does not know");
    }
}

#[test]
fn what_is_no_address_is_refused_before_the_ledger_is_looked_for() {
    let nowhere = "sqlite:/nowhere/ledger.sqlite";
    must_say(&forget_key(nowhere, &["5GrwvaEF"]), 2, "invalid value '5GrwvaEF' for '<HOTKEY>'");
    must_say(&forget_key(nowhere, &[]), 2, "<HOTKEY>");
    must_say(&forget_key(nowhere, &[&dev_key("Bob").hotkey().to_string()]), 1, "there is no ledger at");
    must_say(&forget_key(nowhere, &["--help"]), 0, "Example:");
    let mixed = Command::new(env!("CARGO_BIN_EXE_aml-subnet"))
        .args(["miners", "--json", "forget-key", &dev_key("Bob").hotkey().to_string()])
        .env("DATABASE_URL", nowhere)
        .output()
        .expect("it runs");
    must_say(&mixed, 2, "error");
}
