//! Endpoints that lie about how far they are, stop to finalise, and leave things out: an honest one beside them is used,
//! over one connection, and nothing ends.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use aml_subnet::chain::types::Block;
use aml_subnet::localnet::{Config, Localnet};
use aml_subnet::subtensor::{ReadError, Timing};
use serde_json::{Value, json};

use crate::chain_encoding::{Rig, chain, quick, rig, two_neurons};
use crate::chain_faults::{Pair, Wire, pair};
use crate::chain_node::Fault;

/// A header of block `number`.
fn header(number: u64) -> Value {
    let zero = format!("0x{}", "00".repeat(32));
    json!({"parentHash": zero, "number": format!("0x{number:x}"), "stateRoot": zero, "extrinsicsRoot": zero,
        "digest": {"logs": []}})
}

/// The first node, which is preferred, claims to be at `block`.
fn claims(pair: &Pair, block: Option<u64>) {
    let mut state = pair.nodes[0].state();
    match block {
        Some(block) => drop(state.faults.insert("chain_getHeader", Fault::Lie(header(block)))),
        None => drop(state.faults.remove("chain_getHeader")),
    }
    // A new block, so that it is looked at.
    state.advance(1);
}

#[tokio::test]
async fn a_node_that_once_claimed_too_much_is_forgiven() {
    let Some(pair) = pair().await else { return };
    claims(&pair, Some(1_000_000_000));
    assert_eq!(pair.chain.head().await.expect("nothing says otherwise").block, Block(1_000_000_000));
    claims(&pair, None);
    for _ in 0..20 {
        assert_eq!(pair.chain.head().await.expect("it has come to itself").block, Block(12));
    }
    assert_eq!(pair.cables[0].accepted.load(Ordering::Relaxed), 1, "over the same connection");
}

#[tokio::test]
async fn a_node_that_claims_what_cannot_be_is_left_for_an_honest_one() {
    let Some(pair) = pair().await else { return };
    assert_eq!(pair.chain.head().await.expect("honest so far").block, Block(10));
    claims(&pair, Some(1_000_000_000));
    for _ in 0..20 {
        let head = pair.chain.head().await.expect("the other one is honest");
        assert_eq!((head.block, head.endpoint), (Block(10), pair.cables[1].url()));
    }
    let taken = [0, 1].map(|index: usize| pair.cables[index].accepted.load(Ordering::Relaxed));
    assert_eq!(taken, [1, 1], "one connection per endpoint");
    claims(&pair, None);
    pair.cables[1].becomes(Wire::Cut);
    let until = Instant::now() + Duration::from_secs(5);
    while pair.chain.head().await.is_err() {
        assert!(Instant::now() < until, "its lie is not held against it");
    }
}

#[tokio::test]
async fn a_best_block_is_not_held_against_final_ones() {
    let localnet = Localnet::start(Config { block_time: None, ..Config::default() }).await.expect("it starts");
    localnet.produce_blocks(5);
    localnet.set_finalizing(false);
    let timing = Timing { poll: Duration::from_millis(20), ..quick() };
    let chain = Arc::new(crate::chain_encoding::chain_with(&[localnet.ws_url()], timing));
    let hotkey = crate::common::dev_key("Alice").hotkey();
    let before = chain.head().await.expect("a head").block;
    for _ in 0..20 {
        localnet.produce_blocks(10);
        chain.standing(hotkey, 1, 0).await.expect("the best block is read");
        assert_eq!(chain.head().await.expect("and the last final one").block, before);
        chain.metagraph(1).await.expect("rounds go on with what is final");
    }
    // Blocks are made, so the watchdog waits however long finality does.
    let watched = Arc::clone(&chain);
    let watching = tokio::spawn(async move { watched.watch_blocks(Duration::from_millis(200)).await });
    for _ in 0..20 {
        localnet.produce_block();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(!watching.is_finished(), "{:?}", watching.await);
    // No blocks at all: that is a chain that is gone.
    let stalled = tokio::time::timeout(Duration::from_secs(20), watching).await.expect("it is noticed");
    assert_eq!(stalled.expect("no panic").block, Some(before));
}

#[tokio::test]
async fn a_key_that_a_node_leaves_out_is_no_default() {
    let Some(Rig { node, chain }) = rig(218).await else { return };
    two_neurons(&node, 218);
    assert_eq!(chain.hyperparameters(1).await.expect("rules").tempo, 99);
    let block = node.state().best_hash();
    // An answer without a single key, or of another block: asked one by one, the node tells the truth.
    for lie in [
        json!([{"block": block, "changes": []}]),
        json!([]),
        json!([{"block": "0x".to_owned() + &"77".repeat(32), "changes": []}]),
    ] {
        node.state().faults.insert("state_queryStorageAt", Fault::Lie(lie.clone()));
        assert_eq!(chain.hyperparameters(1).await.expect("rules").tempo, 99, "{lie}");
    }
    // Nor when it then does not answer at all.
    node.state().faults.insert("state_getStorage", Fault::Error(-32000, "no", None));
    let error = chain.hyperparameters(1).await.expect_err("not the defaults");
    assert!(!matches!(error, ReadError::NoSubnet(_)), "{error}");
}

#[tokio::test]
async fn an_endpoint_is_named_by_scheme_and_host_alone() {
    let urls = ["ws://127.0.0.1:1/v1/s3cret".to_owned(), "ws://127.0.0.1:1/?apikey=s3cret".to_owned()];
    let said = chain(&urls).head().await.expect_err("nobody listens").to_string();
    assert!(said.contains("ws://127.0.0.1:1") && !said.contains("s3cret"), "{said}");
    for wrong in ["wss://u:s3cret@node", "https://node/s3cret", "wss://", "s3cret@node:1"] {
        let refused = aml_subnet::chain::endpoints::Endpoints::resolve(wrong, None).expect_err(wrong).to_string();
        assert!(!refused.contains("s3cret"), "{refused}");
    }
}

#[tokio::test]
async fn an_endpoint_that_is_down_is_not_tried_without_a_pause() {
    let Some(pair) = pair().await else { return };
    for cable in &pair.cables {
        cable.becomes(Wire::Cut);
    }
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(2) {
        pair.chain.head().await.expect_err("nothing works");
    }
    let tried: usize = pair.cables.iter().map(|cable| usize::from(cable.accepted.load(Ordering::Relaxed))).sum();
    // 5, 10, 20, 40 ms and so on, half to one and a half of it each.
    assert!((4..=24).contains(&tried), "{tried} attempts");
}
