//! A validator that is told to stop is gone soon, whatever it waits for.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aml_miner::clock::SystemClock;
use aml_subnet::chain::endpoints::Endpoints;
use aml_subnet::entropy::MachineEntropy;
use aml_subnet::subtensor::{Subtensor, Timing};
use aml_subnet::validator::pay::{Payer, PayerParts, WeightsTarget};
use aml_subnet::validator::run::Validator;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::common::dev_key;
use crate::validator_world::World;

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
