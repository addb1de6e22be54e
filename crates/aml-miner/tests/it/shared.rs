//! Data that lies beside the checkout, for tests that can use it.

use std::path::{Path, PathBuf};

/// Where `name` lies under `AML_SHARED` or in `../shared` beside the checkout; says so where it does not.
pub(crate) fn shared(name: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let root = std::env::var_os("AML_SHARED").map_or_else(beside, PathBuf::from);
    let path = root.join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {name} is not beside the checkout (set AML_SHARED)");
    None
}
