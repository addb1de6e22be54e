//! Evidence packs: one that holds, and changes of it that are noticed by its bytes, or although its validator signed them.
//!
//! Packs have random salts and signatures, so they are made once and kept: the test looks at what the code makes of what is
//! stored. A changed pack is written as pieces of the good one and what stands between them.

use std::collections::HashMap;

use aml_subnet::outputs::pack::{PackHead, PackReader, PackWriter};
use aml_subnet::store::ROUND_TABLES;
use aml_subnet::validator::adopting::Adopting;
use aml_subnet::validator::world::Threads;
use aml_subnet::wallet::Hotkey;
use serde_json::{Value, json};

use crate::common::dev_key;
use crate::evidence::packed_round;
use crate::scores_cli::Desk;
use crate::validator_world::NETUID;
use crate::vectors_kit::{Vectors, folder, is_writing};

const GOOD: &str = "evidence/first.zip";
/// Bytes that have to be the same for a piece to be taken from the good pack.
const LEAST: usize = 48;

/// A pack as pieces of the good one (`[from, length]`) and bytes in hex.
fn pieces(good: &[u8], pack: &[u8]) -> Value {
    let starts: HashMap<&[u8], usize> =
        (0..good.len().saturating_sub(LEAST)).rev().map(|at| (&good[at..at + LEAST], at)).collect();
    let (mut made, mut fresh, mut at) = (Vec::new(), Vec::new(), 0);
    while at < pack.len() {
        let found = pack.get(at..at + LEAST).and_then(|bytes| starts.get(bytes));
        let Some(&from) = found else {
            fresh.push(pack[at]);
            at += 1;
            continue;
        };
        let length = good[from..].iter().zip(&pack[at..]).take_while(|(one, other)| one == other).count();
        if !fresh.is_empty() {
            made.push(hex::encode(std::mem::take(&mut fresh)).into());
        }
        made.push(json!([from, length]));
        at += length;
    }
    if !fresh.is_empty() {
        made.push(hex::encode(fresh).into());
    }
    Value::Array(made)
}

fn joined(good: &[u8], pieces: &Value) -> Vec<u8> {
    let mut pack = Vec::new();
    for piece in pieces.as_array().expect("a list") {
        if let Some(text) = piece.as_str() {
            pack.extend(hex::decode(text).expect("hex"));
        } else {
            let number = |at: usize| usize::try_from(piece[at].as_u64().expect("a number")).expect("fits");
            pack.extend_from_slice(&good[number(0)..number(0) + number(1)]);
        }
    }
    pack
}

/// A pack with one table changed, as its validator could have made it.
fn remade(good: &[u8], table: &str, change: fn(&str) -> String) -> Vec<u8> {
    let alice = dev_key("Alice");
    let pack = PackReader::open(good.to_vec(), &alice.hotkey()).expect("a good pack");
    let mut made = PackWriter::new(Vec::new());
    for name in ROUND_TABLES {
        let rows = String::from_utf8(pack.table(name).expect("a table")).expect("UTF-8");
        let rows = if name == table { change(&rows) } else { rows };
        made.add_compressed(&format!("{name}.jsonl"), rows.as_bytes()).expect("in memory");
    }
    let grounds = pack.unpacked("grounds.json").expect("it unpacks").expect("it is there");
    made.add_compressed("grounds.json", &grounds).expect("in memory");
    let why = "it was made for the conformance package".to_owned();
    pack.manifest.absent.keys().for_each(|name| made.lacks(name, why.clone()));
    if !pack.manifest.absent.contains_key("calibration.json") {
        made.lacks("calibration.json", why);
    }
    let round = pack.manifest.round.parse().expect("a round");
    let head = PackHead { round, batch: pack.manifest.batch, made_at: pack.manifest.made_at, alert: None };
    made.finish(head, false, &alice).expect("in memory").1
}

