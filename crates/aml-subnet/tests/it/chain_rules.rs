//! Endpoints, routes, refusals and foreseen refusals: the pure rules around the chain.

use std::time::Duration;

use aml_subnet::chain::endpoints::{Endpoint, EndpointError, Endpoints};
use aml_subnet::chain::refusal::ChainRefusal;
use aml_subnet::chain::route::{Abilities, NoRoute, Route};
use aml_subnet::chain::standing::{Preflight, WeightsStanding, version_key};
use aml_subnet::chain::types::{Block, Hyperparameters, Uid};
use aml_subnet::chain::weights::ChainWeights;
use aml_subnet::subtensor::{PoolError, Progress, Silence};
use serde_json::json;

fn urls(endpoints: &Endpoints) -> Vec<&str> {
    endpoints.list().iter().map(Endpoint::expose).collect()
}

#[test]
fn an_endpoint_wins_over_the_name_of_a_network() {
    let given = Endpoints::resolve("finney", Some("ws://10.0.0.1:9944, wss://node.example")).expect("two URLs");
    assert_eq!(urls(&given), ["ws://10.0.0.1:9944", "wss://node.example"]);
    assert_eq!(given.genesis(), None);
    let named = Endpoints::resolve("finney", Some(" ")).expect("a network");
    assert!(named.list().len() > 1 && named.genesis().is_some());
    assert_eq!(urls(&Endpoints::resolve("local", None).expect("a network")), ["ws://127.0.0.1:9944"]);
}

#[test]
fn what_names_no_endpoint_is_refused_with_a_reason() {
    let error = |text: &str| Endpoints::resolve(text, None).expect_err("no endpoint").to_string();
    assert!(error("fynney").contains("neither a network"));
    assert!(error("http://node.example").contains("ws or wss"));
    assert!(error("ws://me:secret@node.example").contains("credentials"));
    assert_eq!(Endpoints::resolve(",", None), Err(EndpointError::None));
    let many = vec!["ws://a.example"; 20].join(",");
    assert_eq!(urls(&Endpoints::resolve(&many, None).expect("one and the same")), ["ws://a.example"]);
    let many: Vec<String> = (0..20).map(|i| format!("ws://{i}.example")).collect();
    assert_eq!(Endpoints::resolve(&many.join(","), None), Err(EndpointError::TooMany(20)));
}

#[test]
fn where_another_network_is_named_the_main_one_is_refused_whatever_the_url() {
    let finney = Endpoints::resolve("finney", None).expect("a network");
    let main = finney.genesis().expect("it is known");
    assert!(!finney.is_wrong(main));
    for name in ["test", "local", "devnet"] {
        let given = Endpoints::resolve(name, Some("wss://entrypoint.example")).expect("a URL");
        assert!(given.is_wrong(main) && !given.is_wrong([7; 32]), "{name}");
    }
}

#[test]
fn weights_carry_the_version_of_their_rules_unless_the_subnet_counts_otherwise() {
    // What is set; the rules' version; the subnet's key; what they carry.
    for (set, rules, key, carried) in [
        (None, 2, 1, 2),
        (None, 1, 3, 1),
        (None, 2, 0, 0),
        (None, 2, 999_999, 2),
        (None, 2, 1_000_000, 1_000_000),
        (None, 2, 1_002_003, 1_002_003),
        (Some(9), 2, 1_002_003, 9),
    ] {
        assert_eq!(version_key(set, rules, key), carried, "{set:?} {rules} {key}");
    }
    // A subnet that demands newer rules is told apart from one that counts otherwise.
    let mut standing = standing();
    standing.rules.weights_version = 3;
    let weights = ChainWeights { uids: vec![0], values: vec![65535] };
    let refused = standing.check(0, &weights, version_key(None, 2, 3)).expect_err("older than demanded").to_string();
    assert!(refused.contains("update this software"), "{refused}");
}

#[test]
fn plain_text_to_another_machine_is_told_apart() {
    let exposed = |url: &str| url.parse::<Endpoint>().expect("a URL").is_exposed();
    assert!(exposed("ws://10.0.0.1:9944"));
    assert!(!exposed("ws://127.0.0.1:9944") && !exposed("ws://[::1]:9944") && !exposed("ws://localhost:1"));
    assert!(!exposed("wss://node.example"));
}

const OLD: Abilities = Abilities {
    set: true,
    set_mechanism: false,
    commit: true,
    commit_mechanism: false,
    timelocked: false,
    timelocked_mechanism: false,
};
const NEW: Abilities = Abilities {
    set: true,
    set_mechanism: true,
    commit: true,
    commit_mechanism: true,
    timelocked: true,
    timelocked_mechanism: true,
};

