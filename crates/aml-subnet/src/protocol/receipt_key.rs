//! A hotkey vouches for the key of its receipts: with that a miner whose key is new counts at once, everywhere.
//!
//! The statement stands in the head of an answer, and is about the one request that it answers: it is worth nothing for any
//! other. Validators remember the key that was vouched for last.

use aml_miner::digest::Digest;
use http::HeaderValue;

use super::headers::{self, Prefix};
use crate::wallet::{Hotkey, Scheme, Signer, verify};

/// The header: scheme, key in hex, signature in hex.
pub const HEADER: &str = "x-aml-receipt-key";

/// The bytes that are signed: five lines, no newline at the end.
#[must_use]
pub fn payload(scheme: Scheme, miner: &Hotkey, key: &Digest, request: &Digest) -> Vec<u8> {
    format!("amlreceiptkey/1\n{scheme}\n{miner}\n{key}\n{request}").into_bytes()
}

/// The header of an answer to `request`, the digest of its raw body.
#[must_use]
pub fn vouch(signer: &Signer, key: &Digest, request: &Digest) -> HeaderValue {
    let scheme = signer.scheme();
    let signature = signer.sign(&payload(scheme, &signer.hotkey(), key, request));
    headers::value(&format!("{scheme} {key} 0x{}", hex::encode(signature)))
}

/// The key that `miner` vouches for in answer to `request`; `None` where the statement does not hold.
#[must_use]
pub fn vouched(header: &str, miner: &Hotkey, request: &Digest) -> Option<Digest> {
    let mut parts = header.split(' ');
    let (scheme, key, signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let (scheme, key): (Scheme, Digest) = (scheme.parse().ok()?, key.parse().ok()?);
    let signature = headers::signature(signature, Prefix::Required, HEADER).ok()?;
    verify(scheme, miner, &payload(scheme, miner, &key, request), &signature).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::{payload, vouch, vouched};
    use crate::wallet::{Scheme, Signer};
    use aml_miner::digest::Digest;

    #[test]
    fn a_statement_holds_for_its_miner_and_its_request_alone() {
        let (key, request) = (Digest::of(b"key"), Digest::of(b"request"));
        let signer = Signer::from_seed(&[7; 32], Scheme::Sr25519);
        let other = Signer::from_seed(&[8; 32], Scheme::Sr25519).hotkey();
        let header = vouch(&signer, &key, &request);
        let text = header.to_str().expect("ASCII");
        assert!(text.len() <= crate::protocol::limits::MAX_HEADER_VALUE, "{}", text.len());
        assert_eq!(vouched(text, &signer.hotkey(), &request), Some(key));
        assert_eq!(vouched(text, &other, &request), None);
        assert_eq!(vouched(text, &signer.hotkey(), &Digest::of(b"another request")), None);
        let exchanged = text.replace(&key.to_string(), &Digest::of(b"another key").to_string());
        for bad in [exchanged.as_str(), "", "sr25519", &format!("{text} more"), &text.replace("0x", "")] {
            assert_eq!(vouched(bad, &signer.hotkey(), &request), None, "{bad}");
        }
    }

    #[test]
    fn the_signed_bytes_are_these() {
        let hotkey = Signer::from_seed(&[7; 32], Scheme::Sr25519).hotkey();
        let bytes = payload(Scheme::Sr25519, &hotkey, &Digest::of(b"key"), &Digest::of(b"request"));
        let expected = format!(
            "amlreceiptkey/1\nsr25519\n{hotkey}\n2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683\n\
             1f58b9145b24d108d7ac38887338b3ea3229833b9c1e418250343f907bfd1047"
        );
        assert_eq!(std::str::from_utf8(&bytes).expect("text"), expected);
    }
}
