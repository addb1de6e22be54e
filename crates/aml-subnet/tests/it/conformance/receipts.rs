//! Receipts, and hotkeys that vouch for the keys that sign them.

use aml_miner::digest::Digest;
use aml_miner::receipt::{InputForm, Receipt, ReceiptError, ReceiptKey, Statement, verify};
use aml_subnet::protocol::receipt_key::{payload, vouch, vouched};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::Signer as _;
use serde_json::{Value, json};

use super::{BOB, EDDIE, Key, keys};
use crate::vectors_kit::Vectors;

const REQUEST: &str = r#"{"alerts":[{"alert_id":"alert_1"}]}"#;
const ANSWER: &str = r#"[{"alert_id":"alert_1","score":0.5}]"#;

fn key(secret: u8) -> ReceiptKey {
    ReceiptKey::from_secret(&[secret; 32])
}

fn statement() -> Statement {
    Statement {
        input: Digest::of(REQUEST.as_bytes()),
        form: InputForm::Json,
        output: Digest::of(ANSWER.as_bytes()),
        model_version: "1.0.0+0a1b2c3d4e5f".to_owned(),
        model: Digest::of(b"model"),
        schema: Digest::of(b"schema"),
        state: None,
        timestamp: 1_761_436_800_000,
    }
}

/// What a program of before version 2 signed.
pub(super) fn first_version(key: &ReceiptKey, statement: &Statement) -> Receipt {
    let mut receipt = key.sign(statement);
    (receipt.v, receipt.input_form, receipt.state_sha256) = (1, None, None);
    receipt.signature = hex::encode(key.signing_key().sign(&receipt.signed_bytes()).to_bytes());
    receipt
}

const fn reason(error: &ReceiptError) -> &'static str {
    match error {
        ReceiptError::Malformed(_) => "shape",
        ReceiptError::Version(_) => "version",
        ReceiptError::Signer { .. } => "signer",
        ReceiptError::Signature => "signature",
        ReceiptError::Input { .. } => "request",
        ReceiptError::Output { .. } => "answer",
    }
}

struct Shown {
    header: String,
    request: &'static str,
    answer: &'static str,
    expected_key: Option<Digest>,
}

fn shown(header: String) -> Shown {
    Shown { header, request: REQUEST, answer: ANSWER, expected_key: None }
}

impl Shown {
    fn case(&self, name: &str, why: &str) -> Value {
        let judged = verify(&self.header, self.request.as_bytes(), self.answer.as_bytes(), self.expected_key.as_ref());
        let expected = match judged {
            Ok(receipt) if receipt.v == 1 => {
                json!({ "public_key": receipt.public_key.to_string(), "model_version": receipt.model_version })
            }
            Ok(receipt) => json!({
                "public_key": receipt.public_key.to_string(), "model_version": receipt.model_version,
                "input_form": receipt.input_form, "state_sha256": receipt.state_sha256.map(|state| state.to_string()),
            }),
            Err(error) => json!({ "refused": reason(&error), "says": error.to_string() }),
        };
        json!({ "name": name, "why": why, "do": "verify", "header": self.header, "request": self.request,
            "answer": self.answer, "expected_key": self.expected_key.map(|key| key.to_string()), "expected": expected })
    }
}

/// A good receipt with a field changed, not signed again.
fn changed(change: impl Fn(&mut Receipt)) -> Shown {
    let mut receipt = first_version(&key(7), &statement());
    change(&mut receipt);
    shown(receipt.to_header())
}

/// A good receipt whose JSON is changed.
fn reworded(change: impl Fn(&mut Value)) -> Shown {
    let mut receipt = serde_json::to_value(first_version(&key(7), &statement())).expect("JSON");
    change(&mut receipt);
    shown(URL_SAFE_NO_PAD.encode(receipt.to_string()))
}

