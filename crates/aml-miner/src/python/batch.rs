//! Batches: read, made of tables or of a request's body, written and verified.

use std::path::PathBuf;

use chrono::NaiveDate;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::arrow::Columns;
use super::errors::{RequestError, data, problems, usage};
use super::pool::spread;
use crate::cli::batch::verify::check;
use crate::data::batch_dir::file_name;
use crate::data::{BatchDir, FileLimits, LoadedBatch, Manifest, WriteOptions, outcomes, read_stream, write_batch};
use crate::digest::Digest;
use crate::scoring::Pool;
use crate::table::spec::{ALERTS, CLUSTERS, FEATURES, LABELS, MONEY_FLOWS};
use crate::table::{Batch as Tables, Table, TableSpec};
use crate::wire::{ReadBodyError, Reading, read_body, write_body};

/// One day's tables.
#[pyclass(frozen, module = "aml_miner._native")]
pub(super) struct Batch {
    pub(super) tables: Tables,
    pub(super) labels: Option<Table>,
    /// The day, where it is known.
    pub(super) date: Option<NaiveDate>,
    /// SHA-256 of `META.json`, where it came from a directory.
    pub(super) input: Option<Digest>,
    manifest: Option<Manifest>,
}

/// What a manifest says beside its files, and whether a batch may be replaced.
#[derive(FromPyObject)]
struct About {
    #[pyo3(item)]
    processing_date: String,
    #[pyo3(item)]
    window_days: u16,
    #[pyo3(item)]
    network: String,
    #[pyo3(item)]
    created_at: String,
    #[pyo3(item)]
    replace: bool,
}

/// The table of this name.
fn spec_of(name: &str) -> PyResult<&'static TableSpec> {
    let all: [&'static TableSpec; 5] = [&ALERTS, &FEATURES, &CLUSTERS, &MONEY_FLOWS, &LABELS];
    all.into_iter().find(|spec| spec.name == name).ok_or_else(|| usage(format!("no table `{name}`")))
}

/// A day, as text.
pub(super) fn day(text: &str) -> PyResult<NaiveDate> {
    text.parse().map_err(|_| usage(format!("`{text}` is not a day: YYYY-MM-DD is wanted")))
}

#[pymethods]
impl Batch {
    /// A table by its name; `None` where the batch has no such outcomes.
    fn table(&self, py: Python<'_>, name: &str) -> PyResult<Option<Columns>> {
        let table = match spec_of(name)?.name {
            "alerts" => Some(&self.tables.alerts),
            "features" => Some(&self.tables.features),
            "clusters" => Some(&self.tables.clusters),
            "money_flows" => Some(&self.tables.money_flows),
            _ => self.labels.as_ref(),
        };
        table.map(|table| py.detach(|| Columns::of_table(table))).transpose()
    }

    /// Rows of the four tables.
    fn rows(&self) -> [usize; 4] {
        let Tables { alerts, features, clusters, money_flows } = &self.tables;
        [alerts, features, clusters, money_flows].map(Table::rows)
    }

    /// The outcomes that count: those that became known after the day of the batch.
    fn outcomes(&self) -> PyResult<Option<Columns>> {
        let Some(table) = &self.labels else { return Ok(None) };
        let date = self.date.ok_or_else(|| usage("which day is the batch for? Give processing_date"))?;
        Columns::of_table(&table.take(&outcomes::usable_rows(table, date))).map(Some)
    }

    /// The day, as `YYYY-MM-DD`.
    fn processing_date(&self) -> Option<String> {
        self.date.map(|date| date.to_string())
    }

    /// `META.json`, where the batch came from a directory.
    fn manifest(&self) -> Option<String> {
        self.manifest.as_ref().map(|manifest| String::from_utf8_lossy(&manifest.to_json()).into_owned())
    }

    /// Digest of the manifest, which names the content of the batch.
    fn digest(&self) -> Option<String> {
        self.manifest.as_ref().map(|manifest| manifest.digest().to_string())
    }

    /// The batch as the body of a request.
    fn to_request<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let body = py.detach(|| write_body(&self.tables));
        PyBytes::new(py, &body)
    }

    /// Writes a batch directory; the manifest, as text.
    fn write(&self, py: Python<'_>, target: PathBuf, about: About) -> PyResult<String> {
        let options = WriteOptions {
            processing_date: day(&about.processing_date)?,
            window_days: about.window_days,
            network: &about.network,
            created_at: &about.created_at,
            publisher: None,
            replace: about.replace,
        };
        let manifest = py.detach(|| write_batch(&target, &self.tables, self.labels.as_ref(), &options));
        Ok(String::from_utf8_lossy(&manifest.map_err(data)?.to_json()).into_owned())
    }
}

/// The batch in the directory `path`: every byte is verified, every rule checked.
#[pyfunction]
pub(super) fn read_batch(py: Python<'_>, path: PathBuf) -> PyResult<Batch> {
    py.detach(|| {
        let directory = BatchDir::open(path).map_err(data)?;
        let input = directory.manifest_sha256();
        let LoadedBatch { meta, batch, labels } = directory.load().map_err(data)?;
        let date = Some(meta.processing_date);
        Ok(Batch { tables: batch, labels, date, input: Some(input), manifest: Some(meta) })
    })
}

/// A batch of tables that are given as Arrow streams, by name.
#[pyfunction]
#[pyo3(signature = (streams, processing_date=None))]
pub(super) fn batch_of_streams(
    py: Python<'_>,
    streams: Vec<(String, Bound<'_, PyBytes>)>,
    processing_date: Option<&str>,
) -> PyResult<Batch> {
    let date = processing_date.map(day).transpose()?;
    let mut batch = Batch { tables: Tables::empty(), labels: None, date, input: None, manifest: None };
    for (name, stream) in &streams {
        let spec = spec_of(name)?;
        let bytes = stream.as_bytes();
        let table = py.detach(|| read_stream(bytes, spec, &file_name(spec), &FileLimits::default())).map_err(data)?;
        match spec.name {
            "alerts" => batch.tables.alerts = table,
            "features" => batch.tables.features = table,
            "clusters" => batch.tables.clusters = table,
            "money_flows" => batch.tables.money_flows = table,
            _ => batch.labels = Some(table),
        }
    }
    Ok(batch)
}

/// The batch that the JSON body of a request holds; `required` is `alerts` or `clusters`.
#[pyfunction]
pub(super) fn batch_of_request(py: Python<'_>, body: &[u8], required: &str) -> PyResult<Batch> {
    let reading = Reading { required: spec_of(required)?.name, ..Reading::default() };
    let tables = spread(py, || Ok(read_body(body, &reading, &Pool)))?.map_err(|error| {
        // As the server tells them.
        match &error {
            ReadBodyError::Invalid(problems) => {
                RequestError::new_err((error.to_string(), serde_json::to_string(problems).unwrap_or_default()))
            }
            broken => RequestError::new_err((format!("The body is not JSON: {broken}"), String::new())),
        }
    })?;
    Ok(Batch { tables, labels: None, date: None, input: None, manifest: None })
}

/// What a batch directory holds, in a line, when nothing is wrong with it.
#[pyfunction]
pub(super) fn verify(py: Python<'_>, path: PathBuf, publisher: Option<&str>, hashes_only: bool) -> PyResult<String> {
    py.detach(|| check(&path, publisher, hashes_only)).map_err(|found| problems(&found))
}
