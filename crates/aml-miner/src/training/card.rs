//! The model card: what a reader must know of the models of a directory, in Markdown, from their entries and records alone.

use std::fmt::{Arguments, Write};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::models::bundle::{METADATA_FILE, Metadata, MetadataError, ModelKind};
use crate::training::evaluation::{Evaluation, Figure, SHOWN, Slice};
use crate::training::record::{Period, RecordError, Refitted, TrainingRecord};
use crate::whole_file::{self, Readers};

/// Features that moved most, as many as are listed.
const DRIFT_LISTED: usize = 6;

/// Why there is no card.
#[derive(Debug, thiserror::Error)]
pub enum CardError {
    /// The metadata file cannot be used.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// It cannot be written.
    #[error("cannot write {path}", path = path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

/// Writes the card of the models of `version` in `directory`, beside them.
///
/// # Errors
/// When the metadata cannot be read, or the card not written.
pub fn write(directory: &Path, version: &str) -> Result<PathBuf, CardError> {
    let path = directory.join(format!("model_card_v{version}.md"));
    let text = card(directory, &Metadata::load(directory)?, version);
    whole_file::write(&path, text.as_bytes(), Readers::Everyone)
        .map_err(|source| CardError::Write { path: path.clone(), source })?;
    Ok(path)
}

/// The card as text. Models without a record are named, and nothing else is said of them.
fn card(directory: &Path, metadata: &Metadata, version: &str) -> String {
    let mut text = format!("# Model card: version {version}\n\n");
    let ours = metadata.models.iter().filter(|(_, entry)| entry.model_version.split('+').next() == Some(version));
    let mut models: Vec<_> = ours.collect();
    models.sort_by_key(|(_, entry)| entry.model);
    // Times are RFC 3339 in UTC: the largest text is the newest.
    let Some(newest) = models.iter().map(|(_, entry)| &entry.created_at).max() else { return text };
    put(
        &mut text,
        format_args!(
            "Made {newest} by `aml-miner-train`; `{METADATA_FILE}` has everything for programs.\n\n{JUDGED}\n"
        ),
    );
    for (file, entry) in models {
        put(
            &mut text,
            format_args!(
                "\n## {}\n\n`{file}`, version `{}`, made by {}, ",
                name(entry.model),
                entry.model_version,
                entry.made_by()
            ),
        );
        put(&mut text, format_args!("{} features, ", entry.schema.features.len()));
        match TrainingRecord::load(&directory.join(file)) {
            Ok(record) => model(&mut text, &record),
            Err(RecordError::Access { source, .. }) if source.kind() == ErrorKind::NotFound => {
                text.push_str("without a record of its training: nothing was measured.\n");
            }
            Err(_) => {
                text.push_str("and the record of its training cannot be read: what was measured is not told here.\n")
            }
        }
    }
    text
}

const JUDGED: &str = "## How they were judged

By time: learnt from the training period, stopped and calibrated on the validation period, measured once on the test period.
Nothing was learnt from an outcome that was not known when the next period began. 95 % intervals come from resampling rows within
their days. NDCG, precision and recall at K are per day and averaged. Two baselines stand beside the models: the confidence that the alerts came
with, and the share of illicit rows in training as everybody's score.

The figures are about these days alone. They say nothing about other chains, other detectors or later times; the tables by
typology and the drift show where a model is weak and what moves. What the models are for, and who answers for decisions, is for
those to say who use them.";

fn name(kind: ModelKind) -> &'static str {
    match kind {
        ModelKind::AlertScorer => "Alert scorer",
        ModelKind::AlertRanker => "Alert ranker",
        ModelKind::ClusterScorer => "Cluster scorer",
    }
}

fn model(text: &mut String, record: &TrainingRecord) {
    let (rounds, calibration) = (record.rounds, &record.calibration.chosen);
    put(text, format_args!("{rounds} rounds on the split, calibration: {calibration}.\n\n"));
    if let Some(selected) = &record.selected {
        put(text, format_args!("Features: {}.\n\n", crate::training::select::describe(selected)));
    }
    periods(text, record);
    if let Some(refit) = &record.refit {
        fitted_again(text, refit);
    }
    figures(text, &record.test, record.refit.as_ref().map(|refit| &refit.judged.test));
    let kinds = if record.model == ModelKind::ClusterScorer { "cluster type" } else { "typology" };
    slices(text, kinds, &record.test.by_typology);
    let moved = record.drift.iter().take(DRIFT_LISTED).map(|one| format!("`{}` {:.2}", one.feature, one.psi));
    let moved: Vec<String> = moved.collect();
    put(
        text,
        format_args!(
            "\nDrift from training to test (population stability index, largest first): {}.\n",
            moved.join(", ")
        ),
    );
    if !record.warnings.is_empty() {
        text.push_str("\nWarnings:\n\n");
        record.warnings.iter().for_each(|warning| put(text, format_args!("* {}\n", plain(warning))));
    }
}

