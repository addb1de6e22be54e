//! A receipt's fields as they travel. Version 2 has two more than version 1, and both have to be there.

use serde::{Deserialize, Deserializer, Serialize};

use super::{FIRST, VERSION};
use crate::digest::Digest;

/// What an input was read as: the digest says which bytes it had, this says what they meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputForm {
    /// One JSON object.
    Json,
    /// A multipart form with one Parquet file or Arrow stream per table.
    Form,
    /// One Arrow stream.
    Arrow,
    /// A batch directory, by its `META.json`.
    Directory,
}

impl InputForm {
    /// As it stands in receipts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Form => "form",
            Self::Arrow => "arrow",
            Self::Directory => "directory",
        }
    }
}

/// What somebody says about one answer, and the signature, as they travel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Layout", into = "Layout")]
pub struct Receipt {
    /// Version of the layout.
    pub v: u8,
    /// SHA-256 of the raw (decoded) request body.
    pub input_sha256: Digest,
    /// What the request body was read as; `None` in version 1, which does not say.
    pub input_form: Option<InputForm>,
    /// SHA-256 of the raw (uncompressed) answer body.
    pub output_sha256: Digest,
    /// Version of the model.
    pub model_version: String,
    /// SHA-256 of the model file.
    pub model_sha256: Digest,
    /// Hash of the model's schema.
    pub schema_sha256: Digest,
    /// SHA-256 of the state that was read beside the request; `None` without one, and in version 1.
    pub state_sha256: Option<Digest>,
    /// Milliseconds since the epoch.
    pub timestamp: u64,
    /// Who signed: 64 lowercase hex digits.
    pub public_key: Digest,
    /// 128 lowercase hex digits.
    pub signature: String,
}

/// The same, key by key: a key that is not there differs from one that is null.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Layout {
    v: u8,
    input_sha256: Digest,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    input_form: Option<InputForm>,
    output_sha256: Digest,
    model_version: String,
    model_sha256: Digest,
    schema_sha256: Digest,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    state_sha256: Option<Option<Digest>>,
    timestamp: u64,
    public_key: Digest,
    signature: String,
}

/// A value that is there, null or not.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<Digest>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl TryFrom<Layout> for Receipt {
    type Error = String;

    fn try_from(layout: Layout) -> Result<Self, String> {
        let there = (layout.input_form.is_some(), layout.state_sha256.is_some());
        match layout.v {
            FIRST if there != (false, false) => {
                return Err("version 1 has no input_form and no state_sha256".to_owned());
            }
            VERSION if there != (true, true) => return Err("version 2 needs input_form and state_sha256".to_owned()),
            // What other versions have is not known.
            _ => {}
        }
        Ok(Self {
            v: layout.v,
            input_sha256: layout.input_sha256,
            input_form: layout.input_form,
            output_sha256: layout.output_sha256,
            model_version: layout.model_version,
            model_sha256: layout.model_sha256,
            schema_sha256: layout.schema_sha256,
            state_sha256: layout.state_sha256.flatten(),
            timestamp: layout.timestamp,
            public_key: layout.public_key,
            signature: layout.signature,
        })
    }
}

impl From<Receipt> for Layout {
    fn from(receipt: Receipt) -> Self {
        Self {
            v: receipt.v,
            input_sha256: receipt.input_sha256,
            input_form: receipt.input_form,
            output_sha256: receipt.output_sha256,
            model_version: receipt.model_version,
            model_sha256: receipt.model_sha256,
            schema_sha256: receipt.schema_sha256,
            state_sha256: (receipt.v != FIRST).then_some(receipt.state_sha256),
            timestamp: receipt.timestamp,
            public_key: receipt.public_key,
            signature: receipt.signature,
        }
    }
}
