//! What is read and written is, byte for byte, what the SDKs and the real runtimes read and write.

use std::sync::Arc;
use std::time::Duration;

use aml_miner::clock::FixedClock;
use aml_subnet::chain::announce::{Announced, Announcement};
use aml_subnet::chain::endpoints::Endpoints;
use aml_subnet::chain::outcome::WeightsOutcome;
use aml_subnet::chain::plan::WeightsRequest;
use aml_subnet::chain::timelock;
use aml_subnet::chain::types::{Block, Uid};
use aml_subnet::subtensor::{SubmitError, Subtensor, Timing};
use aml_subnet::wallet::{Hotkey, Signer};
use parity_scale_codec::{Compact, Decode as _, Encode as _};
use scale_encode::EncodeAsType as _;
use scale_info::{PortableRegistry, TypeDef, TypeDefPrimitive};
use scale_value::Value;
use serde_json::Value as Json;

use crate::chain_node::{FakeNode, blake2_256};
use crate::common::{dev_key, must_read_json, must_text, shared};

/// Short enough for a test that waits for them in vain, long enough for a busy machine.
pub(crate) fn quick() -> Timing {
    Timing {
        connect: Duration::from_secs(5),
        request: Duration::from_millis(700),
        ping: Duration::from_secs(20),
        finality: Duration::from_secs(4),
        poll: Duration::from_millis(20),
        max_failures: 3,
    }
}

/// A moment after drand's round 34 000 000.
const NOW: Duration = Duration::from_secs(1_692_803_367 + 3 * 34_000_000);

pub(crate) fn chain(urls: &[String]) -> Subtensor {
    let endpoints = Endpoints::resolve("local", Some(&urls.join(","))).expect("URLs");
    Subtensor::new(endpoints, quick(), Arc::new(FixedClock(NOW)))
}

pub(crate) struct Rig {
    pub(crate) node: FakeNode,
    pub(crate) chain: Subtensor,
}

/// A node of the runtime `spec`, with the captured storage; `None` without captured data.
pub(crate) async fn rig(spec: u32) -> Option<Rig> {
    let metadata = shared(match spec {
        218 => "chain/metadata_218_v15.scale",
        _ => "chain/metadata_381_v16.scale",
    })?;
    let node = FakeNode::start(spec, &metadata).await;
    let chain = chain(&[node.url()]);
    Some(Rig { node, chain })
}

fn bytes(text: &str) -> Vec<u8> {
    hex::decode(text.trim_start_matches("0x")).expect("hex")
}

/// The metadata of a runtime, without a node.
fn offline(spec: u32) -> Option<subxt::client::OfflineClientAtBlock<subxt::SubstrateConfig>> {
    let path = shared(if spec == 218 { "chain/metadata_218_v15.scale" } else { "chain/metadata_381_v16.scale" })?;
    let metadata = subxt::Metadata::decode_from(&std::fs::read(path).expect("readable")).expect("metadata");
    let config = subxt::SubstrateConfig::builder()
        .set_metadata_for_spec_versions([(spec, metadata.arc())])
        .set_spec_version_for_block_ranges([subxt::config::substrate::SpecVersionForRange {
            block_range: 0..u64::MAX,
            spec_version: spec,
            transaction_version: 1,
        }])
        .build();
    subxt::OfflineClient::new_with_config(config).at_block(1_u64).ok()
}

/// A value of any type: zeros and empty lists, except for the named fields of the outermost struct.
fn blank(types: &PortableRegistry, ty: u32, named: &dyn Fn(&str) -> Option<Value>) -> Value {
    let none = |_: &str| None;
    let ty = types.resolve(ty).expect("a type of the registry");
    match &ty.type_def {
        TypeDef::Composite(composite) if composite.fields.iter().all(|field| field.name.is_some()) => {
            let field = |field: &scale_info::Field<scale_info::form::PortableForm>| {
                let name = field.name.clone().expect("a named field");
                let value = named(&name).unwrap_or_else(|| blank(types, field.ty.id, &none));
                (name, value)
            };
            Value::named_composite(composite.fields.iter().map(field))
        }
        TypeDef::Composite(composite) => {
            Value::unnamed_composite(composite.fields.iter().map(|field| blank(types, field.ty.id, &none)))
        }
        TypeDef::Variant(variants) => {
            let first = variants.variants.first().expect("a variant");
            let fields = first.fields.iter().map(|field| blank(types, field.ty.id, &none));
            Value::unnamed_variant(first.name.clone(), fields)
        }
        TypeDef::Sequence(_) => Value::unnamed_composite([]),
        TypeDef::Array(array) => {
            Value::unnamed_composite((0..array.len).map(|_| blank(types, array.type_param.id, &none)))
        }
        TypeDef::Tuple(tuple) => {
            Value::unnamed_composite(tuple.fields.iter().map(|field| blank(types, field.id, &none)))
        }
        TypeDef::Compact(compact) => blank(types, compact.type_param.id, &none),
        TypeDef::Primitive(TypeDefPrimitive::Bool) => Value::bool(false),
        TypeDef::Primitive(TypeDefPrimitive::Str) => Value::string(""),
        TypeDef::Primitive(_) => Value::u128(0),
        TypeDef::BitSequence(_) => Value::bit_sequence(scale_bits()),
    }
}

