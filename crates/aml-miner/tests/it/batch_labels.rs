//! `labels`: who said what of which alert stays written down, and what stands of it is what is learnt from and settled by.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use aml_miner::data::Manifest;
use aml_miner::data::labels::journal::Journal;

use crate::batch_kit::Written;

struct Desk {
    written: Written,
}

impl Desk {
    /// A batch without outcomes: the alerts a0, a1 and a2.
    fn new() -> Self {
        let written = Written::small();
        fs::remove_file(written.path().join("labels.parquet")).expect("removable");
        written.edit_manifest(|manifest| {
            manifest.files.remove("labels.parquet");
        });
        Self { written }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aml-miner-batch"));
        command.current_dir(self.written.root.path()).arg("labels").args(arguments);
        command.output().expect("the command starts")
    }

    fn add(&self, source: &str, csv: &str) -> String {
        fs::write(self.written.root.path().join("in.csv"), csv).expect("a file");
        said(&self.run(&["add", "batch", "in.csv", "--source", source]))
    }

    fn standing(&self) -> Vec<(String, f64, String)> {
        let Some(labels) = self.written.must_load().labels else { return Vec::new() };
        let text = |name: &str, row: usize| labels.texts(name).expect("a column").get(row).to_owned();
        let illicit = labels.numbers("confirmed_illicit").expect("a column").to_vec();
        (0..labels.rows()).map(|row| (text("alert_id", row), illicit[row], text("source", row))).collect()
    }

