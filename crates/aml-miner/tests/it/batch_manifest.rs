//! The manifest: plain names only, one form of bytes, and a signature that covers all of it.

use std::fs;

use aml_miner::data::{BatchDir, Manifest, WriteOptions, write_batch};
use ed25519_dalek::SigningKey;

use crate::batch_kit::{Written, options, small_batch};

fn signed(written: &Written) -> Manifest {
    let key = SigningKey::from_bytes(&[7; 32]);
    let target = written.root.path().join("signed");
    write_batch(&target, &small_batch(), None, &WriteOptions { publisher: Some(&key), ..options() }).expect("signed");
    BatchDir::open(&target).expect("a good signature").manifest().clone()
}

fn refusal(bytes: &[u8]) -> String {
    Manifest::parse(bytes, 64).expect_err("a bad manifest").to_string()
}

fn edited(manifest: &Manifest, from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(manifest.to_json()).expect("JSON is text");
    assert!(text.contains(from), "{from} is part of {text}");
    text.replace(from, to).into_bytes()
}

#[test]
fn a_signature_covers_every_key() {
    let manifest = signed(&Written::small());
    for (from, to) in [
        ("\"window_days\": 7", "\"window_days\": 8"),
        ("2025-10-26", "2025-10-25"),
        ("testnet", "mainnet"),
        ("2025-10-27T00", "2025-10-27T01"),
        ("\"rows\": 3", "\"rows\": 4"),
        ("alerts.parquet", "alarms.parquet"),
    ] {
        assert!(refusal(&edited(&manifest, from, to)).contains("the signature does not fit"), "{from} -> {to}");
    }
}

#[test]
fn a_signature_is_bound_to_its_publisher() {
    let manifest = signed(&Written::small());
    let publisher = manifest.publisher.clone().expect("signed");
    manifest.require_publisher(&publisher).expect("this key signed");
    let other = hex::encode(SigningKey::from_bytes(&[8; 32]).verifying_key().as_bytes());
    assert!(manifest.require_publisher(&other).is_err());
    assert!(refusal(&edited(&manifest, &publisher, &other)).contains("the signature does not fit"));
    assert!(refusal(&edited(&manifest, &publisher, "abcd")).contains("the publisher is not valid hex"));
    let unsigned = Written::small();
    let unsigned = BatchDir::open(unsigned.path()).expect("good");
    let message = unsigned.manifest().require_publisher(&publisher).expect_err("nobody signed").to_string();
    assert!(message.contains("the publisher is nobody"), "{message}");
}

#[test]
fn the_signed_bytes_are_those_of_the_documentation() {
    let key = SigningKey::from_bytes(&[7; 32]);
    let mut manifest = Manifest::new(&options(), std::collections::BTreeMap::new());
    manifest.sign(&key);
    let expected = concat!(
        "aml-batch-manifest/1\n",
        r#"{"created_at":"2025-10-27T00:00:00Z","files":{},"network":"testnet","processing_date":"2025-10-26","#,
        r#""publisher":"ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c","schema_version":"1.0","#,
        r#""window_days":7}"#
    );
    assert_eq!(String::from_utf8(manifest.signed_bytes()).expect("text"), expected);
}

#[test]
fn names_cannot_leave_the_directory() {
    let written = Written::small();
    let manifest = BatchDir::open(written.path()).expect("good").manifest().clone();
    for name in
        ["../alerts.parquet", "/etc/passwd", "a/b.parquet", ".hidden", "-rf", "a b", "a\\\\b", "", "META.json", "é"]
    {
        let bytes = edited(&manifest, "money_flows.parquet", name);
        assert!(refusal(&bytes).contains("is not a plain file name"), "{name}: {}", refusal(&bytes));
    }
}

#[test]
fn newer_minor_versions_may_add_keys_and_majors_are_refused() {
    let written = Written::small();
    let manifest = BatchDir::open(written.path()).expect("good").manifest().clone();
    let added = "\"network\": \"testnet\", \"region\": {\"name\": [1, true, null]}";
    let newer = edited(&manifest, "\"network\": \"testnet\"", added);
    assert!(refusal(&newer).contains("unknown key `region` for schema_version 1.0"), "{}", refusal(&newer));
    let newer = String::from_utf8(newer).expect("text").replace("\"1.0\"", "\"1.2\"");
    let parsed = Manifest::parse(newer.as_bytes(), 64).expect("a newer minor version");
    let signed = String::from_utf8(parsed.signed_bytes()).expect("text");
    assert!(signed.contains(r#""region":{"name":[1,true,null]}"#), "{signed}");
    assert!(refusal(&edited(&manifest, "\"1.0\"", "\"2.0\"")).contains("schema_version `2.0` is not supported"));
}

#[test]
fn a_manifest_with_two_readings_is_refused() {
    let written = Written::small();
    let manifest = BatchDir::open(written.path()).expect("good").manifest().clone();
    let twice = edited(&manifest, "\"window_days\": 7", "\"window_days\": 7, \"window_days\": 8");
    assert!(refusal(&twice).contains("stands twice"), "{}", refusal(&twice));
    assert!(refusal(&edited(&manifest, "\"window_days\": 7", "\"window_days\": 7.0")).contains("META.json"));
    assert!(refusal(&edited(&manifest, "2025-10-27T00:00:00Z", "yesterday")).contains("not an RFC 3339 time"));
    assert!(refusal(b"{").contains("META.json: EOF"));
    assert!(refusal("[".repeat(100_000).as_bytes()).contains("recursion limit"));
}

#[test]
fn a_manifest_that_is_not_there_says_so() {
    let written = Written::small();
    fs::remove_file(written.path().join("META.json")).expect("removable");
    assert!(written.refusal().contains("META.json"), "{}", written.refusal());
}
