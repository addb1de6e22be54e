//! Published files: three forms of the same rows, a manifest that holds, nothing half done.

use aml_miner::data::{FileLimits, read_table};
use aml_subnet::outputs::format::{CANONICAL, encode};
use aml_subnet::outputs::{
    CanonicalRow, DOMAIN, Format, MANIFEST_FILE, Manifest, ManifestError, VerifyError, canonical_rows, directory,
    verify,
};
use aml_subnet::store::records::Canonical;
use serde_json::Value;

use crate::api_kit::{ALERTS, NOW, canonical, id, miner, must_publish, must_publish_scores, task, validator};
use crate::common::dev_key;

fn rows() -> Vec<CanonicalRow> {
    canonical_rows(&task(2).roster, &canonical(2), None).expect("they belong together")
}

#[test]
fn ranks_go_from_the_highest_score_down_with_ties_by_id() {
    let mut canonical = canonical(2);
    canonical.scores[5] = canonical.scores[4];
    let rows = canonical_rows(&task(2).roster, &canonical, None).expect("they belong together");
    let mut by_rank: Vec<&CanonicalRow> = rows.iter().collect();
    by_rank.sort_by_key(|row| row.rank);
    assert_eq!(
        by_rank.iter().map(|row| row.rank).collect::<Vec<_>>(),
        (1..=u32::try_from(ALERTS).expect("small")).collect::<Vec<_>>()
    );
    assert!(by_rank.is_sorted_by(|a, b| a.score > b.score || (a.score >= b.score && a.alert_id < b.alert_id)));
    let fewer = Canonical { scores: canonical.scores[1..].to_vec(), ..canonical };
    assert!(canonical_rows(&task(2).roster, &fewer, None).is_err());
}

#[test]
fn all_three_forms_hold_the_same_rows_bit_for_bit() {
    let rows = rows();
    let json: Vec<CanonicalRow> =
        serde_json::from_slice(&encode(&rows, Format::Json).expect("JSON")).expect("an array");
    assert_eq!(json, rows);
    let parquet = encode(&rows, Format::Parquet).expect("Parquet");
    let table = read_table(&parquet, &CANONICAL, "canonical.parquet", &FileLimits::default()).expect("readable");
    let (ids, scores) = (table.texts("alert_id").expect("there"), table.numbers("score").expect("there"));
    for (place, row) in rows.iter().enumerate() {
        assert_eq!((ids.get(place), scores[place].to_bits()), (row.alert_id.as_str(), row.score.to_bits()));
    }
    let csv = String::from_utf8(encode(&rows, Format::Csv).expect("CSV")).expect("UTF-8");
    let line = csv.lines().nth(2).expect("a row").split(',').collect::<Vec<_>>();
    assert_eq!(line[4].parse::<f64>().expect("a number").to_bits(), rows[1].score.to_bits());
    assert!(csv.lines().nth(1).expect("a row").contains("\"<script>alert(1)</script>\"\"'>"), "quotes are doubled");
}

#[test]
fn the_signature_is_over_what_anybody_can_write_down() {
    let folder = tempfile::tempdir().expect("a folder");
    let manifest = must_publish(folder.path(), 2);
    // As Python's json.dumps(..., sort_keys=True, separators=(",", ":")) writes it.
    let mut value: Value = serde_json::from_slice(&manifest.to_json().expect("JSON")).expect("JSON");
    value.as_object_mut().expect("an object").remove("signature");
    let signed = manifest.signed_bytes().expect("JSON");
    assert_eq!(signed, [DOMAIN, value.to_string().as_bytes()].concat());
    let text = String::from_utf8(signed).expect("UTF-8");
    assert!(text.starts_with("aml-canonical-scores/1\n{\"batch\":\"") && !text.contains(": "), "{text}");
}

