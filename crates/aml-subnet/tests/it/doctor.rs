//! The doctor names each trouble in plain words, and exits with its class.

use std::net::SocketAddr;
use std::process::{Command, Output};
use std::time::Duration;

use aml_subnet::chain::collateral::Collateral;
use aml_subnet::chain::outlook::Outlook;
use aml_subnet::chain::types::{Axon, Block, Neuron, Uid};
use aml_subnet::doctor::judge::{
    ApiFacts, Facts, HeadFacts, Others, PortFacts, Role, RulesFacts, Times, WalletFacts, judge,
};
use aml_subnet::doctor::{Class, State};
use aml_subnet::miner::verdicts::{Verdict, Verdicts};
use aml_subnet::validation::rules::RulesVersion;
use axum::Router;
use axum::routing::get;
use serde_json::Value;

use crate::common::dev_key;

const NOW: Duration = Duration::from_secs(1_795_000_000);

fn place() -> SocketAddr {
    "198.51.100.7:8091".parse().expect("an address")
}

fn neuron() -> Neuron {
    let hotkey = dev_key("Alice").hotkey();
    let axon = Axon { block: Block(1), version: 1, ip: place().ip(), port: place().port(), protocol: 4 };
    Neuron {
        uid: Uid(3),
        hotkey,
        coldkey: hotkey,
        axon: Some(axon),
        validator_permit: true,
        active: true,
        stake: 1,
        last_update: Block(1),
        incentive: 0,
        dividends: 0,
    }
}

/// A set-up in which nothing is wrong.
fn healthy() -> Facts {
    let times = Some(Times { theirs: NOW - Duration::from_secs(30), ours: NOW });
    Facts {
        role: Role::Miner,
        netuid: 7,
        max_skew: Duration::from_secs(2),
        wallet: Ok(WalletFacts { hotkey: dev_key("Alice").hotkey(), permissions: None }),
        head: Ok(HeadFacts { block: 100, endpoint: "ws://chain".to_owned(), times }),
        date: Some(Times { theirs: NOW, ours: NOW + Duration::from_secs(1) }),
        neuron: Ok(Some(neuron())),
        others: None,
        port: Some(PortFacts { place: place(), reached: Ok(()) }),
        api: Some(ApiFacts {
            url: "http://api".to_owned(),
            ready: Ok(()),
            version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        }),
        disk: Some(Vec::new()),
        rules: None,
        beacon: None,
        outlook: Some(Outlook { free: 0, immune_blocks: 0, before: 40 }),
        collateral: None,
        rounds: Vec::new(),
    }
}

fn must_fail_with(class: Class, facts: &Facts, words: &str) {
    let report = judge(facts);
    assert_eq!(report.exit_code(), class.exit_code(), "{}", report.render());
    let finding = report.findings.iter().find(|finding| finding.class == class).expect("it is reported");
    assert_eq!(finding.state, State::Failed);
    assert!(finding.text.contains(words), "`{words}` in `{}`", finding.text);
    assert!(!finding.advice.is_empty(), "advice for {class:?}");
}

#[test]
fn a_healthy_set_up_exits_with_zero() {
    let report = judge(&healthy());
    assert_eq!(report.exit_code(), 0, "{}", report.render());
    assert!(report.findings.iter().all(|finding| finding.state == State::Ok), "{}", report.render());
}

#[test]
fn each_trouble_has_its_words_and_its_code() {
    let api = |ready, version: Option<&str>| {
        let version = version.map(str::to_owned);
        Some(ApiFacts { url: "http://api".to_owned(), ready, version })
    };
    let refused = || Err("connection refused".to_owned());
    let wallet = Err("no such file".to_owned());
    must_fail_with(Class::Wallet, &Facts { wallet, ..healthy() }, "no such file");
    let open = WalletFacts { hotkey: dev_key("Alice").hotkey(), permissions: Some("mode 0644".to_owned()) };
    must_fail_with(Class::KeyPermissions, &Facts { wallet: Ok(open), ..healthy() }, "0644");
    must_fail_with(Class::EndpointDown, &Facts { head: Err("timeout".to_owned()), ..healthy() }, "timeout");
    must_fail_with(Class::Unregistered, &Facts { neuron: Ok(None), ..healthy() }, "not registered on subnet 7");
    let unpermitted = Ok(Some(Neuron { validator_permit: false, ..neuron() }));
    must_fail_with(
        Class::NoPermit,
        &Facts { role: Role::Validator, neuron: unpermitted, ..healthy() },
        "no validator permit",
    );
    let port = Some(PortFacts { place: place(), reached: refused() });
    must_fail_with(Class::PortClosed, &Facts { port, ..healthy() }, "198.51.100.7:8091 cannot be reached");
    must_fail_with(Class::ApiDown, &Facts { api: api(refused(), None), ..healthy() }, "connection refused");
    must_fail_with(Class::VersionMismatch, &Facts { api: api(Ok(()), Some("0.9.0")), ..healthy() }, "0.9.0");
}

