//! A feature of your own: how many hops the detector wrote into an alert's evidence.

use std::sync::Arc;

use aml_miner::features::{AlertsView, CustomFeature, FeatureBuilder, Part, PerAlert, RowKind, Schema};
use aml_miner::wire::spec::ALERTS;
use aml_miner::wire::{Batch, Column, Table};
use serde::Deserialize;

/// The part of `evidence_json` that is read.
#[derive(Deserialize)]
struct Evidence {
    hops: Option<f64>,
}

/// The hops of an alert's evidence; missing where the evidence has none.
pub struct EvidenceHops;

impl CustomFeature for EvidenceHops {
    fn name(&self) -> &'static str {
        "evidence_hops"
    }

    fn doc(&self) -> &'static str {
        "Number of hops that the alert's evidence tells of."
    }

    fn needs(&self) -> &'static [(Part, &'static str)] {
        &[(Part::Alerts, "evidence_json")]
    }

    fn bind<'a>(&self, alerts: &'a AlertsView<'a>) -> PerAlert<'a> {
        let evidence = alerts.batch().alerts.texts("evidence_json");
        Box::new(move |alert| {
            let Some(evidence) = evidence else { return f64::NAN };
            let evidence: Option<Evidence> = serde_json::from_str(evidence.get(alert)).ok();
            evidence.and_then(|evidence| evidence.hops).unwrap_or(f64::NAN)
        })
    }
}

/// Two alerts, of which one has evidence.
fn batch() -> Batch {
    let columns = ALERTS.columns.iter().map(|column| match column.name {
        "alert_id" => Some(Column::Texts(["a", "b"].into_iter().collect())),
        "volume_usd" => Some(Column::Numbers(vec![120.0, 80.0])),
        "evidence_json" => Some(Column::Texts([r#"{"hops": 3, "tx_count": 7}"#, ""].into_iter().collect())),
        _ => None,
    });
    Batch { alerts: Table::new(&ALERTS, 2, columns.collect(), Vec::new()), ..Batch::empty() }
}

/// Builds the matrix of a schema that names the feature.
pub fn main() -> Result<(), Box<dyn std::error::Error>> {
    let schema = Schema::new(RowKind::Alert, ["volume_usd", "evidence_hops", "log_evidence_hops"]);
    let builder = FeatureBuilder::with_custom(&schema, &[Arc::new(EvidenceHops)])?;
    let built = builder.alerts(&batch())?;
    assert_eq!(built.matrix.row(0), [120.0, 3.0, 4.0_f64.ln()]);
    assert!(built.matrix.row(1)[1].is_nan(), "no evidence is missing, not 0 hops");
    println!("{:?}", built.matrix);
    Ok(())
}
