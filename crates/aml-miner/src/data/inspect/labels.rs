//! Label rate, and columns whose missing values predict the label.
//!
//! Where a column is empty mostly for one class, a model learns how the data was put together instead of what the
//! column means. The AUC of "is missing" as a score is `0.5 + (share missing of illicit - share missing of clean) / 2`.

use std::collections::HashMap;

use serde::Serialize;

use super::columns::is_missing;
use crate::data::batch_dir::LoadedBatch;
use crate::data::outcomes::usable_rows;
use crate::table::{Column, Table};

/// Distance from 0.5 from which the AUC of a missing flag is pointed out ...
const STRONG: f64 = 0.05;
/// ... when it is also this many standard errors away.
const CERTAIN: f64 = 4.0;
/// A label rate below this makes default parameters collapse.
const RARE: f64 = 0.01;

/// The findings about the outcomes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LabelReport {
    /// Outcomes.
    pub rows: usize,
    /// Alerts of the batch with an outcome.
    pub alerts_labelled: usize,
    /// Outcomes of alerts that the batch lacks.
    pub alerts_unknown: usize,
    /// Share of confirmed illicit among the labelled alerts.
    pub illicit_rate: Option<f64>,
    /// Outcomes that were known on the day of the batch already, and so must not be trained on.
    pub known_too_early: usize,
    /// Columns whose missing values predict the label.
    pub missing_signals: Vec<MissingSignal>,
}

/// A column that is missing more for one class.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MissingSignal {
    /// Its table.
    pub table: &'static str,
    /// Its name; `(row)` stands for the whole row of features.
    pub column: &'static str,
    /// AUC of "is missing" as a score.
    pub auc: f64,
    /// Share missing among confirmed illicit alerts.
    pub missing_illicit: f64,
    /// Share missing among the others.
    pub missing_clean: f64,
}

impl LabelReport {
    pub(super) fn warnings(&self) -> Vec<String> {
        let mut found = Vec::new();
        match self.illicit_rate {
            Some(rate) if rate <= 0.0 || rate >= 1.0 => {
                found.push(format!("labels: all of one class ({:.2} % illicit): nothing can be learned", rate * 100.0));
            }
            Some(rate) if rate < RARE => {
                found.push(format!(
                    "labels: only {:.3} % illicit: check the trained model against the base rate",
                    rate * 100.0
                ));
            }
            _ => {}
        }
        if self.known_too_early > 0 {
            found
                .push(format!("labels: {} were known by the day of the batch: not for training", self.known_too_early));
        }
        for signal in &self.missing_signals {
            found.push(format!(
                "{}.{}: being missing predicts the label, AUC {:.3} (missing for {:.1} % of illicit, {:.1} % of clean)",
                signal.table,
                signal.column,
                signal.auc,
                signal.missing_illicit * 100.0,
                signal.missing_clean * 100.0
            ));
        }
        found
    }
}

pub(super) fn label_report(loaded: &LoadedBatch, labels: &Table) -> LabelReport {
    let outcomes = outcomes(labels);
    let alerts = &loaded.batch.alerts;
    let classes: Vec<Option<bool>> =
        alerts.texts("alert_id").into_iter().flat_map(|ids| ids.iter()).map(|id| outcomes.get(id).copied()).collect();
    let labelled = classes.iter().flatten().count();
    let illicit = classes.iter().flatten().filter(|illicit| **illicit).count();
    let usable = usable_rows(labels, loaded.meta.processing_date).len();
    LabelReport {
        rows: labels.rows(),
        alerts_labelled: labelled,
        alerts_unknown: labels.rows() - labelled,
        illicit_rate: (labelled > 0).then(|| illicit as f64 / labelled as f64),
        known_too_early: labels.rows() - usable,
        missing_signals: missing_signals(loaded, &classes),
    }
}

fn outcomes(labels: &Table) -> HashMap<&str, bool> {
    let (Some(ids), Some(illicit)) = (labels.texts("alert_id"), labels.numbers("confirmed_illicit")) else {
        return HashMap::new();
    };
    ids.iter().zip(illicit.iter().map(|&value| value > 0.5)).collect()
}

fn missing_signals(loaded: &LoadedBatch, classes: &[Option<bool>]) -> Vec<MissingSignal> {
    let (alerts, features) = (&loaded.batch.alerts, &loaded.batch.features);
    let row_of: HashMap<&str, usize> =
        features.texts("address").into_iter().flat_map(|texts| texts.iter()).zip(0..).collect();
    let rows: Vec<Option<usize>> = match alerts.texts("address") {
        Some(addresses) => addresses.iter().map(|address| row_of.get(address).copied()).collect(),
        None => vec![None; alerts.rows()],
    };
    let mut found = Vec::new();
    let of_alerts = (0..alerts.rows()).map(Some).collect::<Vec<_>>();
    found.extend(of_table(alerts, &of_alerts, classes));
    found.extend(signal(
        Place { table: "features", column: "(row)" },
        rows.iter().zip(classes).map(|(row, class)| Some((row.is_none(), (*class)?))),
    ));
    found.extend(of_table(features, &rows, classes));
    found.sort_by(|left, right| (right.auc - 0.5).abs().total_cmp(&(left.auc - 0.5).abs()));
    found
}

/// Where values may be missing.
struct Place {
    table: &'static str,
    column: &'static str,
}

/// The signals of one table's columns, where alert `i` stands in row `rows[i]`.
fn of_table(table: &Table, rows: &[Option<usize>], classes: &[Option<bool>]) -> Vec<MissingSignal> {
    let present = table.spec().columns.iter().zip(table.columns());
    let one = |column, values: &Column| {
        let cells = rows.iter().zip(classes);
        signal(
            Place { table: table.spec().name, column },
            cells.map(|(row, class)| Some((is_missing(values, (*row)?), (*class)?))),
        )
    };
    present.filter_map(|(about, column)| one(about.name, column.as_ref()?)).collect()
}

fn signal(place: Place, cells: impl Iterator<Item = Option<(bool, bool)>>) -> Option<MissingSignal> {
    // [clean, illicit] x [there, missing]
    let mut counts = [[0.0_f64; 2]; 2];
    cells.flatten().for_each(|(missing, illicit)| counts[usize::from(illicit)][usize::from(missing)] += 1.0);
    let [clean, illicit] = counts.map(|[there, missing]| there + missing);
    if clean == 0.0 || illicit == 0.0 {
        return None;
    }
    let (missing_clean, missing_illicit) = (counts[0][1] / clean, counts[1][1] / illicit);
    let share = (counts[0][1] + counts[1][1]) / (clean + illicit);
    let distance = (missing_illicit - missing_clean) / 2.0;
    let error = (share * (1.0 - share) * (1.0 / clean + 1.0 / illicit)).sqrt() / 2.0;
    let found = distance.abs() >= STRONG && distance.abs() >= CERTAIN * error;
    let Place { table, column } = place;
    found.then_some(MissingSignal { table, column, auc: 0.5 + distance, missing_illicit, missing_clean })
}
