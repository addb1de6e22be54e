//! In which form a batch is sent: one JSON object, or one Parquet file a table in a multipart form.

use axum::http::{HeaderMap, header};

use super::error::{ApiError, Detail, ErrorCode};
use super::multipart;
use super::scoring::Pool;
use crate::data::{self, TableError};
use crate::wire::body::TABLES;
use crate::wire::{Batch, Problem, Reading, Step, Table, read_body};

/// Bytes that a form's files may have after decompression, for each byte sent: well-packed columns reach about 20.
const MAX_EXPANSION: u64 = 64;
/// Bytes they may have however few were sent.
const FREE_BYTES: u64 = 16 << 20;
/// Rows that a file may have however small it is, and bytes that each further one must have: runs of one value take
/// next to nothing in Parquet, but every row takes its place in memory. An edge, the smallest row, has about 20.
const FREE_ROWS: usize = 4096;
const BYTES_PER_ROW: usize = 8;

/// The form of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// One JSON object.
    Json,
    /// One Parquet file a table, between these boundaries.
    Form {
        /// What stands between the parts.
        boundary: String,
    },
}

impl Content {
    /// The form that the headers name; JSON when they name none.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        let Some(value) = headers.get(header::CONTENT_TYPE) else { return Ok(Self::Json) };
        let text = value.to_str().unwrap_or_default();
        let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json")) {
            return Ok(Self::Json);
        }
        if essence == "multipart/form-data" {
            let unnamed = || ApiError::new(ErrorCode::MalformedBody, "The form's Content-Type names no boundary");
            return multipart::boundary(text).map(|boundary| Self::Form { boundary }).ok_or_else(unnamed);
        }
        let shown: String = essence.chars().take(60).collect();
        let detail = format!("Content-Type `{shown}` is not known; send application/json or multipart/form-data");
        Err(ApiError::new(ErrorCode::UnsupportedMediaType, detail))
    }

    /// The batch in `bytes`.
    pub(super) fn batch(&self, bytes: &[u8], reading: &Reading) -> Result<Batch, ApiError> {
        match self {
            Self::Json => Ok(read_body(bytes, reading, &Pool)?),
            Self::Form { boundary } => form(bytes, boundary, reading),
        }
    }
}

fn form(bytes: &[u8], boundary: &str, reading: &Reading) -> Result<Batch, ApiError> {
    let parts = multipart::parts(bytes, boundary, TABLES.len())
        .map_err(|what| ApiError::new(ErrorCode::MalformedBody, format!("The form cannot be read: {what}")))?;
    let mut tables = TABLES.map(Table::empty);
    let mut given = [false; TABLES.len()];
    for part in parts {
        let index = TABLES.iter().position(|spec| spec.name == part.name);
        let index = index.ok_or_else(|| problem(&part.name, "unknown_table", "No table has this name"))?;
        if std::mem::replace(&mut given[index], true) {
            return Err(problem(&part.name, "duplicate_key", "Table is given more than once"));
        }
        let spec = TABLES[index];
        let decompressed = FREE_BYTES + part.bytes.len() as u64 * MAX_EXPANSION;
        let limits = data::Limits {
            rows: reading.limits.rows[index].min(FREE_ROWS + part.bytes.len() / BYTES_PER_ROW),
            page_bytes: decompressed,
            one_page_bytes: decompressed.min(data::Limits::default().one_page_bytes),
            one_text_bytes: reading.limits.string,
            ..data::Limits::default()
        };
        tables[index] =
            data::read_table(part.bytes, spec, spec.name, &limits).map_err(|error| refused(spec.name, &error))?;
    }
    if !TABLES.iter().zip(given).any(|(spec, given)| given && spec.name == reading.required) {
        return Err(problem(reading.required, "missing", "Field required"));
    }
    let [alerts, features, clusters, money_flows] = tables;
    Ok(Batch { alerts, features, clusters, money_flows })
}

fn refused(table: &str, error: &TableError) -> ApiError {
    problem(table, "value_error", &error.to_string())
}

fn problem(table: &str, kind: &str, msg: &str) -> ApiError {
    let shown: String = table.chars().take(100).collect();
    let problem = Problem {
        loc: vec![Step::from("body"), Step::Key(shown)],
        msg: msg.to_owned(),
        kind: kind.to_owned(),
        input: serde_json::Value::Null,
    };
    ApiError { code: ErrorCode::InvalidRequest, detail: Detail::Problems(vec![problem]) }
}
