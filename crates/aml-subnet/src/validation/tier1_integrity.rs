//! Tier 1: whether an answer is what was asked for, in time and signed. Known at once.

use std::borrow::Cow;

use aml_miner::digest::Digest;
use aml_miner::receipt::{Receipt, ReceiptError, verify_digests};
use aml_miner::wire::reply::{ReplyLimits, Scored, read_scored};
use serde::{Deserialize, Serialize};

use crate::validation::rules::Rules;
use crate::validation::submission::Submission;

/// What is looked at, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// The answer is a list of rows with the known fields and types.
    Format,
    /// Every alert of the task exactly once, and nothing else.
    Cardinality,
    /// Every score is finite and in [0, 1].
    Range,
    /// The scores differ.
    Variance,
    /// The receipt is for the request that was sent.
    InputDigest,
    /// The receipt is for the answer that came.
    OutputDigest,
    /// The receipt's signature holds, by the key this hotkey is known by.
    Signature,
    /// The answer names the model's version.
    ModelVersion,
    /// The answer came before the deadline.
    InTime,
}

impl Check {
    /// All checks, in order.
    pub const ALL: [Self; 9] = [
        Self::Format,
        Self::Cardinality,
        Self::Range,
        Self::Variance,
        Self::InputDigest,
        Self::OutputDigest,
        Self::Signature,
        Self::ModelVersion,
        Self::InTime,
    ];

    /// As it is stored and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Format => "format",
            Self::Cardinality => "cardinality",
            Self::Range => "range",
            Self::Variance => "variance",
            Self::InputDigest => "input_digest",
            Self::OutputDigest => "output_digest",
            Self::Signature => "signature",
            Self::ModelVersion => "model_version",
            Self::InTime => "in_time",
        }
    }

    /// Whether a submission that fails it counts nowhere.
    #[must_use]
    pub const fn is_gate(self) -> bool {
        !matches!(self, Self::Variance | Self::ModelVersion | Self::InTime)
    }

    /// Whether it looks at the receipt.
    #[must_use]
    pub const fn is_of_receipt(self) -> bool {
        matches!(self, Self::InputDigest | Self::OutputDigest | Self::Signature)
    }
}

/// What was asked of a miner.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// Ids of the task's alerts, traps included, in the order of the task.
    pub alert_ids: &'a [&'a str],
    /// SHA-256 of the request body after its encoding is undone.
    pub request: Digest,
    /// Key that this hotkey's receipts are known by; `None` when it has none yet.
    pub receipt_key: Option<Digest>,
    /// Whether a submission counts without a receipt: its three checks are failed then, and shut nobody out.
    pub unsigned_counts: bool,
}

/// What a miner answered.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// The raw, decoded body.
    pub body: &'a [u8],
    /// SHA-256 of the body, computed by whoever gives it.
    pub digest: Digest,
    /// Value of the receipt's header.
    pub receipt: Option<&'a str>,
    /// Whether it was complete before the deadline.
    pub in_time: bool,
}

/// The outcome of one check: nothing, or what is wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// What was looked at.
    pub check: Check,
    /// What is wrong; `None` when nothing is.
    pub fault: Option<String>,
}

/// The outcome of tier 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Integrity {
    /// One finding a check, in the order of [`Check::ALL`].
    pub findings: Vec<Finding>,
    /// The scores, where every gate was passed.
    pub submission: Option<Submission>,
    /// Version of the model, where the answer names one.
    pub model_version: Option<String>,
    /// Key of the receipt, where its signature holds.
    pub receipt_key: Option<Digest>,
}

impl Integrity {
    /// Share of the checks that were passed.
    #[must_use]
    pub fn score(&self) -> f64 {
        let passed = self.findings.iter().filter(|finding| finding.fault.is_none()).count();
        passed as f64 / self.findings.len() as f64
    }

    /// Whether the submission counts.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.submission.is_some()
    }
}

