//! Signed answers: the miner vouches for the bytes it sent back, to whom, and in answer to what.
//!
//! The validator verifies before it parses: the answer is evidence, and an impostor at a stale address does not count.

use aml_miner::digest::Digest;
use http::{HeaderMap, HeaderName, StatusCode};

use super::headers::{self, Prefix};
use super::{Nonce, Refusal};
use crate::wallet::{Hotkey, Scheme, Signer, verify};

/// The miner's address.
pub const HOTKEY_HEADER: &str = "x-aml-answer-hotkey";
/// The nonce of the request.
pub const NONCE_HEADER: &str = "x-aml-answer-nonce";
/// The scheme, when it is not sr25519.
pub const CRYPTO_HEADER: &str = "x-aml-answer-crypto";
/// The signature.
pub const SIGNATURE_HEADER: &str = "x-aml-answer-signature";

/// The request that an answer belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Its nonce.
    pub nonce: Nonce,
    /// Who asked.
    pub validator: Hotkey,
    /// SHA-256 of its raw body.
    pub body: Digest,
}

/// What is signed of an answer itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Its status.
    pub status: StatusCode,
    /// SHA-256 of its raw body.
    pub body: Digest,
}

/// The bytes that are signed: eight lines, no newline at the end.
#[must_use]
pub fn payload(scheme: Scheme, miner: &Hotkey, answer: Answered, asked: &Asked) -> Vec<u8> {
    format!(
        "amlanswer/1\n{scheme}\n{}\n{}\n{}\n{miner}\n{}\n{}",
        answer.status.as_u16(),
        answer.body,
        asked.nonce,
        asked.validator,
        asked.body
    )
    .into_bytes()
}

/// The headers that go before an answer of this status and raw body.
#[must_use]
pub fn sign(signer: &Signer, answer: Answered, asked: &Asked) -> HeaderMap {
    let mut signed = HeaderMap::with_capacity(4);
    put_signed(&mut signed, signer, asked, &payload(signer.scheme(), &signer.hotkey(), answer, asked));
    signed
}

/// The signature of `miner` over an answer, proven: what a ledger keeps as evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// How it was signed.
    pub scheme: Scheme,
    /// The signature.
    pub signature: [u8; 64],
}

/// Checks that `answer` is `miner`'s to what we asked.
///
/// # Errors
/// When a header is missing or malformed, another key or nonce is named, or the signature does not hold.
pub fn verify_answer(headers: &HeaderMap, miner: &Hotkey, answer: Answered, asked: &Asked) -> Result<Proof, Refusal> {
    names(headers, miner, asked)?;
    prove(headers, miner, |scheme| payload(scheme, miner, answer, asked))
}

/// Whether the headers of an answer, of either form, name the miner and the request that it belongs to.
pub(super) fn names(headers: &HeaderMap, miner: &Hotkey, asked: &Asked) -> Result<(), Refusal> {
    if headers::exactly_one(headers, HOTKEY_HEADER)?.parse() != Ok(*miner) {
        return Err(Refusal::WrongReceiver);
    }
    if Nonce::parse(headers::exactly_one(headers, NONCE_HEADER)?) != Some(asked.nonce) {
        return Err(Refusal::Malformed { name: NONCE_HEADER, expected: "the nonce of the request" });
    }
    Ok(())
}

/// The signature that the headers of an answer have, of either form, if it is `miner`'s over the payload for its scheme.
pub(super) fn prove(
    headers: &HeaderMap,
    miner: &Hotkey,
    payload: impl FnOnce(Scheme) -> Vec<u8>,
) -> Result<Proof, Refusal> {
    let scheme = match headers::at_most_one(headers, CRYPTO_HEADER)? {
        None => Scheme::default(),
        Some(name) => {
            name.parse().map_err(|_| Refusal::Malformed { name: CRYPTO_HEADER, expected: "sr25519 or ed25519" })?
        }
    };
    let signature = headers::exactly_one(headers, SIGNATURE_HEADER)?;
    let signature = headers::signature(signature, Prefix::Required, SIGNATURE_HEADER)?;
    if verify(scheme, miner, &payload(scheme), &signature) {
        Ok(Proof { scheme, signature })
    } else {
        Err(Refusal::BadSignature)
    }
}

/// Adds the signature to the other headers of an answer, of either form: key, nonce, scheme where it is not the usual one.
pub(super) fn put_signed(signed: &mut HeaderMap, signer: &Signer, asked: &Asked, payload: &[u8]) {
    let mut put = |name, text: &str| signed.insert(HeaderName::from_static(name), headers::value(text));
    put(HOTKEY_HEADER, &signer.hotkey().to_string());
    put(NONCE_HEADER, &asked.nonce.to_string());
    if signer.scheme() != Scheme::default() {
        put(CRYPTO_HEADER, signer.scheme().name());
    }
    signed.insert(HeaderName::from_static(SIGNATURE_HEADER), headers::hex_value(&signer.sign(payload)));
}
