//! One Arrow IPC stream to one [`Table`]: messages and layout within their bounds, then column by column, then the
//! rules of the format.
//!
//! The stream's own reader trusts what a message claims, so it is not used: each array is made by a checking
//! constructor from slices that are cut here. Only columns of the format are looked into; columns are found by name.
//! Compressed batches and dictionary-encoded columns are refused with what to do instead.

mod arrays;
mod batch;
mod broken;
mod form;
mod layout;
mod messages;
mod write;
mod write_table;

use polars_arrow::array::Array;
use polars_arrow_format::ipc::{MessageHeaderRef, RecordBatchRef};

use crate::data::check::{check_own_times, check_table};
use crate::data::columns::{A_NUMBER, A_TIME, column_from_arrays};
use crate::data::limits::FileLimits;
use crate::data::page_guard::at_most;
use crate::data::table_error::{FileProblem, TableError};
use crate::table::flaw::{ColumnProblem, Flaw};
use crate::table::spec::{ColumnSpec, ColumnType, TableSpec};
use crate::table::{Column, Table};
use arrays::Cursor;
use batch::Batch;
use broken::broken;
use layout::{Field, Layout};
use messages::Messages;

pub use form::write_form;
pub use messages::MARKER;
pub use write::{Values, write_stream};
pub use write_table::write_table;

/// Media type of an Arrow IPC stream.
pub const MEDIA_TYPE: &str = "application/vnd.apache.arrow.stream";

/// Reads the table `spec` from the bytes of an Arrow IPC stream that errors call `file`.
///
/// # Errors
/// The first rule that the stream breaks.
pub fn read_stream(
    bytes: &[u8],
    spec: &'static TableSpec,
    file: &str,
    limits: &FileLimits,
) -> Result<Table, TableError> {
    let whole = |problem| TableError::File { file: file.to_owned(), problem };
    at_most("the number of bytes", bytes.len() as u64, limits.file_bytes).map_err(whole)?;
    let stream = Stream::read(bytes, limits).map_err(whole)?;
    let unknown = stream.layout.fields.iter().map(|field| field.name);
    let unknown = unknown.filter(|name| spec.position(name).is_none()).map(str::to_owned).collect();
    if stream.rows == 0 {
        return Ok(Table::new(spec, 0, vec![None; spec.columns.len()], unknown));
    }
    let column = |about: &ColumnSpec| -> Result<Option<Column>, TableError> {
        let Some(field) = stream.layout.fields.iter().find(|field| field.name == about.name) else { return Ok(None) };
        let arrays = stream.arrays(field, about, limits).map_err(|flaw| flaw.at(file, about.name))?;
        column_from_arrays(&arrays, about, limits).map(Some).map_err(|flaw| flaw.at(file, about.name))
    };
    let columns = spec.columns.iter().map(column).collect::<Result<Vec<_>, _>>()?;
    let table = Table::new(spec, stream.rows, columns, unknown);
    check_table(&table, file, limits)?;
    check_own_times(&table, file)?;
    Ok(table)
}

/// A stream within its bounds.
struct Stream<'a> {
    layout: Layout<'a>,
    batches: Vec<Batch<'a>>,
    rows: usize,
}

impl<'a> Stream<'a> {
    fn read(bytes: &'a [u8], limits: &FileLimits) -> Result<Self, FileProblem> {
        let mut messages = Messages::new(bytes)?;
        let layout = match messages.next()?.map(|message| message.header) {
            Some(MessageHeaderRef::Schema(schema)) => Layout::of(schema, limits)?,
            Some(_) => return Err(broken("the first message is not a schema")),
            None => return Err(broken("it has no schema")),
        };
        let mut stream = Self { layout, batches: Vec::new(), rows: 0 };
        while let Some(message) = messages.next()? {
            match message.header {
                MessageHeaderRef::RecordBatch(header) => stream.add(header, message.body, limits)?,
                // It belongs to a column that is passed over, or that is refused when it is read.
                MessageHeaderRef::DictionaryBatch(_) => {}
                _ => return Err(broken("a message is neither a record batch nor a dictionary")),
            }
        }
        Ok(stream)
    }

    fn add(&mut self, header: RecordBatchRef<'a>, body: &'a [u8], limits: &FileLimits) -> Result<(), FileProblem> {
        let batch = Batch::of(header, body, self.layout.shape)?;
        let rows = (self.rows as u64).saturating_add(batch.rows);
        at_most("the number of rows", rows, limits.rows as u64)?;
        self.rows = usize::try_from(rows).map_err(|_| broken("it has more rows than memory"))?;
        if batch.rows > 0 {
            self.batches.push(batch);
        }
        Ok(())
    }

    fn arrays(&self, field: &Field<'a>, about: &ColumnSpec, limits: &FileLimits) -> Result<Vec<Box<dyn Array>>, Flaw> {
        let kind = layout::kind(field.field, true)
            .map_err(|found| Flaw::Column(ColumnProblem::Type { found, wanted: wanted(about.kind) }))?;
        let mut chunks = Vec::with_capacity(self.batches.len());
        for batch in &self.batches {
            let array = Cursor::new(batch, field.at, limits).array(&kind)?;
            if array.len() as u64 != batch.rows {
                let expected = usize::try_from(batch.rows).unwrap_or(usize::MAX);
                return Err(Flaw::Column(ColumnProblem::Rows { found: array.len(), expected }));
            }
            chunks.push(array);
        }
        Ok(chunks)
    }
}

fn wanted(kind: ColumnType) -> &'static str {
    match kind {
        ColumnType::Text | ColumnType::Severity => "text (utf8, large_utf8 or utf8_view)",
        ColumnType::TextList => "a list of text",
        ColumnType::NumberList => "a list of numbers",
        ColumnType::Date => "a date (date, midnight timestamp or text YYYY-MM-DD)",
        ColumnType::TimestampMs => A_TIME,
        _ => A_NUMBER,
    }
}
