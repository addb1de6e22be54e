//! One suite, two chains: the development chain of this crate and the real runtime must agree, refusals included.
//!
//! The real runtime runs when `AML_CHOPSTICKS_URL` names one (see `scripts/chopsticks.sh`); its chain is changed.

use std::time::Duration;

use aml_subnet::chain::announce::{Announced, Announcement};
use aml_subnet::chain::outcome::WeightsOutcome;
use aml_subnet::chain::plan::WeightsRequest;
use aml_subnet::chain::refusal::ChainRefusal;
use aml_subnet::chain::types::Uid;
use aml_subnet::localnet::{Config, Generation, Localnet};
use aml_subnet::subtensor::{AnnounceError, NonceError, RevealError, SetWeightsError, SubmitError};
use aml_subnet::wallet::Signer;
use scale_value::Value;

use crate::chain_bench::{Bench, NETUID, key, n, ns, who};

#[tokio::test]
async fn the_localnet_behaves_as_written_down() {
    // The generation of the real runtime that the other test runs.
    let config =
        Config { generation: Generation::G218, netuid: NETUID, block_time: Some(BLOCK_TIME), ..Config::default() };
    let localnet = Localnet::start(config).await.expect("a free port");
    // Blocks come by themselves: epochs are long enough for a busy machine to act within one.
    everything(&Bench::at(&localnet.ws_url()).await, 359).await;
}

#[tokio::test]
async fn the_real_runtime_behaves_as_written_down() {
    let Ok(url) = std::env::var("AML_CHOPSTICKS_URL") else {
        println!("skipped: no AML_CHOPSTICKS_URL (run this under scripts/chopsticks.sh)");
        return;
    };
    // Blocks come with transactions, and slowly: epochs are short.
    everything(&Bench::at(&url).await, 9).await;
}

#[tokio::test]
async fn a_current_runtime_is_served_by_the_same_client_through_an_upgrade() {
    let config =
        Config { generation: Generation::G218, netuid: NETUID, block_time: Some(BLOCK_TIME), ..Config::default() };
    let localnet = Localnet::start(config).await.expect("a free port");
    let bench = Bench::at(&localnet.ws_url()).await;
    let cast = registration(&bench).await;
    let chain = bench.chain();
    let old = wanted(&[(cast.validator_uid, 1.0), (cast.miner_uid, 1.0)]);
    let plan = chain.plan_weights(cast.validator.hotkey(), &old).await.expect("a plan");
    let before = chain.head().await.expect("a head").spec_version;
    bench.upgrade("381").await;
    // A plan of the old runtime is carried out under the new one, by the same client.
    let outcome = chain.set_weights(&cast.validator, &plan).await.expect("set");
    assert!(matches!(outcome, WeightsOutcome::Set(_)), "{outcome:?}");
    assert!(chain.head().await.expect("a head").spec_version > before);
    assert_eq!(chain.metagraph(NETUID).await.expect("a metagraph").neurons.len(), 2 + usize::from(cast.validator_uid));

    let bench = Bench::at(&localnet.ws_url()).await;
    bench.rule("CommitRevealWeightsEnabled", true).await;
    // Long enough that the epoch of the plan is still the epoch of the block, however slow the machine is.
    bench.rule("Tempo", 1_000_u16).await;
    let plan = chain.plan_weights(cast.validator.hotkey(), &old).await.expect("a plan");
    let outcome = chain.set_weights(&cast.validator, &plan).await.expect("committed");
    let WeightsOutcome::Timelocked { included, round, reveal_from } = outcome else { panic!("{outcome:?}") };
    assert!(reveal_from > included.block && round > 1);
}

/// Between two blocks of the localnet: a scenario waits for about sixty.
const BLOCK_TIME: Duration = Duration::from_millis(50);

/// All scenarios, one after the other, on one chain.
async fn everything(bench: &Bench, tempo: u16) {
    let cast = registration(bench).await;
    serving(bench, &cast).await;
    refused_weights(bench, &cast).await;
    pool(bench, &cast).await;
    our_weights(bench, &cast).await;
    commits(bench, &cast, tempo).await;
}

/// Who takes part.
struct Cast {
    coldkey: Signer,
    validator: Signer,
    miner: Signer,
    validator_uid: u16,
    miner_uid: u16,
}

fn register(hotkey: &Signer) -> Vec<(&'static str, Value)> {
    vec![("netuid", n(NETUID)), ("hotkey", who(hotkey.hotkey()))]
}