#[test]
fn the_route_follows_the_subnets_setting_and_what_the_runtime_has() {
    assert_eq!(OLD.route(false, None, 0), Ok(Route::Plain));
    assert_eq!(OLD.route(true, None, 0), Ok(Route::HashCommit));
    assert_eq!(OLD.route(false, None, 1), Err(NoRoute::Mechanism(1)));
    assert_eq!(OLD.route(true, None, 1), Err(NoRoute::Mechanism(1)));
    assert_eq!(NEW.route(false, Some(4), 3), Ok(Route::Plain));
    assert_eq!(NEW.route(true, Some(4), 0), Ok(Route::Timelocked { version: 4 }));
    assert_eq!(NEW.route(true, Some(4), 1), Ok(Route::Timelocked { version: 4 }));
    let newest = Abilities { set: false, commit: false, timelocked: false, ..NEW };
    assert_eq!(newest.route(false, Some(4), 0), Ok(Route::Plain));
}

#[test]
fn an_unknown_commit_scheme_is_an_error_and_not_a_wrong_submission() {
    assert_eq!(NEW.route(true, Some(5), 0), Err(NoRoute::Version(5)));
    assert_eq!(Abilities::default().route(true, None, 0), Err(NoRoute::Commit));
    assert_eq!(Abilities::default().route(false, None, 0), Err(NoRoute::Mechanism(0)));
}

fn standing() -> WeightsStanding {
    WeightsStanding {
        block: Block(1000),
        uid: Some(Uid(3)),
        neurons: 5,
        mechanisms: 1,
        last_update: Block(800),
        permit: true,
        is_owner: false,
        stake: 50,
        rules: Hyperparameters {
            tempo: 99,
            weights_version: 7,
            weights_rate_limit: 100,
            serving_rate_limit: 50,
            min_allowed_weights: 1,
            max_weight_limit: u16::MAX,
            max_allowed_uids: Some(256),
            immunity_period: Some(10),
            activity_cutoff: Some(5000),
            commit_reveal: false,
            reveal_period_epochs: 1,
            registration_price: None,
            stake_threshold: 50,
            commit_reveal_version: None,
        },
    }
}

fn check(standing: &WeightsStanding, uids: &[u16]) -> Result<(), Preflight> {
    standing.check(0, &ChainWeights { uids: uids.to_vec(), values: vec![65535; uids.len()] }, 7)
}

#[test]
fn a_refusal_is_foreseen_under_the_chains_name() {
    assert_eq!(check(&standing(), &[0, 4]), Ok(()));
    let refused = |change: fn(&mut WeightsStanding), uids: &[u16]| {
        let mut standing = standing();
        change(&mut standing);
        check(&standing, uids).expect_err("refused").refusal()
    };
    assert_eq!(refused(|s| s.uid = None, &[0]), ChainRefusal::HotKeyNotRegisteredInSubNet);
    assert_eq!(refused(|s| s.stake = 49, &[0]), ChainRefusal::NotEnoughStakeToSetWeights);
    assert_eq!(refused(|s| s.rules.weights_version = 8, &[0]), ChainRefusal::IncorrectWeightVersionKey);
    assert_eq!(refused(|s| s.last_update = Block(902), &[0]), ChainRefusal::SettingWeightsTooFast);
    assert_eq!(refused(|s| s.permit = false, &[0]), ChainRefusal::NeuronNoValidatorPermit);
    assert_eq!(refused(|_| (), &[0, 5]), ChainRefusal::UidVecContainInvalidOne);
    assert_eq!(refused(|s| s.mechanisms = 0, &[0]), ChainRefusal::MechanismDoesNotExist);
    let commits = |s: &mut WeightsStanding| (s.rules.commit_reveal, s.last_update) = (true, Block(999));
    assert_eq!(refused(commits, &[0]), ChainRefusal::CommittingWeightsTooFast);
}

#[test]
fn a_weight_on_oneself_needs_no_permit() {
    let plain = WeightsStanding { permit: false, ..standing() };
    assert_eq!(check(&plain, &[3]), Ok(()));
    assert!(check(&plain, &[3, 4]).is_err());
    assert_eq!(check(&WeightsStanding { is_owner: true, ..plain }, &[0]), Ok(()));
}

#[test]
fn the_wait_ends_with_the_block_in_which_the_chain_takes_weights_again() {
    let wait = |last: u64, now: u64| {
        let standing = WeightsStanding { last_update: Block(last), block: Block(now), ..standing() };
        standing.blocks_to_wait()
    };
    assert_eq!(wait(100, 100), 99);
    assert_eq!(wait(100, 198), 1);
    // They land in block 200, and 200 - 100 >= 100.
    assert_eq!(wait(100, 199), 0);
    assert_eq!(wait(0, 1), 0, "who never set any is free");
}