fn periods(text: &mut String, record: &TrainingRecord) {
    text.push_str("| period | days | rows | illicit | left out for a shared address | for a late outcome |\n");
    text.push_str("|---|---|---:|---:|---:|---:|\n");
    for (name, period) in
        ["train", "validation", "test"].iter().filter_map(|name| Some((name, record.periods.get(*name)?)))
    {
        let Period { first, last, rows, positives, left_out } = period;
        let (shared, late) = (left_out.shared_address, left_out.label_too_late);
        put(text, format_args!("| {name} | {first} to {last} | {rows} | {positives} | {shared} | {late} |\n"));
    }
    text.push('\n');
}

fn fitted_again(text: &mut String, refit: &Refitted) {
    let Refitted { first, last, rows, positives, not_known, rounds, judged, .. } = refit;
    put(
        text,
        format_args!(
            "The model that is kept was fitted once more, on everything known: {rows} rows of {first} to {last}, {positives} of them \
             illicit, {rounds} rounds ({not_known} rows were left out because their outcome was not known yet). It has seen the test period. \
             So the same was done with what was known on {} ({} rows, {} rounds), and measured on the test period: the column \"fitted \
             once more\". Addresses that come again are in both of its sides, as they will be in service.\n\n",
            judged.known_by, judged.rows, judged.rounds
        ),
    );
}

fn figures(text: &mut String, test: &Evaluation, again: Option<&Evaluation>) {
    let value = |figure: Option<&Figure>| number(figure.and_then(|figure| figure.value));
    let within = |figure: Option<&Figure>| {
        let within = figure.and_then(|figure| figure.interval);
        within.map_or_else(String::new, |within| format!("{:.4} to {:.4}", within.low, within.high))
    };
    let (more, rule) = if again.is_some() { (" fitted once more | 95 % |", "---:|---:|") } else { ("", "") };
    put(text, format_args!("| metric | on the split | 95 % |{more} alerts' confidence | base rate |\n"));
    put(text, format_args!("|---|---:|---:|{rule}---:|---:|\n"));
    for metric in SHOWN.iter().filter(|metric| test.value(metric).is_some()) {
        let figure = test.metrics.get(*metric);
        put(text, format_args!("| {metric} | {} | {} |", value(figure), within(figure)));
        if let Some(again) = again {
            let figure = again.metrics.get(*metric);
            put(text, format_args!(" {} | {} |", value(figure), within(figure)));
        }
        let of = |all: &std::collections::BTreeMap<String, f64>| number(all.get(*metric).copied());
        put(text, format_args!(" {} | {} |\n", of(&test.confidence_baseline), of(&test.base_rate_baseline)));
    }
}

fn slices(text: &mut String, what: &str, slices: &[Slice]) {
    put(text, format_args!("\n| {what} | rows | illicit | ROC-AUC | average precision |\n|---|---:|---:|---:|---:|\n"));
    let mut slices: Vec<&Slice> = slices.iter().collect();
    slices.sort_by_key(|slice| std::cmp::Reverse(slice.rows));
    for slice in slices {
        let auc = slice.metrics.get("roc_auc").map_or_else(|| "one class".to_owned(), |value| format!("{value:.3}"));
        let ap = slice.metrics.get("average_precision").map_or_else(String::new, |value| format!("{value:.3}"));
        put(text, format_args!("| {} | {} | {} | {auc} | {ap} |\n", plain(&slice.name), slice.rows, slice.positives));
    }
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| format!("{value:.4}"))
}

/// Names come from data that others made: nothing in them may end a cell or a line, or begin markup.
fn plain(text: &str) -> String {
    let shown = |letter: char| !letter.is_control() && !"|<>\\[]".contains(letter);
    text.chars().map(|letter| if shown(letter) { letter } else { ' ' }).collect()
}

fn put(text: &mut String, more: Arguments<'_>) {
    // Writing into a String cannot fail.
    let _ = text.write_fmt(more);
}