#[test]
fn a_published_round_holds_and_publishing_again_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = must_publish(folder.path(), 2);
    let place = directory(folder.path(), &id(2));
    assert!(place.ends_with("2026-01-02_30"), "{}", place.display());
    assert_eq!(verify(&place, Some(&validator().hotkey())).expect("it holds"), first);
    let later = NOW + std::time::Duration::from_secs(60);
    let again = must_publish_scores(folder.path(), 2, &canonical(2), later);
    assert_eq!(again, first, "what is published stays");
    let left: Vec<_> =
        std::fs::read_dir(folder.path()).expect("listed").flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left, ["2026-01-02_30"], "nothing else is left behind");
}

#[test]
fn what_a_kill_left_half_written_is_removed_when_it_is_old() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, hours) in [(".batch-killed", 2), (".replaced-killed", 2), (".batch-at-work", 0), ("own", 2)] {
        let left = folder.path().join(name);
        std::fs::create_dir(&left).expect("a folder");
        std::fs::write(left.join("canonical.json"), b"[").expect("written");
        let touched = std::time::UNIX_EPOCH + NOW - std::time::Duration::from_secs(hours * 3600);
        std::fs::File::open(&left).and_then(|left| left.set_modified(touched)).expect("a time");
    }
    must_publish(folder.path(), 2);
    let left = std::fs::read_dir(folder.path()).expect("listed").flatten().map(|entry| entry.file_name());
    let mut left: Vec<_> = left.collect();
    left.sort();
    assert_eq!(left, [".batch-at-work", "2026-01-02_30", "own"]);
}

#[test]
fn other_scores_replace_what_was_published_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = must_publish(folder.path(), 2);
    let mut other = canonical(2);
    other.scores.reverse();
    let second = must_publish_scores(folder.path(), 2, &other, NOW);
    assert_ne!(second.files, first.files);
    assert_eq!(verify(&directory(folder.path(), &id(2)), None).expect("it holds"), second);
}

#[test]
fn whatever_was_changed_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = directory(folder.path(), &id(2));
    let restore = || {
        let _ = std::fs::remove_dir_all(&place);
        must_publish(folder.path(), 2)
    };
    restore();
    let csv = place.join("canonical.csv");
    let bytes = std::fs::read(&csv).expect("there");
    std::fs::write(&csv, [&bytes[..bytes.len() - 1], b"x"].concat()).expect("written");
    assert!(matches!(verify(&place, None), Err(VerifyError::Digest { path, .. }) if path == csv));
    std::fs::write(&csv, [&bytes[..], b"\n"].concat()).expect("written");
    assert!(matches!(verify(&place, None), Err(VerifyError::Length { path, .. }) if path == csv));
    std::fs::remove_file(&csv).expect("removed");
    assert!(matches!(verify(&place, None), Err(VerifyError::Read { path, .. }) if path == csv));
    let made = restore();
    let stranger = dev_key("Mallory").hotkey();
    let refused = verify(&place, Some(&stranger));
    assert!(
        matches!(refused, Err(VerifyError::Manifest(ManifestError::Signer { actual, .. })) if actual == made.hotkey)
    );
    let changed = Manifest { made_at: "2030-01-01T00:00:00Z".to_owned(), ..made.clone() };
    std::fs::write(place.join(MANIFEST_FILE), changed.to_json().expect("JSON")).expect("written");
    assert!(matches!(verify(&place, None), Err(VerifyError::Manifest(ManifestError::Signature(_)))));
    let mut outside = made;
    let entry = outside.files["canonical.csv"];
    outside.files.insert("../../etc/passwd".to_owned(), entry);
    outside.sign(&validator()).expect("signed");
    std::fs::write(place.join(MANIFEST_FILE), outside.to_json().expect("JSON")).expect("written");
    assert!(matches!(verify(&place, None), Err(VerifyError::Unknown(name)) if name == "../../etc/passwd"));
}

#[test]
fn contributors_are_named_with_their_weights() {
    let folder = tempfile::tempdir().expect("a folder");
    let manifest = must_publish(folder.path(), 2);
    assert_eq!(manifest.contributors.len(), 7);
    assert!(manifest.contributors.contains_key(&miner(7)));
    assert_eq!((manifest.round.as_str(), manifest.files["canonical.json"].rows), ("1-2026-01-02-30", ALERTS as u64));
}
