//! Settings: the shipped example is the defaults, and every mistake is named at once.

use std::path::Path;

use aml_miner::secret_url::SecretUrl;
use aml_subnet::config::{ConfigError, Override, Settings, load};

fn must_fail(text: &str, overrides: &[Override]) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("subnet_config.toml");
    std::fs::write(&path, text).expect("a file");
    match load(Some(&path), overrides) {
        Err(ConfigError::Problems(problems)) => problems,
        other => panic!("expected problems, got {other:?}"),
    }
}

#[test]
fn the_shipped_example_states_the_defaults() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/subnet_config.toml");
    let mut example = load(Some(&path), &[]).expect("it is valid");
    assert_eq!(example.wallet.name.as_deref(), Some("default"));
    example.wallet = Settings::default().wallet;
    assert_eq!(example, Settings::default());
}

#[test]
fn the_settings_of_containers_and_cluster_are_valid() {
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy");
    for pages in ["compose/pages.toml", "k8s/pages/pages.toml"] {
        load(Some(&deploy.join(pages)), &[]).unwrap_or_else(|error| panic!("{pages}: {error}"));
    }
    for place in ["compose", "k8s"] {
        for neuron in ["miner", "validator"] {
            let path = deploy.join(place).join(neuron).with_extension("toml");
            load(Some(&path), &[]).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
    }
}

#[test]
fn all_mistakes_are_listed_at_once() {
    let problems = must_fail(
        "netiud = 3\n[axon]\nport = 70000\n[miner]\napi_url = \"localhost\"\nconcurrent = 0\n[protocol]\nmax_age = \"5 parsecs\"\n[minner]\nqueue = 1\n",
        &[Override { key: "axon.ip", text: "everywhere".to_owned(), source: "--axon.ip" }],
    );
    for part in ["netiud", "axon.port", "miner.api_url", "miner.concurrent", "protocol.max_age", "minner", "--axon.ip"]
    {
        assert!(problems.iter().any(|problem| problem.contains(part)), "{part} in {problems:#?}");
    }
    assert_eq!(problems.len(), 7, "{problems:#?}");
}

#[test]
fn flags_win_over_the_file_and_take_texts_numbers_and_lists() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("c.toml");
    std::fs::write(&path, "netuid = 3\n[axon]\nport = 9000\n[miner]\nqueue = 5\n").expect("a file");
    let flag = |key, text: &str| Override { key, text: text.to_owned(), source: "flag" };
    let overrides = [
        flag("axon.port", "9001"),
        flag("axon.external_port", "9002"),
        flag("axon.external_ip", "2001:db8::1"),
        flag("subtensor.chain_endpoint", "ws://a:1, ws://b:2"),
    ];
    let settings = load(Some(&path), &overrides).expect("valid");
    assert_eq!((settings.netuid, settings.axon.port, settings.miner.queue), (3, 9001, 5));
    assert_eq!(settings.axon.external_port, Some(9002));
    assert_eq!(settings.axon.external_ip, Some("2001:db8::1".parse().expect("an address")));
    assert_eq!(settings.subtensor.chain_endpoint, ["ws://a:1", "ws://b:2"].map(SecretUrl::new));
}

#[test]
fn a_window_longer_than_the_memory_of_nonces_is_refused() {
    let problems = must_fail("[protocol]\nmax_age = \"59s\"\n", &[]);
    assert!(problems[0].contains("60s"), "{problems:?}");
}

#[test]
fn a_validator_that_could_never_settle_is_refused() {
    let text = "[validator]\nretention_age = \"20d\"\nsettle_until = \"21d\"\nsot = \"\"\ndatabase_url = \"mysql://x\"\n\
                sot_publisher = \"ABC\"\nconcurrency = 0\n[validator.traps]\ngroup_size = 0\n";
    let problems = must_fail(text, &[]);
    for part in ["retention_age", "sot:", "database_url", "sot_publisher", "concurrency", "traps.group_size"] {
        assert!(problems.iter().any(|problem| problem.starts_with("validator.") && problem.contains(part)), "{part}");
    }
    assert_eq!(problems.len(), 6, "{problems:#?}");
}

#[test]
fn without_a_database_the_ledger_is_a_file_in_the_data_folder() {
    let mut settings = Settings::default();
    assert_eq!(settings.validator.ledger_url(), "sqlite://validator-data/ledger.sqlite");
    settings.validator.database_url = Some(SecretUrl::new("postgres://me@db/aml"));
    assert_eq!(settings.validator.ledger_url(), "postgres://me@db/aml");
}

#[test]
fn a_network_wins_over_the_endpoints_of_a_lower_layer() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("c.toml");
    std::fs::write(&path, "[subtensor]\nnetwork = \"test\"\nchain_endpoint = [\"ws://file:1\"]\n").expect("a file");
    let given = |key, text: &str, source| Override { key, text: text.to_owned(), source };
    let endpoints = |overrides: &[Override]| -> Vec<String> {
        let found = load(Some(&path), overrides).expect("valid").subtensor.chain_endpoint;
        found.iter().map(|url| url.expose().to_owned()).collect()
    };
    let network = |source| given("subtensor.network", "finney", source);
    let endpoint = |source| given("subtensor.chain_endpoint", "ws://set:1", source);
    let none: [String; 0] = [];
    assert_eq!(endpoints(&[]), ["ws://file:1"], "of one layer the endpoint is the closer word");
    assert_eq!(endpoints(&[network("--subtensor.network")]), none);
    assert_eq!(endpoints(&[network("BT_SUBTENSOR_NETWORK")]), none);
    let environment = endpoint("BT_SUBTENSOR_CHAIN_ENDPOINT");
    assert_eq!(endpoints(&[environment.clone(), network("--subtensor.network")]), none);
    assert_eq!(endpoints(&[environment, network("BT_SUBTENSOR_NETWORK")]), ["ws://set:1"]);
    assert_eq!(endpoints(&[endpoint("--subtensor.chain_endpoint"), network("--subtensor.network")]), ["ws://set:1"]);
}

#[test]
fn the_home_directory_is_expanded_in_every_path() {
    let home = std::env::var("HOME").expect("a home");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("c.toml");
    let text = "[wallet]\npath = \"~/w\"\npassword_file = \"~/p\"\n[validator]\nsot = \"~/b\"\ndata_dir = \"~/d\"\n\
                database_url = \"sqlite://~/l.sqlite\"\n";
    std::fs::write(&path, text).expect("a file");
    let settings = load(Some(&path), &[]).expect("valid");
    assert_eq!(settings.wallet.path, Some(Path::new(&home).join("w")));
    assert_eq!(settings.wallet.password_file, Some(Path::new(&home).join("p")));
    assert_eq!(settings.validator.sot, format!("{home}/b"));
    assert_eq!(settings.validator.data_dir, Path::new(&home).join("d"));
    assert_eq!(settings.validator.database_url, Some(SecretUrl::new(format!("sqlite://{home}/l.sqlite"))));
    let problems = must_fail("[validator]\ndata_dir = \"~bob/d\"\n", &[]);
    assert!(problems[0].contains("write the whole path"), "{problems:?}");
}