#[test]
fn refusals_have_names_and_not_numbers() {
    let name = |name: &str| ChainRefusal::from_name("SubtensorModule", name);
    assert_eq!(name("SettingWeightsTooFast"), ChainRefusal::SettingWeightsTooFast);
    assert!(name("SettingWeightsTooFast").is_too_soon());
    assert_eq!(name("SomethingNew"), ChainRefusal::Other("SubtensorModule::SomethingNew".to_owned()));
    let elsewhere = ChainRefusal::from_name("OtherPallet", "SettingWeightsTooFast");
    assert_eq!(elsewhere, ChainRefusal::Other("OtherPallet::SettingWeightsTooFast".to_owned()));
}

#[test]
fn pool_errors_are_told_apart_whatever_node_says_them() {
    let of_node = |code, data| PoolError::from_rpc(code, "Invalid Transaction", Some(data));
    assert_eq!(of_node(1010, "Transaction is outdated"), PoolError::Stale);
    assert_eq!(of_node(1010, "Transaction will be valid in the future"), PoolError::Future);
    assert_eq!(of_node(1010, "Transaction has a bad signature"), PoolError::BadProof);
    assert_eq!(of_node(1010, "Transaction has an ancient birth block"), PoolError::AncientBirthBlock);
    assert_eq!(of_node(1010, "Custom error: 6"), PoolError::Custom(6));
    assert_eq!(of_node(1012, ""), PoolError::Banned);
    assert_eq!(of_node(1013, ""), PoolError::AlreadyImported);
    assert_eq!(PoolError::from_rpc(1014, "Priority is too low: (1 vs 1)", None), PoolError::LowPriority);
    assert_eq!(of_node(1016, ""), PoolError::ImmediatelyDropped);
    let of_chopsticks = |message| PoolError::from_rpc(1, message, None);
    assert_eq!(of_chopsticks(r#"1011: {"invalid":{"custom":3}}"#), PoolError::Custom(3));
    assert_eq!(of_chopsticks(r#"{"invalid":{"stale":null}}"#), PoolError::Stale);
    assert_eq!(of_chopsticks(r#"{"invalid":{"badProof":null}}"#), PoolError::BadProof);
    assert!(matches!(PoolError::from_rpc(-32000, "boom", None), PoolError::Other(text) if text.contains("boom")));
}

#[test]
fn a_watched_transaction_is_finished_only_when_it_is_final_or_gone() {
    let progress = |status| Progress::from_status(&status);
    assert_eq!(progress(json!("ready")), Progress::Waiting);
    assert_eq!(progress(json!({"broadcast": ["a"]})), Progress::Waiting);
    assert_eq!(progress(json!({"inBlock": "0x01"})), Progress::InBlock("0x01".to_owned()));
    assert_eq!(progress(json!({"retracted": "0x01"})), Progress::Retracted);
    assert_eq!(progress(json!({"finalized": "0x01"})), Progress::Finalised("0x01".to_owned()));
    assert_eq!(progress(json!({"usurped": "0x01"})), Progress::Gone(PoolError::Usurped));
    assert_eq!(progress(json!("dropped")), Progress::Gone(PoolError::Dropped));
    assert_eq!(progress(json!("invalid")), Progress::Gone(PoolError::Invalid));
    assert_eq!(progress(json!({"invalid": {"custom": 6}})), Progress::Gone(PoolError::Custom(6)));
    assert_eq!(progress(json!({"finalityTimeout": "0x01"})), Progress::Unwatched);
    for noise in [json!(null), json!(7), json!({}), json!([])] {
        assert_eq!(Progress::from_status(&noise), Progress::Waiting, "{noise}");
    }
}

#[test]
fn silence_is_broken_by_a_new_block_and_by_nothing_else() {
    let at = Duration::from_secs;
    let mut silence = Silence::new(at(0), at(60));
    assert_eq!(silence.look(at(10), Ok(Block(7))), Ok(()));
    assert_eq!(silence.look(at(60), Ok(Block(7))), Ok(()));
    assert_eq!(silence.look(at(65), Err("no answer".to_owned())), Ok(()));
    let stalled = silence.look(at(70), Ok(Block(7))).expect_err("a minute without a block");
    assert_eq!((stalled.block, stalled.silence), (Some(Block(7)), at(60)));
    assert_eq!(silence.look(at(71), Ok(Block(8))), Ok(()), "a late block ends it");
    let mut never = Silence::new(at(0), at(60));
    assert!(never.look(at(60), Err("refused".to_owned())).expect_err("nothing at all").to_string().contains("refused"));
}
