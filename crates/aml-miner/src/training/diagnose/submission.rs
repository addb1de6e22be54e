//! The answers that models would give, day by day, and the file that holds them.
//!
//! `submission.jsonl` has a line for the model and one for each day: `processing_date`, `window_days`, whether the model has `seen`
//! outcomes of it, the alerts' ids, one score each, and the scores of public models by name. `docs/training_guide.md` tells the form; `aml-subnet diagnose` reads it.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use serde::Serialize;

use super::Named;
use crate::data::{BatchDir, BatchEntry, ReadBatchError};
use crate::features::{BuildError, FeatureBuilder, SchemaError};
use crate::training::assemble::{AssembleError, Earlier, Range, on_day};
use crate::training::evaluation::date_text;
use crate::training::shelf::Model;
use crate::training::watch::Watch;
use crate::whole_file::{self, Readers};

/// The form of the file.
const FORMAT: u32 = 1;

/// The answers to one batch.
#[derive(Clone, Debug, PartialEq)]
pub struct SubmittedDay {
    /// Days since 1970-01-01.
    pub date: i32,
    /// Days that the batch looks back.
    pub window_days: u16,
    /// The alerts.
    pub ids: Vec<String>,
    /// By model: one score per alert.
    pub scores: Vec<Vec<f64>>,
}

/// Why answers cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// The data directory cannot be listed, or the state of addresses cannot be read.
    #[error(transparent)]
    Range(#[from] AssembleError),
    /// A day with two batches: a submission has one line for each day.
    #[error(
        "there are two batches of {date}, {one} and {other}: leave one of them in the data directory, or take other days"
    )]
    TwoWindows {
        /// The day.
        date: NaiveDate,
        /// Name of its first directory.
        one: String,
        /// Name of its second.
        other: String,
    },
    /// A batch cannot be read.
    #[error("batch {path}", path = path.display())]
    Batch {
        /// Its directory.
        path: PathBuf,
        /// Why not.
        source: Box<ReadBatchError>,
    },
    /// Its features cannot be built.
    #[error("batch {path}", path = path.display())]
    Features {
        /// Its directory.
        path: PathBuf,
        /// Why not.
        source: Box<BuildError>,
    },
    /// A model's features are not known.
    #[error("the features cannot be built")]
    Schema(#[from] SchemaError),
    /// It was told to stop.
    #[error("stopped before all batches were scored")]
    Stopped,
}

impl SubmittedDay {
    /// Places of the alerts by id.
    #[must_use]
    pub fn places(&self) -> HashMap<&str, usize> {
        self.ids.iter().map(String::as_str).zip(0..).collect()
    }

    /// Every model's score of the alert at a place.
    #[must_use]
    pub fn of(&self, place: usize) -> Vec<f64> {
        self.scores.iter().filter_map(|scores| scores.get(place).copied()).collect()
    }
}

/// Scores every alert of `range` with each of `models`, one batch at a time.
///
/// # Errors
/// When a day has two batches, one cannot be read or scored, or `watch` says to stop.
pub fn submitted(range: &Range, models: &[&Model], watch: &dyn Watch) -> Result<Vec<SubmittedDay>, SubmitError> {
    let builders: Vec<FeatureBuilder> =
        models.iter().map(|model| FeatureBuilder::new(&model.entry.schema)).collect::<Result<_, _>>()?;
    let (mut earlier, entries) = Earlier::open(range, builders.iter().any(FeatureBuilder::needs_history))?;
    one_a_day(entries.get(earlier.warm_up()..).unwrap_or_default())?;
    let mut days = Vec::with_capacity(entries.len());
    for (done, entry) in entries.iter().enumerate() {
        watch.step("scoring batches", done + 1, entries.len());
        if watch.stopped() {
            return Err(SubmitError::Stopped);
        }
        let failed = |source| SubmitError::Batch { path: entry.path.clone(), source: Box::new(source) };
        let loaded = BatchDir::open(&entry.path).and_then(|directory| directory.load()).map_err(failed)?;
        let day = loaded.meta.processing_date;
        if earlier.is_before(day) {
            earlier.then(day, &loaded.batch);
            continue;
        }
        let (date, history) = (day.to_epoch_days(), earlier.on(day));
        let scores = models.iter().zip(&builders).map(|(model, builder)| {
            let matrix = on_day(builder, history.as_ref()).alerts(&loaded.batch)?.matrix;
            Ok(model.answers_on(date, matrix.values(), matrix.rows()))
        });
        let unbuilt = |source| SubmitError::Features { path: entry.path.clone(), source: Box::new(source) };
        let scores = scores.collect::<Result<Vec<_>, BuildError>>().map_err(unbuilt)?;
        let ids = loaded.batch.alerts.texts("alert_id");
        let ids = ids.map(|ids| ids.iter().map(str::to_owned).collect()).unwrap_or_default();
        drop(history);
        earlier.then(day, &loaded.batch);
        days.push(SubmittedDay { date, window_days: loaded.meta.window_days, ids, scores });
    }
    Ok(days)
}

/// Whether every day of `entries`, which are in order, has one batch.
fn one_a_day(entries: &[BatchEntry]) -> Result<(), SubmitError> {
    let twice = entries.windows(2).find_map(|pair| match pair {
        [one, other] if one.date == other.date => Some((one, other)),
        _ => None,
    });
    let name =
        |entry: &BatchEntry| entry.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    match twice {
        Some((one, other)) => Err(SubmitError::TwoWindows { date: one.date, one: name(one), other: name(other) }),
        None => Ok(()),
    }
}

/// The first line.
#[derive(Serialize)]
struct Head<'a> {
    submission: u32,
    model_version: &'a str,
    model_sha256: String,
    public: BTreeMap<&'a str, &'a str>,
}

/// A line of a day.
#[derive(Serialize)]
struct Line<'a> {
    processing_date: String,
    window_days: u16,
    /// Whether the model has learnt from outcomes of the day.
    seen: bool,
    alert_ids: &'a [String],
    scores: &'a [f64],
    public: BTreeMap<&'a str, &'a [f64]>,
}

/// Writes the answers of `model` and of the public models, in the order in which the days were scored.
///
/// # Errors
/// When the file cannot be written.
pub fn write_submission(path: &Path, model: &Model, public: &[Named<'_>], days: &[SubmittedDay]) -> io::Result<()> {
    let head = Head {
        submission: FORMAT,
        model_version: &model.entry.model_version,
        model_sha256: model.entry.sha256.to_string(),
        public: public.iter().map(|one| (one.name, one.model.entry.model_version.as_str())).collect(),
    };
    let mut bytes = serde_json::to_vec(&head)?;
    for day in days {
        let Some((own, others)) = day.scores.split_first() else { continue };
        let line = Line {
            processing_date: date_text(day.date),
            window_days: day.window_days,
            seen: model.has_seen(day.date),
            alert_ids: &day.ids,
            scores: own,
            public: public.iter().zip(others).map(|(one, scores)| (one.name, scores.as_slice())).collect(),
        };
        bytes.push(b'\n');
        serde_json::to_writer(&mut bytes, &line)?;
    }
    bytes.push(b'\n');
    whole_file::write(path, &bytes, Readers::Everyone)
}
