//! The v10 axon form: what `bittensor` 10 sends to an axon and expects back.
//!
//! Kept for the transition. Its signature covers neither method nor path, and since our synapse hashes no field it
//! does **not** protect the body. [`Claim`] is the miner's side of a request, [`body`] and [`reply`] what it reads and
//! writes; [`dendrite`] is the validator's side.

use std::time::Duration;

use http::HeaderMap;

use super::headers::{self, Prefix};
use super::limits::MAX_CALLER_TIMEOUT;
use super::{Nonce, Refusal, Window};
use crate::wallet::{Hotkey, Scheme, verify};

pub mod body;
pub mod dendrite;
pub mod reply;

/// The class, and so the path.
pub const NAME: &str = "AlertScoring";
/// The inputs that the class requires, in its order.
pub const INPUTS: [&str; 4] = ["alerts", "features", "clusters", "money_flows"];
/// SHA3-256 of nothing: the body hash of a class without `required_hash_fields`.
pub const EMPTY_BODY_HASH: &str = "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a";

const SENDER: &str = "bt_header_dendrite_hotkey";
const NONCE: &str = "bt_header_dendrite_nonce";
const UUID: &str = "bt_header_dendrite_uuid";
const SIGNATURE: &str = "bt_header_dendrite_signature";
const RECEIVER: &str = "bt_header_axon_hotkey";
const BODY_HASH: &str = "computed_body_hash";
const TIMEOUT: &str = "timeout";
/// The SDK's default deadline.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(12);
/// What the old axon grants a request for its journey, beside the caller's deadline.
const NETWORK_ALLOWANCE: Duration = Duration::from_secs(4);
/// Headers that let the old axon build the class; a caller that leaves one out is refused by it, and so by us.
const INPUT_OBJECTS: [&str; 4] = [
    "bt_header_input_obj_alerts",
    "bt_header_input_obj_features",
    "bt_header_input_obj_clusters",
    "bt_header_input_obj_money_flows",
];

/// The signed text. `sender` stands as the caller wrote it, whatever its address prefix.
#[must_use]
pub fn message(nonce: Nonce, sender: &str, receiver: &Hotkey, uuid: &str, body_hash: &str) -> String {
    format!("{nonce}.{sender}.{receiver}.{uuid}.{body_hash}")
}

/// What a request says of itself, before anything of it is believed. The body is no part of it.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Who claims to send.
    pub sender: Hotkey,
    /// The sender's clock.
    pub nonce: Nonce,
    /// How long the caller will wait. Unsigned, so nothing is granted for it.
    pub timeout: Duration,
    sender_text: String,
    uuid: String,
    signature: [u8; 64],
}

impl Claim {
    /// Reads the headers of a request to `us`.
    ///
    /// # Errors
    /// When one is missing, repeated or malformed, or names another receiver.
    pub fn parse(headers: &HeaderMap, us: &Hotkey) -> Result<Self, Refusal> {
        let sender_text = headers::exactly_one(headers, SENDER)?;
        let sender = Hotkey::from_any_network(sender_text)
            .map_err(|_| Refusal::Malformed { name: SENDER, expected: "an ss58 address" })?;
        let nonce = Nonce::parse(headers::exactly_one(headers, NONCE)?)
            .ok_or(Refusal::Malformed { name: NONCE, expected: "nanoseconds since 1970 in decimal digits" })?;
        let uuid = headers::exactly_one(headers, UUID)?;
        if !uuid.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-') {
            return Err(Refusal::Malformed { name: UUID, expected: "a UUID" });
        }
        let signature = headers::exactly_one(headers, SIGNATURE)?;
        let signature = headers::signature(signature, Prefix::Required, SIGNATURE)?;
        let receiver = headers::exactly_one(headers, RECEIVER)?;
        if Hotkey::from_any_network(receiver) != Ok(*us) {
            return Err(Refusal::WrongReceiver);
        }
        if headers::exactly_one(headers, BODY_HASH)? != EMPTY_BODY_HASH {
            let expected = "the hash of no fields: this synapse names none in required_hash_fields";
            return Err(Refusal::Malformed { name: BODY_HASH, expected });
        }
        for name in INPUT_OBJECTS {
            headers::exactly_one(headers, name)?;
        }
        let (sender_text, uuid) = (sender_text.to_owned(), uuid.to_owned());
        Ok(Self { sender, nonce, timeout: timeout(headers)?, sender_text, uuid, signature })
    }

    /// Whether the claim suits us: sr25519 is all this form knows, and the nonce must be within *our* window. A
    /// caller's short deadline narrows that, as it does for the old axon; a long one never widens it.
    ///
    /// # Errors
    /// The first check that failed.
    pub fn expect(&self, scheme: Scheme, window: Window, now: Duration) -> Result<(), Refusal> {
        if scheme != Scheme::Sr25519 {
            return Err(Refusal::UnexpectedScheme(scheme));
        }
        let back = window.back.min(self.timeout.saturating_add(NETWORK_ALLOWANCE));
        Window { back, ..window }.check(self.nonce, now)
    }

    /// Whether the signature holds for a request to `us`.
    ///
    /// # Errors
    /// [`Refusal::BadSignature`].
    pub fn verify(&self, us: &Hotkey) -> Result<(), Refusal> {
        let message = message(self.nonce, &self.sender_text, us, &self.uuid, EMPTY_BODY_HASH);
        let holds = verify(Scheme::Sr25519, &self.sender, message.as_bytes(), &self.signature);
        if holds { Ok(()) } else { Err(Refusal::BadSignature) }
    }
}

/// The caller's patience: finite, positive, and clamped.
fn timeout(headers: &HeaderMap) -> Result<Duration, Refusal> {
    let Some(text) = headers::at_most_one(headers, TIMEOUT)? else { return Ok(DEFAULT_TIMEOUT) };
    let seconds: f64 = text.parse().unwrap_or(f64::NAN);
    if !seconds.is_finite() || seconds <= 0.0 {
        return Err(Refusal::Malformed { name: TIMEOUT, expected: "a positive number of seconds" });
    }
    Ok(Duration::from_secs_f64(seconds.min(MAX_CALLER_TIMEOUT.as_secs_f64())))
}