/// A hotkey gets a place by a call of its coldkey; the metagraph shows it in one block.
async fn registration(bench: &Bench) -> Cast {
    let (coldkey, validator, miner) = (key("coldkey"), key("validator"), key("miner"));
    bench.fund(coldkey.hotkey()).await;
    rules(bench).await;
    let chain = bench.chain();
    let before = chain.metagraph(NETUID).await.expect("a metagraph").neurons.len();
    assert_eq!(bench.call(&coldkey, "burned_register", register(&validator)).await, "ok");
    assert_eq!(bench.call(&coldkey, "burned_register", register(&miner)).await, "ok");
    let again = bench.call(&coldkey, "burned_register", register(&miner)).await;
    assert_eq!(again, "HotKeyAlreadyRegisteredInSubNet");
    let metagraph = chain.metagraph(NETUID).await.expect("a metagraph");
    assert_eq!(metagraph.neurons.len(), before + 2);
    let uid = |signer: &Signer| {
        let neuron = metagraph.by_hotkey(&signer.hotkey()).expect("registered");
        assert_eq!(neuron.coldkey, coldkey.hotkey());
        assert_eq!(neuron.axon, None);
        assert!(neuron.last_update.0 > 0, "registration counts as an update");
        neuron.uid.0
    };
    let (validator_uid, miner_uid) = (uid(&validator), uid(&miner));
    bench.permit(validator.hotkey()).await;
    let standing = chain.standing(validator.hotkey(), NETUID, 0).await.expect("a standing");
    assert!(standing.permit && standing.uid == Some(Uid(validator_uid)));
    Cast { coldkey, validator, miner, validator_uid, miner_uid }
}

/// The rules that the scenarios start from: no limits.
async fn rules(bench: &Bench) {
    bench.rule("Tempo", 9_u16).await;
    bench.rule("WeightsSetRateLimit", 0_u64).await;
    bench.rule("ServingRateLimit", 0_u64).await;
    bench.rule("MinAllowedWeights", 0_u16).await;
    bench.rule("MaxWeightsLimit", u16::MAX).await;
    bench.rule("WeightsVersionKey", 0_u64).await;
    bench.rule("CommitRevealWeightsEnabled", false).await;
}

fn axon(ip: u128, port: u16, ip_type: u8) -> Vec<(&'static str, Value)> {
    vec![
        ("netuid", n(NETUID)),
        ("version", n(1_u8)),
        ("ip", n(ip)),
        ("port", n(port)),
        ("ip_type", n(ip_type)),
        ("protocol", n(4_u8)),
        ("placeholder1", n(0_u8)),
        ("placeholder2", n(0_u8)),
    ]
}

/// An axon is announced once, read back, and refused under the chain's names.
async fn serving(bench: &Bench, cast: &Cast) {
    let serve = |args| bench.call(&cast.miner, "serve_axon", args);
    assert_eq!(serve(axon(0x7f00_0001, 8091, 4)).await, "InvalidIpAddress");
    assert_eq!(serve(axon(1, 8091, 6)).await, "InvalidIpAddress");
    assert_eq!(serve(axon(0xcb00_7107, 0, 4)).await, "InvalidPort");
    assert_eq!(serve(axon(0xcb00_7107, 8091, 5)).await, "InvalidIpType");
    let stranger = bench.call(&cast.coldkey, "serve_axon", axon(0xcb00_7107, 8091, 4)).await;
    assert_eq!(stranger, "HotKeyNotRegisteredInNetwork");

    let here = Announcement { netuid: NETUID, ip: [127, 0, 0, 2].into(), port: 8091, version: 7 };
    let chain = bench.chain();
    let first = chain.announce(&cast.miner, &here).await.expect("an unfunded hotkey may announce");
    assert!(matches!(first, Announced::Since(_)));
    assert_eq!(chain.announce(&cast.miner, &here).await.expect("there"), Announced::Already);
    let metagraph = chain.metagraph(NETUID).await.expect("a metagraph");
    let shown = metagraph.by_hotkey(&cast.miner.hotkey()).and_then(|neuron| neuron.axon).expect("an axon");
    assert_eq!((shown.ip, shown.port, shown.version, shown.protocol), (here.ip, here.port, here.version, 4));

    bench.rule("ServingRateLimit", 1_000_u64).await;
    let moved = Announcement { ip: "2001:db8::1".parse().expect("an address"), port: 8092, ..here };
    let error = chain.announce(&cast.miner, &moved).await.expect_err("too soon");
    assert!(matches!(error, AnnounceError::TooSoon { blocks } if blocks > 900), "{error}");
    assert_eq!(serve(axon(0xcb00_7107, 8092, 4)).await, "ServingRateLimitExceeded");
    bench.rule("ServingRateLimit", 0_u64).await;
    let error = chain.announce(&cast.miner, &moved).await.expect_err("another hand has moved the nonce");
    assert!(matches!(error, AnnounceError::Submit(SubmitError::Nonce(NonceError::Moved { .. }))), "{error}");
    let moved_at = chain.announce(&cast.miner, &moved).await.expect("moved");
    assert!(matches!(moved_at, Announced::Since(_)));
    let stranger = chain.announce(&cast.coldkey, &here).await.expect_err("no neuron");
    assert!(matches!(stranger, AnnounceError::NotRegistered { .. }), "{stranger}");
}

