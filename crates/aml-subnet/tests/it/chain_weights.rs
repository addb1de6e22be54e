//! Weights become the numbers that the current SDK would send, and never ones that the chain would refuse.

use aml_subnet::chain::commit::{PendingReveal, fresh_salt, storage_index};
use aml_subnet::chain::types::Uid;
use aml_subnet::chain::weights::{
    ChainWeights, ConformError, FULL, WeightRules, clip_to_max_weight, conform, quantise,
};
use aml_subnet::entropy::MachineEntropy;
use aml_subnet::wallet::Hotkey;
use proptest::prelude::{Strategy as _, any, prop_assert, prop_assert_eq, proptest};
use serde_json::Value;

use crate::common::{dev_key, must_read_json, must_text, shared};

fn rules(min_allowed: u16, max_limit: u16) -> WeightRules {
    WeightRules { min_allowed, max_limit, own_uid: Some(Uid(9)) }
}

fn weights(row: &Value) -> Option<Vec<(Uid, f64)>> {
    let number = |value: &Value| match value.as_str() {
        Some(text) => text.parse().expect("nan or inf"),
        None => value.as_f64().expect("a number"),
    };
    let uids: Vec<u16> =
        row["uids"].as_array()?.iter().map(|uid| uid.as_i64()?.try_into().ok()).collect::<Option<_>>()?;
    let values: Vec<f64> = row["weights"].as_array()?.iter().map(number).collect();
    (uids.len() == values.len()).then(|| uids.into_iter().map(Uid).zip(values).collect())
}

fn numbers(value: &Value) -> Vec<u16> {
    value.as_array().expect("a list").iter().map(|n| n.as_u64().expect("a number").try_into().expect("u16")).collect()
}

fn expected(result: &Value) -> ChainWeights {
    ChainWeights { uids: numbers(&result["uids"]), values: numbers(&result["values"]) }
}

#[test]
fn numbers_are_those_of_the_current_sdk() {
    let Some(path) = shared("fixtures/bittensor/weights.json") else { return };
    let file = must_read_json(&path);
    let rows = file["quantize"].as_array().expect("rows");
    let mut compared = 0;
    for row in rows {
        let name = must_text(row, "name");
        // Lengths that differ and uids beyond 16 bits cannot even be written down here.
        let Some(weights) = weights(row) else { continue };
        compared += 1;
        match (quantise(&weights), row["sdk11"].get("error")) {
            (Ok(ours), None) => assert_eq!(ours, expected(&row["sdk11"]), "{name}"),
            (Err(_), Some(_)) => {}
            (ours, theirs) => panic!("{name}: {ours:?}, the SDK has {theirs:?}"),
        }
    }
    assert!(compared >= 60, "only {compared} rows compared");
}

#[test]
fn clipping_is_that_of_the_current_sdk() {
    let Some(path) = shared("fixtures/bittensor/weights.json") else { return };
    for row in must_read_json(&path)["sdk11_clip"].as_array().expect("rows") {
        let name = must_text(row, "name");
        let sound = |weight: &Value| weight.as_f64().is_some_and(|weight| weight >= 0.0);
        // What is no weight never gets as far as clipping; some rows are refused for their uids.
        if !row["values"].is_array() || !row["weights"].as_array().expect("a list").iter().all(sound) {
            continue;
        }
        let list = |field: &str| -> Vec<f64> {
            row[field].as_array().expect("a list").iter().map(|n| n.as_f64().expect("a number")).collect()
        };
        let limit = row["limit"].as_f64().expect("a limit");
        let clipped = clip_to_max_weight(&list("weights"), limit);
        let theirs = list("clipped");
        assert_eq!(clipped.len(), theirs.len(), "{name}");
        for (ours, theirs) in clipped.iter().zip(theirs) {
            assert!((ours - theirs).abs() <= 1e-12, "{name} at {limit}: {ours} instead of {theirs}");
        }
        let pairs: Vec<(Uid, f64)> = (0..).map(Uid).zip(clipped).collect();
        assert_eq!(quantise(&pairs).expect("finite").values, numbers(&row["values"]), "{name} at {limit}");
    }
}

#[test]
fn a_whole_vector_conforms_as_in_the_current_sdk() {
    let Some(path) = shared("fixtures/bittensor/weights.json") else { return };
    for row in must_read_json(&path)["sdk11_conform"].as_array().expect("rows") {
        let name = must_text(row, "name");
        let number = |field: &str| u16::try_from(row[field].as_u64().expect("a number")).expect("u16");
        let rules = WeightRules {
            min_allowed: number("min_allowed_weights"),
            max_limit: number("max_weight_limit_u16"),
            own_uid: Some(Uid(number("own_uid"))),
        };
        let ours = conform(&weights(row).expect("a well-formed row"), &rules);
        match (ours, row["result"].get("error")) {
            (Ok(ours), None) => assert_eq!(ours, expected(&row["result"]), "{name}"),
            (Err(_), Some(_)) => {}
            (ours, theirs) => panic!("{name}: {ours:?}, the SDK has {theirs:?}"),
        }
    }
}

