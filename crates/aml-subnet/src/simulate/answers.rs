//! What the miners of a simulation answer: scores, receipts and signatures, right or wrong.

use std::time::Duration;

use aml_miner::clock::millis;
use aml_miner::digest::Digest;
use aml_miner::receipt::{HEADER, Statement};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use super::cast::Miner;
use super::plan::{Kind, Lie};
use crate::protocol::answer::{self, Answered, Asked};
use crate::wallet::{Scheme, Signer};

const MODEL_VERSION: &str = "1.0.0+0a1b2c3d4e5f";

/// A whole answer.
pub(super) struct Given {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// What is read of a request.
#[derive(Deserialize)]
struct Request {
    alerts: Vec<Alert>,
}

#[derive(Deserialize)]
struct Alert {
    alert_id: String,
    #[serde(default)]
    alert_confidence_score: Value,
}

/// The answer to a request that was verified.
pub(super) fn scored(miner: &Miner, request: &[u8], asked: &Asked, now: Duration) -> Given {
    let lie = if let Kind::Lying(lie) = miner.kind { Some(lie) } else { None };
    let body = rows(miner, request, lie);
    let output = Digest::of(&body);
    let input = if lie == Some(Lie::OtherReceipt) { Digest::of(b"another request") } else { asked.body };
    let mut headers = HeaderMap::new();
    headers.insert(HeaderName::from_static(HEADER), receipt(miner, input, output, now));
    let stranger;
    let signer = if lie == Some(Lie::OtherKey) {
        stranger = Signer::from_seed(output.as_bytes(), Scheme::Ed25519);
        &stranger
    } else {
        &miner.signer
    };
    headers.extend(answer::sign(signer, Answered { status: StatusCode::OK, body: output }, asked));
    Given { status: StatusCode::OK, headers, body }
}

fn receipt(miner: &Miner, input: Digest, output: Digest, now: Duration) -> HeaderValue {
    let statement = Statement {
        input,
        output,
        model_version: MODEL_VERSION.to_owned(),
        model: Digest::of(b"model"),
        schema: Digest::of(b"schema"),
        timestamp: u64::try_from(millis(now)).unwrap_or_default(),
    };
    HeaderValue::from_str(&miner.receipts.sign(&statement).to_header()).expect("a receipt is base64url")
}

fn rows(miner: &Miner, request: &[u8], lie: Option<Lie>) -> Vec<u8> {
    let Ok(Request { alerts }) = serde_json::from_slice(request) else { return b"[]".to_vec() };
    let mut rows: Vec<String> = alerts.iter().map(|alert| row(alert, &score(miner, alert).to_string())).collect();
    match (lie, alerts.first()) {
        (Some(Lie::Nan), Some(first)) => rows[0] = row(first, "NaN"),
        (Some(Lie::Missing), _) => drop(rows.pop()),
        (Some(Lie::Garbage), _) => return vec![0xff; 64],
        _ => {}
    }
    format!("[{}]", rows.join(",")).into_bytes()
}

fn row(alert: &Alert, score: &str) -> String {
    let id = Value::from(alert.alert_id.as_str());
    format!(
        r#"{{"alert_id":{id},"score":{score},"model_version":"{MODEL_VERSION}","latency_ms":0.1,"explain_json":"{{}}"}}"#
    )
}

/// Signal and noise; the noise is the miner's own, and the same each time.
fn score(miner: &Miner, alert: &Alert) -> f64 {
    let confidence = &alert.alert_confidence_score;
    let signal = confidence.as_f64().or_else(|| confidence.as_str()?.parse().ok()).unwrap_or(0.5);
    let digest = Digest::of(format!("{}\n{}", miner.name, alert.alert_id).as_bytes());
    let noise = f64::from(u16::from_be_bytes([digest.as_bytes()[0], digest.as_bytes()[1]])) / 65535.0;
    (0.9 * signal + 0.1 * noise).clamp(0.0, 1.0)
}
