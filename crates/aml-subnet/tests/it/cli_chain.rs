//! Commands that ask the chain, run as people run them: `metagraph`, `weights show`, `weights set`.

use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

use aml_miner::clock::{Clock as _, SystemClock};
use aml_subnet::chain::announce::Announcement;
use aml_subnet::chain::endpoints::Endpoints;
use aml_subnet::localnet::{Config, Hyperparameter, Localnet, SubnetRules};
use aml_subnet::store::records::{Round, RoundId};
use aml_subnet::subtensor::{Subtensor, Timing};
use aml_subnet::wallet::{KeyLock, Scheme, Signer};
use chrono::{DateTime, NaiveDate};
use serde_json::Value;

use crate::common::dev_key;
use crate::ledger_kit::{NETUID, NOW, canonical, commitment, miner, must_open, round, silence, task, verdicts};

/// A chain, a wallet and a place for a ledger.
struct Desk {
    localnet: Localnet,
    folder: tempfile::TempDir,
    signer: Signer,
}

fn today() -> NaiveDate {
    let seconds = i64::try_from(SystemClock.now().as_secs()).expect("a date");
    DateTime::from_timestamp(seconds, 0).expect("a date").date_naive()
}

async fn desk() -> Desk {
    let rules = SubnetRules { tempo: 999, weights_rate_limit: 0, ..SubnetRules::default() };
    let block_time = Some(Duration::from_millis(50));
    let localnet = Localnet::start(Config { netuid: NETUID, rules, block_time, ..Config::default() }).await;
    let localnet = localnet.expect("a free port");
    let signer = Signer::from_seed(&[7; 32], Scheme::Sr25519);
    let owner = dev_key("Ferdie").hotkey();
    for hotkey in [signer.hotkey(), miner(1), miner(2), miner(4)] {
        localnet.register(NETUID, hotkey, owner).expect("registered");
    }
    localnet.stake(NETUID, signer.hotkey(), 5_000_500_000_000).expect("staked");
    localnet.run_epoch(NETUID).expect("an epoch");
    let folder = tempfile::tempdir().expect("a folder");
    let hotkeys = folder.path().join("mine/hotkeys");
    std::fs::create_dir_all(&hotkeys).expect("a folder");
    std::fs::write(hotkeys.join("first"), format!("0x{}", "07".repeat(32))).expect("a file");
    std::fs::set_permissions(hotkeys.join("first"), std::fs::Permissions::from_mode(0o600)).expect("a mode");
    Desk { localnet, folder, signer }
}

impl Desk {
    fn run(&self, words: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_aml-subnet"))
            .args(words)
            .args(["--netuid", "7", "--wallet.name", "mine", "--wallet.hotkey", "first", "--log-level", "off"])
            .args(["--subtensor.chain_endpoint", &self.localnet.ws_url(), "--wallet.path"])
            .arg(self.folder.path())
            .env_clear()
            .current_dir(self.folder.path())
            .output()
            .expect("it runs")
    }

    fn must_print(&self, words: &[&str]) -> String {
        let output = self.run(words);
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    fn must_print_json(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.must_print(words)).expect("JSON")
    }

