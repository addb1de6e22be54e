//! Reading single headers strictly.

use http::{HeaderMap, HeaderValue};

use super::Refusal;
use super::limits::MAX_HEADER_VALUE;

/// The value of a header that may appear once; `None` when it is absent.
pub(super) fn at_most_one<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Refusal::Repeated(name));
    }
    let malformed = Refusal::Malformed { name, expected: "a short ASCII value" };
    let text = value.to_str().map_err(|_| malformed.clone())?;
    if text.len() > MAX_HEADER_VALUE { Err(malformed) } else { Ok(Some(text)) }
}

/// The value of a header that must appear exactly once and not be empty.
pub(super) fn exactly_one<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a str, Refusal> {
    at_most_one(headers, name)?.filter(|text| !text.is_empty()).ok_or(Refusal::Missing(name))
}

/// A 64-byte signature in hex.
pub(super) fn signature(text: &str, prefix: Prefix, name: &'static str) -> Result<[u8; 64], Refusal> {
    let malformed = || Refusal::Malformed { name, expected: "0x and 128 hex digits" };
    let digits = match (text.strip_prefix("0x"), prefix) {
        (Some(digits), _) => digits,
        (None, Prefix::Optional) => text,
        (None, Prefix::Required) => return Err(malformed()),
    };
    let mut bytes = [0; 64];
    hex::decode_to_slice(digits, &mut bytes).map_err(|_| malformed())?;
    Ok(bytes)
}

/// Whether `0x` must stand before hex digits.
#[derive(Clone, Copy)]
pub(super) enum Prefix {
    Optional,
    Required,
}

/// A value made of our own ASCII text.
pub(super) fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("decimal, hex and ss58 texts are valid header values")
}

/// `0x` and lowercase hex.
pub(super) fn hex_value(signature: &[u8; 64]) -> HeaderValue {
    value(&format!("0x{}", hex::encode(signature)))
}
