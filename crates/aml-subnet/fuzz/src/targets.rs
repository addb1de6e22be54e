//! What each fuzz target does with bytes from a stranger: a value within bounds or a reason, never a panic.
//!
//! The fuzz crate and the tests of the crate both take this file, so that the corpus is replayed by the same code.

use std::time::Duration;

use aml_miner::digest::Digest;
use aml_subnet::beacon::{Beacon, BeaconRound, Pulse};
use aml_subnet::outputs::pack::{PackHead, PackReader, PackWriter};
use aml_subnet::protocol::answer::{self, Answered, Asked};
use aml_subnet::protocol::reference::Descriptor;
use aml_subnet::protocol::sealed::{Parties, Sealed, unpack};
use aml_subnet::protocol::second_answer::{self, Came, Subject};
use aml_subnet::protocol::signed_request::{Claim, Target, payload};
use aml_subnet::protocol::synapse::{self, body, reply};
use aml_subnet::protocol::terms::Terms;
use aml_subnet::protocol::{Nonce, Window, content_digest, receipt_key};
use aml_subnet::wallet::{Hotkey, Scheme, Signer};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::value::RawValue;

/// What a target does with an input.
pub(crate) type Run = fn(&[u8]);

/// All of them.
pub(crate) const ALL: [(&str, Run); 8] = [
    ("signed_headers", signed_headers),
    ("signed_answers", signed_answers),
    ("synapse_headers", synapse_headers),
    ("synapse_bodies", synapse_bodies),
    ("unpacking", unpacking),
    ("settings", settings),
    ("evidence_pack", evidence_pack),
    ("metadata", metadata),
];

/// Most of a message that is made of what a stranger sent.
const LONGEST_MESSAGE: usize = 4096;
const NOW: Duration = Duration::from_secs(1_795_000_000);

fn key(byte: u8) -> Signer {
    Signer::from_seed(&[byte; 32], Scheme::Ed25519)
}

/// Lines `name: value` as headers, as far as they can be some.
fn headers(bytes: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in bytes.split(|byte| *byte == b'\n').take(64) {
        let Some(at) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = (&line[..at], line[at + 1..].trim_ascii());
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
            headers.append(name, value);
        }
    }
    headers
}

fn short(error: &dyn std::fmt::Display) {
    let text = error.to_string();
    assert!(text.len() <= LONGEST_MESSAGE, "a message of {} bytes", text.len());
}

/// A signed request's headers and terms.
pub(crate) fn signed_headers(bytes: &[u8]) {
    let headers = headers(bytes);
    let _ = content_digest::announced(&headers).map_err(|error| short(&error));
    let query = std::str::from_utf8(bytes).unwrap_or_default();
    if let Ok((terms, rest)) = Terms::of_query(Some(query)) {
        assert!(rest.as_deref().unwrap_or_default().split('&').all(|part| !part.starts_with("aml_")));
        if let Some(terms) = terms {
            // What is read is written in one way, and read again as the same.
            let written = terms.behind("");
            assert_eq!(Terms::of_query(Some(&written[1..])).expect("our own").0, Some(terms));
        }
    }
    let us = key(1).hotkey();
    let claim = match Claim::parse(&headers) {
        Ok(claim) => claim,
        Err(error) => return short(&error),
    };
    let target = Target { method: "POST", path_and_query: "/7/score/alerts", body: Digest::of(bytes) };
    let lines = payload(claim.envelope(), &target).split(|byte| *byte == b'\n').count();
    assert_eq!(lines, 8, "nothing of a header makes a line of its own");
    let _ = claim.expect(claim.envelope().scheme, &us, Window::default(), NOW);
    // Nobody but the key signs: bytes that were made here never hold.
    assert!(claim.verify(&target).is_err());
}

/// A signed answer's headers, of both forms, and what a hotkey vouches for.
pub(crate) fn signed_answers(bytes: &[u8]) {
    let (headers, digest) = (headers(bytes), Digest::of(bytes));
    let (miner, validator) = (key(1).hotkey(), key(2).hotkey());
    let asked = Asked { nonce: Nonce::new(7), validator, body: digest };
    let subject = Subject { task: digest, commitment: digest, decoded: digest };
    let answered = Answered { status: StatusCode::OK, body: digest };
    assert!(answer::verify_answer(&headers, &miner, answered, &asked).map_err(|error| short(&error)).is_err());
    let came = Came { status: StatusCode::OK, sent: digest };
    let second = second_answer::verify_answer(&headers, &miner, came, &asked, &subject);
    assert!(second.map_err(|error| short(&error)).is_err());
    let text = String::from_utf8_lossy(bytes);
    assert_eq!(receipt_key::vouched(&text, &miner, &digest), None);
}

