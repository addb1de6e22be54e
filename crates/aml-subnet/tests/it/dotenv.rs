//! The `.env` of the working directory, and of no other, through the program.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// `aml-subnet wallet` in `folder`: the shortest command that reads settings.
fn wallet_in(folder: &Path, variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_aml-subnet"))
        .arg("wallet")
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .envs(variables.iter().copied())
        .output()
        .expect("the program starts")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_line_that_cannot_be_read_ends_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join(".env"), "NETUID=7\nVALIDATOR_SOT=/data/my batches\n").expect("a file");
    let output = wallet_in(folder.path(), &[]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains(".env, line 2"), "{}", said(&output));
}

#[test]
fn the_file_of_a_folder_above_belongs_to_another_program() {
    let folder = tempfile::tempdir().expect("a folder");
    let child = folder.path().join("child");
    fs::create_dir(&child).expect("a folder");
    fs::write(folder.path().join(".env"), "BT_WALLET_NAME=of_another\n").expect("a file");
    assert!(!said(&wallet_in(&child, &[])).contains("of_another"));
    assert!(said(&wallet_in(folder.path(), &[])).contains("of_another"), "its own is read");
}

#[test]
fn the_environment_wins_and_an_empty_variable_is_not_set() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join(".env"), "BT_WALLET_NAME='of$$file'\nNETUID=\n").expect("a file");
    let name = |variables: &[(&str, &str)]| said(&wallet_in(folder.path(), variables));
    assert!(name(&[]).contains("of$$file"), "{}", name(&[]));
    assert!(name(&[("BT_WALLET_NAME", ""), ("NETUID", "")]).contains("of$$file"));
    assert!(name(&[("BT_WALLET_NAME", "of_environment")]).contains("of_environment"));
}
