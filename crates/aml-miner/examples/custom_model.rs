//! A model of your own: a weighted sum of three features, turned into a probability.
//!
//! It needs no training and explains itself exactly: what a feature adds to the raw score is its weight times how far
//! its value is from the usual one.

use aml_miner::digest::Digest;
use aml_miner::features::{FeatureBuilder, RowKind, Schema};
use aml_miner::models::BaseModel;
use aml_miner::wire::spec::ALERTS;
use aml_miner::wire::{Batch, Column, Table};

/// A feature, its weight, and the value at which it says nothing (also taken where it is missing).
struct Term {
    feature: &'static str,
    weight: f64,
    usual: f64,
}

const TERMS: [Term; 3] = [
    Term { feature: "severity_encoded", weight: 0.8, usual: 2.0 },
    Term { feature: "alert_confidence_score", weight: 2.5, usual: 0.6 },
    Term { feature: "is_mixer_like", weight: 1.5, usual: 0.0 },
];
/// Log-odds of an alert in which every feature has its usual value.
const USUAL_LOG_ODDS: f64 = -2.0;

/// The model.
pub struct WeightedSum {
    schema: Schema,
    digest: Digest,
    version: String,
}

impl WeightedSum {
    /// The model with the weights above.
    pub fn new() -> Self {
        // Whatever decides a score belongs into the digest: receipts and versions name it.
        let text: String =
            TERMS.iter().map(|term| format!("{} {} {}\n", term.feature, term.weight, term.usual)).collect();
        let digest = Digest::of(format!("{USUAL_LOG_ODDS}\n{text}").as_bytes());
        let schema = Schema::new(RowKind::Alert, TERMS.map(|term| term.feature));
        Self { schema, digest, version: format!("1.0.0+{}", digest.short()) }
    }
}

impl Default for WeightedSum {
    fn default() -> Self {
        Self::new()
    }
}

/// What a value adds to the log-odds.
fn contribution(term: &Term, value: f64) -> f64 {
    if value.is_nan() { 0.0 } else { term.weight * (value - term.usual) }
}

impl BaseModel for WeightedSum {
    fn name(&self) -> &str {
        "alert_scorer"
    }

    fn version(&self) -> &str {
        &self.version
    }

    fn digest(&self) -> Digest {
        self.digest
    }

    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn base_value(&self) -> f64 {
        USUAL_LOG_ODDS
    }

    fn raw_into(&self, rows: &[f64], raw: &mut [f64]) {
        assert_eq!(rows.len(), raw.len() * TERMS.len(), "whole rows");
        for (raw, row) in raw.iter_mut().zip(rows.chunks_exact(TERMS.len())) {
            *raw = TERMS.iter().zip(row).fold(USUAL_LOG_ODDS, |sum, (term, value)| sum + contribution(term, *value));
        }
    }

    fn predict_into(&self, rows: &[f64], scores: &mut [f64]) {
        self.raw_into(rows, scores);
        scores.iter_mut().for_each(|score| *score = 1.0 / (1.0 + (-*score).exp()));
    }

    fn explain_into(&self, rows: &[f64], contributions: &mut [f64]) {
        assert_eq!(rows.len(), contributions.len(), "a contribution per value");
        for (place, (value, term)) in contributions.iter_mut().zip(rows.iter().zip(TERMS.iter().cycle())) {
            *place = contribution(term, *value);
        }
    }
}

/// Two alerts, of which the second lacks a confidence; neither has features of its address.
fn batch() -> Batch {
    let columns = ALERTS.columns.iter().map(|column| match column.name {
        "alert_id" => Some(Column::Texts(["a", "b"].into_iter().collect())),
        "severity" => Some(Column::Texts(["critical", "low"].into_iter().collect())),
        "alert_confidence_score" => Some(Column::Numbers(vec![0.9, f64::NAN])),
        _ => None,
    });
    Batch { alerts: Table::new(&ALERTS, 2, columns.collect(), Vec::new()), ..Batch::empty() }
}

/// Scores and explains two alerts.
pub fn main() -> Result<(), Box<dyn std::error::Error>> {
    let model = WeightedSum::new();
    let matrix = FeatureBuilder::new(model.schema())?.alerts(&batch())?.matrix;
    let scores = model.predict(&matrix);
    let explained = model.explain(&matrix);
    for (row, score) in scores.iter().enumerate() {
        let raw: f64 = explained.base_value + explained.values.row(row).iter().sum::<f64>();
        assert!((score - 1.0 / (1.0 + (-raw).exp())).abs() < 1e-12, "the contributions add up to the score");
        println!("alert {row}: {score:.3} from {:?}", explained.values.row(row));
    }
    assert!(scores[0] > scores[1]);
    Ok(())
}
