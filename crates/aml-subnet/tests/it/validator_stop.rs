//! A validator that is told to stop is gone soon, whatever it waits for.

use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aml_miner::clock::SystemClock;
use aml_subnet::chain::endpoints::Endpoints;
use aml_subnet::entropy::MachineEntropy;
use aml_subnet::store::records::WeightsState;
use aml_subnet::subtensor::{Subtensor, Timing};
use aml_subnet::validator::pay::{Payer, PayerParts, WeightsTarget};
use aml_subnet::validator::run::Validator;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::common::dev_key;
use crate::ledger_kit::{self, Home};
use crate::validator_kill::{Stage, submissions, weights_on};
use crate::validator_world::{NETUID, World};

/// Supervisors wait for ten seconds at least.
const SOON: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_chain_that_says_nothing_does_not_keep_a_validator_that_is_told_to_stop() {
    // It takes connections, and that is all.
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("ws://{}", silent.local_addr().expect("bound"));
    let endpoints = Endpoints::resolve(&url, None).expect("a URL");
    let timing = Timing { connect: Duration::from_secs(600), ..Timing::default() };
    let clock = Arc::new(SystemClock);
    let world = World::new(0, Vec::new()).await;
    let payer = Payer::new(PayerParts {
        chain: Arc::new(Subtensor::new(endpoints, timing, clock.clone())),
        log: Arc::new(world.ledger.clone()),
        signer: dev_key("Alice"),
        clock,
        entropy: Arc::new(MachineEntropy),
        target: WeightsTarget { netuid: 1, mechanism: 0 },
        min_rounds: 1,
    });
    let validator = Validator { payer: Some(payer), ..world.validator() };
    let (stop, told) = (CancellationToken::new(), Mutex::new(None));
    let telling = async {
        let _line = silent.accept().await.expect("it is asked");
        *told.lock().expect("no panic") = Some(Instant::now());
        stop.cancel();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = validator.run(&stop) => {}
        () = telling => {}
    }
    let told = told.lock().expect("no panic").expect("it was asked");
    assert!(told.elapsed() < SOON, "{:?}", told.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_waits_for_its_finality_does_not_keep_a_validator_that_is_told_to_stop() {
    let (stage, home) = (Stage::set().await, Home::file());
    let localnet = stage.chain().await;
    let data = tempfile::tempdir().expect("a folder");
    let config = stage.config(&localnet, data.path(), &home.url);
    // Blocks are made, slowly enough that finality is not far behind, and none becomes final.
    localnet.set_finalizing(false);
    localnet.set_block_time(Some(Duration::from_secs(1)));
    let run = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aml-subnet"));
        command.arg("validator").args(more).arg("--config").arg(&config).current_dir(data.path());
        command.env_remove("DATABASE_URL").stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().expect("it runs")
    };
    let mut child = run(&["--validator.listen", "127.0.0.1:0", "--validator.interval", "1s"]);
    let until = Instant::now() + Duration::from_secs(120);
    while submissions(&localnet).await != json!(1) {
        assert!(child.try_wait().expect("a child").is_none(), "it ended by itself");
        assert!(Instant::now() < until, "no transaction was sent");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let told = Instant::now();
    let sent = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill");
    assert!(sent.success() && child.wait().expect("it ends").success(), "an orderly end");
    assert!(told.elapsed() < SOON, "{:?}", told.elapsed());
    let ledger = ledger_kit::open(&home.url, "the test", true).await.expect("a ledger");
    let target = WeightsTarget { netuid: NETUID, mechanism: 0 };
    let recorded = ledger.weights(target, 10).await.expect("a ledger");
    assert!(matches!(&recorded[..], [one] if one.state == WeightsState::Planned), "{recorded:?}");
    ledger.close().await;

    // The next start finds it by its plan, and sends nothing more.
    localnet.set_finalizing(true);
    assert!(run(&["--once"]).wait().expect("it ends").success());
    let ledger = ledger_kit::open(&home.url, "the test", true).await.expect("a ledger");
    let recorded = ledger.weights(target, 10).await.expect("a ledger");
    assert!(matches!(&recorded[..], [one] if matches!(one.state, WeightsState::Confirmed { .. })), "{recorded:?}");
    assert_eq!(submissions(&localnet).await, json!(1));
    assert!(weights_on(&localnet).await.as_array().is_some_and(|all| !all.is_empty()));
}
