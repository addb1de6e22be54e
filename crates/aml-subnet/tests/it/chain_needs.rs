//! What we cannot do without on a chain, and what happens when it goes: each item, call and runtime API is taken out of
//! the runtime in turn. The list stands in `docs/chain.md` too, and a test holds the two together.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::Duration;

use aml_subnet::chain::announce::{Announced, Announcement};
use aml_subnet::chain::outcome::WeightsOutcome;
use aml_subnet::chain::plan::WeightsRequest;
use aml_subnet::chain::types::Uid;
use aml_subnet::localnet::{Config, Generation, Localnet, SubnetRules};
use aml_subnet::subtensor::runtime::check;
use aml_subnet::subtensor::{SetWeightsError, Subtensor};

use crate::chain_encoding::{chain_with, quick};
use crate::chain_runtime::{answered, must_tell};
use crate::common::dev_key;

const NETUID: u16 = 1;

/// What is read and called, and whether weights can be set without it.
const USED: [(&str, bool); 30] = [
    // Without these nothing is sent, and the error names them.
    ("Tempo", false),
    ("Uids", false),
    ("LastUpdate", false),
    ("Weights", false),
    ("set_weights", true), // set_mechanism_weights does the same
    // Without these something is not foreseen or not shown, and weights are set all the same.
    ("NetworksAdded", true),
    ("SubnetworkN", true),
    ("ValidatorPermit", true),
    ("WeightsVersionKey", true),
    ("WeightsSetRateLimit", true),
    ("ServingRateLimit", true),
    ("MinAllowedWeights", true),
    ("MaxWeightsLimit", true),
    ("MaxAllowedUids", true),
    ("ImmunityPeriod", true),
    ("ActivityCutoff", true),
    ("ActivityCutoffFactorMilli", true),
    ("CommitRevealWeightsEnabled", true),
    ("RevealPeriodEpochs", true),
    ("Burn", true),
    ("StakeThreshold", true),
    ("CommitRevealWeightsVersion", true),
    ("SubnetOwnerHotkey", true),
    ("MechanismCountCurrent", true),
    ("BlocksSinceLastStep", true),
    ("BlockAtRegistration", true),
    ("WeightCommits", true),
    ("get_metagraph", true),
    ("get_neurons_lite", true),
    ("get_subnet_state", true),
];

async fn without(names: &[&str]) -> (Localnet, Subtensor) {
    of(Generation::G381, names).await
}

async fn of(generation: Generation, names: &[&str]) -> (Localnet, Subtensor) {
    let rules = SubnetRules { weights_rate_limit: 0, serving_rate_limit: 0, ..SubnetRules::default() };
    let config = Config {
        generation,
        netuid: NETUID,
        rules,
        block_time: Some(Duration::from_millis(50)),
        without: names.iter().map(|name| (*name).to_owned()).collect(),
        ..Config::default()
    };
    let localnet = Localnet::start(config).await.expect("it starts");
    let alice = dev_key("Alice").hotkey();
    localnet.register(NETUID, alice, alice).expect("a place");
    localnet.stake(NETUID, alice, 1_000_000_000_000).expect("stake");
    localnet.run_epoch(NETUID).expect("an epoch");
    let chain = chain_with(&[localnet.ws_url()], quick());
    (localnet, chain)
}

async fn set(chain: &Subtensor) -> Result<WeightsOutcome, SetWeightsError> {
    let request =
        WeightsRequest { netuid: NETUID, mechanism: 0, weights: vec![(Uid(0), 1.0)], version_key: None, salt: vec![7] };
    let alice = dev_key("Alice");
    let plan = chain.plan_weights(alice.hotkey(), &request).await?;
    chain.set_weights(&alice, &plan).await
}

#[tokio::test]
async fn what_goes_is_done_without_or_named_before_anything_is_sent() {
    for (name, works) in USED {
        let (localnet, chain) = without(&[name]).await;
        let foreseen = check(&answered(&localnet, 15).await).expect("metadata");
        assert_eq!(
            must_tell(&foreseen, "weights in the clear").0,
            Some(works),
            "{name} is judged otherwise beforehand"
        );
        match set(&chain).await {
            Ok(WeightsOutcome::Set(_)) => assert!(works, "{name} is said to be needed"),
            Ok(other) => panic!("{name}: {other:?}"),
            Err(error) => {
                assert!(!works, "{name} is said not to be needed: {error}");
                assert!(error.to_string().contains(name), "{name}: {error}");
                let row = localnet.height();
                assert!(row.0 > 0, "and nothing was sent");
            }
        }
        // Rounds need the neurons, whatever goes of the rest.
        if !["Tempo", "Uids"].contains(&name) {
            let metagraph = chain.metagraph(NETUID).await.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(metagraph.by_hotkey(&dev_key("Alice").hotkey()).is_some(), "{name}");
        }
    }
}

#[tokio::test]
async fn of_what_can_stand_in_for_one_another_the_last_is_missed() {
    let ways: [(&[&str], &str); 2] = [
        (&["set_weights", "set_mechanism_weights"], "no call to set weights"),
        (&["get_metagraph", "get_neurons_lite", "SubnetworkN"], "SubnetworkN"),
    ];
    for (names, said) in ways {
        let (_localnet, chain) = without(names).await;
        let error = match set(&chain).await {
            Err(error) => error.to_string(),
            Ok(_) => chain.metagraph(NETUID).await.expect_err("nobody says who is there").to_string(),
        };
        assert!(error.contains(said), "{names:?}: {error}");
    }
}

#[tokio::test]
async fn an_axon_is_announced_where_the_rate_limit_cannot_be_foreseen() {
    let (_localnet, chain) = without(&["ServingRateLimit"]).await;
    let axon = Announcement { netuid: NETUID, ip: IpAddr::V4(Ipv4Addr::new(10, 0, 0, 7)), port: 8091, version: 1 };
    let announced = chain.announce(&dev_key("Alice"), &axon).await.expect("the chain takes it");
    assert!(matches!(announced, Announced::Since(_)), "{announced:?}");
}

#[tokio::test]
async fn the_cutoff_follows_from_its_factor() {
    let (_localnet, chain) = without(&["ActivityCutoff"]).await;
    assert_eq!(chain.hyperparameters(NETUID).await.expect("rules").activity_cutoff, None);
    let (_localnet, chain) = without(&[]).await;
    assert_eq!(chain.hyperparameters(NETUID).await.expect("rules").activity_cutoff, Some(5000));
    // Thousandths of a tempo of 20 blocks.
    let (_localnet, chain) = of(Generation::G463, &["ActivityCutoff"]).await;
    assert_eq!(chain.hyperparameters(NETUID).await.expect("rules").activity_cutoff, Some(277));
}

#[test]
fn the_page_lists_all_of_them() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/chain.md");
    let page = std::fs::read_to_string(page).expect("a page");
    for (name, _) in USED {
        assert!(page.contains(&format!("`{name}`")), "docs/chain.md does not tell what happens without `{name}`");
    }
}
