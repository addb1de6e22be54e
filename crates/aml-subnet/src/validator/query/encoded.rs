//! A task in an encoded form, for the miners that take it. Who refuses it with 415 is sent JSON at once, and for the rest of
//! the round.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use aml_miner::data::arrow_stream;
use aml_miner::digest::Digest;
use http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::http::body::RequestBody;
use crate::wallet::Hotkey;

/// How the body is packed.
const ENCODING: HeaderValue = HeaderValue::from_static("zstd");

/// A task as those are sent it who take it encoded.
#[derive(Clone, Debug)]
pub struct Encoded(Arc<Parts>);

/// What an [`Encoded`] is made of.
#[derive(Clone, Debug)]
pub struct EncodedParts {
    /// SHA-256 of the task as JSON.
    pub task: Digest,
    /// SHA-256 of the body after its encoding is undone.
    pub decoded: Digest,
    /// SHA-256 of the body as it is sent.
    pub sent: Digest,
    /// What is sent.
    pub body: RequestBody,
    /// What it is once it is unpacked: a `Content-Type`.
    pub media: HeaderValue,
    /// Who takes it.
    pub to: BTreeSet<Hotkey>,
}

#[derive(Debug)]
struct Parts {
    parts: EncodedParts,
    refused: Mutex<HashSet<Hotkey>>,
}

impl Encoded {
    /// An encoded task.
    #[must_use]
    pub fn new(parts: EncodedParts) -> Self {
        Self(Arc::new(Parts { parts, refused: Mutex::default() }))
    }

    /// What is sent to this miner; `None` when it is to be sent JSON.
    pub(super) fn to(&self, hotkey: &Hotkey) -> Option<&EncodedParts> {
        let refused = self.0.refused.lock().unwrap_or_else(PoisonError::into_inner).contains(hotkey);
        Some(&self.0.parts).filter(|parts| !refused && parts.to.contains(hotkey))
    }

    /// Whether a miner that answered with `status` is sent JSON from now on: told for the first time in this round.
    pub(super) fn is_refused(&self, hotkey: Hotkey, status: StatusCode) -> bool {
        status == StatusCode::UNSUPPORTED_MEDIA_TYPE
            && self.0.refused.lock().unwrap_or_else(PoisonError::into_inner).insert(hotkey)
    }

    /// Whether this miner has refused it.
    pub(super) fn was_refused(&self, hotkey: &Hotkey) -> bool {
        self.0.refused.lock().unwrap_or_else(PoisonError::into_inner).contains(hotkey)
    }
}

impl EncodedParts {
    /// Says what the body is.
    pub(super) fn name(&self, headers: &mut HeaderMap) {
        headers.insert(CONTENT_TYPE, self.media.clone());
        headers.insert(CONTENT_ENCODING, ENCODING);
    }
}

/// Whether an answer says that the next task may be sent as Arrow.
pub(super) fn takes_arrow(headers: &HeaderMap) -> bool {
    let texts = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',')).any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(arrow_stream::MEDIA_TYPE));
        // A weight of zero is a refusal.
        let refused = |part: &str| {
            let weight = part.strip_prefix("q=").or_else(|| part.strip_prefix("Q="));
            weight.is_some_and(|weight| !weight.trim().parse::<f32>().is_ok_and(|weight| weight > 0.0))
        };
        named && !parts.any(refused)
    })
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

    use super::takes_arrow;

    #[test]
    fn a_miner_takes_arrow_when_its_answer_says_so() {
        let says = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append("accept", HeaderValue::from_static(value));
            }
            takes_arrow(&headers)
        };
        for good in [
            &["application/vnd.apache.arrow.stream"][..],
            &["application/json, Application/Vnd.Apache.Arrow.Stream;q=0.5"],
            &["application/json", "application/vnd.apache.arrow.stream"],
        ] {
            assert!(says(good), "{good:?}");
        }
        for bad in [
            &[][..],
            &["*/*"],
            &["application/json"],
            &["application/vnd.apache.arrow.file"],
            &["application/vnd.apache.arrow.stream;q=0"],
            &["application/vnd.apache.arrow.stream; q=NaN"],
        ] {
            assert!(!says(bad), "{bad:?}");
        }
    }
}
