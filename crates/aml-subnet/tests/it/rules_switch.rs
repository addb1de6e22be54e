//! `aml-subnet rules switch --check`, on a ledger that a validator has written and on a chain.

use std::process::{Command, Output};
use std::time::Duration;

use aml_subnet::localnet::{Config, Localnet};
use chrono::{Days, Utc};

use crate::common::dev_key;
use crate::fake_miner::Behaviour;
use crate::ledger_kit::Home;
use crate::validator_world::{NETUID, World};
use tokio_util::sync::CancellationToken;

fn switch(url: &str, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aml-subnet"));
    command.args(["rules", "switch", "--netuid", &NETUID.to_string()]).args(words).env("DATABASE_URL", url);
    command.env_remove("AML_SUBNET_CONFIG").env_remove("LOG_LEVEL").output().expect("it runs")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn in_days(days: u64) -> String {
    (Utc::now().date_naive() + Days::new(days)).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_rules_is_seen_through_before_anything_changes() {
    let home = Home::file();
    let cast = vec![("Bob", Behaviour::Honest { skill: 0.8 }), ("Dave", Behaviour::Honest { skill: 0.4 })];
    let mut world = World::new(3, cast).await;
    world.ledger = home.open().await;
    for day in 0..3 {
        world.dawn(day);
        let pass = world.validator().once(&CancellationToken::new()).await;
        assert!(pass.errors.is_empty(), "{:#?}", pass.errors);
    }
    let config = Config { netuid: NETUID, block_time: Some(Duration::from_millis(100)), ..Config::default() };
    let localnet = Localnet::start(config).await.expect("a free port");
    localnet.register(NETUID, dev_key("Alice").hotkey(), dev_key("Ferdie").hotkey()).expect("registered");
    localnet.stake(NETUID, dev_key("Alice").hotkey(), 5_000_000_000_000).expect("staked");
    localnet.run_epoch(NETUID).expect("an epoch");

    let from = in_days(3);
    let chain = localnet.ws_url();
    let told = switch(&home.url, &["--from", &from, "--check", "--subtensor.chain_endpoint", &chain]);
    let text = said(&told);
    assert_eq!(told.status.code(), Some(0), "{text}");
    for part in [
        format!("rules = [{{ version = \"v1\" }}, {{ version = \"v2\", from = \"{from}\" }}]"),
        format!("rounds with moments on {from}: 0 of 30"),
        "30 of the days have no round that counts".to_owned(),
        "pay, mean over 3 rounds of".to_owned(),
        dev_key("Bob").hotkey().to_string(),
        "the subnet's weights version is 0".to_owned(),
        format!("{:<48} {:>14}", dev_key("Alice").hotkey().to_string(), "5000.000"),
        "a validator that switches alone".to_owned(),
        "going back".to_owned(),
    ] {
        assert!(text.contains(&part), "{part} is not in\n{text}");
    }

    // Without a chain the rest is said all the same.
    let alone = switch(&home.url, &["--from", &from, "--check", "--subtensor.chain_endpoint", "ws://127.0.0.1:1"]);
    let text = said(&alone);
    assert!(alone.status.success() && text.contains("it was not read") && text.contains("going back"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_that_cannot_be_is_refused() {
    let home = Home::file();
    let mut world = World::new(1, vec![("Bob", Behaviour::Honest { skill: 0.8 })]).await;
    world.ledger = home.open().await;
    let must_say = |words: &[&str], code: i32, part: &str| {
        let told = switch(&home.url, words);
        assert_eq!((told.status.code(), said(&told).contains(part)), (Some(code), true), "{part}: {}", said(&told));
    };
    let ahead = in_days(2);
    must_say(&["--from", &ahead, "--check"], 1, "has no round of subnet");
    world.dawn(0);
    let pass = world.validator().once(&CancellationToken::new()).await;
    assert!(pass.errors.is_empty(), "{:#?}", pass.errors);
    must_say(&["--from", &ahead], 2, "--check");
    must_say(&["--from", &in_days(0), "--check"], 1, "is not ahead");
    must_say(&["--from", &ahead, "--to", "v1", "--check"], 1, "are in force on the day before");
}
