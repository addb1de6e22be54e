//! Keys that everyone knows, for development: `//Alice` and friends on the well-known phrase.

use super::mirror::AccountId32;
use crate::wallet::{Hotkey, Scheme, Signer};

/// Names of the accounts with funds.
pub const NAMES: [&str; 8] = ["Alice", "Bob", "Charlie", "Dave", "Eve", "Ferdie", "One", "Two"];

/// The key of a development account, such as `//Alice`.
#[must_use]
pub fn dev_key(uri: &str) -> Option<Signer> {
    Signer::from_uri(uri, Scheme::Sr25519).ok()
}

/// Names and addresses of the accounts with funds.
#[must_use]
pub fn dev_accounts() -> Vec<(String, Hotkey)> {
    let named = |name: &&str| (format!("//{name}"), dev_key(&format!("//{name}")));
    NAMES.iter().map(named).filter_map(|(uri, key)| Some((uri, key?.hotkey()))).collect()
}

/// The same as accounts of the chain.
pub(crate) fn accounts() -> Vec<(String, AccountId32)> {
    dev_accounts().into_iter().map(|(uri, hotkey)| (uri, AccountId32(*hotkey.as_bytes()))).collect()
}
