//! A ledger taken elsewhere: exports, imports and backups, over both databases.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use aml_miner::digest::Digest;
use aml_subnet::store::records::{Dormancy, Step, WeightsState, WeightsTarget};
use aml_subnet::store::{BackupError, ExportError, ImportError, Ledger, Retention};

use crate::ledger_kit::{
    Home, NETUID, NOW, body, canonical, causes, id, miner, must_open, must_reach, open, settled, task, verdicts,
    weights,
};
use crate::ledger_rules_v2::fill_new;

/// A ledger with a row in every table, a swept body and an unfinished round.
pub(crate) async fn filled(url: &str) -> Ledger {
    let ledger = must_open(url).await;
    ledger.note_seen(&[miner(1), miner(2)], NOW).await.expect("the ledger answers");
    must_reach(&ledger, 1, Step::Settled).await;
    ledger
        .sweep(NOW, &Retention { age: std::time::Duration::from_secs(1 << 40), bytes: 0 })
        .await
        .expect("the ledger answers");
    must_reach(&ledger, 2, Step::Published).await;
    must_reach(&ledger, 3, Step::Tasked).await;
    ledger.set_dormancy(&miner(3), Some(Dormancy { failures: 2, next_try_ms: NOW })).await.expect("the ledger answers");
    ledger.plan_weights(WeightsTarget { netuid: NETUID, mechanism: 0 }, &weights(4)).await.expect("the ledger answers");
    ledger
        .weights_state(WeightsTarget { netuid: NETUID, mechanism: 0 }, 4, &WeightsState::Confirmed { block: 9 })
        .await
        .expect("the ledger answers");
    ledger
}

/// Every file of a folder, by its path in it.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let name = entry.file_name().into_string().expect("a plain name");
        if entry.path().is_dir() {
            found.extend(files(&entry.path()).into_iter().map(|(inner, bytes)| (format!("{name}/{inner}"), bytes)));
        } else {
            found.insert(name, fs::read(entry.path()).expect("a file"));
        }
    }
    found
}

#[tokio::test]
async fn an_export_is_the_same_from_either_database_and_after_any_way_through_them() {
    let work = tempfile::tempdir().expect("a folder");
    let homes = Home::both();
    let mut exports = Vec::new();
    for home in &homes {
        let ledger = filled(&home.url).await;
        fill_new(&ledger, 4).await;
        let folder = work.path().join(home.name);
        let exported = ledger.export(&folder).await.unwrap_or_else(|error| panic!("{}", causes(&error)));
        assert!(exported.tables.iter().all(|table| table.rows > 0), "every table has rows: {exported:?}");
        exports.push(folder);
    }
    let first = files(&exports[0]);
    assert!(first.keys().filter(|name| name.starts_with("bodies/")).count() == 4, "a swept body is not exported");
    for (number, export) in exports.iter().enumerate() {
        assert!(files(export) == first, "{} exports something else", homes[number].name);
        for home in &homes {
            let url = home.another(&format!("copy{number}"));
            let ledger = must_open(&url).await;
            ledger.import(export).await.unwrap_or_else(|error| panic!("{}: {}", home.name, causes(&error)));
            let again = work.path().join(format!("{}-{number}", home.name));
            ledger.export(&again).await.expect("the ledger answers");
            assert!(files(&again) == first, "{} changes what it imports", home.name);
            must_be_filled(&ledger).await;
        }
    }
}

/// What [`filled`] wrote, bit by bit.
pub(crate) async fn must_be_filled(ledger: &Ledger) {
    assert_eq!(ledger.task(id(3)).await.expect("the ledger answers"), Some(task(3)));
    assert_eq!(ledger.verdicts(id(1)).await.expect("the ledger answers"), verdicts());
    assert_eq!(ledger.canonical(id(1)).await.expect("the ledger answers"), Some(canonical()));
    assert_eq!(ledger.settled(id(1)).await.expect("the ledger answers"), Some(settled()));
    assert_eq!(ledger.body(&Digest::of(&body(1, 1))).await.expect("the ledger answers"), None, "it was swept");
    assert_eq!(ledger.body(&Digest::of(&body(2, 1))).await.expect("the ledger answers"), Some(body(2, 1)));
    let history = ledger.history(NETUID, id(1).date).await.expect("the ledger answers");
    assert_eq!(history[&miner(1)][0].tier1.map(f64::to_bits), verdicts()[0].tier1.map(f64::to_bits));
    // It goes on from there.
    must_reach(ledger, 3, Step::Settled).await;
}

