//! Why a manifest is not usable.

use crate::data::parts::PartsError;

/// A manifest that is not usable.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// Not JSON, or of another shape.
    #[error("META.json: {0}")]
    Json(#[from] serde_json::Error),
    /// A key that this version of the format does not have.
    #[error("META.json: unknown key `{key}` for schema_version {version}")]
    UnknownKey {
        /// The key.
        key: String,
        /// The manifest's version.
        version: String,
    },
    /// A version that cannot be read.
    #[error("META.json: schema_version `{0}` is not supported, this reader knows 1.x")]
    Version(String),
    /// A file name that could leave the directory or is not plain.
    #[error("META.json: `{0}` is not a plain file name (letters, digits, `_`, `-`, `.`, not first)")]
    FileName(String),
    /// Too many files.
    #[error("META.json: names {0} files, at most {1} are accepted")]
    Files(usize, usize),
    /// Tables in parts that cannot be meant.
    #[error("META.json: {0}")]
    Parts(#[from] PartsError),
    /// A time that cannot be read.
    #[error("META.json: created_at `{0}` is not an RFC 3339 time")]
    CreatedAt(String),
    /// A value is written in another form than this crate would write, so hashes over it would be ambiguous.
    #[error("META.json: a value is not in its one form (dates YYYY-MM-DD, versions as text, absent instead of null)")]
    NotCanonical,
    /// Only one of publisher and signature.
    #[error("META.json: publisher and signature must come together")]
    HalfSigned,
    /// A key or signature that is not one.
    #[error("META.json: the {0} is not valid hex of the right length or not a valid point")]
    Malformed(&'static str),
    /// The signature does not fit.
    #[error("META.json: the signature does not fit the manifest and publisher {0}")]
    Signature(String),
    /// Signed by somebody else, or by nobody.
    #[error("META.json: the publisher is {found}, required is {required}")]
    Publisher {
        /// Who signed.
        found: String,
        /// Who should have.
        required: String,
    },
}