fn scale_bits() -> scale_value::BitSequence {
    scale_value::BitSequence::new()
}

/// The typed answer of 381's metagraph call for these neurons: Alice with an axon, Bob without.
fn metagraph_381() -> Option<Vec<u8>> {
    let client = offline(381)?;
    let metadata = client.metadata();
    let api = metadata.runtime_api_trait_by_name("SubnetInfoRuntimeApi").expect("the API");
    let output = api.method_by_name("get_metagraph").expect("the method").output_ty();
    let TypeDef::Variant(option) = &metadata.types().resolve(output).expect("a type").type_def else {
        panic!("not an option")
    };
    let inner = option.variants.iter().find(|variant| variant.name == "Some").expect("Some").fields[0].ty.id;
    let (alice, bob) = (dev_key("Alice").hotkey(), dev_key("Bob").hotkey());
    let list = |values: Vec<Value>| Value::unnamed_composite(values);
    let numbers = |values: [u128; 2]| list(values.map(Value::u128).to_vec());
    let keys = || list(vec![Value::from_bytes(alice.as_bytes()), Value::from_bytes(bob.as_bytes())]);
    let axon = |ip: u128, port: u128| {
        let field = |name: &str, value| (name.to_owned(), Value::u128(value));
        Value::named_composite([
            field("block", 5),
            field("version", 7),
            field("ip", ip),
            field("port", port),
            field("ip_type", 4),
            field("protocol", 4),
            field("placeholder1", 0),
            field("placeholder2", 0),
        ])
    };
    let named = move |name: &str| match name {
        "hotkeys" | "coldkeys" => Some(keys()),
        "axons" => Some(list(vec![axon(3_405_803_783, 8091), axon(0, 0)])),
        "active" => Some(list(vec![Value::bool(true), Value::bool(false)])),
        "validator_permit" => Some(list(vec![Value::bool(true), Value::bool(false)])),
        "last_update" => Some(numbers([1_000_000, 3])),
        "incentives" => Some(numbers([0, 65535])),
        "dividends" => Some(numbers([65535, 0])),
        "total_stake" => Some(numbers([5_000_000_000_000, 1])),
        _ => None,
    };
    let value = blank(metadata.types(), inner, &named);
    let some = value.encode_as_type(inner, metadata.types()).expect("fits the type");
    Some([vec![1], some].concat())
}

pub(crate) struct Item<'a>(pub(crate) &'a str, pub(crate) Vec<Value>);

