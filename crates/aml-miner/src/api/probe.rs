//! A model is asked a question with known properties before it may serve.

use crate::features::RowKind;
use crate::scoring::Prepared;
use crate::wire::{InOrder, Needs, Reading, read_body};

/// Three alerts, two of them with known addresses, and two clusters.
const BODY: &str = r#"{
"alerts":[
 {"alert_id":"p1","address":"a","severity":"high","alert_confidence_score":0.9,"volume_usd":"12000.5","typology_type":"layering","risk_indicators":["x"],"window_days":7},
 {"alert_id":"p2","address":"b","severity":"low","alert_confidence_score":0.1,"volume_usd":3},
 {"alert_id":"p3"}],
"features":[{"address":"a","degree_in":4,"total_in_usd":100.5},{"address":"b"}],
"clusters":[
 {"cluster_id":"c1","related_alert_ids":["p1","p2"],"total_alerts":2,"severity_max":"high"},
 {"cluster_id":"c2","related_alert_ids":[]}],
"money_flows":[{"from_address":"a","to_address":"b","amount_usd":5}]}"#;

/// How far the contributions of a row may be from its raw score.
const TOLERANCE: f64 = 1e-6;

/// Whether scores are finite, the same twice, and equal to the sum of their contributions.
pub(super) fn check(served: &Prepared) -> Result<(), String> {
    let reading = Reading { needs: Needs::all(), ..Reading::default() };
    let batch = read_body(BODY.as_bytes(), &reading, &InOrder).map_err(|error| format!("probe batch: {error}"))?;
    let scores = (served.model.schema().rows == RowKind::Cluster).then_some(&[0.5, 0.5, 0.5][..]);
    let matrix = served.matrix(&batch, scores).map_err(|error| format!("probe batch: {error}"))?;
    let (first, second) = (served.model.predict(&matrix), served.model.predict(&matrix));
    if first.iter().any(|score| !score.is_finite()) {
        return Err(format!("the probe batch has scores that are not finite: {first:?}"));
    }
    if first.iter().zip(&second).any(|(a, b)| a.to_bits() != b.to_bits()) {
        return Err("the probe batch has other scores the second time".to_owned());
    }
    let mut raw = vec![0.0; matrix.rows()];
    served.model.raw_into(matrix.values(), &mut raw);
    let explained = served.model.explain(&matrix);
    for (row, raw) in raw.iter().enumerate() {
        let sum = explained.base_value + explained.values.row(row).iter().sum::<f64>();
        let near = (sum - raw).abs() <= TOLERANCE * raw.abs().max(1.0) + served.model.raw_rounding();
        // Asked for this way round, so that NaN is refused.
        if !near {
            return Err(format!("contributions of probe row {row} add up to {sum}, its raw score is {raw}"));
        }
    }
    Ok(())
}