fn cases() -> Vec<Value> {
    let good = first_version(&key(7), &statement()).to_header();
    let other = Digest::of(b"other");
    let mut long = statement();
    long.model_version = "v".repeat(4000);
    let known = |secret: u8| Shown { expected_key: Some(key(secret).public_key()), ..shown(good.clone()) };
    let padded = format!("{good}{}", "=".repeat((4 - good.len() % 4) % 4));
    let bytes = first_version(&key(7), &statement()).signed_bytes();
    let mut cases = vec![json!({
        "name": "signs", "why": "the vector of docs/receipts.md", "do": "sign", "secret": hex::encode([7_u8; 32]),
        "receipt": serde_json::to_value(first_version(&key(7), &statement())).expect("JSON"),
        "expected": { "payload": String::from_utf8(bytes).expect("text"), "header": good },
    })];
    let shown_cases = [
        ("good", "a receipt for this request and this answer", shown(good.clone())),
        ("good_by_a_known_key", "by the key that was expected", known(7)),
        ("another_key", "by another key than was expected", known(8)),
        ("another_request", "for another request", Shown { request: "{}", ..shown(good.clone()) }),
        ("another_answer", "for another answer", Shown { answer: "[]", ..shown(good.clone()) }),
        ("input_changed", "the signature covers the request", changed(|it| it.input_sha256 = other)),
        ("output_changed", "and the answer", changed(|it| it.output_sha256 = other)),
        ("model_changed", "and the model", changed(|it| it.model_sha256 = other)),
        ("schema_changed", "and the schema", changed(|it| it.schema_sha256 = other)),
        ("version_of_the_model_changed", "and its version", changed(|it| it.model_version.push('x'))),
        ("time_changed", "and the time", changed(|it| it.timestamp += 1)),
        ("key_changed", "and the key", changed(|it| it.public_key = key(8).public_key())),
        ("signature_upper_case", "hex is lower-case", changed(|it| it.signature = it.signature.to_uppercase())),
        ("signature_short", "64 bytes", changed(|it| it.signature.truncate(100))),
        ("version_3", "there is no third version", changed(|it| it.v = 3)),
        ("line_break", "a version of a model is one line", changed(|it| it.model_version.push('\n'))),
        (
            "key_upper_case",
            "hex is lower-case",
            reworded(|it| it["public_key"] = it["public_key"].as_str().expect("text").to_uppercase().into()),
        ),
        ("field_too_many", "fields that are not known are refused", reworded(|it| it["more"] = 1.into())),
        (
            "field_missing",
            "all are there",
            reworded(|it| drop(it.as_object_mut().expect("an object").remove("schema_sha256"))),
        ),
        ("time_negative", "milliseconds since 1970", reworded(|it| it["timestamp"] = (-1).into())),
        ("time_in_words", "a number", reworded(|it| it["timestamp"] = "1761436800000".into())),
        ("null", "no receipt", shown("bnVsbA".to_owned())),
        ("empty", "nothing", shown(String::new())),
        ("no_base64", "another alphabet", shown("%%%".to_owned())),
        ("padded", "without padding", shown(padded)),
        ("longer_than_4096", "a header has at most 4096 characters", shown(first_version(&key(7), &long).to_header())),
    ];
    cases.extend(shown_cases.iter().map(|(name, why, shown)| shown.case(name, why)));
    cases
}