/// Stores values under the keys that the metadata of `spec` gives.
pub(crate) fn store(node: &FakeNode, spec: u32, items: Vec<(Item<'_>, Vec<u8>)>) {
    let client = offline(spec).expect("metadata");
    for (Item(name, keys), value) in items {
        let address = subxt::dynamic::storage::<Vec<Value>, Value>("SubtensorModule", name);
        let key = client.storage().entry(address).expect("an item").fetch_key(keys).expect("its keys");
        node.state().storage.insert(key, value);
    }
}

pub(crate) fn number(value: u16) -> Value {
    Value::u128(value.into())
}

/// A subnet 1 of two neurons, Alice (a validator) and Bob, in which weights may be set at once.
pub(crate) fn two_neurons(node: &FakeNode, spec: u32) {
    let account = |name: &str| Value::from_bytes(dev_key(name).hotkey().as_bytes());
    let one = || vec![number(1)];
    store(
        node,
        spec,
        vec![
            (Item("NetworksAdded", one()), true.encode()),
            (Item("SubnetworkN", one()), 2_u16.encode()),
            (Item("Uids", vec![number(1), account("Alice")]), 0_u16.encode()),
            (Item("Uids", vec![number(1), account("Bob")]), 1_u16.encode()),
            (Item("ValidatorPermit", one()), vec![true, false].encode()),
            (Item("LastUpdate", one()), vec![1_u64, 1].encode()),
            (Item("Tempo", one()), 99_u16.encode()),
            (Item("WeightsSetRateLimit", one()), 3_u64.encode()),
            (Item("ServingRateLimit", one()), 3_u64.encode()),
            (Item("MinAllowedWeights", one()), 1_u16.encode()),
            (Item("MaxWeightsLimit", one()), u16::MAX.encode()),
            (Item("CommitRevealWeightsEnabled", one()), false.encode()),
        ],
    );
}

/// The signer and the call of a signed extrinsic.
pub(crate) fn must_open(extrinsic: &[u8]) -> (Hotkey, Vec<u8>) {
    let input = &mut &extrinsic[..];
    let length = Compact::<u32>::decode(input).expect("a length").0;
    assert_eq!(usize::try_from(length), Ok(input.len()));
    let (head, rest) = input.split_at(1 + 1 + 32 + 1 + 64);
    assert_eq!((head[0], head[1], head[34]), (0x84, 0, 1), "signed, by an account, with sr25519");
    let account: [u8; 32] = head[2..34].try_into().expect("32 bytes");
    let rest = &mut &rest[2..];
    Compact::<u32>::decode(rest).expect("a nonce");
    Compact::<u64>::decode(rest).expect("a tip");
    (Hotkey::from_bytes(account), rest[1..].to_vec())
}

fn alice() -> Signer {
    dev_key("Alice")
}

#[tokio::test]
async fn the_metagraph_of_an_old_runtime_is_read_from_bytes_within_bytes() {
    let Some(rig) = rig(218).await else { return };
    let Some(path) = shared("fixtures/bittensor/chain/run218.json") else { return };
    let file = must_read_json(&path);
    captured(&rig.node, &file);
    let metagraph = rig.chain.metagraph(1).await.expect("a metagraph");
    assert_eq!(metagraph.neurons.len(), 3);
    for (uid, neuron) in metagraph.neurons.iter().enumerate() {
        assert_eq!(usize::from(neuron.uid.0), uid);
        assert!(neuron.validator_permit && neuron.active);
    }
    let miner = &metagraph.neurons[2];
    assert_eq!(
        format!("0x{}", hex::encode(miner.hotkey.as_bytes())),
        "0xfefd19b87ac6f83c8a3cc4e9603a00d4a9e6f8322a625786300380722550c47d"
    );
    let axon = miner.axon.expect("the miner serves");
    assert_eq!((axon.ip.to_string().as_str(), axon.port, axon.version), ("203.0.113.7", 8091, 10_005_000));
    let validator = metagraph.neurons[1].axon.expect("the validator serves");
    assert_eq!(validator.ip.to_string(), "2001:db8::1");
    assert_eq!(metagraph.neurons[0].axon, None);
    assert!(metagraph.neurons[0].stake > metagraph.neurons[1].stake, "uid 0 holds all stake");
}

/// Everything that was read from the live runtime.
fn captured(node: &FakeNode, file: &Json) {
    let mut state = node.state();
    for row in file["storage"].as_array().expect("values") {
        if let Some(value) = row["value_hex"].as_str() {
            state.storage.insert(bytes(must_text(row, "storage_key")), bytes(value));
        }
    }
    for (call, answer) in file["runtime_api_raw"].as_object().expect("answers") {
        state.apis.insert(call.clone(), bytes(answer.as_str().expect("hex")));
    }
}

#[tokio::test]
async fn rules_are_read_under_the_keys_of_the_live_runtime() {
    let Some(rig) = rig(218).await else { return };
    let Some(path) = shared("fixtures/bittensor/chain/run218.json") else { return };
    captured(&rig.node, &must_read_json(&path));
    let rules = rig.chain.hyperparameters(1).await.expect("rules");
    assert_eq!((rules.max_allowed_uids, rules.max_weight_limit), (256, u16::MAX));
    // Absent values are the runtime's defaults.
    assert_eq!((rules.immunity_period, rules.reveal_period_epochs, rules.activity_cutoff), (4096, 1, 5000));
    assert!(rules.commit_reveal);
    assert_eq!((rules.stake_threshold, rules.commit_reveal_version), (0, None));
    let validator: Hotkey = "5EHgWw2Af1pnoc7f1A8bfmM97W3DAYW8xr82RfhLL9oAabAe".parse().expect("an address");
    let standing = rig.chain.standing(validator, 1, 0).await.expect("a standing");
    assert_eq!((standing.uid, standing.neurons, standing.mechanisms), (Some(Uid(1)), 3, 1));
    assert!(standing.permit && standing.last_update > Block(0));
    let row = rig.chain.weights_of(validator, 1, 0).await.expect("weights");
    assert_eq!(row, Some(vec![(Uid(0), 65535), (Uid(2), 32768)]));
}

#[tokio::test]
async fn the_metagraph_of_a_current_runtime_is_one_typed_answer() {
    let Some(rig) = rig(381).await else { return };
    two_neurons(&rig.node, 381);
    let answer = metagraph_381().expect("metadata");
    rig.node.state().apis.insert("SubnetInfoRuntimeApi_get_metagraph(0100)".to_owned(), answer);
    let metagraph = rig.chain.metagraph(1).await.expect("a metagraph");
    let [first, second] = &metagraph.neurons[..] else { panic!("two neurons") };
    assert_eq!((first.uid, first.hotkey), (Uid(0), alice().hotkey()));
    assert_eq!(first.axon.expect("serving").ip.to_string(), "203.0.113.7");
    assert!(first.validator_permit && first.active && !second.validator_permit && !second.active);
    assert_eq!((first.stake, first.last_update, second.incentive), (5_000_000_000_000, Block(1_000_000), 65535));
    assert_eq!(second.axon, None);
}

#[tokio::test]
async fn a_subnet_that_does_not_exist_is_said_to_be_so() {
    for spec in [218, 381] {
        let Some(rig) = rig(spec).await else { return };
        assert!(rig.chain.metagraph(77).await.expect_err("no subnet").to_string().contains("no subnet 77"));
        assert!(rig.chain.hyperparameters(77).await.is_err());
    }
}

/// The captured bytes of calls, by function.
fn captured_call(spec: u32, function: &str, args: &[(&str, Json)]) -> Option<Vec<u8>> {
    let file = must_read_json(&shared(&format!("fixtures/bittensor/chain/scale_{spec}.json"))?);
    let same = |call: &&Json| {
        must_text(call, "function") == function && args.iter().all(|(name, value)| call["args"][name] == *value)
    };
    let call = file["calls"].as_array()?.iter().find(same).unwrap_or_else(|| panic!("no captured {function}"));
    Some(bytes(must_text(call, "call_hex")))
}

#[tokio::test]
async fn an_announcement_is_the_sdks_call() {
    for spec in [218, 381] {
        let Some(rig) = rig(spec).await else { return };
        two_neurons(&rig.node, spec);
        let axon = Announcement { netuid: 1, ip: [203, 0, 113, 7].into(), port: 8091, version: 10_005_000 };
        // Nothing is stored, so it is not there when it is read back.
        let error = rig.chain.announce(&alice(), &axon).await.expect_err("nothing stored").to_string();
        assert!(error.contains("the chain shows None"), "{error}");
        let (signer, call) = must_open(&rig.node.state().sent[0]);
        assert_eq!(signer, alice().hotkey());
        let expected = captured_call(spec, "serve_axon", &[("ip", 3_405_803_783_u64.into()), ("port", 8091.into())]);
        assert_eq!(Some(call), expected);
    }
}

#[tokio::test]
async fn what_the_chain_has_already_is_not_announced_again() {
    let Some(rig) = rig(381).await else { return };
    two_neurons(&rig.node, 381);
    let account = Value::from_bytes(alice().hotkey().as_bytes());
    let stored = (9_u64, 3_u32, 3_405_803_783_u128, 8091_u16, 4_u8, 4_u8, 0_u8, 0_u8).encode();
    store(&rig.node, 381, vec![(Item("Axons", vec![number(1), account]), stored)]);
    let axon = Announcement { netuid: 1, ip: [203, 0, 113, 7].into(), port: 8091, version: 3 };
    assert_eq!(rig.chain.announce(&alice(), &axon).await.expect("there"), Announced::Already);
    let other = Announcement { port: 8092, ..axon };
    let error = rig.chain.announce(&alice(), &other).await.expect_err("too soon");
    // Announced at block 9, limit 3, the head is 10: block 12 is the first that takes another.
    assert_eq!(error.blocks_to_wait(), Some(1), "{error}");
    assert!(rig.node.state().sent.is_empty(), "nothing was sent");
}

fn request(weights: Vec<(u16, f64)>) -> WeightsRequest {
    let weights = weights.into_iter().map(|(uid, weight)| (Uid(uid), weight)).collect();
    WeightsRequest { netuid: 1, mechanism: 0, weights, version_key: None, salt: vec![7; 8] }
}

#[tokio::test]
async fn plain_weights_are_the_sdks_call_and_are_read_back() {
    for spec in [218, 381] {
        let Some(rig) = rig(spec).await else { return };
        two_neurons(&rig.node, spec);
        let row = |value: Vec<(u16, u16)>| (Item("Weights", vec![number(1), number(0)]), value.encode());
        store(&rig.node, spec, vec![row(vec![(0, 65535), (1, 32768)])]);
        let plan = rig.chain.plan_weights(alice().hotkey(), &request(vec![(0, 1.0), (1, 0.5)])).await.expect("a plan");
        let outcome = rig.chain.set_weights(&alice(), &plan).await.expect("set");
        assert!(matches!(outcome, WeightsOutcome::Set(included) if included.block == Block(11)));
        let (_, call) = must_open(&rig.node.state().sent[0]);
        let ours = captured_call(spec, "set_weights", &[("dests", serde_json::json!([0, 2]))]).expect("captured");
        let ours: Vec<u8> = ours.iter().enumerate().map(|(i, byte)| if i == 7 { 1 } else { *byte }).collect();
        assert_eq!(call, ours, "the captured call, with uid 1 in the place of uid 2");
        // The chain shows something else now: that is no success.
        store(&rig.node, spec, vec![row(vec![(0, 65535)])]);
        rig.node.state().advance(10);
        let error = rig.chain.set_weights(&alice(), &plan).await.expect_err("other weights");
        assert!(error.to_string().contains("does not show these weights"), "{error}");
    }
}

#[tokio::test]
async fn a_commit_is_timelocked_where_the_runtime_can_and_the_subnet_wants_it() {
    let Some(rig) = rig(381).await else { return };
    two_neurons(&rig.node, 381);
    store(
        &rig.node,
        381,
        vec![
            (Item("CommitRevealWeightsEnabled", vec![number(1)]), true.encode()),
            (Item("CommitRevealWeightsVersion", vec![]), 4_u16.encode()),
            (Item("Tempo", vec![number(1)]), 360_u16.encode()),
        ],
    );
    let client = offline(381).expect("metadata");
    let address = subxt::dynamic::storage::<Vec<Value>, Value>("SubtensorModule", "TimelockedWeightCommits");
    let keys = vec![number(1), number(0)];
    let slot = client.storage().entry(address).expect("an item").fetch_key(keys).expect("its keys");
    rig.node.state().effect = Some(Box::new(move |extrinsic| {
        let (who, call) = must_open(extrinsic);
        let (commit, round) = must_split_timelocked(&call);
        vec![(slot.clone(), vec![(*who.as_bytes(), 11_u64, commit, round)].encode())]
    }));
    let plan = rig.chain.plan_weights(alice().hotkey(), &request(vec![(0, 1.0), (1, 0.5)])).await.expect("a plan");
    let outcome = rig.chain.set_weights(&alice(), &plan).await.expect("committed");
    let WeightsOutcome::Timelocked { round, reveal_from, .. } = outcome else { panic!("{outcome:?}") };
    // Block 10, tempo 360, subnet 1: the next epoch begins at 359; this runtime's blocks take 250 ms.
    assert_eq!(reveal_from, Block(359));
    assert_eq!(round, 34_000_000 + (359 + 3 - 10) / 4 / 3);
    let (_, call) = must_open(&rig.node.state().sent[0]);
    assert_eq!(call[..4], [7, 113, 1, 0], "commit_timelocked_weights of subnet 1");
    let (commit, sent_round) = must_split_timelocked(&call);
    assert_eq!(sent_round, round);
    assert!(timelock::open(&commit, &[0xc0; 48]).is_err(), "no signature but the round's opens it");
    // A scheme that is not known is not guessed at.
    store(&rig.node, 381, vec![(Item("CommitRevealWeightsVersion", vec![]), 5_u16.encode())]);
    let error = rig.chain.plan_weights(alice().hotkey(), &request(vec![(0, 1.0)])).await.expect_err("unknown");
    assert!(error.to_string().contains("IncorrectCommitRevealVersion"), "{error}");
}

fn must_split_timelocked(call: &[u8]) -> (Vec<u8>, u64) {
    let (commit, round, version) = <(Vec<u8>, u64, u16)>::decode(&mut &call[4..]).expect("the arguments");
    assert_eq!(version, 4);
    (commit, round)
}

#[tokio::test]
async fn a_commit_is_a_digest_where_the_runtime_knows_no_other() {
    let Some(rig) = rig(218).await else { return };
    two_neurons(&rig.node, 218);
    store(&rig.node, 218, vec![(Item("CommitRevealWeightsEnabled", vec![number(1)]), true.encode())]);
    let plan = rig.chain.plan_weights(alice().hotkey(), &request(vec![(0, 1.0), (1, 0.5)])).await.expect("a plan");
    let hash = plan.content.hash(&alice().hotkey());
    let account = Value::from_bytes(alice().hotkey().as_bytes());
    let commits = vec![(hash, 11_u64, 20_u64, 40_u64)];
    store(&rig.node, 218, vec![(Item("WeightCommits", vec![number(1), account]), commits.encode())]);
    let outcome = rig.chain.set_weights(&alice(), &plan).await.expect("committed");
    assert!(matches!(outcome, WeightsOutcome::Committed(_)));
    let (_, call) = must_open(&rig.node.state().sent[0]);
    assert_eq!(call, [&[7, 96, 1, 0][..], &hash].concat());
    let early = rig.chain.reveal(&alice(), &plan.content).await.expect_err("too early").to_string();
    assert_eq!(early, "RevealTooEarly: the reveal window opens in 8 blocks");
    rig.node.state().advance(40);
    let late = rig.chain.reveal(&alice(), &plan.content).await.expect_err("too late").to_string();
    assert!(late.starts_with("ExpiredWeightCommit"), "{late}");
    assert_eq!(rig.node.state().sent.len(), 1, "outside of the window nothing is sent");
}

#[tokio::test]
async fn a_transaction_is_signed_over_the_sdks_bytes() {
    for spec in [218, 381] {
        let Some(rig) = rig(spec).await else { return };
        two_neurons(&rig.node, spec);
        rig.node.state().nonce = 5;
        let plan = rig.chain.plan_weights(alice().hotkey(), &request(vec![(0, 1.0)])).await.expect("a plan");
        let _ = rig.chain.set_weights(&alice(), &plan).await;
        let sent = rig.node.state().sent[0].clone();
        let (_, call) = must_open(&sent);
        let signature: [u8; 64] =
            sent[sent.len() - call.len() - 5 - 64..sent.len() - call.len() - 5].try_into().expect("64");
        // Era of 128 blocks from block 10; nonce 5, tip 0, no metadata hash.
        let extra = [vec![0xa6, 0x00], vec![20], vec![0], vec![0]].concat();
        assert_eq!(sent[sent.len() - call.len() - 5..sent.len() - call.len()], extra[..]);
        let mut genesis = [0x45; 32];
        genesis[..4].fill(0);
        let mut born = genesis;
        born[3] = 10;
        let additional = [&spec.to_le_bytes()[..], &1_u32.to_le_bytes(), &genesis, &born, &[0]].concat();
        let message = [call, extra, additional].concat();
        assert!(message.len() <= 256, "short enough to be signed as it is");
        let scheme = aml_subnet::wallet::Scheme::Sr25519;
        assert!(aml_subnet::wallet::verify(scheme, &alice().hotkey(), &message, &signature));
    }
}

#[tokio::test]
async fn a_refusal_has_the_name_that_the_metadata_gives_its_number() {
    for (spec, index) in [(218, 30), (381, 28)] {
        let Some(rig) = rig(spec).await else { return };
        two_neurons(&rig.node, spec);
        rig.node.state().pool = crate::chain_node::Pool::Fail(index);
        let plan = rig.chain.plan_weights(alice().hotkey(), &request(vec![(0, 1.0)])).await.expect("a plan");
        let error = rig.chain.set_weights(&alice(), &plan).await.expect_err("refused");
        let aml_subnet::subtensor::SetWeightsError::Submit(SubmitError::Refused(refusal)) = &error else {
            panic!("{error}")
        };
        assert_eq!(refusal.name(), "SettingWeightsTooFast");
        assert_eq!(error.blocks_to_wait(), Some(1));
    }
}

#[test]
fn long_messages_are_signed_by_their_hash() {
    assert_eq!(hex::encode(blake2_256(b"")), "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
}
