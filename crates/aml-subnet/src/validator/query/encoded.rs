//! A task in other forms than JSON, for the miners that take them. Who cannot fetch it by reference is sent it inline at once; who
//! refuses a form with 415 is sent the next one, JSON at the end, and for the rest of the round.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use aml_miner::data::arrow_stream;
use aml_miner::digest::Digest;
use http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::http::body::RequestBody;
use crate::protocol::reference;
use crate::store::records::BodyForm;
use crate::wallet::Hotkey;

/// A miner answers so that cannot fetch a body (`reference_unavailable`).
const CANNOT_FETCH: StatusCode = StatusCode::FAILED_DEPENDENCY;

/// A task as those are sent it who take more than JSON: its forms, the best one first.
#[derive(Clone, Debug)]
pub struct Encoded(Arc<Parts>);

/// One form of a task.
#[derive(Clone, Debug)]
pub struct EncodedParts {
    /// Which.
    pub form: BodyForm,
    /// SHA-256 of the task as JSON.
    pub task: Digest,
    /// SHA-256 of what an API reads of it: the body, or what it refers to, after its encoding is undone.
    pub decoded: Digest,
    /// SHA-256 of the body as it is sent.
    pub sent: Digest,
    /// What is sent.
    pub body: RequestBody,
    /// What it is once it is unpacked: a `Content-Type`.
    pub media: HeaderValue,
    /// How it is packed, where it is.
    pub encoding: Option<HeaderValue>,
    /// Who takes it.
    pub to: BTreeSet<Hotkey>,
}

#[derive(Debug)]
struct Parts {
    forms: Vec<EncodedParts>,
    refused: Mutex<HashSet<(Hotkey, BodyForm)>>,
}

impl Encoded {
    /// A task in these forms, the best one first.
    #[must_use]
    pub fn new(forms: Vec<EncodedParts>) -> Self {
        Self(Arc::new(Parts { forms, refused: Mutex::default() }))
    }

    /// What is sent to this miner; `None` when it is to be sent JSON.
    pub(super) fn to(&self, hotkey: &Hotkey) -> Option<&EncodedParts> {
        let refused = self.refused();
        self.0.forms.iter().find(|parts| parts.to.contains(hotkey) && !refused.contains(&(*hotkey, parts.form)))
    }

    /// Whether a miner that answered with `status` to this form is sent another one from now on: told for the first time in
    /// this round.
    pub(super) fn is_refused(&self, hotkey: Hotkey, form: BodyForm, status: StatusCode) -> bool {
        let refuses =
            status == StatusCode::UNSUPPORTED_MEDIA_TYPE || (form == BodyForm::Reference && status == CANNOT_FETCH);
        refuses && self.refused().insert((hotkey, form))
    }

    /// Whether this miner has refused the form.
    pub(super) fn was_refused(&self, hotkey: &Hotkey, form: BodyForm) -> bool {
        self.refused().contains(&(*hotkey, form))
    }

    fn refused(&self) -> std::sync::MutexGuard<'_, HashSet<(Hotkey, BodyForm)>> {
        self.0.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EncodedParts {
    /// Says what the body is.
    pub(super) fn name(&self, headers: &mut HeaderMap) {
        headers.insert(CONTENT_TYPE, self.media.clone());
        if let Some(encoding) = &self.encoding {
            headers.insert(CONTENT_ENCODING, encoding.clone());
        }
    }
}

/// Whether an answer says that the next task may be sent as Arrow.
pub(super) fn takes_arrow(headers: &HeaderMap) -> bool {
    accepts(headers, arrow_stream::MEDIA_TYPE)
}

/// Whether an answer says that the next task may be sent by reference. What lies there is Arrow.
pub(super) fn takes_references(headers: &HeaderMap) -> bool {
    accepts(headers, reference::MEDIA_TYPE) && takes_arrow(headers)
}

/// Whether `Accept` names a media type.
fn accepts(headers: &HeaderMap, media: &str) -> bool {
    let texts = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',')).any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(media));
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

    use super::{takes_arrow, takes_references};

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
    #[test]
    fn a_miner_that_takes_references_takes_arrow_too() {
        let says = |value: &'static str| {
            takes_references(&HeaderMap::from_iter([(http::header::ACCEPT, HeaderValue::from_static(value))]))
        };
        assert!(says("application/vnd.apache.arrow.stream, application/vnd.aml.reference+json"));
        assert!(!says("application/vnd.aml.reference+json"));
        assert!(!says("application/vnd.apache.arrow.stream"));
        assert!(!says("application/vnd.apache.arrow.stream, application/vnd.aml.reference+json;q=0"));
    }
}
