//! btauth/1: a request bound to its sender, receiver, method, target, body and time.
//!
//! Signing and verifying share [`payload`]. What is checked when: [`Claim::parse`] (shape), [`Claim::expect`]
//! (scheme, receiver, freshness), [`Claim::verify`] (signature), then [`super::replay`]. Only the canonical form is produced, and only a
//! strict reading of it accepted: the SDK takes spaces in hex, Python's integers, foreign address prefixes and
//! wrapped payloads; we do not.

use std::time::Duration;

use aml_miner::digest::Digest;
use http::{HeaderMap, HeaderName};

use super::headers::{self, Prefix};
use super::{Nonce, Refusal, Window};
use crate::wallet::{Hotkey, Scheme, Signer, verify};

/// The version of the form.
pub const VERSION_HEADER: &str = "x-bittensor-version";
/// The sender's address.
pub const HOTKEY_HEADER: &str = "x-bittensor-hotkey";
/// The receiver's address.
pub const RECEIVER_HEADER: &str = "x-bittensor-receiver";
/// When it was signed.
pub const NONCE_HEADER: &str = "x-bittensor-nonce";
/// The scheme, when it is not sr25519.
pub const CRYPTO_HEADER: &str = "x-bittensor-crypto";
/// The signature.
pub const SIGNATURE_HEADER: &str = "x-bittensor-signature";

/// What is sent where.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// HTTP method.
    pub method: &'a str,
    /// Path and query as on the wire, percent-encoded.
    pub path_and_query: &'a str,
    /// SHA-256 of the raw body.
    pub body: Digest,
}

/// Who sends to whom, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// How the sender signs.
    pub scheme: Scheme,
    /// The sender's clock.
    pub nonce: Nonce,
    /// Sender.
    pub sender: Hotkey,
    /// Receiver; `None` leaves the request unbound, which our own servers refuse.
    pub receiver: Option<Hotkey>,
}

/// The bytes that are signed: eight lines, no newline at the end.
#[must_use]
pub fn payload(envelope: &Envelope, target: &Target<'_>) -> Vec<u8> {
    let receiver = envelope.receiver.map_or_else(|| "-".to_owned(), |key| key.to_string());
    format!(
        "btauth/1\n{}\n{}\n{}\n{}\n{}\n{}\n{receiver}",
        envelope.scheme,
        target.method.to_ascii_uppercase(),
        target.path_and_query,
        target.body,
        envelope.nonce,
        envelope.sender,
    )
    .into_bytes()
}

/// The headers of one attempt. Each attempt needs its own nonce, retries included.
#[must_use]
pub fn sign(signer: &Signer, target: &Target<'_>, receiver: Option<Hotkey>, nonce: Nonce) -> HeaderMap {
    let envelope = Envelope { scheme: signer.scheme(), nonce, sender: signer.hotkey(), receiver };
    let signature = signer.sign(&payload(&envelope, target));
    let mut signed = HeaderMap::with_capacity(6);
    let mut put = |name, text: &str| signed.insert(HeaderName::from_static(name), headers::value(text));
    put(VERSION_HEADER, "1");
    put(HOTKEY_HEADER, &envelope.sender.to_string());
    put(NONCE_HEADER, &nonce.to_string());
    if let Some(receiver) = receiver {
        put(RECEIVER_HEADER, &receiver.to_string());
    }
    if envelope.scheme != Scheme::default() {
        put(CRYPTO_HEADER, envelope.scheme.name());
    }
    signed.insert(HeaderName::from_static(SIGNATURE_HEADER), headers::hex_value(&signature));
    signed
}

/// What a request says of itself, before anything of it is believed.
#[derive(Clone, Debug)]
pub struct Claim {
    envelope: Envelope,
    signature: [u8; 64],
}

impl Claim {
    /// Reads the headers.
    ///
    /// # Errors
    /// When one is missing, repeated or malformed.
    pub fn parse(headers: &HeaderMap) -> Result<Self, Refusal> {
        if headers::at_most_one(headers, VERSION_HEADER)? != Some("1") {
            return Err(Refusal::Version);
        }
        let sender = address(headers::exactly_one(headers, HOTKEY_HEADER)?, HOTKEY_HEADER)?;
        let nonce = Nonce::parse(headers::exactly_one(headers, NONCE_HEADER)?)
            .ok_or(Refusal::Malformed { name: NONCE_HEADER, expected: "nanoseconds since 1970 in decimal digits" })?;
        let scheme = match headers::at_most_one(headers, CRYPTO_HEADER)? {
            None => Scheme::default(),
            Some(name) => {
                name.parse().map_err(|_| Refusal::Malformed { name: CRYPTO_HEADER, expected: "sr25519 or ed25519" })?
            }
        };
        let signature = headers::exactly_one(headers, SIGNATURE_HEADER)?;
        let signature = headers::signature(signature, Prefix::Optional, SIGNATURE_HEADER)?;
        let receiver = match headers::at_most_one(headers, RECEIVER_HEADER)? {
            None => None,
            // A present but unreadable receiver is surely not us.
            Some(text) => Some(text.parse().map_err(|_| Refusal::WrongReceiver)?),
        };
        Ok(Self { envelope: Envelope { scheme, nonce, sender, receiver }, signature })
    }

    /// Who, to whom, when: unproven.
    #[must_use]
    pub const fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// Whether the claim suits us: the scheme known of its sender, our hotkey, and our clock.
    ///
    /// # Errors
    /// The first check that failed, in this order.
    pub fn expect(&self, scheme: Scheme, us: &Hotkey, window: Window, now: Duration) -> Result<(), Refusal> {
        if self.envelope.scheme != scheme {
            return Err(Refusal::UnexpectedScheme(scheme));
        }
        if self.envelope.receiver != Some(*us) {
            return Err(Refusal::WrongReceiver);
        }
        window.check(self.envelope.nonce, now)
    }

    /// Whether the signature covers what was received.
    ///
    /// # Errors
    /// [`Refusal::BadSignature`].
    pub fn verify(&self, received: &Target<'_>) -> Result<(), Refusal> {
        let message = payload(&self.envelope, received);
        let holds = verify(self.envelope.scheme, &self.envelope.sender, &message, &self.signature);
        if holds { Ok(()) } else { Err(Refusal::BadSignature) }
    }
}

fn address(text: &str, name: &'static str) -> Result<Hotkey, Refusal> {
    text.parse().map_err(|_| Refusal::Malformed { name, expected: "an ss58 address with prefix 42" })
}
