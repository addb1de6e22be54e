//! The API: it lives, says what it serves, answers as it must, repeatably, in time, and signs for it.

use std::io;

use serde_json::Value;

use super::Checks;
use super::answers::{Kind, Row, accept};
use super::client::{Client, Reply};
use crate::digest::Digest;
use crate::offline::Answer;
use crate::receipt::verify;
use crate::wire::body::write_body;
use crate::wire::{Batch, TextColumn};

/// What one run asks and compares with.
pub(super) struct Session<'a> {
    pub(super) client: Client,
    pub(super) batch: &'a Batch,
    pub(super) repeats: u32,
    pub(super) public_key: Option<Digest>,
    /// What the model files here answer.
    pub(super) offline: Option<&'a [Answer]>,
}

/// What one route is asked.
struct Question<'a> {
    kind: Kind,
    /// Of which the answer is to speak, in this order.
    ids: &'a TextColumn,
    body: &'a [u8],
}

impl Session<'_> {
    pub(super) async fn run(&self, checks: &mut Checks<'_>) -> io::Result<()> {
        checks.add("GET /health", &self.health().await)?;
        let version = self.json("/version").await;
        checks.add("GET /version", &version.as_ref().map(short).map_err(Clone::clone))?;
        let version = version.unwrap_or_default();
        let body = write_body(self.batch);
        for kind in Kind::ALL {
            let ids = self.ids(kind);
            if ids.is_empty() {
                checks
                    .add(&format!("POST {}", kind.path()), &Ok("not asked: the batch has no rows for it".to_owned()))?;
                continue;
            }
            self.kind(Question { kind, ids: &ids, body: &body }, &version, checks).await?;
        }
        checks.add("broken JSON is refused", &self.refusal(b"{\"alerts\":[").await)?;
        checks.add("a body without alerts is refused", &self.refusal(b"{\"features\":[]}").await)
    }

    async fn kind(&self, question: Question<'_>, version: &Value, checks: &mut Checks<'_>) -> io::Result<()> {
        let Question { kind, ids, body } = question;
        let name = |what: &str| format!("POST {}{what}", kind.path());
        let mut first: Option<Vec<Row>> = None;
        let mut slowest = 0.0_f64;
        for _ in 0..self.repeats {
            let reply = match self.client.post(kind.path(), body).await.and_then(ok) {
                Ok(reply) => reply,
                Err(wrong) => return checks.add(&name(""), &Err(wrong)),
            };
            slowest = slowest.max(reply.elapsed.as_secs_f64());
            let rows = match accept(kind, &reply.body, ids) {
                Ok(rows) => rows,
                Err(wrong) => return checks.add(&name(""), &Err(wrong)),
            };
            if let Some(first) = &first {
                if let Some(place) = first.iter().zip(&rows).position(|(left, right)| left != right) {
                    let wrong = format!("row {place} differs between two answers to the same request");
                    return checks.add(&name(", repeated"), &Err(wrong));
                }
                continue;
            }
            checks.add(&name(""), &Ok(format!("{} rows, in form and in range", rows.len())))?;
            checks.add(&name(", receipt"), &self.receipt(&reply, body))?;
            if let Some(finding) = self.compare(kind, &rows, version) {
                checks.add(&name(", model files"), &finding)?;
            }
            first = Some(rows);
        }
        let rate = ids.len() as f64 / slowest.max(1e-9);
        checks.add(&name(", repeated"), &Ok(format!("{} answers agree in every bit", self.repeats)))?;
        checks.add(&name(", speed"), &Ok(format!("{slowest:.3} s at worst, {rate:.0} rows a second")))
    }

    fn ids(&self, kind: Kind) -> TextColumn {
        let (table, key) = match kind {
            Kind::Scores | Kind::Ranks => (&self.batch.alerts, "alert_id"),
            Kind::Clusters => (&self.batch.clusters, "cluster_id"),
        };
        table.texts(key).cloned().unwrap_or_default()
    }

    async fn health(&self) -> Result<String, String> {
        let health = self.json("/health").await?;
        if health.get("status").and_then(Value::as_str) != Some("healthy") {
            return Err(format!("not healthy: {}", short(&health)));
        }
        Ok(short(&health))
    }

    async fn json(&self, path: &str) -> Result<Value, String> {
        let reply = self.client.get(path).await.and_then(ok)?;
        serde_json::from_slice(&reply.body).map_err(|error| format!("not JSON: {error}"))
    }

    fn receipt(&self, reply: &Reply, body: &[u8]) -> Result<String, String> {
        let header = reply.receipt.as_deref().ok_or("the answer carries no receipt")?;
        let receipt = verify(header, body, &reply.body, self.public_key.as_ref()).map_err(|error| error.to_string())?;
        Ok(format!("signed by {}", receipt.public_key))
    }

    /// Whether the API answers as the model files here do; not asked where it serves another version.
    fn compare(&self, kind: Kind, rows: &[Row], version: &Value) -> Option<Result<String, String>> {
        let answer = self.offline?.iter().find(|answer| answer.table.spec().name == kind.table())?;
        let served = version.get(kind.version_key()).and_then(Value::as_str);
        if served != Some(&answer.model_version) {
            let served = served.unwrap_or("not told");
            return Some(Ok(format!("not compared: served is {served}, here is {}", answer.model_version)));
        }
        let (ids, scores) = (answer.table.texts(answer.table.spec().key?)?, answer.table.numbers("score")?);
        let differs = |(row, (id, score)): (&Row, (&str, &f64))| row.id != id || row.score != score.to_bits();
        let place = rows.iter().zip(ids.iter().zip(scores)).position(differs);
        Some(match place {
            None => Ok("the same bits as the model files here".to_owned()),
            Some(place) => Err(format!("row {place} is not what the model files here give")),
        })
    }

    async fn refusal(&self, body: &[u8]) -> Result<String, String> {
        let reply = self.client.post(Kind::Scores.path(), body).await?;
        if !(400..500).contains(&reply.status) {
            return Err(format!("answered with status {}", reply.status));
        }
        let detail = serde_json::from_slice::<Value>(&reply.body).ok().and_then(|value| value.get("detail").cloned());
        detail.map(|_| format!("status {}", reply.status)).ok_or_else(|| "the answer has no `detail`".to_owned())
    }
}

fn ok(reply: Reply) -> Result<Reply, String> {
    if reply.status == 200 {
        return Ok(reply);
    }
    let text: String = String::from_utf8_lossy(&reply.body).chars().take(200).collect();
    Err(format!("status {}: {text}", reply.status))
}

fn short(value: &Value) -> String {
    value.to_string().chars().take(200).collect()
}
