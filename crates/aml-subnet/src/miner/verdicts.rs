//! What validators made of this miner's answers, asked of their read APIs: for the miner's own metrics, the doctor and
//! `aml-subnet my-rounds`. What they say is theirs to say: bounded, shown, and never acted on.

use std::time::Duration;

use aml_miner::error_chain::with_causes;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use crate::http::client::printable;
use crate::wallet::Hotkey;

/// How long one validator may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Thirty rounds have some 20 KiB.
const MAX_ANSWER: usize = 1 << 20;
/// How often validators are asked: there is a round a day.
const HOURLY: Duration = Duration::from_secs(3600);
/// Longest text that is shown.
const MAX_TEXT: usize = 200;

/// One miner, as a validator shows it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Verdicts {
    /// Where it stands; `None` without a round in the last days.
    pub standing: Option<Standing>,
    /// Failures in a row.
    pub failures: u32,
    /// Until when it is left alone after them.
    pub left_alone_until: Option<String>,
    /// Its rounds, newest first.
    pub rounds: Vec<Verdict>,
}

/// A place in a validator's leaderboard.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Standing {
    /// 1 is the best.
    pub rank: usize,
    /// Mean score over the rounds of the last days.
    pub performance: f64,
    /// Rounds that are.
    pub rounds: usize,
    /// Of them settled.
    pub settled: usize,
    /// Integrity.
    pub tier1: Option<f64>,
    /// Traps.
    pub tier2: Option<f64>,
    /// Outcomes.
    pub tier3: Option<f64>,
    /// Share of the validator's weights.
    pub share: Option<f64>,
}

/// One round.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Verdict {
    /// Its day.
    pub date: String,
    /// `accepted`, `rejected`, `refused`, `timed_out`, `unreachable`, `not_serving` or `too_large`.
    pub outcome: String,
    /// Why it does not count.
    pub reason: Option<String>,
    /// What it adds to performance.
    pub score: f64,
    /// How long the answer took.
    pub took_ms: u64,
}

/// Why a validator cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum AskVerdictsError {
    /// No answer.
    #[error("no answer: {0}")]
    NoAnswer(String),
    /// Another status.
    #[error("it answers {0}")]
    Status(u16),
    /// The hotkey was never asked.
    #[error("it knows nothing of this hotkey: no round has asked it yet")]
    Unknown,
    /// Not what a validator answers.
    #[error("its answer is none of a validator")]
    Malformed,
}

/// Asks the validator at `url` about `hotkey`.
///
/// # Errors
/// When it does not answer, or not as a validator does.
pub async fn ask(url: &str, hotkey: &Hotkey) -> Result<Verdicts, AskVerdictsError> {
    let lost = |error: reqwest::Error| AskVerdictsError::NoAnswer(with_causes(&error.without_url()));
    let client = reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none());
    let client = client.build().map_err(lost)?;
    let url = format!("{}/miners/{hotkey}", url.trim_end_matches('/'));
    let mut response = client.get(url).send().await.map_err(lost)?;
    match response.status().as_u16() {
        200 => {}
        404 => return Err(AskVerdictsError::Unknown),
        status => return Err(AskVerdictsError::Status(status)),
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(lost)? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_ANSWER {
            return Err(AskVerdictsError::Malformed);
        }
    }
    serde_json::from_slice(&body).map(Verdicts::harmless).map_err(|_| AskVerdictsError::Malformed)
}

impl Verdicts {
    /// The newest rounds in a row in which nothing of the miner was accepted.
    #[must_use]
    pub fn missed(&self) -> usize {
        self.rounds.iter().take_while(|round| !round.accepted()).count()
    }

    /// Without what could disturb a terminal or a log.
    fn harmless(mut self) -> Self {
        let clean = |text: &mut String| *text = printable(text, MAX_TEXT);
        self.left_alone_until.iter_mut().for_each(clean);
        for round in &mut self.rounds {
            [&mut round.date, &mut round.outcome].into_iter().chain(&mut round.reason).for_each(clean);
        }
        self
    }
}

impl Verdict {
    /// Whether the submission counts.
    #[must_use]
    pub fn accepted(&self) -> bool {
        self.outcome == "accepted"
    }

    /// What the miner's owner can do about it; empty when there is nothing to do.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        let reason = self.reason.as_deref().unwrap_or_default();
        match self.outcome.as_str() {
            "unreachable" => "open the port, announce the right address: `aml-subnet doctor` looks at both",
            "timed_out" => "score faster: more cores, or explanations no longer than asked for",
            "not_serving" => "set axon.external_ip and start the miner: it announces itself; after failures, wait",
            "too_large" => "answer what was asked for, with explanations of the length that was asked for",
            "refused" if reason.contains("429") => "the miner was busy: raise miner.concurrent, or use more cores",
            "refused" if reason.contains("502") || reason.contains("503") || reason.contains("504") => {
                "the inference API was down or slow: its log says why"
            }
            "refused" => "the miner's own log at that time says why it refused",
            "rejected" if reason.contains("signed by") => "keep one receipt key for all replicas, and never lose it",
            "rejected" => "the reason names the check: mend the model's answers",
            _ => "",
        }
    }
}

/// Asks `validators` every hour and keeps a gauge for each, until `stop`.
pub(super) async fn watch(validators: &[String], hotkey: Hotkey, stop: CancellationToken) {
    if validators.is_empty() {
        return;
    }
    loop {
        for url in validators {
            let missed = match ask(url, &hotkey).await {
                Ok(verdicts) => u32::try_from(verdicts.missed()).map_or(f64::NAN, f64::from),
                Err(error) => {
                    tracing::debug!(validator = url, %error, "a validator does not tell of our rounds");
                    f64::NAN
                }
            };
            metrics::gauge!("aml_miner_rounds_missed", "validator" => url.clone()).set(missed);
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(HOURLY) => {}
        }
    }
}
