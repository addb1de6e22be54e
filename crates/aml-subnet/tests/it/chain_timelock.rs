//! A timelocked commit is what the chain opens: the SDK's opens here, ours opens with drand's public signature.

use std::sync::OnceLock;
use std::time::Duration;

use aml_subnet::chain::reveal_round::{Moment, NoRound, Schedule, epoch_around, first_reveal_block, reveal_round};
use aml_subnet::chain::timelock::{OpenTimelockError, TimelockPayload, chain_form, open, seal};
use aml_subnet::chain::weights::ChainWeights;
use aml_subnet::wallet::Hotkey;
use parity_scale_codec::{Decode as _, Encode as _};
use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};
use serde_json::Value;

use crate::common::{must_read_json, must_text, shared};

fn bytes(value: &Value, field: &str) -> Vec<u8> {
    hex::decode(must_text(value, field).trim_start_matches("0x")).expect("hex")
}

fn payload() -> TimelockPayload {
    let hotkey = Hotkey::from_bytes([7; 32]);
    TimelockPayload::new(&hotkey, &ChainWeights { uids: vec![0, 2], values: vec![65535, 32768] }, 3)
}

#[test]
fn the_payload_is_encoded_as_the_sdk_does() {
    let Some(path) = shared("fixtures/bittensor/timelock.json") else { return };
    let file = must_read_json(&path);
    let expected = bytes(&file["payload"], "scale_hex");
    let payload = TimelockPayload::decode(&mut &expected[..]).expect("a payload");
    assert_eq!(payload.uids, [0, 2]);
    assert_eq!(payload.values, [65535, 32768]);
    assert_eq!(payload.encode(), expected);
}

#[test]
fn the_sdks_commit_opens_with_the_public_signature() {
    let Some(path) = shared("fixtures/bittensor/timelock.json") else { return };
    let file = must_read_json(&path);
    let signature = bytes(&file["quicknet"], "round_1000_signature");
    let opened = open(&bytes(&file["tle_round_1000"], "inner_tle_hex"), &signature).expect("opens");
    assert_eq!(opened.encode(), bytes(&file["tle_round_1000"], "plaintext_hex"));
}

#[test]
fn our_commit_opens_with_the_public_signature_and_no_other() {
    let Some(path) = shared("fixtures/bittensor/timelock.json") else { return };
    let file = must_read_json(&path);
    let signature = bytes(&file["quicknet"], "round_1000_signature");
    let commit = seal(&payload(), 1000).expect("sealed");
    assert_eq!(open(&commit, &signature).expect("opens"), payload());
    assert!(matches!(open(&seal(&payload(), 1001).expect("sealed"), &signature), Err(OpenTimelockError::Closed)));
    assert_ne!(commit, seal(&payload(), 1000).expect("sealed"), "each commit has a key of its own");
}

#[test]
fn the_layout_is_that_of_the_chain() {
    let Some(path) = shared("fixtures/bittensor/timelock.json") else { return };
    let file = must_read_json(&path);
    let raw = &file["rust_timelock_0_3_0"];
    assert_eq!(chain_form(&bytes(raw, "raw_hex")), Some(bytes(raw, "chain_form_hex")));
    for (uids, length) in file["inner_len_by_uids"].as_object().expect("a table") {
        let count: u16 = uids.parse().expect("a count");
        let weights = ChainWeights { uids: (0..count).collect(), values: vec![1; count.into()] };
        let sealed = seal(&TimelockPayload::new(&Hotkey::from_bytes([1; 32]), &weights, 0), 1000).expect("sealed");
        assert_eq!(sealed.len(), usize::try_from(length.as_u64().expect("a length")).expect("fits"), "{uids} uids");
    }
}

#[test]
fn a_vector_beyond_the_pallets_bound_is_not_sealed() {
    let weights = ChainWeights { uids: (0..1300).collect(), values: vec![1; 1300] };
    let payload = TimelockPayload::new(&Hotkey::from_bytes([1; 32]), &weights, 0);
    assert!(seal(&payload, 1000).is_err());
}

/// One commit for all the damage that is done to it.
fn sound() -> &'static [u8] {
    static SOUND: OnceLock<Vec<u8>> = OnceLock::new();
    SOUND.get_or_init(|| seal(&payload(), 1000).expect("sealed"))
}

