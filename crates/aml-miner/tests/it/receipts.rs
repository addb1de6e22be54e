//! A receipt proves one answer to one request by one key, and nothing else; programs that share a file share a key.

use aml_miner::digest::Digest;
use aml_miner::receipt::{InputForm, Receipt, ReceiptError, ReceiptKey, Statement, verify};
use ed25519_dalek::Signer as _;

const REQUEST: &[u8] = br#"{"alerts":[{"alert_id":"alert_1"}]}"#;
const ANSWER: &[u8] = br#"[{"alert_id":"alert_1","score":0.5}]"#;

fn key() -> ReceiptKey {
    ReceiptKey::from_secret(&[7; 32])
}

fn statement() -> Statement {
    Statement {
        input: Digest::of(REQUEST),
        form: InputForm::Json,
        output: Digest::of(ANSWER),
        model_version: "1.0.0+0a1b2c3d4e5f".to_owned(),
        model: Digest::of(b"model"),
        schema: Digest::of(b"schema"),
        state: None,
        timestamp: 1_761_436_800_000,
    }
}

/// What a program of before version 2 signed.
fn first_version() -> Receipt {
    let mut receipt = key().sign(&statement());
    (receipt.v, receipt.input_form, receipt.state_sha256) = (1, None, None);
    receipt.signature = hex::encode(key().signing_key().sign(&receipt.signed_bytes()).to_bytes());
    receipt
}

fn changed(change: impl Fn(&mut Receipt)) -> Result<Receipt, ReceiptError> {
    let mut receipt = key().sign(&statement());
    change(&mut receipt);
    verify(&receipt.to_header(), REQUEST, ANSWER, None)
}

#[test]
fn the_documented_vector_holds() {
    let documented = include_str!("../../../../docs/receipts.md");
    for receipt in [key().sign(&statement()), first_version()] {
        let bytes = String::from_utf8(receipt.signed_bytes()).expect("lines of text");
        for part in [bytes.as_str(), &receipt.signature, &receipt.to_header()] {
            assert!(documented.contains(part), "docs/receipts.md lacks:\n{part}");
        }
    }
}

#[test]
fn a_receipt_holds_for_what_it_was_given_for() {
    let header = key().sign(&statement()).to_header();
    let receipt = verify(&header, REQUEST, ANSWER, Some(&key().public_key())).expect("it holds");
    assert_eq!((receipt.v, receipt.input_form, receipt.state_sha256), (2, Some(InputForm::Json), None));
    let first = verify(&first_version().to_header(), REQUEST, ANSWER, Some(&key().public_key())).expect("it holds");
    assert_eq!((first.v, first.input_form, first.state_sha256), (1, None, None));
    assert_eq!(
        key().sign(&Statement { state: Some(Digest::of(b"state")), ..statement() }).state_sha256,
        Some(Digest::of(b"state"))
    );
}

#[test]
fn another_request_answer_or_signer_is_noticed() {
    let header = key().sign(&statement()).to_header();
    assert!(matches!(verify(&header, b"{}", ANSWER, None), Err(ReceiptError::Input { .. })));
    assert!(matches!(verify(&header, REQUEST, b"[]", None), Err(ReceiptError::Output { .. })));
    let stranger = ReceiptKey::from_secret(&[8; 32]).public_key();
    assert!(matches!(verify(&header, REQUEST, ANSWER, Some(&stranger)), Err(ReceiptError::Signer { .. })));
}

#[test]
fn whatever_is_changed_breaks_the_signature() {
    assert!(changed(|_| {}).is_ok());
    let other = Digest::of(b"other");
    assert_eq!(changed(|r| r.input_sha256 = other), Err(ReceiptError::Signature));
    assert_eq!(changed(|r| r.output_sha256 = other), Err(ReceiptError::Signature));
    assert_eq!(changed(|r| r.model_sha256 = other), Err(ReceiptError::Signature));
    assert_eq!(changed(|r| r.schema_sha256 = other), Err(ReceiptError::Signature));
    assert_eq!(changed(|r| r.timestamp += 1), Err(ReceiptError::Signature));
    assert_eq!(changed(|r| r.model_version.push('x')), Err(ReceiptError::Signature));
    assert_eq!(
        changed(|r| r.public_key = ReceiptKey::from_secret(&[8; 32]).public_key()),
        Err(ReceiptError::Signature)
    );
    assert_eq!(changed(|r| r.signature = r.signature.to_uppercase()), Err(ReceiptError::Signature));
    assert_eq!(changed(|r| r.signature.truncate(100)), Err(ReceiptError::Signature));
    assert_eq!(changed(|r| r.input_form = Some(InputForm::Form)), Err(ReceiptError::Signature));
    assert_eq!(changed(|r| r.state_sha256 = Some(other)), Err(ReceiptError::Signature));
    assert_eq!(changed(|r| r.v = 3), Err(ReceiptError::Version(3)));
    assert_eq!(changed(|r| (r.v, r.input_form) = (1, None)), Err(ReceiptError::Signature), "no version is another one");
    assert!(matches!(changed(|r| r.v = 1), Err(ReceiptError::Malformed(_))), "version 1 has no form");
    assert!(matches!(changed(|r| r.input_form = None), Err(ReceiptError::Malformed(_))), "version 2 has one");
    assert!(matches!(changed(|r| r.model_version.push('\n')), Err(ReceiptError::Malformed(_))));
}

#[test]
fn hostile_headers_are_errors() {
    for header in ["", "%%%", "e30", "bnVsbA", &"A".repeat(100_000)] {
        assert!(matches!(verify(header, REQUEST, ANSWER, None), Err(ReceiptError::Malformed(_))), "{header:.20}");
    }
}

#[cfg(unix)]
#[test]
fn a_key_is_made_once_and_kept_from_others() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("keys/receipt.key");
    let made = ReceiptKey::load_or_create(&path).expect("made").public_key();
    assert_eq!(std::fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
    assert_eq!(ReceiptKey::load_or_create(&path).expect("read").public_key(), made);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).expect("changed");
    let error = ReceiptKey::load_or_create(&path).expect_err("others may read it").to_string();
    assert!(error.contains("chmod 600"), "{error}");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("changed");
    std::fs::write(&path, "not a key").expect("written");
    assert!(ReceiptKey::load_or_create(&path).is_err());
}

#[test]
fn all_that_start_at_once_have_one_key() {
    for _ in 0..40 {
        let directory = tempfile::tempdir().expect("a directory");
        let (path, start) = (directory.path().join("keys/receipt.key"), std::sync::Barrier::new(8));
        let public_key = || {
            start.wait();
            ReceiptKey::load_or_create(&path).expect("a key").public_key()
        };
        let keys: Vec<Digest> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(public_key)).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
        let files = std::fs::read_dir(directory.path().join("keys")).expect("there").count();
        assert_eq!(files, 1, "nothing is left beside the key");
    }
}

#[test]
fn a_key_that_cannot_be_written_is_told_with_its_file() {
    let directory = tempfile::tempdir().expect("a directory");
    let blocked = directory.path().join("file");
    std::fs::write(&blocked, "not a directory").expect("written");
    let error = ReceiptKey::load_or_create(&blocked.join("receipt.key")).expect_err("no place").to_string();
    assert!(error.contains("cannot use the signing key file") && error.contains("receipt.key"), "{error}");
}