#[tokio::test]
async fn an_export_is_its_owners_alone_and_overwrites_nothing() {
    let home = Home::file();
    let ledger = filled(&home.url).await;
    let folder = home.folder.path().join("export");
    ledger.export(&folder).await.expect("the ledger answers");
    let mode = fs::metadata(&folder).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode, 0o700, "it holds salts");
    assert!(matches!(ledger.export(&folder).await, Err(ExportError::Exists(path)) if path == folder));
    let nowhere = home.folder.path().join("missing/export");
    assert!(matches!(ledger.export(&nowhere).await, Err(ExportError::Write { .. })));
}

#[tokio::test]
async fn nothing_is_imported_into_a_ledger_that_has_something() {
    let home = Home::file();
    let ledger = filled(&home.url).await;
    let folder = home.folder.path().join("export");
    ledger.export(&folder).await.expect("the ledger answers");
    let refused = ledger.import(&folder).await;
    assert!(matches!(refused, Err(ImportError::NotEmpty(_))), "{refused:?}");
    let other = must_open(&home.another("other")).await;
    other.note_seen(&[miner(1)], NOW).await.expect("the ledger answers");
    assert!(matches!(other.import(&folder).await, Err(ImportError::NotEmpty(_))));
}

/// Changes one file of an export; where `resign` the manifest follows.
fn damage(folder: &Path, file: &str, resign: bool, change: impl FnOnce(String) -> String) {
    let path = folder.join(file);
    let text = change(fs::read_to_string(&path).expect("a text"));
    fs::write(&path, &text).expect("it is ours");
    if resign {
        let manifest = folder.join("MANIFEST.json");
        let mut listed: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(&manifest).expect("a manifest")).expect("it is JSON");
        for table in listed["tables"].as_array_mut().expect("a list") {
            if file.strip_suffix(".jsonl") == table["name"].as_str() {
                table["sha256"] = Digest::of(text.as_bytes()).to_string().into();
            }
        }
        fs::write(&manifest, listed.to_string()).expect("it is ours");
    }
}

#[tokio::test]
async fn a_damaged_or_hostile_export_is_refused_whole() {
    let home = Home::file();
    let good = home.folder.path().join("good");
    let ledger = filled(&home.url).await;
    fill_new(&ledger, 4).await;
    ledger.export(&good).await.expect("the ledger answers");
    type Change = fn(String) -> String;
    let cases: [(&str, bool, Change, &str); 12] = [
        ("verdicts.jsonl", false, |text| text.replacen("0.", "1.", 1), "is damaged"),
        ("MANIFEST.json", false, |text| text.replace("aml-ledger", "something"), "is no export"),
        ("MANIFEST.json", false, |text| text.replace("\"version\": 1", "\"version\": 2"), "is no export"),
        ("MANIFEST.json", false, |text| text.replace("\"schema\": 2", "\"schema\": 7"), "schema 7"),
        ("MANIFEST.json", false, |text| text.replace("\"rounds\"", "\"../rounds\""), "does not list"),
        ("MANIFEST.json", false, |_| "{".to_owned(), "is no export"),
        ("rounds.jsonl", true, |text| text.replace("\"step\":6", "\"step\":\"six\""), "line 1: `step`"),
        ("tasks.jsonl", true, |text| text.replace("roster", "rooster"), "line 1: `packed`"),
        ("miners.jsonl", true, |text| text.replace("\"failures\"", "\"faults\""), "no column `failures`"),
        ("rounds.jsonl", true, |text| text.replace("\"step\":6", "\"step\":7"), "refused `import`"),
        (
            "columns.jsonl",
            true,
            |text| text.replacen("\"worths\":\"A", "\"worths\":\"B", 1),
            "`worths`: its SHA-256 is",
        ),
        ("shares.jsonl", true, |text| text.replace("\"pool\"", "\"puddle\""), "line 1: `packed`"),
    ];
    for (number, (file, resign, change, expected)) in cases.into_iter().enumerate() {
        let (bad, ledger) = copied(&home, &good, number).await;
        damage(&bad, file, resign, change);
        must_refuse(&ledger, &bad, expected).await;
    }
    let (bad, ledger) = copied(&home, &good, 20).await;
    let body = fs::read_dir(bad.join("bodies")).expect("a folder").flatten().next().expect("a body").path();
    fs::write(&body, zstd_bomb()).expect("it is ours");
    must_refuse(&ledger, &bad, "more than").await;
    fs::remove_file(&body).expect("it is ours");
    must_refuse(&ledger, &bad, "No such file").await;
}