#[test]
fn what_is_no_number_is_dropped_and_what_is_negative_refused() {
    let with = |weight| conform(&[(Uid(1), weight), (Uid(2), 1.0)], &rules(1, FULL));
    let only_two = ChainWeights { uids: vec![2], values: vec![FULL] };
    for dropped in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0] {
        assert_eq!(with(dropped), Ok(only_two.clone()), "{dropped}");
    }
    assert_eq!(with(-1e-9), Err(ConformError::Negative(1)));
    assert_eq!(conform(&[(Uid(3), 1.0), (Uid(3), 1.0)], &rules(1, FULL)), Err(ConformError::Duplicate(3)));
    assert_eq!(conform(&[(Uid(3), f64::NAN)], &rules(1, FULL)), Err(ConformError::AllZero));
}

#[test]
fn a_limit_that_cannot_be_kept_is_said_and_not_tried() {
    let two = [(Uid(1), 1.0), (Uid(2), 1.0)];
    assert_eq!(conform(&two, &rules(1, 6553)), Err(ConformError::LimitUnreachable { limit: 6553, positive: 2 }));
    assert_eq!(conform(&two, &rules(3, 6553)), Err(ConformError::TooFew { required: 3, positive: 2 }));
    // A single weight on oneself is exempt from both rules.
    let own = conform(&[(Uid(9), 0.2)], &rules(3, 6553));
    assert_eq!(own, Ok(ChainWeights { uids: vec![9], values: vec![FULL] }));
}

#[test]
fn a_commit_is_the_digest_that_the_runtime_accepted() {
    let Some(path) = shared("fixtures/bittensor/weights.json") else { return };
    let file = must_read_json(&path);
    let rows = file["sdk10_commit_hash_v2"].as_array().expect("rows");
    assert!(!rows.is_empty());
    for row in rows {
        let args = &row["args"];
        let index = u16::try_from(args["netuid"].as_u64().expect("a netuid")).expect("u16");
        let pending = PendingReveal {
            netuid: index % 4096,
            mechanism: u8::try_from(index / 4096).expect("a mechanism"),
            weights: expected(args),
            salt: numbers(&args["salt"]),
            version_key: args["version_key"].as_u64().expect("a version"),
        };
        let hotkey: Hotkey = must_text(args, "address").parse().expect("an address");
        assert_eq!(format!("0x{}", hex::encode(pending.hash(&hotkey))), must_text(row, "commit_hash"));
    }
}

#[test]
fn two_commits_of_the_same_weights_differ() {
    let fresh = || fresh_salt(&MachineEntropy).expect("randomness");
    let hash = |salt| {
        let weights = ChainWeights { uids: vec![1], values: vec![FULL] };
        PendingReveal { netuid: 1, mechanism: 0, weights, salt, version_key: 0 }.hash(&dev_key("Alice").hotkey())
    };
    assert_ne!(hash(fresh()), hash(fresh()));
    assert_eq!(fresh().len(), 8);
    assert_eq!(storage_index(52, 0), 52);
    assert_eq!(storage_index(1, 1), 4097);
}

fn vectors() -> impl proptest::strategy::Strategy<Value = Vec<(Uid, f64)>> {
    let weight = proptest::prop_oneof![4 => 0.0_f64..1.0, 1 => 0.0_f64..1e-6, 1 => any::<f64>().prop_map(f64::abs)];
    proptest::collection::btree_map(0_u16..300, weight, 0..64)
        .prop_map(|map| map.into_iter().map(|(uid, weight)| (Uid(uid), weight)).collect())
}

/// The chain's own rule: max / sum <= limit / 65535.
fn is_within(values: &[u16], limit: u16) -> bool {
    let sum: u64 = values.iter().copied().map(u64::from).sum();
    u64::from(FULL) * u64::from(FULL) <= u64::from(limit) * sum || limit == FULL
}

#[test]
fn weights_that_are_far_apart_never_exceed_the_limit() {
    let far = [(Uid(0), 8.6e274), (Uid(1), 2.6e281), (Uid(2), 0.389)];
    let rules = WeightRules { min_allowed: 0, max_limit: 28421, own_uid: None };
    match conform(&far, &rules) {
        Ok(ChainWeights { values, .. }) => assert!(is_within(&values, 28421), "{values:?}"),
        Err(error) => assert!(matches!(error, ConformError::LimitUnreachable { limit: 28421, .. }), "{error}"),
    }
}

proptest! {
    #[test]
    fn whatever_conforms_is_taken_by_the_chain(vector in vectors(), min in 0_u16..8, limit in 300_u16..=FULL) {
        let rules = WeightRules { min_allowed: min, max_limit: limit, own_uid: None };
        if let Ok(ChainWeights { uids, values }) = conform(&vector, &rules) {
            prop_assert_eq!(uids.len(), values.len());
            prop_assert!(values.len() >= usize::from(min));
            let zeros = values.iter().filter(|value| **value == 0).count();
            prop_assert!(zeros == 0 || values.len() == usize::from(min), "zeros only fill up");
            prop_assert_eq!(values.iter().max(), Some(&FULL));
            prop_assert!(is_within(&values, limit));
            let given: Vec<u16> = vector.iter().map(|(uid, _)| uid.0).collect();
            prop_assert!(uids.iter().all(|uid| given.contains(uid)));
        }
    }

    #[test]
    fn scale_does_not_matter(vector in vectors(), exponent in -20_i32..20) {
        let scaled: Vec<(Uid, f64)> = vector.iter().map(|(uid, w)| (*uid, w * 2_f64.powi(exponent))).collect();
        let usual = vector.iter().all(|(_, w)| *w == 0.0 || (1e-200..1e200).contains(w));
        if usual {
            prop_assert_eq!(quantise(&vector), quantise(&scaled));
        }
    }
}