    fn must_fail(&self, words: &[&str]) -> String {
        let output = self.run(words);
        assert!(!output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8(output.stderr).expect("text")
    }

    fn ledger(&self) -> String {
        std::fs::create_dir_all(self.folder.path().join("validator-data")).expect("a folder");
        format!("sqlite://{}", self.folder.path().join("validator-data/ledger.sqlite").display())
    }

    fn chain(&self) -> Subtensor {
        let endpoints = Endpoints::resolve(&self.localnet.ws_url(), None).expect("a URL");
        let timing = Timing { poll: Duration::from_millis(20), ..Timing::default() };
        Subtensor::new(endpoints, timing, Arc::new(SystemClock))
    }

    /// A ledger with one published round of today, in which miners 1 and 2 earned the same, and miner 3 nothing.
    async fn played_a_round(&self) {
        let ledger = must_open(&self.ledger()).await;
        let id = RoundId { netuid: NETUID, date: today(), window_days: 30 };
        ledger.begin(&Round { id, ..round(1) }).await.expect("begun");
        ledger.record_task(id, &task(1), commitment()).await.expect("tasked");
        for number in 1..=3 {
            ledger.record_answer(id, &silence(number), None).await.expect("answered");
        }
        ledger.finish_asking(id).await.expect("asked");
        ledger.record_verdicts(id, &verdicts()).await.expect("judged");
        ledger.record_canonical(id, Some(&canonical())).await.expect("merged");
        ledger.publish(id, NOW).await.expect("published");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metagraph_is_printed_for_people_and_for_programs() {
    let desk = desk().await;
    let axon = Announcement { netuid: NETUID, ip: [203, 0, 113, 7].into(), port: 8091, version: 1 };
    desk.chain().announce(&desk.signer, &axon).await.expect("announced");

    let json = desk.must_print_json(&["metagraph", "--json"]);
    assert_eq!((&json["netuid"], json["neurons"].as_array().map(Vec::len)), (&Value::from(7), Some(4)));
    assert!(json["block"].as_u64().is_some_and(|block| block > 0));
    let us = json["neurons"].as_array().expect("a list").iter().find(|neuron| neuron["uid"] == 0).expect("uid 0");
    let ours = serde_json::json!({
        "uid": 0, "hotkey": desk.signer.hotkey().to_string(), "coldkey": dev_key("Ferdie").hotkey().to_string(),
        "axon": "203.0.113.7:8091", "validator_permit": true, "active": us["active"],
        "stake_rao": us["stake_rao"], "last_update": us["last_update"], "incentive": 0, "dividends": 0,
    });
    assert_eq!(*us, ours);
    assert!(us["stake_rao"].as_u64().is_some_and(|rao| rao > 0));
    assert_eq!(json["neurons"][1]["axon"], Value::Null);
    // The rules in force stand beside the neurons.
    for (rule, value) in [("tempo", 999), ("weights_rate_limit", 0), ("min_allowed_weights", 1)] {
        assert_eq!(json["rules"][rule], value, "{rule}");
    }

    let text = desk.must_print(&["metagraph"]);
    let mut lines = text.lines();
    assert!(
        lines.next().is_some_and(|line| line.starts_with("subnet 7 at block") && line.contains("4 neurons")),
        "{text}"
    );
    assert!(lines.next().is_some_and(|line| line.contains("uid") && line.contains("stake (TAO)")), "{text}");
    let first = lines.next().expect("uid 0");
    assert!(first.contains(&desk.signer.hotkey().to_string()) && first.ends_with("203.0.113.7:8091"), "{first}");
    assert!(first.contains("yes") && lines.count() == 3, "{text}");

    let nothing = Localnet::start(Config { netuid: 9, ..Config::default() }).await.expect("a free port");
    let elsewhere = Desk { localnet: nothing, ..desk };
    let refused = elsewhere.must_fail(&["metagraph"]);
    assert!(refused.contains("there is no subnet 7 on this chain"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn weights_are_shown_with_their_reasons_and_set_when_asked() {
    let desk = desk().await;
    let missing = desk.must_fail(&["weights", "show"]);
    assert!(missing.contains("there is no ledger"), "{missing}");
    desk.played_a_round().await;

    let text = desk.must_print(&["weights", "show"]);
    for words in ["uid 0, validator permit yes", "due now", "1 days with rounds that count", "0 neurons have a weight"]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
    let row = text.lines().find(|line| line.contains(&miner(1).to_string())).expect("miner 1");
    assert!(row.contains("0.500000") && row.contains("65535"), "{row}");
    assert!(text.contains(&format!("{}  0.000000  earned nothing", miner(3))), "{text}");

    assert_eq!(desk.must_print(&["weights", "set", "--dry-run"]).lines().count(), text.lines().count());
    let json = desk.must_print_json(&["weights", "set", "--dry-run", "--json"]);
    assert_eq!(json["due"]["when"], "now");
    assert_eq!(json["submissions"], serde_json::json!([]), "a dry run records nothing");
    let weights: Vec<(u64, u64)> = json["weights"].as_array().expect("a list").iter().map(pair).collect();
    assert_eq!(weights, [(1, 65535), (2, 65535)]);

    let set = desk.must_print(&["weights", "set"]);
    assert!(set.contains("weights for 2 neurons, on chain since block"), "{set}");
    let there = desk.chain().weights_of(desk.signer.hotkey(), NETUID, 0).await.expect("readable").expect("registered");
    assert_eq!(there.iter().map(|(uid, value)| (u64::from(uid.0), u64::from(*value))).collect::<Vec<_>>(), weights);
    let again = desk.must_print(&["weights", "set"]);
    assert!(again.contains("nothing to set: in") && again.contains("this epoch has its submission"), "{again}");
    let after = desk.must_print_json(&["weights", "show", "--json"]);
    assert_eq!((&after["due"]["when"], &after["weights"][0]["on_chain"]), (&"later".into(), &65535.into()));
    assert_eq!(after["submissions"][0]["state"]["state"], "confirmed");
}

fn pair(row: &Value) -> (u64, u64) {
    (row["uid"].as_u64().expect("a uid"), row["weight"].as_u64().expect("a weight"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_chain_would_refuse_is_said_before() {
    let desk = desk().await;
    desk.played_a_round().await;
    desk.localnet.set_hyperparameter(NETUID, Hyperparameter::WeightsRateLimit, 100_000).expect("a subnet");
    let text = desk.must_print(&["weights", "show"]);
    assert!(text.contains("the chain would refuse it now: SettingWeightsTooFast"), "{text}");
    assert!(text.contains("the subnet's rate limit"), "{text}");
    let set = desk.must_print(&["weights", "set"]);
    assert!(set.contains("nothing to set: in"), "{set}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_waits_for_the_ledger_and_for_the_key() {
    let desk = desk().await;
    desk.played_a_round().await;
    let held = must_open(&desk.ledger()).await;
    let refused = desk.must_fail(&["weights", "set"]);
    assert!(refused.contains("is in use by the test"), "{refused}");
    desk.must_print(&["weights", "show"]);
    drop(held);

    // Another process of this host writes with the same hotkey: ours waits, and says for whom.
    let lock = KeyLock::of(&desk.folder.path().join("mine/hotkeys/first"));
    let guard = lock.hold(Duration::ZERO).await.expect("free");
    let timing = Timing { finality: Duration::from_millis(300), ..Timing::default() };
    let endpoints = Endpoints::resolve(&desk.localnet.ws_url(), None).expect("a URL");
    let chain = Subtensor::new(endpoints, timing, Arc::new(SystemClock)).writing_with(lock);
    let axon = Announcement { netuid: NETUID, ip: [203, 0, 113, 7].into(), port: 8091, version: 1 };
    let error = chain.announce(&desk.signer, &axon).await.expect_err("the key is in use").to_string();
    assert!(error.contains("has been writing to the chain with the hotkey file"), "{error}");
    drop(guard);
    chain.announce(&desk.signer, &axon).await.expect("free again");
}

/// `metagraph` with these variables and words alone.
fn metagraph(variables: &[(&str, &str)], words: &[&str]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let output = Command::new(env!("CARGO_BIN_EXE_aml-subnet"))
        .args(["metagraph", "--netuid", "7", "--log-level", "off"])
        .args(words)
        .env_clear()
        .envs(variables.iter().copied())
        .current_dir(folder.path())
        .output()
        .expect("it runs");
    (output.status.code(), String::from_utf8(output.stderr).expect("text"))
}

#[test]
fn names_of_todays_tools_are_understood_and_a_contradiction_is_refused() {
    let here = "ws://127.0.0.1:1/s3cret";
    for (variables, words) in [
        (vec![("BT_NETWORK", here)], vec![]),
        (vec![("BT_SUBTENSOR_NETWORK", here)], vec![]),
        (vec![], vec!["-n", here]),
        (vec![("BT_NETWORK", "finney")], vec!["--network", here]),
    ] {
        let (_, said) = metagraph(&variables, &words);
        assert!(said.contains("ws://127.0.0.1:1") && !said.contains("s3cret"), "{variables:?} {words:?}: {said}");
    }
    let (code, said) = metagraph(&[("BT_NETWORK", "test"), ("BT_SUBTENSOR_NETWORK", "finney")], &[]);
    assert!(code == Some(2) && said.contains("BT_NETWORK says `test`"), "{code:?} {said}");
}
