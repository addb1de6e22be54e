//! What a fake miner says: scores, receipts and signatures, right or wrong.

use std::time::Duration;

use aml_miner::data::{FileLimits, arrow_stream, read_stream};
use aml_miner::digest::Digest;
use aml_miner::receipt::{HEADER, InputForm, Statement};
use aml_miner::wire::Table;
use aml_miner::wire::body::write_rows;
use aml_miner::wire::spec::ALERTS;
use aml_subnet::protocol::answer::{self, Answered, Asked};
use aml_subnet::protocol::signed_request::{Claim, Target};
use aml_subnet::protocol::synapse::{self, reply};
use aml_subnet::protocol::{Nonce, Refusal, Window, content_digest, receipt_key};
use aml_subnet::wallet::Scheme;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::wire::Request;
use super::{Behaviour, Lie, Miner};
use crate::common::dev_key;

/// Requests are verified once they are read whole, which may take long where everything runs on one busy machine.
const PATIENT: Window = Window { back: Duration::from_secs(300), ahead: Duration::from_secs(2) };
const MODEL_VERSION: &str = "1.0.0+0a1b2c3d4e5f";

/// What is read of a request.
#[derive(serde::Deserialize)]
struct Asking {
    alerts: Vec<Value>,
}

impl Asking {
    /// The alerts stand first. What follows them takes long to read in a build without optimisation.
    fn read(request: &[u8]) -> serde_json::Result<Self> {
        let text = std::str::from_utf8(request).unwrap_or_default();
        let first =
            text.find("],\"features\":[").and_then(|end| serde_json::from_str(&format!("{}]}}", &text[..end])).ok());
        first.map_or_else(|| serde_json::from_slice(request), Ok)
    }
}

/// What an API reads of a request.
struct Read {
    alerts: Vec<Value>,
    /// SHA-256 of the body after its encoding is undone.
    digest: Digest,
}

impl Read {
    fn of(request: &Request) -> Self {
        let text = |name| request.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let Some((_, boundary)) = text("content-type").split_once("boundary=") else {
            let Asking { alerts } = Asking::read(&request.body).expect("a batch in JSON");
            return Self { alerts, digest: Digest::of(&request.body) };
        };
        assert_eq!(text("content-encoding"), "zstd");
        let form = zstd::decode_all(&request.body[..]).expect("a frame");
        let rows = write_rows(&first_part(&form, boundary));
        let rows = [b"[", rows.bytes(), b"]"].concat();
        Self { alerts: serde_json::from_slice(&rows).expect("rows"), digest: Digest::of(&form) }
    }
}

/// The first table of a form: its alerts.
pub(crate) fn first_part(form: &[u8], boundary: &str) -> Table {
    let find = |bytes: &[u8], what: &[u8]| bytes.windows(what.len()).position(|at| at == what).expect("a part");
    let part = &form[find(form, b"\r\n\r\n") + 4..];
    let end = find(part, format!("\r\n--{boundary}").as_bytes());
    read_stream(&part[..end], &ALERTS, "alerts", &FileLimits::default()).expect("a table")
}

/// A whole answer.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Reply {
    fn refusal(status: u16, code: &str, detail: &str) -> Self {
        let body = json!({ "detail": detail, "code": code }).to_string().into_bytes();
        let status = StatusCode::from_u16(status).expect("a status");
        Self { status, headers: HeaderMap::new(), body }
    }
}

impl Miner {
    /// The answer to a request that was read whole.
    pub(super) fn reply(&self, request: &Request) -> Reply {
        match &self.behaviour {
            Behaviour::V10Only { .. } => return self.old_reply(request),
            Behaviour::Refusing(status) => return Reply::refusal(*status, "no_permit", "not\r\n welcome \u{1b}[31m"),
            Behaviour::Redirecting(elsewhere) => {
                let mut reply = Reply::refusal(307, "moved", "elsewhere");
                let place = format!("http://{elsewhere}/");
                reply.headers.insert("location", HeaderValue::from_str(&place).expect("a value"));
                return reply;
            }
            _ => {}
        }
        if let Some(reply) = self.plain(request) {
            return reply;
        }
        if request.path() != format!("/{}/score/alerts", self.netuid) {
            return Reply::refusal(404, "not_found", "no such route");
        }
        match self.verify(request) {
            Ok(asked) => match self.behaviour {
                Behaviour::RefusingSigned { status, retry_after } => self.refused(status, retry_after, &asked),
                Behaviour::KnowsNoShares { .. } if request.target.contains("share") => self.refused(422, None, &asked),
                _ => self.scored(request, &asked),
            },
            Err(refusal) => Reply::refusal(401, refusal.code(), &refusal.to_string()),
        }
    }

