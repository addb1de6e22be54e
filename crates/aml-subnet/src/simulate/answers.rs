//! What the miners of a simulation answer: scores, receipts and signatures, open or sealed, right or wrong.

use std::time::Duration;

use aml_miner::clock::millis;
use aml_miner::digest::Digest;
use aml_miner::receipt::{HEADER, InputForm, Statement};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use super::cast::Miner;
use super::plan::{Kind, Lie};
use crate::protocol::answer::{self, Answered, Asked};
use crate::protocol::sealed::{Packed, Parties, seal};
use crate::protocol::second_answer::{self, Encoding, Stated, Subject};
use crate::protocol::terms::{Opening, Terms};
use crate::wallet::{Scheme, Signer};

const MODEL_VERSION: &str = "1.0.0+0a1b2c3d4e5f";
/// More than a simulated validator takes.
const HUGE: usize = 300_000;

/// A whole answer.
pub(super) struct Given {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// A request that was verified.
pub(super) struct Request<'a> {
    /// Its body.
    pub(super) body: &'a [u8],
    /// Who asked, and what an answer has to name.
    pub(super) asked: Asked,
    /// What is said of the round; with an opening, the answer is to be sealed.
    pub(super) terms: Option<Terms>,
    /// When it came.
    pub(super) now: Duration,
}

/// What is read of a request.
#[derive(Deserialize)]
struct Content {
    alerts: Vec<Alert>,
}

#[derive(Deserialize)]
struct Alert {
    alert_id: String,
    #[serde(default)]
    alert_confidence_score: Value,
}

/// The answer to a request that was verified.
pub(super) fn scored(miner: &Miner, request: &Request<'_>) -> Given {
    let asked = &request.asked;
    let opening = request.terms.and_then(|terms| Some((terms, terms.opening?)));
    let lie = match (miner.kind, opening) {
        (Kind::Lying(Lie::Truncated), None) => Some(Lie::Garbage),
        (Kind::Lying(Lie::Open), None) => Some(Lie::Missing),
        (Kind::Lying(lie), _) => Some(lie),
        _ => None,
    };
    let body = if miner.kind == Kind::Huge { vec![b' '; HUGE] } else { rows(miner, request.body, lie) };
    let output = Digest::of(&body);
    let input = if lie == Some(Lie::OtherReceipt) { Digest::of(b"another request") } else { asked.body };
    let receipt = receipt(miner, input, output, request.now);
    let stranger;
    let signer = if lie == Some(Lie::OtherKey) {
        stranger = Signer::from_seed(output.as_bytes(), Scheme::Ed25519);
        &stranger
    } else {
        &miner.signer
    };
    if let Some(opening) = opening.filter(|_| lie != Some(Lie::Open)) {
        return sealed(Answer { miner, signer, body, receipt, lie }, asked, opening);
    }
    let mut headers = HeaderMap::new();
    headers.insert(HeaderName::from_static(HEADER), value(&receipt));
    headers.extend(answer::sign(signer, Answered { status: StatusCode::OK, body: output }, asked));
    Given { status: StatusCode::OK, headers, body }
}

/// What is to be sealed.
struct Answer<'a> {
    miner: &'a Miner,
    signer: &'a Signer,
    body: Vec<u8>,
    receipt: String,
    lie: Option<Lie>,
}

fn sealed(answer: Answer<'_>, asked: &Asked, (terms, opening): (Terms, Opening)) -> Given {
    let Answer { miner, signer, body, receipt, lie } = answer;
    let parties = Parties { miner: miner.hotkey(), validator: asked.validator, task: terms.task };
    let plain = Digest::of(&body);
    let packed = Packed::of(Some(&receipt), &body).expect("a receipt is short");
    let mut sent = seal(packed, opening.round(), &parties).expect("the machine has some randomness");
    if lie == Some(Lie::Truncated) {
        sent.truncate(sent.len().saturating_sub(5));
    }
    let stated = Stated {
        status: StatusCode::OK,
        plain,
        sent: Digest::of(&sent),
        encoding: Encoding::Sealed,
        beacon: Some(opening.round()),
    };
    let subject = Subject { task: terms.task, commitment: terms.commitment, decoded: asked.body };
    let headers = second_answer::sign(signer, &stated, asked, &subject);
    Given { status: StatusCode::OK, headers, body: sent }
}

fn receipt(miner: &Miner, input: Digest, output: Digest, now: Duration) -> String {
    let statement = Statement {
        input,
        form: InputForm::Json,
        output,
        model_version: MODEL_VERSION.to_owned(),
        model: Digest::of(b"model"),
        schema: Digest::of(b"schema"),
        state: None,
        timestamp: u64::try_from(millis(now)).unwrap_or_default(),
    };
    miner.receipts.sign(&statement).to_header()
}

fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("a receipt is base64url")
}

fn rows(miner: &Miner, request: &[u8], lie: Option<Lie>) -> Vec<u8> {
    let Ok(Content { alerts }) = serde_json::from_slice(request) else { return b"[]".to_vec() };
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

/// Signal and noise; both the miner's own, and the same each time.
fn score(miner: &Miner, alert: &Alert) -> f64 {
    let confidence = &alert.alert_confidence_score;
    let signal = confidence.as_f64().or_else(|| confidence.as_str()?.parse().ok()).unwrap_or(0.5);
    let noise = unit(&format!("{}\n{}", miner.name, alert.alert_id));
    let skill = 0.6 + 0.3 * unit(&miner.name);
    (skill * signal + (1.0 - skill) * noise).clamp(0.0, 1.0)
}

/// A number from 0 to 1 that follows from a text.
fn unit(text: &str) -> f64 {
    let digest = Digest::of(text.as_bytes());
    f64::from(u16::from_be_bytes([digest.as_bytes()[0], digest.as_bytes()[1]])) / 65535.0
}
