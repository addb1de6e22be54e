//! Fewer features, where they do better: the selector's choices, tried on the validation period of the split.
//!
//! The test period is never looked at. Sets of the features with the largest gains of a first model are tried: all that it used,
//! half of them, a quarter. One is taken when it does better on the validation period than all features. A try that was interrupted
//! counts for nothing.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use crate::features::selector::Judged;
use crate::features::{FeatureSelector, Matrix, Schema};
use crate::models::bundle::ModelKind;
use crate::training::assemble::Assembled;
use crate::training::fit::{FitError, Sides, grown, target};
use crate::training::record::Selected;
use crate::training::report::gains;
use crate::training::samples::{Day, Samples, Target};
use crate::training::session::{Session, TrainError};
use crate::training::split::{Split, split};

/// Parts of the features that a first model used.
const PARTS: [usize; 3] = [1, 2, 4];
/// Fewer features than this are not tried.
const FEWEST: usize = 5;

/// What was chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct Selection {
    /// The features that are taken: all of them where no smaller set did better.
    pub schema: Schema,
    /// Every feature, with what was found about it for the set that did best.
    pub judged: Vec<Judged>,
    /// What goes on record.
    pub record: Selected,
}

/// The rows with the features that are to be trained on, and how those were selected; all features where the configuration selects
/// none.
///
/// # Errors
/// When the days cannot be split, or LightGBM refuses.
pub fn chosen<'a>(
    session: &Session<'_>,
    kind: ModelKind,
    assembled: &'a Assembled,
) -> Result<(Cow<'a, Assembled>, Option<Selected>), TrainError> {
    if !session.config.training.select {
        return Ok((Cow::Borrowed(assembled), None));
    }
    let split = split(assembled.samples.clone(), &session.config.split)?;
    // Nothing was chosen before it was told to stop: all features stay.
    let Some(Selection { schema, record, .. }) = select(session, kind, &split)? else {
        return Ok((Cow::Borrowed(assembled), None));
    };
    session.watch.note(&describe(&record));
    let fewer = (schema != assembled.samples.schema).then(|| narrowed(&assembled.samples, &schema)).flatten();
    Ok(match fewer {
        Some(samples) => (Cow::Owned(Assembled { samples, ..assembled.clone() }), Some(record)),
        None => (Cow::Borrowed(assembled), Some(record)),
    })
}

/// Tries smaller sets of features on the validation period of `split`; `None` where it was told to stop before a smaller set was
/// tried to its end. Stopped later, it is the best of those that were.
///
/// # Errors
/// When LightGBM refuses, or no feature says anything.
pub fn select(session: &Session<'_>, kind: ModelKind, split: &Split) -> Result<Option<Selection>, TrainError> {
    let schema = &split.train.schema;
    let Some((all, text)) = tried(session, kind, split)? else { return Ok(None) };
    let gains: Vec<f64> = gains(&text, schema.features.len()).into_iter().map(|(gain, _)| gain).collect();
    let used = gains.iter().filter(|gain| **gain > 0.0).count();
    let (matrix, labels) = (stacked(&split.train), labels(&split.train, kind));
    let mut best: Option<(f64, Schema, Vec<Judged>)> = None;
    let mut record =
        Selected { features: schema.features.len(), of: schema.features.len(), all, tried: BTreeMap::new() };
    for part in PARTS.into_iter().filter(|part| used / part >= FEWEST) {
        let selector = FeatureSelector { keep: used / part, used_only: true, ..FeatureSelector::default() };
        let selection = selector.select(schema, &matrix, &labels, Some(&gains))?;
        let Some(fewer) = fewer(split, &selection.schema) else { continue };
        match tried(session, kind, &fewer)? {
            Some((value, _)) => {
                record.tried.insert(selection.schema.features.len(), value);
                if value > best.as_ref().map_or(all, |(best, ..)| *best) {
                    best = Some((value, selection.schema, selection.judged));
                }
            }
            None if record.tried.is_empty() => return Ok(None),
            None => break,
        }
    }
    Ok(Some(match best {
        Some((_, schema, judged)) => {
            Selection { record: Selected { features: schema.features.len(), ..record }, schema, judged }
        }
        None => {
            let selector = FeatureSelector { max_correlation: f64::INFINITY, ..FeatureSelector::default() };
            let judged = selector.select(schema, &matrix, &labels, Some(&gains))?.judged;
            // Whatever is found about a feature, it is taken with all others.
            let judged = judged.into_iter().map(|one| Judged { dropped: None, ..one }).collect();
            Selection { schema: schema.clone(), judged, record }
        }
    }))
}

/// Metric of the validation period, and the model's text; `None` where it was told to stop on the way.
fn tried(session: &Session<'_>, kind: ModelKind, split: &Split) -> Result<Option<(f64, String)>, TrainError> {
    let what = format!("{} features", split.train.schema.features.len());
    let sides = Sides { train: &split.train, validation: Some(&split.validation) };
    let grown = grown(session.settings(kind), sides, &what, session.watch).map_err(FitError::from)?.grown;
    Ok((!grown.interrupted).then(|| (grown.best.unwrap_or(0.0), grown.model_text)))
}

/// The split with the columns of `schema` alone.
fn fewer(split: &Split, schema: &Schema) -> Option<Split> {
    Some(Split {
        train: narrowed(&split.train, schema)?,
        validation: narrowed(&split.validation, schema)?,
        test: split.test.with_days(Vec::new()),
        periods: split.periods,
        left_out: split.left_out,
    })
}

/// The rows with the columns of `schema` alone; `None` where one of these is not there.
#[must_use]
pub fn narrowed(samples: &Samples, schema: &Schema) -> Option<Samples> {
    let there: HashMap<&String, usize> = samples.schema.features.iter().zip(0..).collect();
    let columns: Vec<usize> =
        schema.features.iter().map(|name| there.get(name).copied()).collect::<Option<Vec<usize>>>()?;
    let days = samples.days.iter().map(|day| {
        let rows = (0..day.matrix.rows()).map(|row| day.matrix.row(row));
        let values = rows.flat_map(|row| columns.iter().map(|&column| row[column])).collect();
        Day { date: day.date, matrix: Matrix::from_rows(columns.len(), values), rows: day.rows.clone() }
    });
    Some(Samples { schema: schema.clone(), kinds: samples.kinds.clone(), days: days.collect() })
}

fn stacked(samples: &Samples) -> Matrix {
    let values = samples.days.iter().flat_map(|day| day.matrix.values().iter().copied()).collect();
    Matrix::from_rows(samples.schema.features.len(), values)
}

fn labels(samples: &Samples, kind: ModelKind) -> Vec<u8> {
    match target(kind) {
        Target::Illicit => samples.rows().map(|row| u8::from(row.illicit)).collect(),
        Target::Relevance => samples.rows().map(|row| row.relevance).collect(),
    }
}

/// What was selected, in a sentence.
#[must_use]
pub fn describe(record: &Selected) -> String {
    let tried: Vec<String> = record.tried.iter().map(|(features, value)| format!("{features}: {value:.4}")).collect();
    let outcome = match record.features == record.of {
        true => "no smaller set does better: all are taken".to_owned(),
        false => format!("{} are taken", record.features),
    };
    format!("{} features: {:.4} on the validation period; {}; {outcome}", record.of, record.all, tried.join(", "))
}
