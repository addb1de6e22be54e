//! `seal`: tables of one's own become a batch by the format's rules, and nothing of the user's is changed.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::batch_kit::{Written, files_of};

fn seal(arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_aml-miner-batch");
    Command::new(program).arg("seal").args(arguments).output().expect("the command starts")
}

fn verify(path: &Path) -> bool {
    let program = env!("CARGO_BIN_EXE_aml-miner-batch");
    Command::new(program).arg("verify").arg(path).status().expect("the command starts").success()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of the test")
}

const ALERTS: &str = "\u{feff}Case ID;Wallet;Amount (USD);severity;processing_date;Notes\r\n\
                      c1;x;\"10.5\";high;2025-10-26;\"a; b\"\r\n\
                      c2;y;;low;2025-10-26;\r\n";
const MAPPING: &str = "[alerts]\nalert_id = \"Case ID\"\naddress = \"Wallet\"\nvolume_usd = \"Amount (USD)\"\n";

#[test]
fn a_spreadsheet_becomes_a_batch() {
    let root = tempfile::tempdir().expect("a folder");
    let (source, target) = (root.path().join("exported"), root.path().join("2025-10-26_w7"));
    fs::create_dir(&source).expect("a folder");
    fs::write(source.join("alerts.csv"), ALERTS).expect("a file");
    fs::write(source.join("labels.csv"), "alert_id,confirmed_illicit,confirmed_at\nc1,true,2025-11-09T10:00:00Z\n")
        .expect("a file");
    fs::write(root.path().join("names.toml"), MAPPING).expect("a file");
    let before = files_of(&source);
    let names = root.path().join("names.toml");
    let output = seal(&[text(&source), "--network", "torus", "--mapping", text(&names), "--out", text(&target)]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("alerts: columns that the format does not know: Notes"), "{}", said(&output));
    assert!(verify(&target));
    assert_eq!(files_of(&source), before, "the source stays as it was");
    let loaded = aml_miner::data::BatchDir::open(&target).and_then(|dir| dir.load()).expect("a batch");
    assert_eq!(loaded.batch.alerts.texts("alert_id").expect("a column").iter().collect::<Vec<_>>(), ["c1", "c2"]);
    let volume = loaded.batch.alerts.numbers("volume_usd").expect("a column");
    assert!(volume[0].to_bits() == 10.5_f64.to_bits() && volume[1].is_nan());
    assert_eq!(loaded.labels.expect("labels").numbers("confirmed_at"), Some(&[1_762_682_400_000.0][..]));
    let again = seal(&[text(&source), "--network", "torus", "--mapping", text(&names), "--out", text(&target)]);
    assert_eq!(again.status.code(), Some(3), "{}", said(&again));
    assert!(said(&again).contains("exists already"));
}

#[test]
fn parquet_tables_with_the_formats_names_are_described_where_they_are() {
    let written = Written::small();
    let target = written.root.path().join("2025-10-26_w7");
    fs::rename(written.path(), &target).expect("movable");
    fs::remove_file(target.join("META.json")).expect("removable");
    let before = files_of(&target);
    let output = seal(&[text(&target), "--network", "torus"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(verify(&target));
    let mut after = files_of(&target);
    after.remove("META.json").expect("a manifest");
    assert_eq!(after, before, "no byte of a table is changed");
    let again = seal(&[text(&target), "--network", "torus"]);
    assert_eq!(again.status.code(), Some(3), "{}", said(&again));
    assert_eq!(seal(&[text(&target), "--network", "torus", "--replace"]).status.code(), Some(0));
}

#[test]
fn wrong_tables_are_told_at_once_and_nothing_is_written() {
    let root = tempfile::tempdir().expect("a folder");
    fs::write(
        root.path().join("alerts.csv"),
        "alert_id,volume_usd,processing_date,severity\na,-1,2025-10-26,low\na,\"1,5\",2025-10-25,odd\n",
    )
    .expect("a file");
    fs::write(root.path().join("money_flows.csv"), "from_address,to_address,last_seen\nx,y,1761467400\n")
        .expect("a file");
    let before = files_of(root.path());
    let arguments = [text(root.path()), "--network", "torus", "--date", "2025-10-26", "--window-days", "7"];
    let output = seal(&arguments);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    for part in ["row 1: `1,5` is not a number", "money_flows.csv, column `last_seen`, row 0:", "seconds?"] {
        assert!(said(&output).contains(part), "{part} in:\n{}", said(&output));
    }
    fs::write(root.path().join("alerts.csv"), "alert_id,volume_usd,processing_date\na,-1,2025-10-26\na,1,2025-10-25\n")
        .expect("a file");
    let output = seal(&arguments);
    for part in ["row 0: -1 is outside 0 to infinity", "row 1: `a` stands already in row 0"] {
        assert!(said(&output).contains(part), "{part} in:\n{}", said(&output));
    }
    fs::write(root.path().join("alerts.csv"), "alert_id,processing_date\na,2025-10-26\nb,2025-10-25\n")
        .expect("a file");
    assert!(said(&seal(&arguments)).contains("row 1: 2025-10-25, but the manifest says 2025-10-26"));
    let names: Vec<String> = files_of(root.path()).into_keys().collect();
    assert_eq!(names, before.into_keys().collect::<Vec<_>>());
}

#[test]
fn what_is_not_said_is_asked_for() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join("mine");
    fs::create_dir(&folder).expect("a folder");
    let output = seal(&[text(&folder), "--network", "torus"]);
    assert!(output.status.code() == Some(2) && said(&output).contains("--date"), "{}", said(&output));
    let output = seal(&[text(&folder), "--network", "torus", "--date", "2025-10-26", "--window-days", "7"]);
    assert!(output.status.code() == Some(1) && said(&output).contains("no alerts.parquet"), "{}", said(&output));
    fs::write(folder.join("alerts.csv"), "id\na\n").expect("a file");
    let with = |mapping: &str| {
        let names = root.path().join("names.toml");
        fs::write(&names, mapping).expect("a file");
        said(&seal(&[
            text(&folder),
            "--network",
            "t",
            "--date",
            "2025-10-26",
            "--window-days",
            "7",
            "--mapping",
            text(&names),
        ]))
    };
    assert!(with("[alerts]\nalertid = \"id\"\n").contains("do you mean `alert_id`?"));
    assert!(with("[alerts]\nalert_id = \"ID\"\n").contains("alerts.csv has no column `ID`"));
    assert!(with("[alarms]\nalert_id = \"id\"\n").contains("no table `alarms`"));
    assert!(with("[alerts]\nalert_id = \"id\"\n").contains("ok   "));
}