    fn verify(&self, request: &Request) -> Result<Asked, Refusal> {
        let now = self.clock.now();
        let claim = Claim::parse(&request.headers)?;
        let envelope = *claim.envelope();
        claim.expect(Scheme::Sr25519, &self.signer.hotkey(), PATIENT, now)?;
        let body = Digest::of(&request.body);
        claim.verify(&Target { method: &request.method, path_and_query: &request.target, body })?;
        // As our validator sends it, so that the signature can be checked before the body.
        if content_digest::announced(&request.headers)? != Some(body) {
            return Err(Refusal::Missing(content_digest::HEADER));
        }
        self.nonces.record(envelope.sender, envelope.nonce, now)?;
        self.seen.verified.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        *self.seen.target.lock().expect("no panic") = request.target.clone();
        Ok(Asked { nonce: envelope.nonce, validator: envelope.sender, body })
    }

    fn refused(&self, status: u16, retry_after: Option<&'static str>, asked: &Asked) -> Reply {
        let mut reply = Reply::refusal(status, "api", "the API says no");
        let answered = Answered { status: reply.status, body: Digest::of(&reply.body) };
        reply.headers.extend(answer::sign(&self.signer, answered, asked));
        if let Some(when) = retry_after {
            reply.headers.insert("retry-after", HeaderValue::from_static(when));
        }
        reply
    }

    fn scored(&self, request: &Request, asked: &Asked) -> Reply {
        let lie = if let Behaviour::Lying(lie) = self.behaviour { Some(lie) } else { None };
        let read = Read::of(request);
        let mut body = self.rows(&read, lie);
        if let Some(terms) = self.sealing(request).filter(|_| lie.is_none()) {
            let receipt = self.receipt(read.digest, Digest::of(&body));
            let mut reply = self.sealed(body, receipt.to_str().expect("base64url"), asked, terms);
            self.takes(&mut reply.headers);
            return reply;
        }
        let mut headers = HeaderMap::new();
        self.takes(&mut headers);
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        let input = if lie == Some(Lie::WrongInput) { Digest::of(b"another request") } else { read.digest };
        let output = if lie == Some(Lie::WrongOutput) { Digest::of(b"another answer") } else { Digest::of(&body) };
        if lie != Some(Lie::NoReceipt) {
            headers.insert(HeaderName::from_static(HEADER), self.receipt(input, output));
        }
        if let Some(signer) = &*self.vouching.lock().expect("no panic") {
            let key = self.receipts.lock().expect("no panic").public_key();
            headers.insert(receipt_key::HEADER, receipt_key::vouch(signer, &key, &asked.body));
        }
        let signer = if lie == Some(Lie::OtherKey) { dev_key("Somebody") } else { self.signer.clone() };
        let mut signed_for = *asked;
        if lie == Some(Lie::OtherNonce) {
            signed_for.nonce = Nonce::new(asked.nonce.nanoseconds() + 1);
        }
        if lie == Some(Lie::OtherBody) {
            signed_for.body = Digest::of(b"another request");
        }
        if lie != Some(Lie::Unsigned) {
            headers.extend(answer::sign(
                &signer,
                Answered { status: StatusCode::OK, body: Digest::of(&body) },
                &signed_for,
            ));
        }
        if lie == Some(Lie::Changed) {
            body.push(b' ');
        }
        Reply { status: StatusCode::OK, headers, body }
    }

    fn receipt(&self, input: Digest, output: Digest) -> HeaderValue {
        let statement = Statement {
            input,
            form: InputForm::Json,
            output,
            model_version: MODEL_VERSION.to_owned(),
            model: Digest::of(b"model"),
            schema: Digest::of(b"schema"),
            state: None,
            timestamp: u64::try_from(self.clock.now().as_millis()).expect("fits"),
        };
        HeaderValue::from_str(&self.receipts.lock().expect("no panic").sign(&statement).to_header()).expect("base64url")
    }

    /// Says that the next task may be packed.
    fn takes(&self, headers: &mut HeaderMap) {
        if matches!(self.behaviour, Behaviour::Packed { .. }) {
            headers.insert("accept", HeaderValue::from_static(arrow_stream::MEDIA_TYPE));
        }
    }

