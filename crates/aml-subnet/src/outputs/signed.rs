//! Manifests are signed alike: over a domain, and the manifest without its signature as JSON with sorted keys and no spaces.

use serde::Serialize;

/// The bytes that are signed of a manifest, which has a `signature` among its fields.
pub(super) fn signed_bytes(domain: &[u8], manifest: &impl Serialize) -> Result<Vec<u8>, serde_json::Error> {
    // A `Value` keeps its keys sorted.
    let mut value = serde_json::to_value(manifest)?;
    if let Some(object) = value.as_object_mut() {
        object.remove("signature");
    }
    Ok([domain, &serde_json::to_vec(&value)?].concat())
}
