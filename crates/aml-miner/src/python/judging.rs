//! Labelled rows: split by time, and judged as `aml-miner-train evaluate` does.

use std::collections::BTreeMap;
use std::path::PathBuf;

use polars_arrow::array::PrimitiveArray;
use polars_arrow::datatypes::ArrowDataType;
use pyo3::prelude::*;
use serde_json::{Value, json};

use super::arrow::{Columns, flags, numbers, texts};
use super::batch::day;
use super::errors::{data, model, usage};
use super::model::doubles;
use super::pool::spread;
use crate::features::{RowKind, Schema};
use crate::table::TextColumn;
use crate::training::assemble::{Range, alerts};
use crate::training::config::ModelConfig;
use crate::training::evaluation::{Evaluation, Judging, date_text, evaluate};
use crate::training::samples::{self, Row};
use crate::training::shelf::{ShelfError, models};
use crate::training::split::{LeftOut, Split, split};
use crate::training::watch::Silent;

/// Labelled rows of one period.
#[pyclass(frozen, module = "aml_miner._native")]
pub(super) struct Samples {
    samples: samples::Samples,
    config: ModelConfig,
}

/// Days from one to another, of a data directory.
#[derive(FromPyObject)]
pub(super) struct Days {
    #[pyo3(item)]
    data_dir: PathBuf,
    #[pyo3(item)]
    start: Option<String>,
    #[pyo3(item)]
    end: Option<String>,
    #[pyo3(item)]
    history: Option<PathBuf>,
}

impl Days {
    fn range(self) -> PyResult<Range> {
        let start = self.start.as_deref().map(day).transpose()?;
        let end = self.end.as_deref().map(day).transpose()?;
        Ok(Range { data_dir: self.data_dir, start, end, history: self.history })
    }
}

/// The trainer's settings that `text`, YAML or JSON, says.
fn settings(text: &str) -> PyResult<ModelConfig> {
    ModelConfig::from_yaml(text).map_err(|error| usage(crate::error_chain::with_causes(&error)))
}

#[pymethods]
impl Samples {
    fn __len__(&self) -> usize {
        self.samples.len()
    }

    /// `processing_date`, `alert_id`, a column per feature, then what is known of each row.
    fn columns(&self, py: Python<'_>) -> PyResult<Columns> {
        py.detach(|| self.to_columns())
    }

    /// The features, row by row.
    fn matrix(&self, py: Python<'_>) -> PyResult<Columns> {
        let days = &self.samples.days;
        py.detach(|| Columns::of_numbers(days.iter().flat_map(|day| day.matrix.values()).copied().collect()))
    }

    /// The figures of one score per row, as JSON; `base_rate` is the share of illicit rows in training.
    fn evaluate(&self, py: Python<'_>, scores: &[u8], probabilities: bool, base_rate: f64) -> PyResult<String> {
        let scores = doubles(scores);
        let (rows, given) = (self.samples.len(), scores.len());
        if rows != given {
            return Err(usage(format!("{given} scores were given for {rows} rows")));
        }
        let judging = Judging { config: &self.config.evaluation, seed: self.config.seed };
        spread(py, || {
            let evaluation = evaluate(&self.samples, scores, probabilities, base_rate, judging);
            serde_json::to_string(&evaluation).map_err(data)
        })
    }
}

impl Samples {
    fn to_columns(&self) -> PyResult<Columns> {
        let rows: Vec<&Row> = self.samples.rows().collect();
        let days = self.samples.days.iter();
        let dates: Vec<i32> = days.flat_map(|day| std::iter::repeat_n(day.date, day.rows.len())).collect();
        let ids: TextColumn = rows.iter().map(|row| row.id.as_str()).collect();
        let kinds = &self.samples.kinds;
        let kinds: TextColumn =
            rows.iter().map(|row| kinds.get(usize::from(row.kind)).map_or("", String::as_str)).collect();
        let mut columns = vec![
            ("processing_date".to_owned(), PrimitiveArray::<i32>::from_vec(dates).to(ArrowDataType::Date32).boxed()),
            ("alert_id".to_owned(), texts(&ids)),
        ];
        for (place, name) in self.samples.schema.features.iter().enumerate() {
            let of_day =
                |day: &samples::Day| (0..day.rows.len()).map(|row| day.matrix.row(row)[place]).collect::<Vec<_>>();
            columns.push((name.clone(), numbers(self.samples.days.iter().flat_map(of_day).collect())));
        }
        let relevance = rows.iter().map(|row| row.relevance).collect();
        let known = rows.iter().map(|row| row.known_at).collect();
        columns.extend([
            ("typology_type".to_owned(), texts(&kinds)),
            ("confirmed_illicit".to_owned(), flags(rows.iter().map(|row| row.illicit))),
            ("relevance".to_owned(), PrimitiveArray::<u8>::from_vec(relevance).boxed()),
            ("confirmed_at".to_owned(), PrimitiveArray::<i64>::from_vec(known).boxed()),
            ("baseline".to_owned(), numbers(rows.iter().map(|row| row.baseline).collect())),
        ]);
        Columns::new(columns, rows.len())
    }
}

/// Training, validation and test rows of the labelled alerts of a data directory, and where the periods lie, as JSON.
#[pyfunction]
pub(super) fn time_split(
    py: Python<'_>,
    days: Days,
    features: Vec<String>,
    config: &str,
) -> PyResult<(Samples, Samples, Samples, String)> {
    let config = settings(config)?;
    let range = days.range()?;
    let schema = Schema::new(RowKind::Alert, features);
    let made = spread(py, || {
        let assembled = alerts(&range, &schema, &Silent).map_err(data)?;
        split(assembled.samples, &config.split).map_err(data)
    })?;
    let about = about(&made).to_string();
    let of = |samples| Samples { samples, config: config.clone() };
    let Split { train, validation, test, .. } = made;
    Ok((of(train), of(validation), of(test), about))
}

fn about(made: &Split) -> Value {
    let period = |(first, last): (i32, i32), left: &LeftOut| {
        json!({
            "first": date_text(first), "last": date_text(last),
            "label_too_late": left.label_too_late, "shared_address": left.shared_address,
        })
    };
    let [train, validation, test] = &made.left_out;
    json!({
        "train": period(made.periods.train, train),
        "validation": period(made.periods.validation, validation),
        "test": period(made.periods.test, test),
    })
}

/// The figures of the models of a directory on labelled days, by kind, as JSON: what `aml-miner-train evaluate` writes.
#[pyfunction]
pub(super) fn evaluate_models(
    py: Python<'_>,
    directory: PathBuf,
    days: Days,
    version: Option<&str>,
    config: &str,
) -> PyResult<String> {
    let config = settings(config)?;
    let range = days.range()?;
    let refused = |error: ShelfError| match &error {
        ShelfError::Assemble(_) => data(error),
        _ => model(error),
    };
    spread(py, || {
        let shelf = models(&directory, version).map_err(refused)?;
        let mut all: BTreeMap<String, Evaluation> = BTreeMap::new();
        for one in &shelf {
            let rows = one.rows(&range, &shelf, &Silent).map_err(refused)?;
            let judging = Judging { config: &config.evaluation, seed: config.seed };
            all.insert(one.entry.model.name().to_owned(), one.judge(&rows.samples, judging));
        }
        serde_json::to_string(&all).map_err(data)
    })
}