/// The headers of SDK 10.
pub(crate) fn synapse_headers(bytes: &[u8]) {
    let us = key(1).hotkey();
    match synapse::Claim::parse(&headers(bytes), &us) {
        Ok(claim) => {
            assert!(claim.timeout <= Duration::from_secs(60), "a caller's patience is bounded");
            let _ = claim.expect(Scheme::Sr25519, Window::default(), NOW);
            assert!(claim.verify(&us).is_err());
        }
        Err(error) => short(&error),
    }
}

/// Bodies of SDK 10: requests and replies.
pub(crate) fn synapse_bodies(bytes: &[u8]) {
    let sender = key(1).hotkey();
    match body::check(bytes, &sender) {
        Ok(()) => assert!(serde_json::from_slice::<Box<RawValue>>(bytes).is_ok(), "accepted, but not JSON"),
        Err(error) => short(&error),
    }
    let whole = Bytes::copy_from_slice(bytes);
    for status in [StatusCode::OK, StatusCode::FORBIDDEN] {
        let read = reply::read(status, &reply::headers(status, "words", 0.1), &whole);
        match read {
            Ok(read) => assert!(read.scores.is_none_or(|scores| scores.starts_with(b"[")), "scores are a list"),
            Err(error) => short(&error),
        }
    }
    let _ = reply::first_model_version(bytes);
}

/// Frames of zstd from a miner, alone and within sealed bytes: never more than was allowed. Descriptors from a validator.
pub(crate) fn unpacking(bytes: &[u8]) {
    const MOST: u64 = 1 << 20;
    if let Ok(plain) = unpack(bytes, MOST) {
        assert!(plain.body.len() as u64 <= MOST + 4097);
        assert!(plain.receipt.is_none_or(|receipt| receipt.len() <= 4096 && !receipt.contains('\n')));
    }
    match Descriptor::read(bytes) {
        Ok(descriptor) => {
            // It is read and written in one way, and what nobody encrypted does not open.
            assert_eq!(Descriptor::read(&descriptor.to_bytes()), Ok(descriptor.clone()));
            assert!(descriptor.open(bytes.to_vec()).is_err());
        }
        Err(error) => short(&error),
    }
    let of = BeaconRound { beacon: Beacon::Development, round: 1000 };
    let mut framed = b"amlsealed/1\n".to_vec();
    framed.extend_from_slice(&of.beacon.chain());
    framed.extend_from_slice(&of.round.to_be_bytes());
    framed.extend_from_slice(bytes);
    for bytes in [bytes, &framed] {
        if let Ok(sealed) = Sealed::read(bytes, of) {
            let hotkey = Hotkey::from_bytes([1; 32]);
            let parties = Parties { miner: hotkey, validator: hotkey, task: Digest::of(b"task") };
            let pulse = Pulse::of_development(of.round).expect("everybody knows the key");
            assert!(sealed.open(&pulse, &parties, MOST).is_err(), "nobody sealed this");
        }
    }
}

/// A settings file: settings, or every problem on a line of its own.
pub(crate) fn settings(bytes: &[u8]) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("settings.toml");
    std::fs::write(&path, bytes).expect("a file");
    match aml_subnet::config::load(Some(&path), &[]) {
        Ok(settings) => assert_eq!(settings.problems(), Vec::<String>::new()),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// An evidence pack: as it came, and as a member of one that its validator signed.
pub(crate) fn evidence_pack(bytes: &[u8]) {
    let signer = key(1);
    if let Err(error) = PackReader::open(bytes.to_vec(), &signer.hotkey()) {
        assert!(!error.to_string().is_empty());
    }
    let mut pack = PackWriter::new(Vec::new());
    pack.add("rounds.jsonl.zst", bytes).expect("in memory");
    pack.add_compressed("tasks.jsonl", bytes).expect("in memory");
    let round = "1-2026-01-05-30".parse().expect("a round");
    let head = PackHead { round, batch: Digest::of(bytes), made_at: "2026-02-01T00:00:00Z".to_owned(), alert: None };
    let (_, made) = pack.finish(head, false, &signer).expect("in memory");
    let pack = PackReader::open(made, &signer.hotkey()).expect("it is ours");
    if let Ok(plain) = pack.table("rounds") {
        assert!(plain.len() <= 1 << 29, "what unpacks is bounded");
    }
    assert_eq!(pack.table("tasks").expect("it is ours"), bytes);
    let _ = pack.rows::<serde_json::Value>("tasks").map_err(|error| error.to_string());
}

/// The metadata that an endpoint of the chain tells.
pub(crate) fn metadata(bytes: &[u8]) {
    let _ = subxt::Metadata::decode_from(bytes).map_err(|error| error.to_string());
}
