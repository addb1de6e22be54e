//! Endpoints that hang, lie, reset, go silent and come back; a runtime that is upgraded in the middle; a second
//! process with the same key.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use aml_subnet::chain::outcome::WeightsOutcome;
use aml_subnet::chain::plan::WeightsRequest;
use aml_subnet::chain::types::{Block, Uid};
use aml_subnet::subtensor::{NonceError, PoolError, ReadError, SetWeightsError, SubmitError};
use parity_scale_codec::Encode as _;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::chain_encoding::{Item, Rig, chain, number, rig, store, two_neurons};
use crate::chain_node::{FakeNode, Fault, Pool};
use crate::common::{dev_key, shared};

/// What a wire does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Wire {
    Sound,
    /// Open, but nothing passes: the other side has vanished without a word.
    HalfOpen,
    /// What is asked arrives, and no answer comes back.
    Deaf,
    /// Every connection is reset.
    Cut,
}

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// To the node.
    There,
    /// From the node.
    Back,
}

/// A TCP wire to a node that can be damaged.
pub(crate) struct Cable {
    pub(crate) address: SocketAddr,
    state: watch::Sender<Wire>,
    pub(crate) accepted: Arc<AtomicU8>,
}

impl Cable {
    pub(crate) async fn to(target: SocketAddr) -> Self {
        Self::between("127.0.0.1", target).await
    }

    /// A wire that begins at an address of this machine.
    pub(crate) async fn between(begin: &str, target: SocketAddr) -> Self {
        let listener = TcpListener::bind((begin, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (state, seen) = watch::channel(Wire::Sound);
        let accepted = Arc::new(AtomicU8::new(0));
        let count = accepted.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::Relaxed);
                if *seen.borrow() == Wire::Cut {
                    continue;
                }
                let Ok(node) = TcpStream::connect(target).await else { continue };
                let (client_in, client_out) = client.into_split();
                let (node_in, node_out) = node.into_split();
                tokio::spawn(carry(Way::There, client_in, node_out, seen.clone()));
                tokio::spawn(carry(Way::Back, node_in, client_out, seen.clone()));
            }
        });
        Self { address, state, accepted }
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://{}", self.address)
    }

    pub(crate) fn becomes(&self, wire: Wire) {
        self.state.send_replace(wire);
    }
}

/// Carries bytes one way, as long as the wire is sound.
pub(crate) async fn carry(
    way: Way,
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut wire: watch::Receiver<Wire>,
) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let current = *wire.borrow_and_update();
        match current {
            Wire::Cut => return,
            Wire::HalfOpen | Wire::Deaf if current == Wire::HalfOpen || way == Way::Back => {
                if wire.changed().await.is_err() {
                    return;
                }
            }
            Wire::Sound | Wire::HalfOpen | Wire::Deaf => tokio::select! {
                changed = wire.changed() => if changed.is_err() { return },
                read = from.read(&mut buffer) => match read {
                    Ok(count) if count > 0 => if to.write_all(&buffer[..count]).await.is_err() { return },
                    _ => return,
                },
            },
        }
    }
}

/// Two nodes of one chain, each behind a wire, the first one preferred.
pub(crate) struct Pair {
    pub(crate) nodes: [FakeNode; 2],
    pub(crate) cables: [Cable; 2],
    pub(crate) chain: aml_subnet::subtensor::Subtensor,
}

pub(crate) async fn pair() -> Option<Pair> {
    let metadata = shared("chain/metadata_218_v15.scale")?;
    let nodes = [FakeNode::start(218, &metadata).await, FakeNode::start(218, &metadata).await];
    for node in &nodes {
        two_neurons(node, 218);
    }
    let cables = [Cable::to(nodes[0].address).await, Cable::to(nodes[1].address).await];
    let chain = chain(&[cables[0].url(), cables[1].url()]);
    Some(Pair { nodes, cables, chain })
}

impl Pair {
    async fn must_use(&self, index: usize) {
        let head = self.chain.head().await.expect("an endpoint works");
        assert_eq!(head.endpoint, self.cables[index].url());
    }
}

