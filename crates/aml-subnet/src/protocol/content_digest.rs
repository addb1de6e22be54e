//! `Content-Digest` (RFC 9530): a body's SHA-256 in the head, so that the signature can be checked before the body comes.
//!
//! Written in one form and read strictly: one header line, `sha-256` once. Other algorithms beside it are passed over; they
//! alone are as good as no digest.

use aml_miner::digest::Digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderValue};

use super::{Refusal, headers};

/// The header.
pub const HEADER: &str = "content-digest";
/// The algorithm that is used.
const ALGORITHM: &str = "sha-256";

/// What announces a body of this digest.
#[must_use]
pub fn announce(body: Digest) -> HeaderValue {
    headers::value(&format!("{ALGORITHM}=:{}:", STANDARD.encode(body.as_bytes())))
}

/// The digest that is announced, where one is.
///
/// # Errors
/// When the header is repeated or does not parse.
pub fn announced(headers: &HeaderMap) -> Result<Option<Digest>, Refusal> {
    let Some(text) = headers::at_most_one(headers, HEADER)? else { return Ok(None) };
    let malformed = Refusal::Malformed { name: HEADER, expected: "sha-256=:BASE64:" };
    let mut found = None;
    for member in text.split(',') {
        let (name, value) = member.trim().split_once('=').ok_or_else(|| malformed.clone())?;
        if name != ALGORITHM {
            continue;
        }
        let digest = decode(value).ok_or_else(|| malformed.clone())?;
        if found.replace(digest).is_some() {
            return Err(malformed);
        }
    }
    Ok(found)
}

fn decode(value: &str) -> Option<Digest> {
    let text = value.strip_prefix(':')?.strip_suffix(':')?;
    let bytes = STANDARD.decode(text).ok()?;
    bytes.try_into().ok().map(Digest::from_bytes)
}
