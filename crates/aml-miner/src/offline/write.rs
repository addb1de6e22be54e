//! Writes answers and their receipts as a directory, whole or not at all.
//!
//! Each table `NAME.parquet` has `NAME.receipt.json` beside it: its input is the batch's `META.json`, which holds the
//! hash of every file, and its output the table's file.

use std::path::Path;

use super::Answer;
use crate::data::WriteBatchError;
use crate::data::batch_dir::file_name;
use crate::data::check::check_table;
use crate::data::encode::encode;
use crate::data::limits::FileLimits;
use crate::data::staging::Staging;
use crate::digest::Digest;
use crate::receipt::{InputForm, ReceiptKey, Statement};

/// What receipts say beside the answer, and who signs them.
#[derive(Clone, Copy, Debug)]
pub struct Signing<'a> {
    /// The key.
    pub key: &'a ReceiptKey,
    /// SHA-256 of the batch's `META.json`.
    pub input: Digest,
    /// When, in milliseconds since the epoch.
    pub timestamp: u64,
}

/// Name of the receipt of the table called `name`.
#[must_use]
pub fn receipt_name(name: &str) -> String {
    format!("{name}.receipt.json")
}

/// Writes `answers` as the directory `target` and returns the names of its tables.
///
/// # Errors
/// When `target` is there and is not to be replaced, a score is out of range, or the file system refuses.
pub fn write_answers(
    target: &Path,
    answers: &[Answer],
    signing: &Signing<'_>,
    replace: bool,
) -> Result<Vec<String>, WriteBatchError> {
    let staging = Staging::beside(target, replace)?;
    let mut names = Vec::new();
    for answer in answers {
        let file = file_name(answer.table.spec());
        check_table(&answer.table, &file, &FileLimits::default())?;
        let bytes = encode(&answer.table).map_err(|source| WriteBatchError::Encode { file: file.clone(), source })?;
        let made_by = (answer.model, answer.schema, answer.state);
        let receipt = receipt(signing, Digest::of(&bytes), answer.model_version.clone(), made_by);
        staging.write(&file, &bytes)?;
        staging.write(&receipt_name(answer.table.spec().name), &receipt)?;
        names.push(file);
    }
    staging.publish()?;
    Ok(names)
}

/// The file of a receipt for `output`, the answer of a model of this version, file, schema and state.
pub(super) fn receipt(
    signing: &Signing<'_>,
    output: Digest,
    model_version: String,
    (model, schema, state): (Digest, Digest, Option<Digest>),
) -> Vec<u8> {
    let statement = Statement {
        input: signing.input,
        form: InputForm::Directory,
        output,
        model_version,
        model,
        schema,
        state,
        timestamp: signing.timestamp,
    };
    let mut receipt =
        serde_json::to_vec_pretty(&signing.key.sign(&statement)).expect("a receipt holds only texts and integers");
    receipt.push(b'\n');
    receipt
}