#[tokio::test]
async fn the_preferred_endpoint_is_used_until_it_fails_and_the_next_one_then() {
    let Some(pair) = pair().await else { return };
    pair.must_use(0).await;
    pair.cables[0].becomes(Wire::Cut);
    pair.must_use(1).await;
    pair.cables[0].becomes(Wire::Sound);
    pair.must_use(1).await;
    pair.cables[1].becomes(Wire::Cut);
    pair.must_use(0).await;
}

#[tokio::test]
async fn a_half_open_connection_is_found_out_by_the_deadline() {
    let Some(pair) = pair().await else { return };
    pair.must_use(0).await;
    pair.cables[0].becomes(Wire::HalfOpen);
    pair.must_use(1).await;
}

#[tokio::test]
async fn an_endpoint_that_comes_back_is_used_again() {
    // Several times, because pauses have random parts: whichever comes back has now the shorter one and now the longer one.
    for comes_back in [1, 0].repeat(4) {
        let Some(pair) = pair().await else { return };
        pair.must_use(0).await;
        for cable in &pair.cables {
            cable.becomes(Wire::Cut);
        }
        let error = pair.chain.head().await.expect_err("nothing works");
        assert!(matches!(error, ReadError::NoEndpoint(_) | ReadError::Node { .. }), "{error}");
        let error = pair.chain.head().await.expect_err("still nothing").to_string();
        assert!(pair.cables.iter().all(|cable| error.contains(&cable.url())), "both are named: {error}");
        pair.cables[comes_back].becomes(Wire::Sound);
        pair.must_use(comes_back).await;
    }
}

#[tokio::test]
async fn a_node_that_hangs_on_one_method_is_left_for_another() {
    let Some(pair) = pair().await else { return };
    pair.must_use(0).await;
    pair.nodes[0].state().faults.insert("state_queryStorageAt", Fault::Hang);
    let rules = pair.chain.hyperparameters(1).await.expect("the other node answers");
    assert_eq!(rules.tempo, 99);
    pair.must_use(1).await;
}

#[tokio::test]
async fn a_node_that_keeps_refusing_is_left_after_some_failures() {
    let Some(pair) = pair().await else { return };
    let refusal = Fault::Error(-32000, "state already discarded", None);
    for method in ["state_queryStorageAt", "state_getStorage"] {
        pair.nodes[0].state().faults.insert(method, refusal.clone());
    }
    assert_eq!(pair.chain.hyperparameters(1).await.expect("the other node answers").tempo, 99);
    assert_eq!(pair.cables[0].accepted.load(Ordering::Relaxed), 1, "one refusal breaks no connection");
    pair.must_use(1).await;
}

#[tokio::test]
async fn a_batch_that_a_node_does_not_offer_is_asked_for_one_by_one() {
    let Some(Rig { node, chain }) = rig(218).await else { return };
    two_neurons(&node, 218);
    node.state().faults.insert("state_queryStorageAt", Fault::Error(-32601, "Method not found", None));
    assert_eq!(chain.hyperparameters(1).await.expect("rules").tempo, 99);
}

#[tokio::test]
async fn a_node_of_another_chain_is_refused() {
    let Some(metadata) = shared("chain/metadata_218_v15.scale") else { return };
    let ours = FakeNode::start(218, &metadata).await;
    let other = FakeNode::of_chain(218, &metadata, 0x66, 10).await;
    let cable = Cable::to(ours.address).await;
    let chain = chain(&[cable.url(), other.url()]);
    chain.head().await.expect("our chain");
    cable.becomes(Wire::Cut);
    let _ = chain.head().await;
    let error = chain.head().await.expect_err("the other is of another chain").to_string();
    assert!(error.contains("another chain"), "{error}");
}

