//! `aml-subnet rules switch --check`, on a ledger that a validator has written and on a chain.

use std::process::{Command, Output};
use std::time::Duration;

use aml_subnet::chain::plan::WeightsRequest;
use aml_subnet::chain::types::Uid;
use aml_subnet::localnet::{Config, Hyperparameter, Localnet, SubnetRules};
use chrono::{Days, Utc};

use crate::common::dev_key;
use crate::fake_miner::Behaviour;
use crate::ledger_kit::Home;
use crate::validator_kill::subtensor;
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

/// Alice has set weights of version 2, and Charlie has committed some.
async fn chain_with_two_validators() -> Localnet {
    let rules = SubnetRules { weights_rate_limit: 0, tempo: 1000, ..SubnetRules::default() };
    let block_time = Some(Duration::from_millis(100));
    let localnet = Localnet::start(Config { netuid: NETUID, block_time, rules, ..Config::default() }).await;
    let localnet = localnet.expect("a free port");
    for (name, rao) in [("Alice", 5_000_000_000_000), ("Charlie", 3_000_000_000_000)] {
        localnet.register(NETUID, dev_key(name).hotkey(), dev_key("Ferdie").hotkey()).expect("registered");
        localnet.stake(NETUID, dev_key(name).hotkey(), rao).expect("staked");
    }
    localnet.run_epoch(NETUID).expect("an epoch");
    let chain = subtensor(&localnet);
    for (name, commits) in [("Alice", 0), ("Charlie", 1)] {
        let switch = Hyperparameter::CommitRevealWeightsEnabled;
        localnet.set_hyperparameter(NETUID, switch, commits).expect("set");
        let (weights, salt) = (vec![(Uid(0), 1.0), (Uid(1), 1.0)], vec![1, 2]);
        let wanted = WeightsRequest { netuid: NETUID, mechanism: 0, weights, version_key: Some(2), salt };
        let plan = chain.plan_weights(dev_key(name).hotkey(), &wanted).await.expect("a plan");
        chain.set_weights(&dev_key(name), &plan).await.expect("set, or committed");
    }
    localnet
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
    let localnet = chain_with_two_validators().await;

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
        "a validator that switches alone".to_owned(),
        "going back".to_owned(),
    ] {
        assert!(text.contains(&part), "{part} is not in\n{text}");
    }

    let of = |name: &str| {
        let hotkey = dev_key(name).hotkey().to_string();
        let line = text.lines().find(|line| line.starts_with(&hotkey) && line.contains(".000 ")).expect("a validator");
        line.split_whitespace().skip(1).map(str::to_owned).collect::<Vec<String>>()
    };
    let (alice, charlie) = (of("Alice"), of("Charlie"));
    assert_eq!((alice[0].as_str(), alice[2].as_str()), ("5000.000", "2"), "the version that its weights carried");
    assert_eq!((charlie[0].as_str(), charlie[2].as_str()), ("3000.000", "sealed"), "a commit shows none");

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
