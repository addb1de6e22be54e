//! What several topics share: where the captured data lies, well-known keys.

use std::path::{Path, PathBuf};

use aml_subnet::wallet::{Scheme, Signer};
use serde_json::Value;

/// The folder of captured data: `AML_SHARED`, or `shared` beside the checkout. Says so when it is absent.
pub(crate) fn shared(relative: &str) -> Option<PathBuf> {
    let root = std::env::var_os("AML_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let candidates = [root.clone(), Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared")];
    let found = candidates.into_iter().map(|root| root.join(relative)).find(|path| path.exists());
    if found.is_none() {
        println!("skipped: no {relative} under {} (set AML_SHARED)", root.display());
    }
    found
}

/// A JSON file, parsed.
pub(crate) fn must_read_json(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A text field that must be there.
pub(crate) fn must_text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("no text `{field}` in {value}"))
}

/// A development key such as `//Alice`.
pub(crate) fn dev_key(name: &str) -> Signer {
    Signer::from_uri(&format!("//{name}"), Scheme::Sr25519).expect("a development URI is valid")
}