    fn journal(&self) -> std::path::PathBuf {
        self.written.path().join("labels.journal.jsonl")
    }
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn is(id: &str, illicit: f64, source: &str) -> (String, f64, String) {
    (id.to_owned(), illicit, source.to_owned())
}

const FIRST: &str =
    "id,outcome,relevance,confirmed_at\na0,true,2,2025-11-09T10:00:00Z\na1,false,0,2025-11-10T10:00:00Z\n";

#[test]
fn an_outcome_is_added_corrected_and_withdrawn_and_every_word_is_kept() {
    let desk = Desk::new();
    assert!(desk.add("team", FIRST).contains("2 outcomes added by team"));
    assert_eq!(desk.standing(), [is("a0", 1.0, "team"), is("a1", 0.0, "team")]);
    assert!(desk.add("team", FIRST).contains("0 outcomes added"), "the same word again adds nothing");
    desk.add("team", "id,outcome,confirmed_at\na0,false,2025-11-12\n");
    assert_eq!(desk.standing(), [is("a0", 0.0, "team"), is("a1", 0.0, "team")]);
    let output = desk.run(&["withdraw", "batch", "a0", "--source", "team", "--reason", "wrong case"]);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(desk.standing(), [is("a1", 0.0, "team")]);
    let journal = Journal::parse(&fs::read(desk.journal()).expect("a journal")).expect("whole");
    assert_eq!(journal.entries().len(), 3);
    assert_eq!(journal.entries()[2].reason.as_deref(), Some("wrong case"));
    let shown = said(&desk.run(&["show", "batch"]));
    assert!(
        shown.contains("3 entries, every signature and link holds") && shown.contains("a1: not illicit"),
        "{shown}"
    );
}

#[test]
fn sources_that_disagree_leave_no_outcome_until_one_gives_way() {
    let desk = Desk::new();
    desk.add("team", FIRST);
    let told = desk.add("court", "id,outcome,confirmed_at\na0,false,2025-11-20\na1,false,2025-11-01\n");
    assert!(told.contains("1 disputed") && told.contains("a0"), "{told}");
    assert_eq!(desk.standing(), [is("a1", 0.0, "court+team")], "those that agree are one row");
    let known = desk.written.must_load().labels.expect("labels").numbers("confirmed_at").expect("a column")[0];
    assert_eq!(known.to_bits(), 1_761_955_200_000.0_f64.to_bits(), "known when the first of them knew");
    desk.run(&["withdraw", "batch", "a0", "--source", "team"]);
    assert_eq!(desk.standing(), [is("a0", 0.0, "court"), is("a1", 0.0, "court+team")]);
}

#[test]
fn what_cannot_be_is_refused_and_nothing_changes() {
    let desk = Desk::new();
    desk.add("team", FIRST);
    let before = fs::read(desk.journal()).expect("a journal");
    for (csv, part) in [
        ("id,outcome,confirmed_at\nnobody,true,2025-11-09\n", "the batch has no alert nobody"),
        ("id,outcome,confirmed_at\na0,perhaps,2025-11-09\n", "`perhaps` is not a number"),
        ("id,outcome,confirmed_at\na0,true,1762682400\n", "seconds?"),
        ("id,outcome,confirmed_at\na0,true,\n", "the required value is missing"),
        ("id,outcome\na0,true\n", "column `confirmed_at`: the required column is missing"),
        ("id,outcome,confirmed_at\na0,true,2050-01-01\n", "in the future"),
        ("id,outcome,confirmed_at\na0,true,2025-11-09\na0,false,2025-11-09\n", "stands already in row 0"),
    ] {
        let told = desk.add("team", csv);
        assert!(told.contains("BAD") && told.contains(part), "{part} in:\n{told}");
    }
    let output = desk.run(&["withdraw", "batch", "a2", "--source", "team"]);
    assert!(
        output.status.code() == Some(1) && said(&output).contains("team has said nothing of a2"),
        "{}",
        said(&output)
    );
    assert_eq!(fs::read(desk.journal()).expect("a journal"), before);
}

#[test]
fn a_changed_journal_is_refused() {
    let desk = Desk::new();
    desk.add("team", FIRST);
    let text = fs::read_to_string(desk.journal()).expect("a journal");
    fs::write(desk.journal(), text.replace("\"confirmed_illicit\":true", "\"confirmed_illicit\":false"))
        .expect("writable");
    let output = desk.run(&["show", "batch"]);
    assert!(
        output.status.code() == Some(3) && said(&output).contains("line 1: its signature does not fit"),
        "{}",
        said(&output)
    );
}

#[test]
fn outcomes_that_were_there_before_are_taken_over() {
    let written = Written::small();
    let desk = Desk { written };
    assert!(desk.add("team", "id,outcome,confirmed_at\na1,true,2025-11-09\n").contains("1 outcomes added"));
    assert_eq!(desk.standing(), [is("a0", 1.0, "unknown"), is("a1", 1.0, "team"), is("a2", 0.0, "unknown")]);
}

/// A publisher's key, and the file `publisher.key` with it in a folder.
fn publisher(root: &Path) -> ed25519_dalek::SigningKey {
    let file = root.join("publisher.key");
    fs::write(&file, "11".repeat(32)).expect("a file");
    #[cfg(unix)]
    fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("a mode");
    ed25519_dalek::SigningKey::from_bytes(&[0x11; 32])
}

#[test]
fn a_signed_manifest_is_signed_again_by_its_publisher_or_stays() {
    let desk = Desk::new();
    let root: &Path = desk.written.root.path();
    fs::write(root.join("in.csv"), FIRST).expect("a file");
    let key = publisher(root);
    desk.written.edit_manifest(|manifest| manifest.sign(&key));
    let output = desk.run(&["add", "batch", "in.csv", "--source", "team"]);
    assert!(said(&output).contains("--publisher-key") && desk.standing().is_empty(), "{}", said(&output));
    let output = desk.run(&["add", "batch", "in.csv", "--source", "team", "--publisher-key", "publisher.key"]);
    assert!(output.status.success(), "{}", said(&output));
    let publisher = hex::encode(key.verifying_key().as_bytes());
    desk.written.must_load().meta.require_publisher(&publisher).expect("its signature");
}

#[test]
fn keys_of_a_newer_minor_version_stay_when_outcomes_are_added_and_so_does_the_signature_over_them() {
    let desk = Desk::new();
    let root: &Path = desk.written.root.path();
    fs::write(root.join("in.csv"), FIRST).expect("a file");
    let key = publisher(root);
    let path = desk.written.path().join("META.json");
    let text = fs::read_to_string(&path).expect("a manifest").replace("\"1.0\"", "\"1.2\"");
    let text = text.replace("\"network\"", "\"region\": {\"name\": [1, true, null]},\n  \"network\"");
    let mut manifest = Manifest::parse(text.as_bytes(), 64).expect("a newer minor version");
    manifest.sign(&key);
    let (publisher, signature) = (manifest.publisher.expect("signed"), manifest.signature.expect("signed"));
    let signed = format!("\"publisher\": \"{publisher}\",\n  \"signature\": \"{signature}\",\n  \"network\"");
    fs::write(&path, text.replace("\"network\"", &signed)).expect("writable");
    let output = desk.run(&["add", "batch", "in.csv", "--source", "team", "--publisher-key", "publisher.key"]);
    assert!(output.status.success(), "{}", said(&output));
    desk.written.must_load().meta.require_publisher(&publisher).expect("its signature holds over what is written");
    assert!(fs::read_to_string(&path).expect("a manifest").contains("\"region\""));
}
