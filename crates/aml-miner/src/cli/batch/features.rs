//! `features`: the matrix of batches as one Parquet file, the same values that models take.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::NaiveDate;

use super::{UsageError, Verdict, batches_in};
use crate::data::outcomes::usable_rows;
use crate::data::{BatchDir, Frame, FrameColumn};
use crate::features::{FeatureBuilder, Matrix, RowKind, Schema};
use crate::history::{History, Running};
use crate::models::bundle::Metadata;
use crate::table::{Batch, Table, TextColumn};
use crate::whole_file::{self, Readers};

/// Bytes of a file that names features.
const MAX_SCHEMA_BYTES: usize = 1 << 20;
/// Values of one file, 2 GiB of doubles: more days than that go into several files.
const MAX_VALUES: usize = 1 << 28;
/// What `--labels` adds.
const LABELS: [&str; 3] = ["confirmed_illicit", "relevance", "confirmed_at"];

/// Arguments of `features`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Batch directories, or data directories with batches in them
    #[arg(required = true, value_name = "DIR")]
    directories: Vec<PathBuf>,
    /// Parquet file that is written: processing_date, the row's id, and one column per feature
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// What a row is
    #[arg(long, value_enum, default_value = "alert")]
    rows: Rows,
    /// Directory of models: the features of its model of these rows, instead of the default ones
    #[arg(long, value_name = "DIR", conflicts_with = "schema")]
    models: Option<PathBuf>,
    /// File of features: names, one per line
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
    /// Add the features of earlier days that training takes with `history: true` to the default ones of alerts
    #[arg(long, conflicts_with_all = ["models", "schema"])]
    with_history: bool,
    /// Add the outcomes of alerts that count (confirmed_illicit, relevance, confirmed_at); other rows lack them
    #[arg(long)]
    labels: bool,
    /// State of addresses that the first day begins with, for features of earlier days; the other days go on from it
    #[arg(long, value_name = "FILE")]
    history: Option<PathBuf>,
    /// Replace the file
    #[arg(long)]
    replace: bool,
}

/// What a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Rows {
    /// One row per alert
    Alert,
    /// One row per cluster
    Cluster,
}

pub(super) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<Verdict> {
    if args.labels && args.rows == Rows::Cluster {
        return Err(UsageError("--labels goes with alerts: outcomes are of alerts".into()).into());
    }
    if args.with_history && args.rows == Rows::Cluster {
        return Err(UsageError("--with-history goes with alerts".into()).into());
    }
    if args.out.exists() && !args.replace {
        return Err(UsageError(format!("{} is there already: give --replace", args.out.display())).into());
    }
    let schema = schema(args)?;
    let builder = FeatureBuilder::new(&schema).map_err(|error| UsageError(error.to_string()))?;
    let state = args.history.as_deref().map(History::read).transpose()?.unwrap_or_default();
    let mut rows = Collected::new(&schema, args.labels).from(state);
    for path in
        args.directories.iter().map(|path| batches_in(path)).collect::<Result<Vec<_>, _>>()?.into_iter().flatten()
    {
        match BatchDir::open(&path).and_then(|directory| directory.load()) {
            Ok(loaded) => {
                let day =
                    Day { date: loaded.meta.processing_date, batch: &loaded.batch, labels: loaded.labels.as_ref() };
                rows.add(&day, &builder, args.rows)?;
            }
            Err(error) if error.is_corrupt() => {
                // Nothing is written: a file that lacks a day looks like one that has it.
                writeln!(out, "BAD  {}: {error}", path.display())?;
                return Ok(Verdict::Failed);
            }
            Err(error) => return Err(error.into()),
        }
    }
    let (count, columns) = (rows.ids.len(), schema.features.len());
    whole_file::write(&args.out, &rows.frame(&schema, args.rows).to_parquet()?, Readers::Everyone)?;
    writeln!(out, "ok   {}: {count} rows, {columns} features (schema {})", args.out.display(), schema.hash().short())?;
    Ok(Verdict::Passed)
}

impl Rows {
    /// What a row of the matrix is.
    pub(crate) fn kind(self) -> RowKind {
        match self {
            Self::Alert => RowKind::Alert,
            Self::Cluster => RowKind::Cluster,
        }
    }
}

/// The features that are asked for.
fn schema(args: &Args) -> anyhow::Result<Schema> {
    let kind = args.rows.kind();
    let mut schema = match (&args.models, &args.schema) {
        (Some(directory), _) => of_model(directory, kind)?,
        (None, Some(path)) => {
            let bytes = whole_file::read(path, MAX_SCHEMA_BYTES)?;
            let text = String::from_utf8(bytes).map_err(|_| UsageError(format!("{} is not text", path.display())))?;
            let names = text.lines().map(str::trim).filter(|name| !name.is_empty() && !name.starts_with('#'));
            Schema::new(kind, names)
        }
        (None, None) => usual(kind),
    };
    if args.with_history && kind == RowKind::Alert {
        schema.features.extend(Schema::alert_history());
    }
    without_scores(schema)
}

/// The default features that need no model.
pub(crate) fn usual(kind: RowKind) -> Schema {
    match kind {
        RowKind::Alert => Schema::default_alert(),
        RowKind::Cluster => {
            let mut schema = Schema::default_cluster();
            schema.features.retain(|name| !name.starts_with("score_"));
            schema
        }
    }
}

/// The schema, when a batch alone is enough for it.
pub(crate) fn without_scores(schema: Schema) -> anyhow::Result<Schema> {
    if schema.takes_alert_scores() {
        return Err(
            UsageError("these features are made of an alert scorer's scores, which are not made here".into()).into()
        );
    }
    Ok(schema)
}