#[tokio::test]
async fn a_node_that_has_fallen_behind_is_passed_over() {
    let Some(pair) = pair().await else { return };
    pair.nodes[0].state().advance(100);
    pair.nodes[1].state().advance(5);
    assert_eq!(pair.chain.head().await.expect("the first").block, Block(110));
    pair.cables[0].becomes(Wire::Cut);
    let error = pair.chain.head().await.expect_err("the second is 95 blocks behind");
    assert!(matches!(error, ReadError::Behind { .. } | ReadError::NoEndpoint(_)), "{error}");
    pair.nodes[1].state().advance(90);
    assert_eq!(pair.chain.head().await.expect("caught up").block, Block(105));
}

#[tokio::test]
async fn nonsense_is_an_error_and_the_other_node_is_asked() {
    let Some(pair) = pair().await else { return };
    let mut lies = vec![json!("0x"), json!("0xff"), json!("nonsense"), json!(7), json!({}), json!(null)];
    lies.push(json!(format!("0x{}", "ff".repeat(100_000))));
    for lie in lies {
        pair.nodes[0].state().faults.insert("state_call", Fault::Lie(lie.clone()));
        let fresh = chain(&[pair.cables[0].url(), pair.cables[1].url()]);
        assert_eq!(fresh.head().await.expect("the second node").endpoint, pair.cables[1].url(), "{lie}");
    }
}

#[tokio::test]
async fn a_metagraph_whose_parts_disagree_is_no_metagraph() {
    let Some(Rig { node, chain }) = rig(218).await else { return };
    two_neurons(&node, 218);
    // The node claims two neurons, and hands out none.
    let none = Vec::<u8>::new().encode().encode();
    node.state().apis.insert("NeuronInfoRuntimeApi_get_neurons_lite(0100)".to_owned(), none);
    let error = chain.metagraph(1).await.expect_err("no metagraph");
    assert!(!matches!(error, ReadError::NoSubnet(_)), "{error}");
}

#[tokio::test]
async fn a_silent_chain_is_noticed() {
    let Some(Rig { node, chain }) = rig(218).await else { return };
    let stalled = chain.watch_blocks(std::time::Duration::from_millis(300)).await;
    assert_eq!(stalled.block, Some(Block(10)));
    assert!(stalled.to_string().contains("stands at block 10"), "{stalled}");
    drop(node);
    let stalled = chain.watch_blocks(std::time::Duration::from_millis(300)).await;
    assert!(stalled.block.is_none() && stalled.to_string().contains("unknown"), "{stalled}");
}

/// Weights for Alice, with the row that will be read back.
fn wanted(node: &FakeNode, spec: u32) -> WeightsRequest {
    store(node, spec, vec![(Item("Weights", vec![number(1), number(0)]), vec![(0_u16, 65535_u16)].encode())]);
    WeightsRequest { netuid: 1, mechanism: 0, weights: vec![(Uid(0), 1.0)], version_key: None, salt: vec![7; 8] }
}

#[tokio::test]
async fn a_runtime_upgrade_in_the_middle_changes_nothing_but_the_metadata() {
    let Some(Rig { node, chain }) = rig(218).await else { return };
    let Some(newer) = shared("chain/metadata_381_v16.scale") else { return };
    two_neurons(&node, 218);
    let request = wanted(&node, 218);
    let alice = dev_key("Alice");
    let plan = chain.plan_weights(alice.hotkey(), &request).await.expect("a plan");
    assert_eq!(chain.head().await.expect("a head").spec_version, 218);
    node.state().upgrade(381, std::fs::read(newer).expect("readable"));
    assert_eq!(chain.head().await.expect("a head").spec_version, 381);
    // The plan of the old runtime is carried out under the new one, and its errors have the new one's numbers.
    node.state().pool = Pool::Fail(28);
    let error = chain.set_weights(&alice, &plan).await.expect_err("refused").to_string();
    assert!(error.contains("SettingWeightsTooFast"), "{error}");
    node.state().pool = Pool::Include;
    assert!(matches!(chain.set_weights(&alice, &plan).await, Ok(WeightsOutcome::Set(_))));
}

