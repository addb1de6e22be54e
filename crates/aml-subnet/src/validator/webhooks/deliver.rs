//! A message on its way: its id, its body, one request.

use std::time::Duration;

use aml_miner::digest::Digest;
use aml_miner::secret_url::SecretUrl;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::due::Fact;
use super::seal::{Message, Secret};
use crate::calendar::rfc3339;
use crate::config::WebhookEvent;
use crate::wallet::Signer;

/// How long an endpoint may take: it is to take a message, not to work on it.
const PATIENCE: Duration = Duration::from_secs(15);

/// Why a message was not taken.
#[derive(Debug)]
pub(super) struct NotTaken {
    /// In words.
    pub(super) why: String,
    /// The endpoint does not want it: another attempt will most likely end the same.
    pub(super) refused: bool,
}

impl NotTaken {
    fn for_now(why: String) -> Self {
        Self { why, refused: false }
    }

    /// What a status other than success means. An endpoint that takes too long or has too much to do is well again one day, and so is one
    /// with troubles of its own.
    fn status(status: StatusCode) -> Self {
        let passes = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS].contains(&status);
        let why = format!("it answers with status {}", status.as_u16());
        Self { why, refused: status.is_client_error() && !passes }
    }
}

/// Brings messages to one endpoint.
pub(super) struct Courier {
    url: SecretUrl,
    secret: Option<Secret>,
    signer: Signer,
    client: reqwest::Client,
    name: String,
}

impl Courier {
    /// For this endpoint. Follows nobody elsewhere: a message goes where the operator says.
    pub(super) fn new(url: SecretUrl, secret: Option<Secret>, signer: Signer) -> Result<Self, reqwest::Error> {
        let none = reqwest::redirect::Policy::none();
        let agent = concat!("aml-subnet/", env!("CARGO_PKG_VERSION"));
        let client = reqwest::Client::builder().timeout(PATIENCE).redirect(none).user_agent(agent).build()?;
        // A URL may hold a secret: its digest names it.
        let name: String = Digest::of(url.expose().as_bytes()).to_string().chars().take(16).collect();
        Ok(Self { url, secret, signer, client, name })
    }

    /// The endpoint's name for files.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Scheme and host of the endpoint.
    pub(super) fn shown(&self) -> String {
        self.url.to_string()
    }

    /// So many messages wait.
    pub(super) fn waits(&self, count: usize) {
        let count = u32::try_from(count).map_or(f64::MAX, f64::from);
        metrics::gauge!("aml_validator_webhooks_waiting", "endpoint" => self.name.clone()).set(count);
    }

    /// So many messages are given up.
    pub(super) fn drops(&self, count: usize) {
        metrics::counter!("aml_validator_webhooks_total", "outcome" => "dropped").increment(count as u64);
    }

    /// Sends a message; says why it was not taken.
    pub(super) async fn deliver(&self, fact: &Fact, event: WebhookEvent, at: u64) -> Result<(), NotTaken> {
        let sent = self.send(fact, event, at).await;
        let outcome = if sent.is_ok() { "delivered" } else { "failed" };
        metrics::counter!("aml_validator_webhooks_total", "outcome" => outcome).increment(1);
        sent
    }

    async fn send(&self, fact: &Fact, event: WebhookEvent, at: u64) -> Result<(), NotTaken> {
        let hotkey = self.signer.hotkey().to_string();
        let id = id(&hotkey, fact, event);
        let body =
            serde_json::to_vec(&body(&hotkey, fact, event)).map_err(|error| NotTaken::for_now(error.to_string()))?;
        let message = Message { id: &id, at, body: &body };
        let mut request = self
            .client
            .post(self.url.expose())
            .header("content-type", "application/json")
            .header("webhook-id", &id)
            .header("idempotency-key", &id)
            .header("webhook-timestamp", at.to_string())
            .header("aml-hotkey", &hotkey)
            .header("aml-signature", message.signed_by(&self.signer));
        if let Some(secret) = &self.secret {
            request = request.header("webhook-signature", secret.signature(&message));
        }
        // reqwest's errors name the URL, which may hold a secret.
        let failed = |error: reqwest::Error| NotTaken::for_now(error.without_url().to_string());
        let status = request.body(body).send().await.map_err(failed)?.status();
        if status.is_success() { Ok(()) } else { Err(NotTaken::status(status)) }
    }
}

/// The id of a message: the same for each attempt, and for no other message.
fn id(hotkey: &str, fact: &Fact, event: WebhookEvent) -> String {
    let versions = if event == WebhookEvent::Outcomes { fact.outcomes.versions } else { 0 };
    let about = format!("aml-webhook/1\n{hotkey}\n{}\n{}\n{versions}", fact.round.id, event.name());
    let digest: String = Digest::of(about.as_bytes()).to_string().chars().take(32).collect();
    format!("msg_{digest}")
}

/// A message. Numbers of outcomes are those at its time.
fn body(hotkey: &str, fact: &Fact, event: WebhookEvent) -> Value {
    let (round, outcomes) = (&fact.round, &fact.outcomes);
    let at_ms = match event {
        WebhookEvent::Published => round.published_ms,
        WebhookEvent::Outcomes => outcomes.newest_ms,
        WebhookEvent::Settled => round.settled_ms,
        WebhookEvent::Void => round.marks.void.as_ref().map(|mark| mark.at_ms),
    };
    let (id, date, window) = (round.id.to_string(), round.id.date, round.id.window_days);
    let mut data = json!({
        "hotkey": hotkey,
        "netuid": round.id.netuid,
        "round": id,
        "date": date.to_string(),
        "window_days": window,
        "alerts": round.alerts,
        "paths": {
            "round": format!("/api/1/rounds/{id}"),
            "canonical": format!("/api/1/canonical/{date}?window_days={window}"),
            "manifest": format!("/api/1/canonical/{date}/manifest?window_days={window}"),
            "cases": format!("/api/1/cases/{date}?window_days={window}"),
        },
    });
    if event == WebhookEvent::Outcomes {
        data["outcomes"] = json!({"known": outcomes.outcomes, "illicit": outcomes.illicit});
    }
    if let Some(mark) = round.marks.void.as_ref().filter(|_| event == WebhookEvent::Void) {
        data["why"] = json!(mark.why);
    }
    json!({"type": event.name(), "timestamp": at_ms.map(rfc3339), "data": data})
}
