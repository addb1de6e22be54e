//! What this miner adds to the shipped one: a feature that its models are trained on, and a ranker of its own.

use aml_miner::{AlertsView, BaseModel, CustomFeature, Digest, Part, PerAlert, RowKind, Schema};

/// How much the detector wrote about an alert: the length of its evidence, missing where it has none.
pub struct EvidenceLength;

impl CustomFeature for EvidenceLength {
    fn name(&self) -> &'static str {
        "evidence_length"
    }

    fn doc(&self) -> &'static str {
        "Number of bytes of the alert's evidence."
    }

    fn needs(&self) -> &'static [(Part, &'static str)] {
        &[(Part::Alerts, "evidence_json")]
    }

    fn bind<'a>(&self, alerts: &'a AlertsView<'a>) -> PerAlert<'a> {
        let evidence = alerts.batch().alerts.texts("evidence_json");
        Box::new(move |alert| match evidence.map(|texts| texts.get(alert).len()) {
            None | Some(0) => f64::NAN,
            Some(length) => length as f64,
        })
    }
}

/// Alerts of a higher severity first, and among them those that more is written about.
pub struct SeverityFirst {
    schema: Schema,
    digest: Digest,
    version: String,
}

/// What a value adds to the raw score; a missing one adds nothing.
const WEIGHTS: [(&str, f64); 2] = [("severity_encoded", 1.0), ("log_evidence_length", 0.05)];

impl SeverityFirst {
    /// The ranker with the weights above, which its digest covers.
    #[must_use]
    pub fn new() -> Self {
        let text: String = WEIGHTS.iter().map(|(name, weight)| format!("{name} {weight}\n")).collect();
        let digest = Digest::of(text.as_bytes());
        let schema = Schema::new(RowKind::Alert, WEIGHTS.map(|(name, _)| name));
        Self { schema, digest, version: format!("1.0.0+{}", digest.short()) }
    }
}

impl Default for SeverityFirst {
    fn default() -> Self {
        Self::new()
    }
}

fn part(value: f64, weight: f64) -> f64 {
    if value.is_nan() { 0.0 } else { value * weight }
}

impl BaseModel for SeverityFirst {
    fn name(&self) -> &str {
        "alert_ranker"
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
        0.0
    }

    fn raw_into(&self, rows: &[f64], raw: &mut [f64]) {
        assert_eq!(rows.len(), raw.len() * WEIGHTS.len(), "whole rows");
        for (raw, row) in raw.iter_mut().zip(rows.chunks_exact(WEIGHTS.len())) {
            *raw = row.iter().zip(WEIGHTS).map(|(value, (_, weight))| part(*value, weight)).sum();
        }
    }

    fn predict_into(&self, rows: &[f64], scores: &mut [f64]) {
        self.raw_into(rows, scores);
        scores.iter_mut().for_each(|score| *score = 1.0 / (1.0 + (-*score).exp()));
    }

    fn explain_into(&self, rows: &[f64], contributions: &mut [f64]) {
        assert_eq!(rows.len(), contributions.len(), "a contribution per value");
        for (place, (value, (_, weight))) in contributions.iter_mut().zip(rows.iter().zip(WEIGHTS.iter().cycle())) {
            *place = part(*value, *weight);
        }
    }
}
