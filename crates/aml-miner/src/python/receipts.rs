//! Receipts: signed and verified.

use std::path::Path;

use pyo3::prelude::*;

use super::errors::{ReceiptError, data, usage};
use crate::clock::{Clock as _, SystemClock};
use crate::digest::Digest;
use crate::environment::expand_home;
use crate::receipt::{self, InputForm, Statement, verify};

/// Signs receipts.
#[pyclass(frozen, module = "aml_miner._native")]
pub(super) struct ReceiptKey {
    pub(super) key: receipt::ReceiptKey,
}

/// A model: its version, SHA-256 of its file, hash of its schema, SHA-256 of its state.
type Model = (String, String, String, Option<String>);

/// Milliseconds since the epoch.
pub(super) fn now_ms() -> u64 {
    u64::try_from(SystemClock.now().as_millis()).unwrap_or(u64::MAX)
}

fn digest(text: &str) -> PyResult<Digest> {
    text.parse().map_err(|error| usage(format!("`{text}`: {error}")))
}

#[pymethods]
impl ReceiptKey {
    /// The key in the file `path`, made there when there is none; `None` is the programs' own place.
    #[new]
    #[pyo3(signature = (path=None))]
    fn new(path: Option<&str>) -> PyResult<Self> {
        let path = path.unwrap_or(receipt::KEY_FILE);
        let home = std::env::var("HOME").ok();
        let file = expand_home(path, home.as_deref()).unwrap_or_else(|_| path.to_owned());
        receipt::ReceiptKey::load_or_create(Path::new(&file)).map(|key| Self { key }).map_err(data)
    }

    /// Whose receipts they are: 64 hex digits.
    fn public_key(&self) -> String {
        self.key.public_key().to_string()
    }

    /// The header's value for an answer to a request that was read as `form`; `of` has the model's version, the SHA-256 of its
    /// file, the hash of its schema and the SHA-256 of its state.
    #[pyo3(signature = (request, form, answer, of, timestamp=None))]
    fn sign(&self, request: &[u8], form: &str, answer: &[u8], of: Model, timestamp: Option<u64>) -> PyResult<String> {
        let (model_version, model, schema, state) = of;
        let known = [InputForm::Json, InputForm::Form, InputForm::Arrow, InputForm::Directory];
        let form = known.into_iter().find(|known| known.name() == form);
        let statement = Statement {
            input: Digest::of(request),
            form: form.ok_or_else(|| usage("a form is json, form, arrow or directory"))?,
            output: Digest::of(answer),
            model_version,
            model: digest(&model)?,
            schema: digest(&schema)?,
            state: state.as_deref().map(digest).transpose()?,
            timestamp: timestamp.unwrap_or_else(now_ms),
        };
        Ok(self.key.sign(&statement).to_header())
    }
}

/// What a receipt says, as JSON, when it vouches for exactly this request and this answer.
#[pyfunction]
pub(super) fn verify_receipt(
    py: Python<'_>,
    header: &str,
    request: &[u8],
    answer: &[u8],
    signer: Option<&str>,
) -> PyResult<String> {
    let signer = signer.map(digest).transpose()?;
    let verified = py.detach(|| verify(header, request, answer, signer.as_ref()));
    let receipt = verified.map_err(|error| ReceiptError::new_err(error.to_string()))?;
    serde_json::to_string(&receipt).map_err(|error| ReceiptError::new_err(error.to_string()))
}