#[tokio::test]
async fn a_transaction_signed_for_the_old_runtime_is_signed_anew() {
    let Some(Rig { node, chain }) = rig(218).await else { return };
    let Some(newer) = shared("chain/metadata_381_v16.scale") else { return };
    two_neurons(&node, 218);
    let request = wanted(&node, 218);
    let alice = dev_key("Alice");
    let plan = chain.plan_weights(alice.hotkey(), &request).await.expect("a plan");
    let newer = std::fs::read(newer).expect("readable");
    // The first one reaches the pool, which throws it out when the runtime is upgraded below it.
    node.state().pool = Pool::Say(vec![json!("ready"), json!("invalid")]);
    node.state().upgrade_on_submit = Some((381, newer));
    let outcome = chain.set_weights(&alice, &plan).await.expect("set with the second signature");
    assert!(matches!(outcome, WeightsOutcome::Set(_)));
    assert_eq!(node.state().sent.len(), 2);
}

#[tokio::test]
async fn what_is_invalid_without_an_upgrade_is_not_sent_again() {
    for (pool, expected) in [
        (Pool::Say(vec![json!("ready"), json!("invalid")]), PoolError::Invalid),
        (Pool::Say(vec![json!({"usurped": "0x00"})]), PoolError::Usurped),
        (Pool::Say(vec![json!("dropped")]), PoolError::Dropped),
        (Pool::Refuse(1012, "Transaction is temporarily banned", ""), PoolError::Banned),
        (Pool::Refuse(1014, "Priority is too low: (1 vs 1)", ""), PoolError::LowPriority),
        (Pool::Refuse(1010, "Invalid Transaction", "Transaction is outdated"), PoolError::Stale),
        (Pool::Refuse(1010, "Invalid Transaction", "Custom error: 6"), PoolError::Custom(6)),
    ] {
        let Some(Rig { node, chain }) = rig(218).await else { return };
        two_neurons(&node, 218);
        let request = wanted(&node, 218);
        let plan = chain.plan_weights(dev_key("Alice").hotkey(), &request).await.expect("a plan");
        node.state().pool = pool.clone();
        let error = chain.set_weights(&dev_key("Alice"), &plan).await.expect_err("not set");
        let SetWeightsError::Submit(SubmitError::Pool(actual)) = &error else { panic!("{pool:?}: {error}") };
        assert_eq!(*actual, expected);
        assert_eq!(node.state().sent.len(), 1, "{pool:?}");
    }
}

#[tokio::test]
async fn a_number_of_the_pool_is_explained_by_the_rules() {
    let Some(Rig { node, chain }) = rig(218).await else { return };
    two_neurons(&node, 218);
    let request = wanted(&node, 218);
    let plan = chain.plan_weights(dev_key("Alice").hotkey(), &request).await.expect("a plan");
    // Between plan and submission somebody raised the limit; the pool answers with a number.
    store(&node, 218, vec![(Item("WeightsSetRateLimit", vec![number(1)]), 1000_u64.encode())]);
    node.state().pool = Pool::Refuse(1010, "Invalid Transaction", "Custom error: 6");
    let error = chain.set_weights(&dev_key("Alice"), &plan).await.expect_err("too fast");
    assert!(matches!(error, SetWeightsError::Preflight(_)) && error.blocks_to_wait() == Some(990), "{error}");
}

#[tokio::test]
async fn a_transaction_whose_traces_are_lost_is_found_in_its_block() {
    let Some(Rig { node, chain }) = rig(218).await else { return };
    two_neurons(&node, 218);
    let request = wanted(&node, 218);
    let plan = chain.plan_weights(dev_key("Alice").hotkey(), &request).await.expect("a plan");
    node.state().pool = Pool::IncludeSilently;
    let outcome = chain.set_weights(&dev_key("Alice"), &plan).await.expect("found");
    assert!(matches!(outcome, WeightsOutcome::Set(included) if included.block == Block(11)));
}