type Signed = (&'static str, &'static str, &'static str, fn(&str) -> String);

/// Changes that the validator itself signed.
const SIGNED: [Signed; 7] = [
    ("score", "canonical scores come from voices and columns", "canonical", |rows| {
        rows.replacen("\"score\":0.", "\"score\":0.0", 1)
    }),
    ("standing", "a standing comes from its grounds", "standings", |rows| {
        rows.replacen("\"part\":0.0", "\"part\":0.5", 1)
    }),
    ("alert", "what was committed to before anybody was asked", "tasks", |rows| {
        rows.replacen("\"alert_id\":\"", "\"alert_id\":\"x", 1)
    }),
    ("column", "columns of everybody who counts", "columns", |rows| {
        rows.lines().skip(1).map(|line| format!("{line}\n")).collect()
    }),
    ("outcome", "outcomes are of the addresses of alerts", "outcomes", |rows| {
        rows.replacen("\"address\":\"", "\"address\":\"x", 1)
    }),
    ("verdict", "all rows are of the round", "verdicts", |rows| rows.replacen("7-2026-03-01-7", "7-2026-03-02-7", 1)),
    ("curve", "one curve", "curves", |_| String::new()),
];

/// Packs that are not in the folder yet.
fn made(good: &[u8], name: &str) -> (&'static str, Vec<u8>) {
    if let Some((_, why, table, change)) = SIGNED.iter().find(|(signed, ..)| format!("signed_{signed}") == name) {
        return (*why, remade(good, table, *change));
    }
    let mut bytes = good.to_vec();
    let (third, end) = (bytes.len() / 3, bytes.len());
    match name {
        "good" => ("a pack that holds", bytes),
        "remade" => ("the same tables, signed again", remade(good, "none", str::to_owned)),
        "other_signer" => ("signed by somebody else than was expected", bytes),
        "byte" => {
            bytes[third] ^= 1;
            ("a byte of a member", bytes)
        }
        "cut" => {
            bytes.truncate(end - 100);
            ("cut off", bytes)
        }
        "manifest" => {
            let at = position(&bytes, b"\"round\": \"7-2026-03-01-7\"");
            bytes[at + 10] = b'8';
            ("the manifest is signed", bytes)
        }
        "signature" => {
            let at = position(&bytes, b"\"signature\": \"") + 20;
            bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
            ("a digit of the signature", bytes)
        }
        "behind" => {
            bytes.push(0);
            ("a byte behind its end", bytes)
        }
        "version" => {
            let at = position(&bytes, b"\"version\": 1");
            bytes[at + 11] = b'2';
            ("a version that is not known", bytes)
        }
        other => panic!("no pack is called {other}"),
    }
}

fn position(bytes: &[u8], what: &[u8]) -> usize {
    bytes.windows(what.len()).position(|window| window == what).expect("it is there")
}

const NAMES: [&str; 9] =
    ["good", "remade", "other_signer", "byte", "cut", "manifest", "signature", "behind", "version"];

/// What the code makes of a pack: not one that its validator signed, or one whose content does not come out again.
async fn judged(pack: Vec<u8>, hotkey: &Hotkey) -> Value {
    let pack = match PackReader::open(pack, hotkey) {
        Ok(pack) => pack,
        Err(error) => return json!({ "refused": "pack", "says": error.to_string() }),
    };
    let desk = Desk::set();
    let ledger = desk.0.open().await;
    let adopting = Adopting { ledger: &ledger, workers: &Threads, netuid: NETUID, now_ms: 7 };
    match adopting.adopt(pack).await {
        Ok((round, _)) => json!({ "round": round.to_string() }),
        Err(error) => json!({ "refused": "content", "says": error.to_string() }),
    }
}

/// The good pack; made when there is none and files are to be written.
async fn good() -> Vec<u8> {
    let path = folder().join(GOOD);
    if !path.exists() && is_writing() {
        let packs = tempfile::tempdir().expect("a folder");
        let (_, id) = packed_round(packs.path()).await;
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::copy(packs.path().join(format!("{id}.zip")), &path).expect("copied");
    }
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What is stored of a pack, if it is.
fn stored(name: &str) -> Option<Value> {
    let text = std::fs::read_to_string(folder().join("evidence.json")).ok()?;
    let file: Value = serde_json::from_str(&text).expect("JSON");
    file["cases"].as_array().expect("a list").iter().find(|case| case["name"] == name).cloned()
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_packs_are_those_of_the_package() {
    let good = good().await;
    let (alice, bob) = (dev_key("Alice").hotkey(), dev_key("Bob").hotkey());
    let mut cases = Vec::new();
    let names =
        NAMES.iter().map(|name| (*name).to_owned()).chain(SIGNED.iter().map(|(name, ..)| format!("signed_{name}")));
    for name in names {
        let (why, pack) = match stored(&name) {
            Some(case) => (case["why"].clone(), case["pack"].clone()),
            None => {
                let (why, bytes) = made(&good, &name);
                (why.into(), pieces(&good, &bytes))
            }
        };
        let hotkey = if name == "other_signer" { bob } else { alice };
        let expected = judged(joined(&good, &pack), &hotkey).await;
        let is_good = ["good", "remade"].contains(&name.as_str());
        assert_eq!(expected["round"].is_string(), is_good, "{name}: {expected}");
        cases.push(json!({ "name": name, "why": why, "of": GOOD, "pack": pack, "hotkey": hotkey.to_string(), "expected": expected }));
    }
    let pages = &["docs/evidence.md"];
    Vectors { name: "evidence.json", pages, shared: Vec::new(), cases }.must_be_stored();
}
