//! The validator's side of the v10 form: a request that a real axon accepts.
//!
//! Every required input needs its `bt_header_input_obj_` header, the body is plain JSON, never compressed. Each request
//! has a UUID of its own: an axon refuses nonces that fall behind under the same one.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{EMPTY_BODY_HASH, INPUTS, NAME, message};
use crate::entropy::{Entropy, NoEntropy};
use crate::protocol::{Nonce, headers};
use crate::wallet::{Hotkey, Scheme, Signer};

/// What the version header says: 10.5.0, whose nonce rule we keep.
const VERSION: u32 = 10_005_000;

/// One request, ready to be posted to `/AlertScoring`.
#[derive(Clone, Debug)]
pub struct Request {
    /// Headers, content type included.
    pub headers: HeaderMap,
    /// JSON.
    pub body: Bytes,
}

/// The axon to ask.
#[derive(Clone, Copy, Debug)]
pub struct Receiver {
    /// Its key, which the signature is bound to.
    pub hotkey: Hotkey,
    /// Where it is.
    pub address: SocketAddr,
}

/// What no other request has.
#[derive(Clone, Copy, Debug)]
pub struct Unique {
    /// Above all nonces before it.
    pub nonce: Nonce,
    /// Random.
    pub uuid: Uuid,
}

/// A random UUID, version 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uuid([u8; 16]);

impl Uuid {
    /// A fresh one.
    ///
    /// # Errors
    /// [`NoEntropy`] when there is no randomness.
    pub fn random(entropy: &dyn Entropy) -> Result<Self, NoEntropy> {
        let mut bytes = [0_u8; 16];
        entropy.fill(&mut bytes)?;
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        Ok(Self(bytes))
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = hex::encode(self.0);
        write!(f, "{}-{}-{}-{}-{}", &text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..])
    }
}

/// Why no request could be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// The form knows only sr25519.
    #[error("the v10 form needs an sr25519 hotkey")]
    Scheme,
    /// Not the body of the inference API.
    #[error("the task is not a JSON object with `alerts`")]
    Body,
    /// No UUID.
    #[error("the machine gives no randomness")]
    Randomness,
}

#[derive(Deserialize)]
struct Task<'a> {
    #[serde(borrow)]
    alerts: &'a RawValue,
    #[serde(borrow, default)]
    features: Option<&'a RawValue>,
    #[serde(borrow, default)]
    clusters: Option<&'a RawValue>,
    #[serde(borrow, default)]
    money_flows: Option<&'a RawValue>,
}

/// Wraps `task`, a body of the inference API, and signs it for `receiver`.
///
/// # Errors
/// When the signer cannot sign this form, or the task is no batch.
pub fn request(
    signer: &Signer,
    receiver: &Receiver,
    Unique { nonce, uuid }: Unique,
    timeout: Duration,
    task: &[u8],
) -> Result<Request, BuildError> {
    if signer.scheme() != Scheme::Sr25519 {
        return Err(BuildError::Scheme);
    }
    let task: Task<'_> = serde_json::from_slice(task).map_err(|_| BuildError::Body)?;
    let (sender, uuid) = (signer.hotkey().to_string(), uuid.to_string());
    let uuid = uuid.as_str();
    let text = message(nonce, &sender, &receiver.hotkey, uuid, EMPTY_BODY_HASH);
    let signature = format!("0x{}", hex::encode(signer.sign(text.as_bytes())));
    let timeout = format!("{:?}", timeout.as_secs_f64());
    let mut fields = HeaderMap::with_capacity(20);
    let mut put = |name: &'static str, text: &str| fields.insert(HeaderName::from_static(name), headers::value(text));
    put("name", NAME);
    put("timeout", &timeout);
    put("bt_header_axon_ip", &receiver.address.ip().to_string());
    put("bt_header_axon_port", &receiver.address.port().to_string());
    put("bt_header_axon_hotkey", &receiver.hotkey.to_string());
    put("bt_header_dendrite_version", &VERSION.to_string());
    put("bt_header_dendrite_nonce", &nonce.to_string());
    put("bt_header_dendrite_uuid", uuid);
    put("bt_header_dendrite_hotkey", &sender);
    put("bt_header_dendrite_signature", &signature);
    for name in super::INPUT_OBJECTS {
        // base64 of an empty list.
        put(name, "W10=");
    }
    put("header_size", "0");
    put("total_size", "0");
    put("computed_body_hash", EMPTY_BODY_HASH);
    fields.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let terminals = Terminals { timeout: &timeout, nonce, uuid, sender: &sender, signature: &signature, receiver };
    Ok(Request { headers: fields, body: body(&terminals, &task) })
}

/// What the body repeats of the headers.
struct Terminals<'a> {
    timeout: &'a str,
    nonce: Nonce,
    uuid: &'a str,
    sender: &'a str,
    signature: &'a str,
    receiver: &'a Receiver,
}

fn body(terminals: &Terminals<'_>, task: &Task<'_>) -> Bytes {
    let Terminals { timeout, nonce, uuid, sender, signature, receiver } = terminals;
    let mut json = format!(
        "{{\"name\":\"{NAME}\",\"timeout\":{timeout},\"total_size\":0,\"header_size\":0,\
         \"dendrite\":{{\"version\":{VERSION},\"nonce\":{nonce},\"uuid\":\"{uuid}\",\"hotkey\":\"{sender}\",\
         \"signature\":\"{signature}\"}},\
         \"axon\":{{\"ip\":\"{}\",\"port\":{},\"hotkey\":\"{}\"}},\"computed_body_hash\":\"\"",
        receiver.address.ip(),
        receiver.address.port(),
        receiver.hotkey
    );
    let inputs = [Some(task.alerts), task.features, task.clusters, task.money_flows];
    for (name, input) in INPUTS.iter().zip(inputs) {
        json.push_str(",\"");
        json.push_str(name);
        json.push_str("\":");
        json.push_str(input.map_or("[]", RawValue::get));
    }
    json.push_str(",\"scores\":null,\"miner_id\":null,\"model_version\":null}");
    Bytes::from(json)
}