/// Looks at an answer. A pure function: the same answer to the same task has the same outcome.
#[must_use]
pub fn judge(rules: &Rules, asked: &Asked<'_>, answer: &Answer<'_>) -> Integrity {
    let mut faults: Vec<Option<String>> = vec![None; Check::ALL.len()];
    let mut fault = |check: Check, text: String| faults[check as usize] = Some(text);
    let (submission, model_version) = read(rules, asked, answer, &mut fault);
    let receipt_key = match receipt(asked, answer) {
        Ok(receipt) => Some(receipt.public_key),
        Err(errors) => {
            errors.into_iter().for_each(|(check, text)| fault(check, text));
            None
        }
    };
    if !answer.in_time {
        fault(Check::InTime, "the answer came after the deadline".to_owned());
    }
    let counts = |check: &Check| check.is_gate() && !(asked.unsigned_counts && check.is_of_receipt());
    let gated = Check::ALL.iter().filter(|check| counts(check)).any(|check| faults[*check as usize].is_some());
    let findings = Check::ALL.into_iter().zip(faults).map(|(check, fault)| Finding { check, fault }).collect();
    Integrity { findings, submission: submission.filter(|_| !gated), model_version, receipt_key }
}

fn read(
    rules: &Rules,
    asked: &Asked<'_>,
    answer: &Answer<'_>,
    fault: &mut impl FnMut(Check, String),
) -> (Option<Submission>, Option<String>) {
    // One row more than asked for is enough to know that there are too many.
    let limits = ReplyLimits { rows: asked.alert_ids.len() + 1, ..ReplyLimits::default() };
    let Scored { rows, model_version, one_version } = match read_scored(answer.body, &limits) {
        Ok(scored) => scored,
        Err(error) => {
            fault(Check::Format, error.to_string());
            [Check::Cardinality, Check::Range, Check::Variance, Check::ModelVersion]
                .into_iter()
                .for_each(|check| fault(check, "the answer cannot be read".to_owned()));
            return (None, None);
        }
    };
    let version = model_version.map(Cow::into_owned).filter(|version| !version.trim().is_empty());
    if version.is_none() || !one_version {
        fault(Check::ModelVersion, "the rows do not name one model version".to_owned());
    }
    match Submission::accept_scores(asked.alert_ids, &rows) {
        Ok(submission) => {
            if deviation(&submission.values()) <= rules.least_deviation {
                fault(Check::Variance, "all scores are alike".to_owned());
            }
            (Some(submission), version)
        }
        Err(rejection) => {
            let failed = if rejection.is_cardinality() { Check::Cardinality } else { Check::Range };
            fault(failed, rejection.to_string());
            fault(Check::Variance, "the scores are not a submission".to_owned());
            (None, version)
        }
    }
}

/// The receipt, or what is wrong with it by the checks that it fails.
fn receipt(asked: &Asked<'_>, answer: &Answer<'_>) -> Result<Receipt, Vec<(Check, String)>> {
    let all = [Check::InputDigest, Check::OutputDigest, Check::Signature];
    let every = |text: String| all.into_iter().map(|check| (check, text.clone())).collect::<Vec<_>>();
    let header = answer.receipt.ok_or_else(|| every("there is no receipt".to_owned()))?;
    let output = answer.digest;
    let error = match verify_digests(header, asked.request, output, asked.receipt_key.as_ref()) {
        Ok(receipt) => return Ok(receipt),
        Err(error) => error,
    };
    let receipt = Receipt::from_header(header).map_err(|error| every(error.to_string()))?;
    let mut faults = Vec::new();
    if matches!(error, ReceiptError::Signature | ReceiptError::Signer { .. }) {
        faults.push((Check::Signature, error.to_string()));
    }
    if receipt.input_sha256 != asked.request {
        faults.push((Check::InputDigest, format!("the receipt is for request {}", receipt.input_sha256)));
    }
    if receipt.output_sha256 != output {
        faults.push((Check::OutputDigest, format!("the receipt is for answer {}", receipt.output_sha256)));
    }
    Err(faults)
}

/// Standard deviation over all values; 0 where there are none.
fn deviation(values: &[f64]) -> f64 {
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt()
}
