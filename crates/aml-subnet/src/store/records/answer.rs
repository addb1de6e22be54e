//! What came of asking a miner.

use std::collections::BTreeMap;

use aml_miner::digest::Digest;
use serde::{Deserialize, Serialize};

use super::SealedAnswer;
use crate::wallet::Hotkey;

/// How a miner was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// btauth/1.
    Btauth,
    /// The axon form of SDK 10.
    V10,
}

/// The form in which a miner was sent its task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyForm {
    /// JSON.
    #[default]
    Json,
    /// Arrow streams in a form, compressed ([`EncodedTask`](super::EncodedTask)).
    Arrow,
    /// The descriptor of these, which the miner fetches ([`ReferencedTask`](super::ReferencedTask)).
    Reference,
}

impl BodyForm {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Arrow => "arrow",
            Self::Reference => "reference",
        }
    }

    /// Whether it is what every miner takes.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// What came of asking a miner. A peer's failure is data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "why")]
pub enum Reply {
    /// A complete answer with status 200 whose signature holds (unsigned in the old form).
    Answered,
    /// Another status, or an answer that is not the miner's.
    Refused(String),
    /// The deadline passed.
    TimedOut,
    /// No connection, or it broke, or the address is not one that is called.
    Unreachable(String),
    /// It announces no axon, or is left alone for now after many failures.
    NotServing,
    /// More bytes than an answer may have.
    TooLarge,
    /// It was never asked, by a failure of ours: the round stands in none of its means.
    NotAsked,
}

/// One try to ask a miner, of several in a round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// When it began.
    pub at_ms: i64,
    /// How long it took.
    pub took_ms: u64,
    /// What came of it.
    pub reply: Reply,
}

/// A miner's answer as it came: evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Whose.
    pub hotkey: Hotkey,
    /// What came of asking.
    pub reply: Reply,
    /// How it was asked.
    pub form: Form,
    /// SHA-256 of the body as it was sent; `None` when nothing was.
    pub request: Option<Digest>,
    /// Which form of the task that was.
    #[serde(default, skip_serializing_if = "BodyForm::is_usual")]
    pub request_form: BodyForm,
    /// Bytes of bodies that went out to it, in all attempts; `None` of an older program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_bytes: Option<u64>,
    /// HTTP status.
    pub status: Option<u16>,
    /// Value of `X-AML-Receipt`.
    pub receipt: Option<String>,
    /// The `X-AML-Answer-*` headers, lower-case names.
    pub headers: BTreeMap<String, String>,
    /// SHA-256 of the decoded body, which is kept under it; `None` without a body.
    pub body: Option<Digest>,
    /// Length of the decoded body.
    pub bytes: u64,
    /// When asking began.
    pub asked_ms: i64,
    /// How long it took.
    pub took_ms: u64,
    /// Whether it was complete before the deadline.
    pub in_time: bool,
    /// Every try, where there was more than one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    /// How it arrived, where it arrived sealed. Until it is opened it has no body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<SealedAnswer>,
    /// Whether it says that it takes tasks as Arrow: the next one is sent so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub takes_arrow: bool,
    /// Whether it says that it fetches tasks by reference: the next one is sent so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub takes_references: bool,
}

impl Answer {
    /// When it was complete.
    #[must_use]
    pub fn arrived_ms(&self) -> i64 {
        self.asked_ms.saturating_add(i64::try_from(self.took_ms).unwrap_or(i64::MAX))
    }

    /// What is kept of it when it arrives: its digest and its length.
    #[must_use]
    pub fn arrived(&self) -> Option<(Digest, u64)> {
        match &self.sealed {
            Some(sealed) => Some((sealed.cipher, sealed.bytes)),
            None => self.body.map(|body| (body, self.bytes)),
        }
    }

    /// Bytes of its answer as they came.
    #[must_use]
    pub fn received_bytes(&self) -> u64 {
        self.sealed.as_ref().map_or(self.bytes, |sealed| sealed.bytes)
    }

    /// Of `hotkey` nothing was heard; asking began at `asked_ms`.
    #[must_use]
    pub fn silence(hotkey: Hotkey, reply: Reply, asked_ms: i64) -> Self {
        Self {
            hotkey,
            reply,
            form: Form::Btauth,
            request: None,
            request_form: BodyForm::Json,
            sent_bytes: None,
            status: None,
            receipt: None,
            headers: BTreeMap::new(),
            body: None,
            bytes: 0,
            asked_ms,
            took_ms: 0,
            in_time: false,
            attempts: Vec::new(),
            sealed: None,
            takes_arrow: false,
            takes_references: false,
        }
    }
}