#[tokio::test]
async fn a_transaction_called_invalid_although_it_is_in_a_block_is_not_sent_again() {
    let Some(Rig { node, chain }) = rig(218).await else { return };
    two_neurons(&node, 218);
    let request = wanted(&node, 218);
    let plan = chain.plan_weights(dev_key("Alice").hotkey(), &request).await.expect("a plan");
    node.state().pool = Pool::IncludeAndDisown;
    let outcome = chain.set_weights(&dev_key("Alice"), &plan).await.expect("found");
    assert!(matches!(outcome, WeightsOutcome::Set(included) if included.block == Block(11)));
    assert_eq!(node.state().sent.len(), 1);
}

#[tokio::test]
async fn a_node_that_says_final_of_what_is_not_there_is_not_believed() {
    let Some(Rig { node, chain }) = rig(218).await else { return };
    two_neurons(&node, 218);
    let request = wanted(&node, 218);
    let plan = chain.plan_weights(dev_key("Alice").hotkey(), &request).await.expect("a plan");
    let elsewhere = format!("0x0000000a{}", "45".repeat(28));
    node.state().pool = Pool::Say(vec![json!({"finalized": elsewhere})]);
    let error = chain.set_weights(&dev_key("Alice"), &plan).await.expect_err("it is nowhere");
    assert!(matches!(&error, SetWeightsError::Submit(error) if error.is_uncertain()), "{error}");
}

#[tokio::test]
async fn a_transaction_that_no_block_took_has_expired() {
    let Some(Rig { node, chain }) = rig(218).await else { return };
    two_neurons(&node, 218);
    let request = wanted(&node, 218);
    let alice = dev_key("Alice");
    let plan = chain.plan_weights(alice.hotkey(), &request).await.expect("a plan");
    node.state().pool = Pool::Say(vec![json!({"finalityTimeout": "0x00"})]);
    node.state().advance_on_submit = 200;
    let error = chain.set_weights(&alice, &plan).await.expect_err("its era is over");
    assert!(matches!(error, SetWeightsError::Submit(SubmitError::Expired { block: 138, .. })), "{error}");
}

#[tokio::test]
async fn a_second_process_with_the_same_key_is_noticed() {
    let Some(Rig { node, chain }) = rig(218).await else { return };
    two_neurons(&node, 218);
    let request = wanted(&node, 218);
    let alice = dev_key("Alice");
    let plan = chain.plan_weights(alice.hotkey(), &request).await.expect("a plan");
    chain.set_weights(&alice, &plan).await.expect("set");
    node.state().nonce += 3;
    let error = chain.set_weights(&alice, &plan).await.expect_err("the nonce moved");
    let SetWeightsError::Submit(SubmitError::Nonce(NonceError::Moved { expected, actual, .. })) = error else {
        panic!("{error}")
    };
    assert_eq!((expected, actual), (1, 4));
    chain.set_weights(&alice, &plan).await.expect("reported once, then on from there");
    node.state().foreign = 1;
    let error = chain.set_weights(&alice, &plan).await.expect_err("another's transaction is in the pool");
    assert!(matches!(error, SetWeightsError::Submit(SubmitError::Nonce(NonceError::Pending { .. }))), "{error}");
    assert_eq!(node.state().sent.len(), 2);
}

#[tokio::test]
async fn one_process_signs_one_transaction_after_the_other() {
    let Some(Rig { node, chain }) = rig(218).await else { return };
    two_neurons(&node, 218);
    let request = wanted(&node, 218);
    let chain = Arc::new(chain);
    let plan = chain.plan_weights(dev_key("Alice").hotkey(), &request).await.expect("a plan");
    let set = |_| {
        let (chain, plan) = (chain.clone(), plan.clone());
        tokio::spawn(async move { chain.set_weights(&dev_key("Alice"), &plan).await })
    };
    for task in (0..4).map(set).collect::<Vec<_>>() {
        assert!(matches!(task.await.expect("no panic"), Ok(WeightsOutcome::Set(_))));
    }
    assert_eq!(node.state().nonce, 4, "each nonce was used once");
}