#[test]
fn the_clock_is_wrong_when_signatures_would_be_refused_for_it() {
    let seconds = Duration::from_secs;
    let date = |theirs, ours| Facts { date: Some(Times { theirs, ours }), ..healthy() };
    must_fail_with(Class::ClockSkew, &date(NOW, NOW + seconds(9)), "9.0 s ahead");
    must_fail_with(Class::ClockSkew, &date(NOW + seconds(9), NOW), "9.0 s behind");
    assert_eq!(judge(&date(NOW + seconds(2), NOW)).exit_code(), 0);
    let block = |theirs, ours| {
        let times = Some(Times { theirs, ours });
        let head = Ok(HeadFacts { block: 100, endpoint: "ws://chain".to_owned(), times });
        Facts { head, date: None, ..healthy() }
    };
    must_fail_with(Class::ClockSkew, &block(NOW + seconds(5), NOW), "behind the chain");
    must_fail_with(Class::ClockSkew, &block(NOW, NOW + seconds(600)), "600 s old");
    assert_eq!(judge(&block(NOW, NOW + seconds(40))).exit_code(), 0);
}

#[test]
fn what_a_neuron_costs_is_told_for_the_subnet_that_is_seen() {
    let told = |role, others| judge(&Facts { role, others, ..healthy() }).render();
    let some = Some(Others { serving: 256, permitted: 3 });
    let validator = told(Role::Validator, some);
    assert!(
        validator.contains("1030.7 MB to send to 256 miners, 35.8 MB to receive and 80.5 MB of disk"),
        "{validator}"
    );
    let miner = told(Role::Miner, some);
    assert!(miner.contains("12.1 MB to receive from 3 validators, 0.4 MB to send"), "{miner}");
    assert!(!told(Role::Miner, None).contains("costs"), "nothing is guessed where the subnet was not read");
    assert_eq!(judge(&Facts { others: some, ..healthy() }).exit_code(), 0);
}

#[test]
fn the_code_is_that_of_the_cause_not_of_its_effects() {
    let all = Facts {
        head: Err("down".to_owned()),
        date: None,
        neuron: Err("down".to_owned()),
        port: Some(PortFacts { place: place(), reached: Err("refused".to_owned()) }),
        ..healthy()
    };
    let report = judge(&all);
    assert_eq!(report.exit_code(), Class::EndpointDown.exit_code());
    assert_eq!(report.findings.iter().filter(|finding| finding.state == State::Failed).count(), 2);
}

#[test]
fn a_stale_announcement_is_a_warning() {
    let elsewhere = Axon { port: 1, ..neuron().axon.expect("announced") };
    let facts = Facts { neuron: Ok(Some(Neuron { axon: Some(elsewhere), ..neuron() })), ..healthy() };
    let report = judge(&facts);
    assert_eq!(report.exit_code(), 0);
    assert!(report.render().contains("the chain names 198.51.100.7:1"), "{}", report.render());
}

#[test]
fn a_batch_that_cannot_be_read_is_found_before_the_round() {
    let facts = Facts { disk: Some(vec!["batch 2026-01-05_w7: alerts.parquet is damaged".to_owned()]), ..healthy() };
    must_fail_with(Class::Disk, &facts, "alerts.parquet");
}

fn doctor(wallets: &std::path::Path, api: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_aml-subnet"))
        .args(["doctor", "--json", "--wallet.name", "mine", "--wallet.hotkey", "first", "--netuid", "7"])
        .args(["--subtensor.chain_endpoint", "ws://127.0.0.1:1", "--axon.port", "1", "--miner.api_url", api])
        .arg("--wallet.path")
        .arg(wallets)
        .env_clear()
        .current_dir(wallets)
        .output()
        .expect("it runs")
}

