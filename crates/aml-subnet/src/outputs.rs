//! What the subnet is for: canonical scores of a round, as files that anybody can check.
//!
//! A published round is a directory with the same rows as JSON, CSV and Parquet and a manifest that names the digest of
//! each and is signed by the validator's hotkey. Directories appear whole or not at all.

pub mod files;
pub mod format;
pub mod manifest;
pub mod pack;
pub mod risk;
pub mod rows;
pub mod slices;

mod signed;
mod withdrawn;

pub use files::{Edition, PublishError, Published, VerifyError, directory, publish, verify};
pub use format::{CALIBRATION_FILE, EncodeError, Format};
pub use manifest::{DOMAIN, MANIFEST_FILE, Manifest, ManifestError};
pub use pack::{PackManifest, pack_path};
pub use risk::{AddressRisk, ScoredAlert, address_risk};
pub use rows::{CanonicalRow, Mismatch, canonical_rows, with_reasons};
pub use slices::SliceFacts;
pub use withdrawn::{editions, erase_edition, is_erased, withdraw};