    fn rows(&self, Read { alerts, .. }: &Read, lie: Option<Lie>) -> Vec<u8> {
        let mut rows: Vec<String> = alerts
            .iter()
            .map(|alert| explained(id_of(alert), &self.score(alert).to_string(), &self.explain(alert)))
            .collect();
        match (lie, alerts.first().map(id_of)) {
            (Some(Lie::Nan), Some(first)) => rows[0] = row(first, "NaN"),
            (Some(Lie::OutOfRange), Some(first)) => rows[0] = row(first, "1.5"),
            (Some(Lie::WrongTask), _) => {
                rows = (0..alerts.len()).map(|at| row(&format!("another-{at}"), "0.5")).collect();
            }
            (Some(Lie::Missing), _) => drop(rows.pop()),
            (Some(Lie::Twice), Some(first)) => rows.push(row(first, "0.5")),
            (Some(Lie::Garbage), _) => return vec![0xff; 64],
            _ => {}
        }
        format!("[{}]", rows.join(",")).into_bytes()
    }

    fn explain(&self, alert: &Value) -> String {
        match &self.behaviour {
            Behaviour::Explaining(explainer) | Behaviour::HonestExplaining { explainer, .. } => explainer(alert),
            _ => "{}".to_owned(),
        }
    }

    fn score(&self, alert: &Value) -> f64 {
        match &self.behaviour {
            Behaviour::Scored(scorer) => scorer(alert),
            Behaviour::Lazy => 0.5,
            Behaviour::Honest { skill }
            | Behaviour::HonestExplaining { skill, .. }
            | Behaviour::KnowsNoShares { skill }
            | Behaviour::Packed { skill }
            | Behaviour::Slow { skill, .. }
            | Behaviour::V10Only { skill } => honest(&self.name, *skill, alert),
            Behaviour::Copying { of, skill } => (honest(of, *skill, alert) - 1e-9).max(0.0),
            _ => honest(&self.name, 1.0, alert),
        }
    }

    fn old_reply(&self, request: &Request) -> Reply {
        let refuse = |status: StatusCode, text: &str| Reply {
            status,
            headers: reply::headers(status, text, 0.0),
            body: reply::refusal(text).to_vec(),
        };
        if request.path() != format!("/{}", synapse::NAME) {
            return refuse(StatusCode::NOT_FOUND, "Synapse name not found");
        }
        let us = self.signer.hotkey();
        let claim = synapse::Claim::parse(&request.headers, &us).and_then(|claim| {
            claim.expect(Scheme::Sr25519, PATIENT, self.clock.now())?;
            claim.verify(&us).map(|()| claim)
        });
        if let Err(refusal) = claim {
            return refuse(StatusCode::UNAUTHORIZED, &refusal.to_string());
        }
        self.seen.verified.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let (prefix, suffix) = reply::frame(&us, Some(MODEL_VERSION));
        let body = [prefix.as_bytes(), &self.rows(&Read::of(request), None), suffix.as_bytes()].concat();
        Reply { status: StatusCode::OK, headers: reply::headers(StatusCode::OK, "Success", 0.0), body }
    }
}

fn id_of(alert: &Value) -> &str {
    alert["alert_id"].as_str().expect("an id")
}

fn row(id: &str, score: &str) -> String {
    explained(id, score, "{}")
}

fn explained(id: &str, score: &str, explanation: &str) -> String {
    let (id, explanation) = (Value::from(id), Value::from(explanation));
    format!(
        r#"{{"alert_id":{id},"score":{score},"model_version":"{MODEL_VERSION}","latency_ms":0.1,"explain_json":{explanation}}}"#
    )
}

/// Signal and noise. The noise depends on the miner and on the alert's own values, so it is the same in every process.
fn honest(name: &str, skill: f64, alert: &Value) -> f64 {
    let confidence = &alert["alert_confidence_score"];
    let signal = confidence.as_f64().or_else(|| confidence.as_str()?.parse().ok()).unwrap_or(0.5);
    let digest = Digest::of(format!("{name}\n{}", id_of(alert)).as_bytes());
    let noise = f64::from(u16::from_be_bytes([digest.as_bytes()[0], digest.as_bytes()[1]])) / 65535.0;
    (skill * signal + (1.0 - skill) * noise).clamp(0.0, 1.0)
}
