//! `aml-subnet validator --once` when no round can come about: a sentence says why, and it exits with 1.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use aml_miner::data::listing::directory_name;
use chrono::{Days, Utc};

use crate::validator_kill::ALICE;
use crate::validator_world::{WINDOW, first_day, write_days};

/// A validator in `home`, which has a wallet, of the source `sot`; no chain answers it.
fn validator(home: &Path, sot: &Path) -> Command {
    let hotkeys = home.join("wallets/val/hotkeys");
    std::fs::create_dir_all(&hotkeys).expect("a folder");
    std::fs::write(hotkeys.join("default"), ALICE).expect("a key");
    std::fs::set_permissions(hotkeys.join("default"), PermissionsExt::from_mode(0o600)).expect("a mode");
    let mut command = Command::new(env!("CARGO_BIN_EXE_aml-subnet"));
    command
        .args(["validator", "--wallet.path", "wallets", "--wallet.name", "val"])
        .args(["--subtensor.chain_endpoint", "ws://127.0.0.1:1", "--validator.sot"])
        .arg(sot)
        .current_dir(home)
        .env_clear();
    command
}

fn trial(home: &Path, sot: &Path) -> Output {
    validator(home, sot).args(["--once", "--shadow"]).output().expect("it runs")
}

fn must_say(output: &Output, part: &str) {
    let told = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains(part) && !told.contains("went wrong"), "`{part}` is not in\n{told}");
}

#[test]
fn a_source_without_a_round_is_told_in_a_sentence_and_uses_up_no_day() {
    let home = tempfile::tempdir().expect("a folder");
    let sot = home.path().join("sot");
    std::fs::create_dir(&sot).expect("a folder");
    must_say(&trial(home.path(), &sot), "sot has no batch");
    assert!(home.path().join("validator-data-trial").is_dir(), "a trial has a data folder of its own");
    assert!(!home.path().join("validator-data").exists());

    write_days(&sot, 1);
    let good = sot.join(directory_name(first_day(), Some(WINDOW)));
    let alerts = good.join("alerts.parquet");
    let mut bytes = std::fs::read(&alerts).expect("a file");
    bytes.push(0);
    std::fs::write(&alerts, bytes).expect("a file");
    must_say(&trial(home.path(), &sot), "alerts.parquet");

    let ahead = Utc::now().date_naive() + Days::new(3);
    std::fs::rename(&good, sot.join(directory_name(ahead, Some(WINDOW)))).expect("renamed");
    must_say(&trial(home.path(), &sot), &format!("of days to come, the next of {ahead}"));
    must_say(&trial(home.path(), &home.path().join("nowhere")), "cannot use the directory");
}

#[test]
fn what_ails_weights_is_one_line_of_the_log_a_turn() {
    let home = tempfile::tempdir().expect("a folder");
    let sot = home.path().join("sot");
    std::fs::create_dir(&sot).expect("a folder");
    let settings = ["--validator.interval", "1h", "--validator.listen", "127.0.0.1:0"];
    let mut running = validator(home.path(), &sot).args(settings).stderr(Stdio::piped()).spawn().expect("it runs");
    let mut lines = BufReader::new(running.stderr.take().expect("piped")).lines().map_while(Result::ok);
    let told = lines.find(|line| line.contains("weights not seen through")).expect("the payer says so");
    assert!(told.contains("no chain endpoint works"), "{told}");
    let asked = Command::new("kill").args(["-TERM", &running.id().to_string()]).status().expect("kill");
    assert!(asked.success() && running.wait().expect("it ends").success());
    let again: Vec<String> = lines.filter(|line| line.contains("weights")).collect();
    assert!(again.is_empty(), "told a second time: {again:#?}");
}
