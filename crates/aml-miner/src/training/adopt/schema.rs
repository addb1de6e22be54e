//! The file that names a model's features, in the order of its columns.

use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::features::{RowKind, Schema};
use crate::whole_file;

/// Bytes of such a file: names of thousands of features.
const MAX_SCHEMA_BYTES: usize = 1 << 20;

/// Why a file names no features.
#[derive(Debug, thiserror::Error)]
pub enum SchemaFileError {
    /// It cannot be read.
    #[error("cannot read {path}", path = path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It is not text.
    #[error("{path} is not UTF-8 text", path = path.display())]
    NotText {
        /// Which file.
        path: PathBuf,
    },
    /// It is JSON of something else.
    #[error("{path} must hold names, one per line, or a JSON list of them, or a `schema` as in model_metadata.json", path = path.display())]
    Layout {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: serde_json::Error,
    },
    /// It is of other rows.
    #[error("{path} is of {found} rows, the model is of {expected} rows", path = path.display(), found = found.name(), expected = expected.name())]
    Rows {
        /// Which file.
        path: PathBuf,
        /// The file's.
        found: RowKind,
        /// The model's.
        expected: RowKind,
    },
}

/// A list, or a whole schema.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Names(Vec<String>),
    Schema(Schema),
}

/// The schema that the file at `path` describes, for this kind of rows.
///
/// # Errors
/// When it cannot be read, or is something else.
pub fn read_schema(path: &Path, rows: RowKind) -> Result<Schema, SchemaFileError> {
    let read = whole_file::read(path, MAX_SCHEMA_BYTES);
    let bytes = read.map_err(|source| SchemaFileError::Read { path: path.to_owned(), source })?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let text = str::from_utf8(bytes).map_err(|_| SchemaFileError::NotText { path: path.to_owned() })?;
    if !text.trim_start().starts_with(['[', '{']) {
        let names = text.lines().map(str::trim).filter(|name| !name.is_empty() && !name.starts_with('#'));
        return Ok(Schema::new(rows, names));
    }
    match serde_json::from_str(text) {
        Ok(Written::Names(names)) => Ok(Schema::new(rows, names)),
        Ok(Written::Schema(schema)) if schema.rows == rows => Ok(schema),
        Ok(Written::Schema(schema)) => {
            Err(SchemaFileError::Rows { path: path.to_owned(), found: schema.rows, expected: rows })
        }
        Err(source) => Err(SchemaFileError::Layout { path: path.to_owned(), source }),
    }
}