fn vector(netuid: u16, uids: &[u16], values: &[u16], version: u64) -> Vec<(&'static str, Value)> {
    vec![("netuid", n(netuid)), ("dests", ns(uids)), ("weights", ns(values)), ("version_key", n(version))]
}

/// What the chain refuses of weights, by name, when nothing is checked before.
async fn refused_weights(bench: &Bench, cast: &Cast) {
    let (own, other) = (cast.validator_uid, cast.miner_uid);
    let set = |args| bench.call(&cast.validator, "set_weights", args);
    let two = || vector(NETUID, &[own, other], &[1, 2], 0);
    assert_eq!(set(vector(NETUID, &[own, own], &[1, 1], 0)).await, "DuplicateUids");
    assert_eq!(set(vector(NETUID, &[own, 999], &[1, 1], 0)).await, "UidVecContainInvalidOne");
    assert_eq!(set(vector(NETUID, &[own, other], &[1], 0)).await, "WeightVecNotEqualSize");
    assert_eq!(set(vector(NETUID, &[0; 40], &[1; 40], 0)).await, "UidsLengthExceedUidsInSubNet");
    assert_eq!(set(vector(0, &[own], &[1], 0)).await, "CanNotSetRootNetworkWeights");
    assert_eq!(bench.call(&cast.coldkey, "set_weights", two()).await, "HotKeyNotRegisteredInSubNet");

    bench.rule("WeightsVersionKey", 10_u64).await;
    assert_eq!(set(two()).await, "IncorrectWeightVersionKey");
    assert_eq!(set(vector(NETUID, &[own, other], &[1, 2], 11)).await, "ok");
    bench.rule("WeightsVersionKey", 0_u64).await;

    bench.rule("WeightsSetRateLimit", 1_000_u64).await;
    assert_eq!(set(two()).await, "SettingWeightsTooFast");
    bench.rule("WeightsSetRateLimit", 0_u64).await;

    bench.rule("MinAllowedWeights", 2_u16).await;
    assert_eq!(set(vector(NETUID, &[other], &[1], 0)).await, "WeightVecLengthIsLow");
    assert_eq!(set(vector(NETUID, &[own], &[1], 0)).await, "ok", "a weight on oneself is exempt");
    bench.rule("MinAllowedWeights", 0_u16).await;

    bench.rule("MaxWeightsLimit", 30_000_u16).await;
    assert_eq!(set(two()).await, "MaxWeightExceeded");
    bench.rule("MaxWeightsLimit", u16::MAX).await;

    bench.rule("CommitRevealWeightsEnabled", true).await;
    assert_eq!(set(two()).await, "CommitRevealEnabled");
    bench.rule("CommitRevealWeightsEnabled", false).await;
    let commit = vec![("netuid", n(NETUID)), ("commit_hash", Value::from_bytes([7; 32]))];
    assert_eq!(bench.call(&cast.validator, "commit_weights", commit).await, "CommitRevealDisabled");
}

/// What does not even get into the pool.
async fn pool(bench: &Bench, cast: &Cast) {
    let args = || vector(NETUID, &[cast.validator_uid], &[1], 0);
    let nonce = bench.nonce(&cast.validator).await;
    let stale = bench.call_with(&cast.validator, nonce - 1, "set_weights", args()).await;
    assert_eq!(stale, "pool: Stale");
}

fn wanted(weights: &[(u16, f64)]) -> WeightsRequest {
    let weights = weights.iter().map(|(uid, weight)| (Uid(*uid), *weight)).collect();
    WeightsRequest { netuid: NETUID, mechanism: 0, weights, version_key: None, salt: vec![7; 8] }
}