/// What version 1 of the schema had, by table.
const FIRST: [(&str, &[&str]); 11] = [
    (
        "rounds",
        &[
            "rules_list",
            "constants",
            "opening_ms",
            "beacon",
            "held_ms",
            "held_why",
            "extended_ms",
            "void_ms",
            "void_why",
            "late_ms",
            "late_why",
            "adopted",
            "outcomes_ms",
        ],
    ),
    ("tasks", &[]),
    ("bodies", &[]),
    ("answers", &["cipher", "not_asked"]),
    ("verdicts", &["advantage"]),
    ("canonical", &[]),
    ("alerts", &[]),
    ("settled", &[]),
    ("settlements", &[]),
    ("miners", &[]),
    ("weights", &[]),
];

#[tokio::test]
async fn an_export_of_the_first_schema_is_read() {
    let home = Home::file();
    let folder = home.folder.path().join("export");
    filled(&home.url).await.export(&folder).await.expect("the ledger answers");
    let manifest = folder.join("MANIFEST.json");
    let mut listed: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&manifest).expect("a manifest")).expect("it is JSON");
    listed["schema"] = 1.into();
    let tables = listed["tables"].as_array_mut().expect("a list");
    tables.retain(|table| FIRST.iter().any(|(name, _)| table["name"] == *name));
    for (table, (name, newer)) in tables.iter_mut().zip(FIRST) {
        let path = folder.join(format!("{name}.jsonl"));
        let mut text = String::new();
        for line in fs::read_to_string(&path).expect("a text").lines() {
            let mut row: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).expect("a row");
            newer.iter().for_each(|column| drop(row.remove(*column).expect("it is there now")));
            text.push_str(&serde_json::to_string(&row).expect("a row"));
            text.push('\n');
        }
        fs::write(&path, &text).expect("it is ours");
        table["sha256"] = Digest::of(text.as_bytes()).to_string().into();
    }
    fs::write(&manifest, listed.to_string()).expect("it is ours");
    let ledger = must_open(&home.another("copy")).await;
    ledger.import(&folder).await.unwrap_or_else(|error| panic!("{}", causes(&error)));
    must_be_filled(&ledger).await;
}

/// A copy of an export, and an empty ledger.
async fn copied(home: &Home, good: &Path, number: usize) -> (std::path::PathBuf, Ledger) {
    let bad = home.folder.path().join(format!("bad{number}"));
    for (name, bytes) in files(good) {
        let path = bad.join(name);
        fs::create_dir_all(path.parent().expect("it has one")).expect("it is ours");
        fs::write(path, bytes).expect("it is ours");
    }
    (bad, must_open(&home.another(&format!("bad{number}"))).await)
}

/// A kilobyte or so that would be many megabytes.
fn zstd_bomb() -> Vec<u8> {
    zstd::bulk::compress(&vec![0; 64 << 20], 3).expect("it compresses")
}

async fn must_refuse(ledger: &Ledger, folder: &Path, expected: &str) {
    let text = causes(&ledger.import(folder).await.expect_err("it is refused"));
    assert!(text.contains(expected), "{text}: expected {expected}");
    assert_eq!(ledger.rounds(NETUID, 10, None).await.expect("the ledger answers"), [], "nothing is left of it: {text}");
    assert_eq!(ledger.first_seen().await.expect("the ledger answers"), BTreeMap::new());
}

#[tokio::test]
async fn a_backup_is_a_ledger_that_goes_on() {
    for home in Home::both() {
        let ledger = filled(&home.url).await;
        let path = home.folder.path().join("backup");
        let reader = open(&home.url, "backup", true).await.expect("it reads beside the validator");
        reader.backup(&path).await.unwrap_or_else(|error| panic!("{}: {}", home.name, causes(&error)));
        must_reach(&ledger, 9, Step::Published).await;
        assert!(matches!(reader.backup(&path).await, Err(BackupError::Exists(_))));
        let restored = if home.is_server() {
            let empty = must_open(&home.another("restored")).await;
            empty.import(&path).await.expect("the ledger answers");
            empty
        } else {
            assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
            must_open(&format!("sqlite:{}", path.display())).await
        };
        assert_eq!(restored.round(id(9)).await.expect("the ledger answers"), None, "it came later");
        must_be_filled(&restored).await;
    }
}
