//! The answer to a synapse: how a miner words it, and how a validator reads it.
//!
//! The old dendrite takes the status from `bt_header_axon_status_code` before the HTTP status, and demands every required input in the
//! answer; empty lists are enough. It crashes on `"dendrite": null`, so that is never written.

use std::io::Read;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::INPUTS;
use crate::wallet::Hotkey;

/// Where the old dendrite looks for the status.
pub const STATUS_CODE: &str = "bt_header_axon_status_code";
/// Where it looks for the text that belongs to it.
pub const STATUS_MESSAGE: &str = "bt_header_axon_status_message";
/// Seconds the axon took.
pub const PROCESS_TIME: &str = "bt_header_axon_process_time";
/// The old client refuses header lines beyond 8190 bytes.
const MAX_MESSAGE: usize = 300;

/// The headers of an answer.
#[must_use]
pub fn headers(status: StatusCode, text: &str, seconds: f64) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(4);
    let mut put = |name: &'static str, text: &str| {
        let visible: String = text.chars().filter(|c| matches!(c, ' '..='~')).take(MAX_MESSAGE).collect();
        // Printable ASCII is always a valid value.
        if let Ok(value) = HeaderValue::from_str(&visible) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    put(STATUS_CODE, status.as_str());
    put(STATUS_MESSAGE, text);
    put(PROCESS_TIME, &format!("{seconds:.6}"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers
}

/// The body of a refusal.
#[must_use]
pub fn refusal(text: &str) -> Bytes {
    Bytes::from(serde_json::json!({ "message": text }).to_string())
}

/// What stands around the inference API's list of scores: `{prefix}<scores>{suffix}` is the whole answer.
#[must_use]
pub fn frame(miner: &Hotkey, model_version: Option<&str>) -> (String, &'static str) {
    let version = serde_json::Value::from(model_version);
    let inputs: String = INPUTS.iter().map(|name| format!("\"{name}\":[],")).collect();
    (format!("{{{inputs}\"miner_id\":\"{miner}\",\"model_version\":{version},\"scores\":"), "}")
}

/// The `model_version` of the first score in `answer`, the inference API's list, of which only the start is read.
#[must_use]
pub fn first_model_version(answer: impl Read) -> Option<String> {
    #[derive(Deserialize)]
    struct Score {
        model_version: String,
    }
    /// One score with its explanation is a few KiB.
    const ENOUGH: u64 = 1 << 20;
    let mut list = answer.take(ENOUGH);
    let mut byte = [0_u8];
    loop {
        list.read_exact(&mut byte).ok()?;
        match byte[0] {
            b'[' => break,
            b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => return None,
        }
    }
    let mut rows = serde_json::Deserializer::from_reader(list).into_iter::<Score>();
    rows.next()?.ok().map(|score| score.model_version)
}

/// A reply that counts.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The scores as raw JSON; `None` when the miner left them null.
    pub scores: Option<Bytes>,
    /// Who the miner says it is: unproven.
    pub miner_id: Option<String>,
    /// Its model.
    pub model_version: Option<String>,
}

/// Why a reply does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// The axon says so.
    #[error("the axon answered {status}: {message}")]
    Status {
        /// Its status: a number, since the header may hold anything.
        status: u16,
        /// Its words, shortened.
        message: String,
    },
    /// No status in headers or body, though the old form demands one.
    #[error("the answer carries no status")]
    NoStatus,
    /// Unreadable.
    #[error("cannot read the answer: {0}")]
    Unreadable(String),
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow, default)]
    alerts: Option<&'a RawValue>,
    #[serde(borrow, default)]
    features: Option<&'a RawValue>,
    #[serde(borrow, default)]
    clusters: Option<&'a RawValue>,
    #[serde(borrow, default)]
    money_flows: Option<&'a RawValue>,
    #[serde(borrow, default)]
    scores: Option<&'a RawValue>,
    #[serde(default)]
    miner_id: Option<String>,
    #[serde(default)]
    model_version: Option<String>,
    #[serde(default)]
    axon: Option<Axon>,
}

#[derive(Deserialize)]
struct Axon {
    #[serde(default)]
    status_code: Option<u16>,
    #[serde(default)]
    status_message: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    message: Option<String>,
}

/// Reads a whole reply, as the old dendrite would.
///
/// # Errors
/// [`ReplyError`]; never panics, whatever was sent.
pub fn read(status: StatusCode, headers: &HeaderMap, body: &Bytes) -> Result<Reply, ReplyError> {
    let unreadable = |what: &str| ReplyError::Unreadable(what.to_owned());
    if headers.contains_key(CONTENT_ENCODING) {
        return Err(unreadable("it is compressed, which was not asked for"));
    }
    let json = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(is_json);
    if !json {
        return Err(unreadable("its content type is not JSON"));
    }
    let said = match headers.get(STATUS_CODE).map(|value| value.to_str().ok().and_then(|text| text.parse().ok())) {
        Some(None) => return Err(unreadable("its status header is not a number")),
        Some(Some(code)) => Some(code),
        None => None,
    };
    if status != StatusCode::OK && said != Some(200) {
        let text = serde_json::from_slice::<Message>(body).map_err(|_| unreadable("its error is not JSON"))?;
        let status = said.unwrap_or(status.as_u16());
        return Err(ReplyError::Status { status, message: shorten(text.message.as_deref().unwrap_or_default()) });
    }
    let wire: Wire<'_> = serde_json::from_slice(body)
        .map_err(|error| unreadable(&format!("line {} column {} is not a synapse", error.line(), error.column())))?;
    for (name, input) in INPUTS.iter().zip([wire.alerts, wire.features, wire.clusters, wire.money_flows]) {
        if !input.is_some_and(is_list) {
            return Err(unreadable(&format!("`{name}` is not a list")));
        }
    }
    let (code, message) = wire.axon.map_or((None, None), |axon| (axon.status_code, axon.status_message));
    match said.or(code) {
        None => return Err(ReplyError::NoStatus),
        Some(200) => {}
        Some(status) => {
            let from_header = headers.get(STATUS_MESSAGE).and_then(|value| value.to_str().ok());
            let message = shorten(from_header.or(message.as_deref()).unwrap_or_default());
            return Err(ReplyError::Status { status, message });
        }
    }
    let scores = wire.scores.filter(|raw| raw.get() != "null");
    if !scores.is_none_or(is_list) {
        return Err(unreadable("`scores` is not a list"));
    }
    let scores = scores.map(|raw| body.slice_ref(raw.get().as_bytes()));
    Ok(Reply { scores, miner_id: wire.miner_id, model_version: wire.model_version })
}

fn is_list(raw: &RawValue) -> bool {
    raw.get().starts_with('[')
}

/// `application/json` and `application/*+json`, with or without parameters.
pub(crate) fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence.strip_prefix("application/").is_some_and(|kind| kind == "json" || kind.ends_with("+json"))
}

fn shorten(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_MESSAGE).collect()
}
