//! Manifests are signed alike: over a domain, and the manifest without its signature as JSON with sorted keys and no spaces.

use serde::Serialize;

use crate::wallet::{Hotkey, Scheme, verify};

/// The bytes that are signed of a manifest, which has a `signature` among its fields.
pub(super) fn signed_bytes(domain: &[u8], manifest: &impl Serialize) -> Result<Vec<u8>, serde_json::Error> {
    // A `Value` keeps its keys sorted.
    let mut value = serde_json::to_value(manifest)?;
    if let Some(object) = value.as_object_mut() {
        object.remove("signature");
    }
    Ok([domain, &serde_json::to_vec(&value)?].concat())
}

/// Whether the signature of a manifest, as it is written, is `hotkey`'s over these bytes. It is written in one way alone.
pub(super) fn is_signed(signature: &str, scheme: Scheme, hotkey: &Hotkey, told: &[u8]) -> bool {
    let mut bytes = [0; 64];
    let is_hex = hex::decode_to_slice(signature, &mut bytes).is_ok() && hex::encode(bytes) == signature;
    is_hex && verify(scheme, hotkey, told, &bytes)
}
