//! Chooses features: by importance, by mutual information with the label, and by pruning those that say the same.
//!
//! The chosen set is a schema in the order of the schema it was chosen from. Ties go to the earlier column, and
//! sampling takes every n-th row, so the same input always gives the same choice.

mod information;

use std::cmp::Ordering;

use rayon::prelude::*;

use crate::features::vocabulary::{Matrix, Schema};
use information::{Ranks, mutual_information};

/// Most rows that are looked at; more are thinned out evenly.
const MAX_ROWS: usize = 20_000;

/// How features are chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FeatureSelector {
    /// How many features are kept at most.
    pub keep: usize,
    /// Whether features of an importance of 0 are dropped: those that a first model did not use. Without importances none is.
    pub used_only: bool,
    /// Features that share less mutual information with the label than this many nats are dropped.
    pub min_information: f64,
    /// Of two features whose ranks correlate more than this, the less important one is dropped.
    pub max_correlation: f64,
    /// Into how many equally filled bins a feature is cut to measure mutual information.
    pub bins: usize,
}

impl Default for FeatureSelector {
    fn default() -> Self {
        Self { keep: usize::MAX, used_only: false, min_information: 0.0, max_correlation: 0.995, bins: 32 }
    }
}

/// Why a feature was dropped.
#[derive(Clone, Debug, PartialEq)]
pub enum Dropped {
    /// It has one value, or none.
    Constant,
    /// The model that the importances are of did not use it.
    Unused,
    /// It says too little about the label.
    Uninformative,
    /// Its ranks follow those of a feature that was kept.
    Redundant {
        /// The feature that was kept.
        with: String,
        /// The correlation of their ranks.
        correlation: f64,
    },
    /// Others were more important.
    Beyond,
}

/// What was found about one feature.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// Its name.
    pub name: String,
    /// The importance that was given for it.
    pub importance: f64,
    /// Mutual information with the label in nats.
    pub information: f64,
    /// Why it was dropped, if it was.
    pub dropped: Option<Dropped>,
}

/// The outcome of a choice.
#[derive(Clone, Debug, PartialEq)]
pub struct Selection {
    /// The features that were kept, in the order of the original schema.
    pub schema: Schema,
    /// Every feature of the original schema, in order.
    pub judged: Vec<Judged>,
}

/// Input from which nothing can be chosen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    /// Sizes that do not belong together.
    #[error("{what}: expected {expected}, found {found}")]
    Size {
        /// What was counted.
        what: &'static str,
        /// Size of the matrix.
        expected: usize,
        /// Size given.
        found: usize,
    },
    /// No feature was kept.
    #[error("no feature says anything about the label; lower min_information or give more rows")]
    NothingLeft,
}

impl FeatureSelector {
    /// Chooses among the columns of `schema`. `labels` holds a class per row; `importance`, where given, a figure per
    /// column such as the gain of a first model, and decides the order before mutual information does.
    ///
    /// # Errors
    /// When sizes do not agree, or nothing is left.
    pub fn select(
        &self,
        schema: &Schema,
        matrix: &Matrix,
        labels: &[u8],
        importance: Option<&[f64]>,
    ) -> Result<Selection, SelectError> {
        let names = &schema.features;
        check("columns of the matrix", names.len(), matrix.columns())?;
        check("labels", matrix.rows(), labels.len())?;
        check("importances", names.len(), importance.map_or(names.len(), <[f64]>::len))?;
        let step = matrix.rows().div_ceil(MAX_ROWS).max(1);
        let labels: Vec<u8> = labels.iter().copied().step_by(step).collect();
        let columns: Vec<Ranks> =
            (0..names.len()).into_par_iter().map(|column| Ranks::of(matrix, column, step)).collect();
        let information: Vec<f64> =
            columns.par_iter().map(|ranks| mutual_information(ranks, &labels, self.bins)).collect();
        let judged = |(column, name): (usize, &String)| Judged {
            name: name.clone(),
            importance: importance.map_or(f64::NAN, |importance| importance[column]),
            information: information[column],
            dropped: None,
        };
        let mut judged: Vec<Judged> = names.iter().enumerate().map(judged).collect();
        self.drop_features(&columns, &mut judged);
        let kept = judged.iter().filter(|judged| judged.dropped.is_none()).map(|judged| judged.name.clone());
        let schema = Schema { version: schema.version, rows: schema.rows, features: kept.collect() };
        if schema.features.is_empty() { Err(SelectError::NothingLeft) } else { Ok(Selection { schema, judged }) }
    }

    fn drop_features(&self, columns: &[Ranks], judged: &mut [Judged]) {
        let mut order: Vec<usize> = (0..judged.len()).collect();
        order.sort_by(|&one, &other| most_important_first(&judged[one], &judged[other]));
        let mut kept: Vec<usize> = Vec::new();
        for column in order {
            let reason = self.reason(column, columns, judged, &kept);
            if reason.is_none() {
                kept.push(column);
            }
            judged[column].dropped = reason;
        }
    }

    fn reason(&self, column: usize, columns: &[Ranks], judged: &[Judged], kept: &[usize]) -> Option<Dropped> {
        if columns[column].is_constant() {
            return Some(Dropped::Constant);
        }
        if self.used_only && judged[column].importance <= 0.0 {
            return Some(Dropped::Unused);
        }
        if judged[column].information < self.min_information {
            return Some(Dropped::Uninformative);
        }
        if kept.len() >= self.keep {
            return Some(Dropped::Beyond);
        }
        let correlations: Vec<f64> =
            kept.par_iter().map(|&other| columns[column].correlation(&columns[other])).collect();
        let redundant = kept.iter().zip(correlations).find(|(_, found)| found.abs() > self.max_correlation);
        redundant.map(|(&other, correlation)| Dropped::Redundant { with: judged[other].name.clone(), correlation })
    }
}

/// NaN importances, which are all NaN when none were given, count as equal and last.
fn most_important_first(one: &Judged, other: &Judged) -> Ordering {
    let known = |value: f64| {
        if value.is_nan() { f64::NEG_INFINITY } else { value }
    };
    known(other.importance)
        .total_cmp(&known(one.importance))
        .then_with(|| other.information.total_cmp(&one.information))
}

fn check(what: &'static str, expected: usize, found: usize) -> Result<(), SelectError> {
    if expected == found { Ok(()) } else { Err(SelectError::Size { what, expected, found }) }
}