/// The features of the model of these rows in `directory`.
pub(crate) fn of_model(directory: &Path, kind: RowKind) -> anyhow::Result<Schema> {
    let models = Metadata::load(directory)?.models;
    // The scorer comes before the ranker, which is another model of alerts.
    let found = models.into_values().filter(|entry| entry.schema.rows == kind).min_by_key(|entry| entry.model);
    let none = || UsageError(format!("{} has no model of {} rows", directory.display(), kind.name()));
    Ok(found.ok_or_else(none)?.schema)
}

/// A day whose rows are taken.
pub(crate) struct Day<'a> {
    /// Its date.
    pub(crate) date: NaiveDate,
    /// Its tables.
    pub(crate) batch: &'a Batch,
    /// Its outcomes, where they are known.
    pub(crate) labels: Option<&'a Table>,
}

/// Rows so far.
pub(crate) struct Collected {
    days: Vec<i32>,
    ids: TextColumn,
    columns: Vec<Vec<f64>>,
    labels: Option<[Vec<f64>; LABELS.len()]>,
    /// What the days so far say of addresses.
    running: Running,
    last: Option<NaiveDate>,
}

impl Collected {
    /// None yet.
    pub(crate) fn new(schema: &Schema, labels: bool) -> Self {
        let columns = vec![Vec::new(); schema.features.len()];
        Self {
            days: Vec::new(),
            ids: TextColumn::default(),
            columns,
            labels: labels.then(Default::default),
            running: Running::default(),
            last: None,
        }
    }

    /// The same, where the first day begins with a state of addresses.
    pub(crate) fn from(self, state: History) -> Self {
        Self { running: Running::from(Arc::new(state)), ..self }
    }

    /// Adds the rows of a day.
    ///
    /// # Errors
    /// When the features cannot be built, or the rows are too many for a file.
    pub(crate) fn add(&mut self, day: &Day<'_>, builder: &FeatureBuilder, rows: Rows) -> anyhow::Result<()> {
        let batch = day.batch;
        let builder = &self.knowing(day, builder)?;
        let (built, table, key) = match rows {
            Rows::Alert => (builder.alerts(batch)?, &batch.alerts, "alert_id"),
            Rows::Cluster => (builder.clusters(batch, None)?, &batch.clusters, "cluster_id"),
        };
        let ids = table.texts(key).cloned().unwrap_or_default();
        ids.iter().for_each(|id| self.ids.push(id));
        self.days.resize(self.ids.len(), day.date.to_epoch_days());
        if self.ids.len().saturating_mul(self.columns.len()) > MAX_VALUES {
            return Err(UsageError(format!("more than {MAX_VALUES} values: write fewer days into a file")).into());
        }
        self.add_matrix(&built.matrix);
        if let Some(labels) = &mut self.labels {
            add_labels(labels, day, &ids);
        }
        Ok(())
    }

    /// `builder` with what the days before say, which have to come in order then.
    fn knowing(&mut self, day: &Day<'_>, builder: &FeatureBuilder) -> anyhow::Result<FeatureBuilder> {
        if !builder.needs_history() {
            return Ok(builder.clone());
        }
        if let Some(last) = self.last.replace(day.date).filter(|last| *last > day.date) {
            let (last, date) = (last, day.date);
            return Err(UsageError(format!(
                "{date} comes after {last}: features of earlier days take days in their order"
            ))
            .into());
        }
        let date = day.date.to_epoch_days();
        let knowing = builder.clone().knowing(Some(Arc::clone(self.running.before(date))));
        self.running.then(date, day.batch);
        Ok(knowing)
    }

    fn add_matrix(&mut self, matrix: &Matrix) {
        for row in 0..matrix.rows() {
            self.columns.iter_mut().zip(matrix.row(row)).for_each(|(column, value)| column.push(*value));
        }
    }

    /// All rows: `processing_date`, the id, a column per feature, and outcomes where they are wanted.
    pub(crate) fn frame(self, schema: &Schema, rows: Rows) -> Frame {
        let id = if rows == Rows::Alert { "alert_id" } else { "cluster_id" };
        let mut columns = vec![
            ("processing_date".to_owned(), FrameColumn::Days(self.days)),
            (id.to_owned(), FrameColumn::Texts(self.ids)),
        ];
        let features = schema.features.iter().cloned().zip(self.columns);
        columns.extend(features.map(|(name, values)| (name, FrameColumn::Numbers(values))));
        let labels = LABELS.iter().zip(self.labels.into_iter().flatten());
        columns.extend(labels.map(|(name, values)| ((*name).to_owned(), FrameColumn::Numbers(values))));
        Frame(columns)
    }
}

/// Adds the outcomes that count, by the rule that training and settlement share.
fn add_labels(columns: &mut [Vec<f64>; LABELS.len()], day: &Day<'_>, ids: &TextColumn) {
    let mut known: HashMap<&str, usize> = HashMap::new();
    let table = day.labels;
    if let Some((table, labelled)) = table.and_then(|table| Some((table, table.texts("alert_id")?))) {
        known.extend(usable_rows(table, day.date).into_iter().map(|row| (labelled.get(row), row)));
    }
    for (column, name) in columns.iter_mut().zip(LABELS) {
        let values = table.and_then(|table| table.numbers(name));
        let value = |id: &str| Some(*values?.get(*known.get(id)?)?);
        column.extend(ids.iter().map(|id| value(id).unwrap_or(f64::NAN)));
    }
}