/// Our own way: what the chain would refuse is foreseen, what it takes is read back.
async fn our_weights(bench: &Bench, cast: &Cast) {
    let chain = bench.chain();
    let (own, other) = (cast.validator_uid, cast.miner_uid);
    let request = wanted(&[(own, 0.25), (other, 1.0)]);
    let refused = |error: SetWeightsError| match error {
        SetWeightsError::Preflight(refusal) => refusal.refusal(),
        other => panic!("not foreseen: {other}"),
    };
    let stranger = chain.plan_weights(cast.coldkey.hotkey(), &request).await.expect_err("no neuron");
    assert_eq!(refused(stranger), ChainRefusal::HotKeyNotRegisteredInSubNet);
    bench.rule("WeightsSetRateLimit", 1_000_u64).await;
    let soon = chain.plan_weights(cast.validator.hotkey(), &request).await.expect_err("too soon");
    assert!(soon.blocks_to_wait().is_some_and(|blocks| blocks > 900));
    assert_eq!(refused(soon), ChainRefusal::SettingWeightsTooFast);
    bench.rule("WeightsSetRateLimit", 0_u64).await;

    let plan = chain.plan_weights(cast.validator.hotkey(), &request).await.expect("a plan");
    let outcome = chain.set_weights(&cast.validator, &plan).await.expect("set");
    let WeightsOutcome::Set(included) = outcome else { panic!("{outcome:?}") };
    assert!(included.events.iter().any(|event| event == "SubtensorModule.WeightsSet"), "{included:?}");
    let shown = chain.weights_of(cast.validator.hotkey(), NETUID, 0).await.expect("weights");
    assert_eq!(shown, Some(vec![(Uid(own), 16384), (Uid(other), 65535)]));
    let after = chain.metagraph(NETUID).await.expect("a metagraph");
    let validator = after.by_hotkey(&cast.validator.hotkey()).expect("registered");
    assert_eq!(validator.last_update, included.block);

    // The switch is thrown between plan and submission: the chain's own word for it comes back.
    bench.rule("CommitRevealWeightsEnabled", true).await;
    let error = chain.set_weights(&cast.validator, &plan).await.expect_err("commit-reveal is on");
    let SetWeightsError::Submit(SubmitError::Refused(refusal)) = error else { panic!("{error}") };
    assert_eq!(refusal, ChainRefusal::CommitRevealEnabled);
    assert!(refusal.is_stale_view());
}

/// A hash commit: committed, too early, revealed, nothing left.
async fn commits(bench: &Bench, cast: &Cast, tempo: u16) {
    let chain = bench.chain();
    bench.rule("Tempo", tempo).await;
    // The commit goes out at the beginning of an epoch.
    let length = u64::from(tempo) + 1;
    let height = chain.head().await.expect("a head").block.0;
    bench.blocks(length - (height + u64::from(NETUID) + 1) % length).await;
    let request = wanted(&[(cast.validator_uid, 1.0), (cast.miner_uid, 1.0)]);
    let plan = chain.plan_weights(cast.validator.hotkey(), &request).await.expect("a plan");
    let outcome = chain.set_weights(&cast.validator, &plan).await.expect("committed");
    assert!(matches!(outcome, WeightsOutcome::Committed(_)), "{outcome:?}");
    let early = chain.reveal(&cast.validator, &plan.content).await.expect_err("too early");
    let RevealError::TooEarly { blocks } = early else { panic!("{early}") };
    assert!((1..=length).contains(&blocks), "{blocks}");

    let reveal = |salt: &[u16]| {
        let mut args = vector(NETUID, &plan.content.weights.uids, &plan.content.weights.values, 0);
        (args[1].0, args[2].0) = ("uids", "values");
        args.insert(3, ("salt", ns(salt)));
        args
    };
    let early = bench.call(&cast.validator, "reveal_weights", reveal(&plan.content.salt)).await;
    assert_eq!(early, "RevealTooEarly");
    // One refused call has made one block since.
    bench.blocks(blocks.saturating_sub(1)).await;
    let wrong = bench.call(&cast.validator, "reveal_weights", reveal(&[9])).await;
    assert_eq!(wrong, "InvalidRevealCommitHashNotMatch");
    let chain = bench.chain();
    let included = chain.reveal(&cast.validator, &plan.content).await.expect("revealed").expect("by us");
    assert!(included.events.iter().any(|event| event == "SubtensorModule.WeightsRevealed"), "{included:?}");
    assert_eq!(chain.reveal(&cast.validator, &plan.content).await.expect("there"), None, "not revealed twice");
    let left = bench.call(&cast.validator, "reveal_weights", reveal(&plan.content.salt)).await;
    assert_eq!(left, "NoWeightsCommitFound");
    let shown = chain.weights_of(cast.validator.hotkey(), NETUID, 0).await.expect("weights");
    assert_eq!(shown, Some(vec![(Uid(cast.validator_uid), 65535), (Uid(cast.miner_uid), 65535)]));
}