fn state_of(output: &Output, class: &str) -> String {
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    let findings = report["findings"].as_array().expect("a list").clone();
    let found = findings.into_iter().find(|finding| finding["class"] == class);
    found.map_or_else(String::new, |finding| finding["state"].as_str().expect("a text").to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_looks_at_the_real_thing() {
    use std::os::unix::fs::PermissionsExt;
    let wallets = tempfile::tempdir().expect("a folder");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let api = format!("http://{}", listener.local_addr().expect("an address"));
    let app = Router::new()
        .route("/ready", get(|| async { "yes" }))
        .route("/version", get(|| async { format!(r#"{{"api_version":"{}"}}"#, env!("CARGO_PKG_VERSION")) }));
    tokio::spawn(async move { axum::serve(listener, app).await });

    let missing = doctor(wallets.path(), &api);
    assert_eq!(missing.status.code(), Some(10), "{missing:?}");
    let hotkeys = wallets.path().join("mine/hotkeys");
    std::fs::create_dir_all(&hotkeys).expect("a folder");
    let seed = format!("0x{}", "07".repeat(32));
    std::fs::write(hotkeys.join("first"), seed).expect("a file");
    std::fs::set_permissions(hotkeys.join("first"), PermissionsExt::from_mode(0o644)).expect("a mode");
    assert_eq!(doctor(wallets.path(), &api).status.code(), Some(11));
    std::fs::set_permissions(hotkeys.join("first"), PermissionsExt::from_mode(0o600)).expect("a mode");
    let rest = doctor(wallets.path(), &api);
    assert_eq!(rest.status.code(), Some(12), "{rest:?}");
    assert_eq!(state_of(&rest, "port_closed"), "failed");
    assert_eq!(state_of(&rest, "api_down"), "ok");
    assert_eq!(state_of(&rest, "version_mismatch"), "ok");
    assert_eq!(state_of(&rest, "unregistered"), "skipped");
    let wrong = Command::new(env!("CARGO_BIN_EXE_aml-subnet")).args(["doctor", "--netuid", "many"]).output();
    assert_eq!(wrong.expect("it runs").status.code(), Some(2));
}

#[test]
fn a_validator_hears_that_the_subnet_is_under_another_list_of_rules() {
    let told = |ours, key| {
        let rules = Some(RulesFacts { ours, key });
        let report = judge(&Facts { role: Role::Validator, api: None, port: None, rules, ..healthy() });
        let found = report.findings.into_iter().find(|finding| finding.class == Class::VersionMismatch);
        found.map(|finding| (finding.state, finding.text))
    };
    assert!(told(RulesVersion::V2, 2).is_some_and(|(state, _)| state == State::Ok));
    let (state, text) = told(RulesVersion::V1, 2).expect("it is told");
    assert!(state == State::Warning && text.contains("rules v2") && text.contains("v1 today"), "{text}");
    assert_eq!(told(RulesVersion::V1, 1_005_000), None, "a number of the SDK says nothing of rules");
    assert_eq!(told(RulesVersion::V1, 0), None);
}

#[test]
fn a_miner_learns_what_threatens_it_before_it_hurts() {
    let warned = |facts: &Facts, words: &str| {
        let report = judge(facts);
        assert_eq!(report.exit_code(), 0, "a warning, no failure");
        let finding = report.findings.iter().find(|finding| finding.state == State::Warning).expect("a warning");
        assert!(finding.text.contains(words) && !finding.advice.is_empty(), "{finding:?}");
    };
    let near = Some(Outlook { free: 0, immune_blocks: 7, before: 1 });
    warned(&Facts { outlook: near, ..healthy() }, "immune for 7 blocks");
    let last = Verdict { outcome: "timed_out".to_owned(), date: "2026-01-05".to_owned(), ..Verdict::default() };
    let told = Ok(Verdicts { rounds: vec![last], ..Verdicts::default() });
    warned(&Facts { rounds: vec![("https://v".to_owned(), told)], ..healthy() }, "https://v: 2026-01-05 was timed out");
    let silent = vec![("https://v".to_owned(), Err("no answer".to_owned()))];
    let report = judge(&Facts { rounds: silent, ..healthy() });
    assert!(report.findings.iter().all(|finding| finding.state != State::Warning), "{}", report.render());
}

#[test]
fn a_miner_hears_what_it_has_locked_and_earned() {
    let told = |collateral| judge(&Facts { collateral, ..healthy() }).render();
    let some = Collateral { locked: 300_000_000, floor: 0, earned: 1_050_000_000 };
    assert!(told(Some(some)).contains("collateral: 0.3000 alpha locked, 1.0500 earned since then\n"));
    let kept = Collateral { floor: 100_000_000, ..some };
    assert!(told(Some(kept)).contains("; 0.1000 of it stay locked because the miner wants it so"));
    assert!(told(Some(Collateral::default())).contains("no collateral is locked"));
    assert!(!told(None).contains("collateral"), "a chain that knows of none says nothing");
}
