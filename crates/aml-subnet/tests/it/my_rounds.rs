//! Commands for a miner's owner: `my-rounds`, and keys for a development chain.

use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output};

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::api_kit::{Kit, miner};
use crate::common::dev_key;

fn aml_subnet(words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aml-subnet"));
    command.args(words).env_clear().output().expect("it runs")
}

async fn my_rounds(validator: String, hotkey: String) -> (bool, String) {
    let run = move || aml_subnet(&["my-rounds", "--hotkey", &hotkey, "--validator", &validator]);
    let output = tokio::task::spawn_blocking(run).await.expect("no panic");
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_miner_learns_what_a_validator_made_of_its_answers() {
    let kit = Kit::season().await;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let validator = format!("http://{}", listener.local_addr().expect("an address"));
    let stop = CancellationToken::new();
    let serving = tokio::spawn(aml_subnet::api::serve::serve(listener, kit.api.clone(), stop.clone()));
    let (good, said) = my_rounds(validator.clone(), miner(1).to_string()).await;
    assert!(good, "{said}");
    for part in ["rank ", "share of the weights", "integrity ", "traps ", "outcomes ", "accepted"] {
        assert!(said.contains(part), "no {part} in {said}");
    }
    let (good, said) = my_rounds(validator.clone(), dev_key("Nobody").hotkey().to_string()).await;
    assert!(!good && said.contains("no round has asked it yet"), "{said}");
    stop.cancel();
    serving.await.expect("no panic");
    let (good, said) = my_rounds(validator, miner(1).to_string()).await;
    assert!(!good && said.contains("no answer"), "{said}");
}

#[test]
fn without_a_validator_it_says_where_to_name_one() {
    let output = aml_subnet(&["my-rounds", "--hotkey", &miner(1).to_string()]);
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("--validator URL") && said.contains("miner.validators"), "{said}");
}

#[test]
fn keys_of_a_development_chain_open_and_are_never_overwritten() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().display().to_string();
    let wallet = ["--wallet.path", &path, "--wallet.name", "dev", "--wallet.hotkey", "first"];
    let create = [&["wallet", "create"][..], &wallet[..]].concat();
    let refused = aml_subnet(&create);
    assert!(!refused.status.success() && !folder.path().join("dev").exists(), "not without --insecure-dev");
    let create = [&create[..], &["--insecure-dev"][..]].concat();
    let made = aml_subnet(&create);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let opened = aml_subnet(&[&["wallet"][..], &wallet[..]].concat());
    let (made, opened) = (String::from_utf8_lossy(&made.stdout), String::from_utf8_lossy(&opened.stdout));
    let hotkey = made.lines().find(|line| line.starts_with("hotkey")).expect("a hotkey");
    assert!(opened.contains(hotkey), "{hotkey} is not in {opened}");
    assert!(!opened.contains("warning"), "only the owner can read it: {opened}");
    let mode =
        |name: &str| std::fs::metadata(folder.path().join("dev").join(name)).expect("there").permissions().mode();
    assert_eq!((mode("coldkey") & 0o777, mode("hotkeys/first") & 0o777), (0o600, 0o600));
    assert!(!aml_subnet(&create).status.success(), "it is there already");
    let owner = made.lines().find(|line| line.starts_with("coldkey")).expect("a coldkey").to_owned();
    let second = aml_subnet(&[&create[..6], &["--wallet.hotkey", "second", "--insecure-dev"][..]].concat());
    assert!(String::from_utf8_lossy(&second.stdout).contains(&owner), "one coldkey owns both");
}
