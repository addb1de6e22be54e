//! In which form a batch is sent: one JSON object, one Parquet file or Arrow stream per table in a multipart form, or
//! one Arrow stream that is the required table.

use axum::http::{HeaderMap, header};

use super::error::{ApiError, ErrorCode};
use super::multipart;
use super::receive::Room;
use crate::data::arrow_stream::{MARKER, MEDIA_TYPE};
use crate::data::{self, FileLimits, ParquetFile, TableError};
use crate::receipt::InputForm;
use crate::scoring::{Stop, Wanted};
use crate::wire::body::TABLES;
use crate::wire::{Batch, Body, Detail, Problem, Reading, Step, Table, TableSpec, read_body_and_keys};

/// Media type of Parquet files.
const PARQUET: &str = "application/vnd.apache.parquet";

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
    /// One Parquet file or Arrow stream per table, between these boundaries.
    Form {
        /// What stands between the parts.
        boundary: String,
    },
    /// One Arrow stream: the table that is required.
    Arrow,
}

impl Content {
    /// The form that the headers name; JSON when they name none.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        let Some(value) = headers.get(header::CONTENT_TYPE) else { return Ok(Self::Json) };
        let text = value.to_str().unwrap_or_default();
        let essence = multipart::essence(text);
        if essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json")) {
            return Ok(Self::Json);
        }
        if essence == "multipart/form-data" {
            let unnamed = || ApiError::new(ErrorCode::MalformedBody, "The form's Content-Type names no boundary");
            return multipart::boundary(text).map(|boundary| Self::Form { boundary }).ok_or_else(unnamed);
        }
        if essence == MEDIA_TYPE {
            return Ok(Self::Arrow);
        }
        let shown: String = essence.chars().take(60).collect();
        let detail =
            format!("Content-Type `{shown}` is not known; send application/json, multipart/form-data or {MEDIA_TYPE}");
        Err(ApiError::new(ErrorCode::UnsupportedMediaType, detail))
    }

    /// As receipts name it.
    pub(super) const fn input_form(&self) -> InputForm {
        match self {
            Self::Json => InputForm::Json,
            Self::Form { .. } => InputForm::Form,
            Self::Arrow => InputForm::Arrow,
        }
    }

    /// The batch in `bytes`, and keys beside its tables.
    pub(super) fn body(&self, bytes: &[u8], reading: &Reading, room: &mut Room, stop: &Stop) -> Result<Body, ApiError> {
        match self {
            Self::Json => Ok(read_body_and_keys(bytes, reading, &Wanted(stop))?),
            Self::Form { boundary } => Ok(only(form(bytes, boundary, reading, room)?)),
            Self::Arrow => {
                let mut tables = TABLES.map(Table::empty);
                let index = position(reading.required)?;
                tables[index] = table(Sent { index, media_type: MEDIA_TYPE, bytes }, reading, room)?;
                Ok(only(batch(tables)))
            }
        }
    }
}

/// A form and a stream have nothing beside their tables.
fn only(batch: Batch) -> Body {
    Body { batch, other_keys: Vec::new() }
}

fn batch([alerts, features, clusters, money_flows]: [Table; 4]) -> Batch {
    Batch { alerts, features, clusters, money_flows }
}

fn position(table: &str) -> Result<usize, ApiError> {
    let index = TABLES.iter().position(|spec| spec.name == table);
    index.ok_or_else(|| problem(table, "unknown_table", "No table has this name"))
}

/// The bytes of one table.
struct Sent<'a> {
    /// Of [`TABLES`].
    index: usize,
    media_type: &'a str,
    bytes: &'a [u8],
}

/// The table that was sent; what does not say whether it is Parquet or Arrow is told by its first bytes.
fn table(sent: Sent<'_>, reading: &Reading, room: &mut Room) -> Result<Table, ApiError> {
    let Sent { index, media_type, bytes } = sent;
    let spec: &'static TableSpec = TABLES[index];
    let limits = limits(bytes.len(), reading.limits.rows[index], reading.limits.string, room.left());
    let refused = |error: TableError| problem(spec.name, "value_error", &error.to_string());
    if media_type == MEDIA_TYPE || (media_type != PARQUET && bytes.starts_with(&MARKER)) {
        return data::read_stream(bytes, spec, spec.name, &limits).map_err(refused);
    }
    let file = ParquetFile::open(bytes, spec.name, &limits).map_err(refused)?;
    room.take(file.page_bytes())?;
    file.table(spec, &limits).map_err(refused)
}

/// The bounds of a table of which `bytes` bytes were sent, when `left` bytes of pages may still come of the body.
fn limits(bytes: usize, rows: usize, string: usize, left: u64) -> FileLimits {
    let usual = FileLimits::default();
    let decompressed = FREE_BYTES + bytes as u64 * MAX_EXPANSION;
    FileLimits {
        rows: rows.min(FREE_ROWS + bytes / BYTES_PER_ROW),
        page_bytes: decompressed.min(usual.page_bytes).min(left),
        one_page_bytes: decompressed.min(usual.one_page_bytes),
        values: decompressed.min(usual.values),
        text_bytes: usize::try_from(decompressed).map_or(usual.text_bytes, |bytes| bytes.min(usual.text_bytes)),
        one_text_bytes: string,
        ..usual
    }
}

fn form(bytes: &[u8], boundary: &str, reading: &Reading, room: &mut Room) -> Result<Batch, ApiError> {
    let parts = multipart::parts(bytes, boundary, TABLES.len())
        .map_err(|what| ApiError::new(ErrorCode::MalformedBody, format!("The form cannot be read: {what}")))?;
    let mut tables = TABLES.map(Table::empty);
    let mut given = [false; TABLES.len()];
    for part in parts {
        let index = position(&part.name)?;
        if std::mem::replace(&mut given[index], true) {
            return Err(problem(&part.name, "duplicate_key", "Table is given more than once"));
        }
        let sent = Sent { index, media_type: &part.media_type, bytes: part.bytes };
        tables[index] = table(sent, reading, room)?;
    }
    if !TABLES.iter().zip(given).any(|(spec, given)| given && spec.name == reading.required) {
        return Err(problem(reading.required, "missing", "Field required"));
    }
    Ok(batch(tables))
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

#[cfg(test)]
mod tests {
    use super::{FileLimits, limits};

    #[test]
    fn no_bound_of_a_body_passes_that_of_a_file() {
        let usual = FileLimits::default();
        for bytes in [0, 1 << 20, 1 << 28, 1 << 40] {
            let of = limits(bytes, usual.rows, usual.one_text_bytes, u64::MAX);
            assert!(of.rows <= usual.rows && of.values <= usual.values && of.text_bytes <= usual.text_bytes);
            assert!(of.page_bytes <= usual.page_bytes && of.one_page_bytes <= usual.one_page_bytes, "{of:?}");
            assert_eq!(limits(bytes, 1, 1, 7).page_bytes, 7);
        }
    }
}