fn cases_of_the_second() -> Vec<Value> {
    let (good, other) = (key(7).sign(&statement()), Digest::of(b"other"));
    let with_state =
        key(7).sign(&Statement { state: Some(Digest::of(b"state")), form: InputForm::Form, ..statement() });
    let signs = |name: &str, why: &str, receipt: &Receipt| {
        let bytes = String::from_utf8(receipt.signed_bytes()).expect("text");
        json!({ "name": name, "why": why, "do": "sign", "secret": hex::encode([7_u8; 32]), "receipt": receipt,
            "expected": { "payload": bytes, "header": receipt.to_header() } })
    };
    let changed = |of: &Receipt, change: fn(&mut Receipt)| {
        let mut receipt = of.clone();
        change(&mut receipt);
        shown(receipt.to_header())
    };
    let reworded = |change: fn(&mut Value)| {
        let mut receipt = serde_json::to_value(&with_state).expect("JSON");
        change(&mut receipt);
        shown(URL_SAFE_NO_PAD.encode(receipt.to_string()))
    };
    let without = |key: &'static str| {
        let mut receipt = serde_json::to_value(&with_state).expect("JSON");
        receipt.as_object_mut().expect("an object").remove(key);
        shown(URL_SAFE_NO_PAD.encode(receipt.to_string()))
    };
    let first = |it: &mut Receipt| (it.v, it.input_form, it.state_sha256) = (1, None, None);
    let mut state = with_state.clone();
    state.state_sha256 = Some(other);
    let shown_cases = [
        ("second_good", "a receipt without a state", shown(good.to_header())),
        ("second_good_with_a_state", "the same of a form, beside a state", shown(with_state.to_header())),
        (
            "second_form_changed",
            "the signature covers the form",
            changed(&good, |it| it.input_form = Some(InputForm::Arrow)),
        ),
        (
            "second_state_added",
            "and that there is no state",
            changed(&good, |it| it.state_sha256 = Some(it.model_sha256)),
        ),
        ("second_state_changed", "and which", shown(state.to_header())),
        ("second_state_taken_away", "and that there is one", changed(&with_state, |it| it.state_sha256 = None)),
        ("second_as_the_first", "and the version", changed(&good, first)),
        ("second_version_3", "there is no third version", changed(&good, |it| it.v = 3)),
        ("second_other_form", "one of four forms", reworded(|it| it["input_form"] = "xml".into())),
        ("second_null_form", "an input has a form", reworded(|it| it["input_form"] = Value::Null)),
        ("second_without_a_form", "both keys are there", without("input_form")),
        ("second_without_a_state", "null where there is none", without("state_sha256")),
        ("second_keys_in_the_first", "which the first version does not have", reworded(|it| it["v"] = 1.into())),
    ];
    let mut cases = vec![
        signs("second_signs", "the vector of docs/receipts.md", &good),
        signs("second_signs_a_state", "the same of a form, beside a state", &with_state),
    ];
    cases.extend(shown_cases.iter().map(|(name, why, shown)| shown.case(name, why)));
    cases
}

/// A hotkey's word for a key, by a signature that is the same each time.
fn word(hotkey: &Key, request: &Digest) -> String {
    let key = key(9).public_key();
    let written = vouch(&hotkey.signer(), &key, request);
    let signature = hotkey.sign(&payload(hotkey.scheme, &hotkey.hotkey(), &key, request));
    let text = written.to_str().expect("ASCII");
    let (head, _) = text.rsplit_once(' ').expect("three parts");
    format!("{head} 0x{}", hex::encode(signature))
}

fn vouching() -> Vec<Value> {
    let request = Digest::of(REQUEST.as_bytes());
    let good = word(&BOB, &request);
    let exchanged = good.replace(&key(9).public_key().to_string(), &key(8).public_key().to_string());
    let cases = [
        ("vouched_sr25519", "the hotkey says which key signs its receipts", word(&BOB, &request), BOB, request),
        ("vouched_ed25519", "the same by ed25519", word(&EDDIE, &request), EDDIE, request),
        ("vouched_for_another_request", "it is worth nothing for any other", good.clone(), BOB, Digest::of(b"other")),
        ("vouched_by_another", "nor of another hotkey", good.clone(), EDDIE, request),
        ("vouched_key_exchanged", "nor for another key", exchanged, BOB, request),
        ("vouched_scheme_exchanged", "nor by another scheme", good.replacen("sr25519", "ed25519", 1), BOB, request),
        ("vouched_with_more", "three parts", format!("{good} more"), BOB, request),
        ("vouched_without_0x", "the prefix is part of it", good.replacen("0x", "", 1), BOB, request),
        ("vouched_by_nothing", "nothing", String::new(), BOB, request),
    ];
    let case = |(name, why, header, hotkey, request): &(&str, &str, String, Key, Digest)| {
        let expected = match vouched(header, &hotkey.hotkey(), request) {
            Some(key) => json!({ "public_key": key.to_string() }),
            None => json!({ "refused": "vouching", "says": "the hotkey vouches for no key" }),
        };
        json!({ "name": name, "why": why, "do": "vouched", "header": header, "miner": hotkey.hotkey().to_string(),
            "request_sha256": request.to_string(), "expected": expected })
    };
    cases.iter().map(case).collect()
}

#[test]
fn receipts_are_those_of_the_package() {
    let cases = [cases(), vouching()].concat();
    Vectors { name: "receipts.json", pages: &["docs/receipts.md"], shared: vec![("keys", keys())], cases }
        .must_be_stored();
}

#[test]
fn receipts_of_the_second_version_are_those_of_the_package() {
    Vectors { name: "receipts_v2.json", pages: &["docs/receipts.md"], shared: vec![], cases: cases_of_the_second() }
        .must_be_stored();
}