#[test]
fn a_stateful_epoch_is_named_by_its_first_block() {
    let schedule = Schedule::Stateful { last_epoch_block: 100, pending_epoch_at: 0, blocks_since_last_step: 20 };
    let moment = Moment { block: 120, tempo: 50, reveal_period: 1, schedule };
    assert_eq!(epoch_around(&moment), (100, 150));
    let pending = Schedule::Stateful { last_epoch_block: 100, pending_epoch_at: 130, blocks_since_last_step: 20 };
    assert_eq!(epoch_around(&Moment { schedule: pending, ..moment }), (100, 130));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_bytes_make_opening_panic(noise in proptest::collection::vec(any::<u8>(), 0..600), signature in any::<[u8; 48]>()) {
        prop_assert!(open(&noise, &signature).is_err());
    }

    #[test]
    fn no_damage_makes_opening_panic(at in 0_usize..320, value in any::<u8>()) {
        let mut commit = sound().to_vec();
        let at = at % commit.len();
        commit[at] ^= value;
        // Not the signature of the round: whatever comes, it is an error.
        prop_assert!(open(&commit, &[0x80; 48]).is_err());
    }

    #[test]
    fn every_block_is_in_the_epoch_around_it(block in 0_u64..10_000_000, tempo in 0_u16..2000, netuid in 0_u16..200) {
        let moment = Moment { block, tempo, reveal_period: 1, schedule: Schedule::Modulo { netuid } };
        let (first, next) = epoch_around(&moment);
        prop_assert!(first <= block && block < next);
        let at = |block| epoch_around(&Moment { block, ..moment });
        prop_assert_eq!(at(next).0, next);
        prop_assert_eq!(at(next - 1), (first, next));
        prop_assert!(first == 0 || next - first == u64::from(tempo) + 1);
    }
}

fn number(value: &Value, field: &str) -> u64 {
    value[field].as_u64().unwrap_or_else(|| panic!("no number `{field}` in {value}"))
}

/// The SDK read the clock somewhere between the two times noted.
fn agrees(case: &Value, moment: &Moment) {
    let first = first_reveal_block(moment).expect("a block");
    assert_eq!(first, number(case, "first_reveal_block"), "{case}");
    let block_time = Duration::from_secs_f64(case["block_time"].as_f64().expect("a time"));
    let at = |field: &str| {
        let now = Duration::from_secs_f64(case[field].as_f64().expect("a time"));
        reveal_round(now, moment.block, first, block_time)
    };
    let expected = number(case, "reveal_round");
    assert!(at("unix_before") <= expected && expected <= at("unix_after"), "{case}");
}

fn moment(case: &Value, schedule: Schedule) -> Moment {
    Moment {
        block: number(case, "current_block"),
        tempo: u16::try_from(number(case, "tempo")).expect("u16"),
        reveal_period: number(case, "reveal_period_epochs"),
        schedule,
    }
}

#[test]
fn rounds_of_modulo_epochs_are_the_sdks() {
    let Some(path) = shared("fixtures/bittensor/timelock.json") else { return };
    let file = must_read_json(&path);
    let cases = file["reveal_round_v1"]["cases"].as_array().expect("cases");
    assert!(!cases.is_empty());
    for case in cases {
        let netuid = u16::try_from(number(case, "netuid")).expect("u16");
        agrees(case, &moment(case, Schedule::Modulo { netuid }));
    }
}

#[test]
fn rounds_of_stateful_epochs_are_the_sdks() {
    let Some(path) = shared("fixtures/bittensor/timelock.json") else { return };
    let file = must_read_json(&path);
    let cases = file["reveal_round_v2"]["cases"].as_array().expect("cases");
    assert!(!cases.is_empty());
    for case in cases {
        let schedule = Schedule::Stateful {
            last_epoch_block: number(case, "last_epoch_block"),
            pending_epoch_at: number(case, "pending_epoch_at"),
            blocks_since_last_step: number(case, "blocks_since_last_step"),
        };
        agrees(case, &moment(case, schedule));
    }
}

#[test]
fn a_subnet_without_epochs_has_no_round() {
    let schedule = Schedule::Stateful { last_epoch_block: 1, pending_epoch_at: 0, blocks_since_last_step: 0 };
    let still = Moment { block: 5, tempo: 0, reveal_period: 1, schedule };
    assert_eq!(first_reveal_block(&still), Err(NoRound::NoEpochs));
    let absurd = Moment { block: 5, tempo: 10, reveal_period: u64::MAX, schedule };
    assert_eq!(first_reveal_block(&absurd), Err(NoRound::Period(u64::MAX)));
}

#[test]
fn a_round_is_at_least_one() {
    assert_eq!(reveal_round(Duration::ZERO, 10, 20, Duration::from_secs(12)), 1);
    assert_eq!(reveal_round(Duration::ZERO, u64::MAX, 0, Duration::MAX), 1);
}
