//! Rounds and what is sent to the miners of one.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use aml_miner::digest::Digest;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::answer::{Answer, BodyForm};
use super::common::Common;
use super::forms::{EncodedTask, ReferencedTask};
use super::marks::Marks;
use super::sealed::Sealing;
use crate::calendar::date_from;
use crate::validation::rules::RulesVersion;
use crate::validation::rules_list::RulesList;
use crate::validation::tier2_traps::TrapGroup;
use crate::wallet::Hotkey;

/// One round: a batch of a subnet. Written `NETUID-YYYY-MM-DD-WINDOW`, as in `1-2026-01-05-30`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoundId {
    /// The subnet.
    pub netuid: u16,
    /// Day of the batch.
    pub date: NaiveDate,
    /// Days that its features look back.
    pub window_days: u16,
}

/// A text that names no round.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no round; expected NETUID-YYYY-MM-DD-WINDOW, as in 1-2026-01-05-30")]
pub struct NotARound(pub String);

impl fmt::Display for RoundId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}-{}-{}", self.netuid, self.date, self.window_days)
    }
}

impl FromStr for RoundId {
    type Err = NotARound;

    fn from_str(text: &str) -> Result<Self, NotARound> {
        let read = || {
            let (netuid, rest) = text.split_once('-')?;
            let (date, window) = rest.rsplit_once('-')?;
            let id = Self { netuid: netuid.parse().ok()?, date: date_from(date)?, window_days: window.parse().ok()? };
            (id.to_string() == text).then_some(id)
        };
        read().ok_or_else(|| NotARound(text.to_owned()))
    }
}

/// How far a round has come: the last step that is done and recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The batch was fetched and verified.
    Fetched,
    /// Traps are chosen, the deadline is fixed, the commitment is recorded.
    Tasked,
    /// Every miner has an answer or an outcome.
    Asked,
    /// Tiers 1 and 2.
    Judged,
    /// Canonical scores are made (or there are none: no submission was accepted).
    Merged,
    /// Canonical scores may be read.
    Published,
    /// Tier 3.
    Settled,
}

impl Step {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fetched => "fetched",
            Self::Tasked => "tasked",
            Self::Asked => "asked",
            Self::Judged => "judged",
            Self::Merged => "merged",
            Self::Published => "published",
            Self::Settled => "settled",
        }
    }
}

/// A round as the ledger has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    /// Which.
    #[serde(with = "as_text")]
    pub id: RoundId,
    /// How far it has come.
    pub step: Step,
    /// Rules it is judged under.
    pub rules: RulesVersion,
    /// Whether it was run without setting weights.
    pub shadow: bool,
    /// SHA-256 of the batch's `META.json`.
    pub batch: Digest,
    /// Alerts of the batch, traps not counted.
    pub alerts: u64,
    /// When it began.
    pub opened_ms: i64,
    /// When answers stop to count, once there is a task.
    pub deadline_ms: Option<i64>,
    /// `sha256(salt ‖ trap list)`, once there is a task.
    pub commitment: Option<Digest>,
    /// When canonical scores were published.
    pub published_ms: Option<i64>,
    /// When it was settled.
    pub settled_ms: Option<i64>,
    /// The list of rules when it began; `None` of a round of an older program.
    #[serde(default)]
    pub list: Option<RulesList>,
    /// What befell it.
    #[serde(default)]
    pub marks: Marks,
}

/// What the ledger keeps of an alert of the batch, so that it needs the batch no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterRow {
    /// Its id.
    pub alert_id: String,
    /// The address it is about.
    pub address: String,
    /// What kind of behaviour.
    pub typology: String,
    /// `low`, `medium`, `high` or `critical`.
    pub severity: String,
}

/// What is sent to all miners of a round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Makes the commitment unguessable; secret until the round is settled.
    pub salt: [u8; 32],
    /// When answers stop to count.
    pub deadline_ms: i64,
    /// What the traps were drawn from; `None` when there are none.
    pub traps: Option<TrapOrigin>,
    /// The alerts of the batch, in its order.
    pub roster: Vec<RosterRow>,
    /// One entry per miner, by hotkey.
    pub asks: BTreeMap<Hotkey, Ask>,
    /// What all miners are sent alike; `None` where each has traps of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub common: Option<Common>,
    /// When answers are opened; `None` where they are open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealing: Option<Sealing>,
    /// The common task as Arrow, and who is sent that; `None` where all are sent JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrow: Option<EncodedTask>,
    /// The same by reference, and who is sent that; `None` where nobody is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<ReferencedTask>,
}

impl Task {
    /// SHA-256 of the task as JSON that an answer is to, whatever form was sent; `None` where nothing was.
    #[must_use]
    pub fn answered(&self, answer: &Answer) -> Option<Digest> {
        let sent = answer.request?;
        Some(self.common.as_ref().map_or(sent, Common::body))
    }

    /// SHA-256 of what a miner's API read of what was sent: the body after its encoding is undone. `None` where nothing was
    /// sent, or something that this task does not have.
    #[must_use]
    pub fn read(&self, answer: &Answer) -> Option<Digest> {
        let sent = answer.request?;
        match answer.request_form {
            BodyForm::Json => Some(sent),
            BodyForm::Arrow => self.arrow.as_ref().filter(|form| form.sent == sent).map(|form| form.decoded),
            BodyForm::Reference => self.reference.as_ref().filter(|form| form.sent == sent).map(|form| form.decoded),
        }
    }
}

/// What the traps of a task were drawn from, so that the same ones can be made again after a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrapOrigin {
    /// SHA-256 of the pool of settled alerts.
    pub pool: Digest,
    /// How many were drawn, for each miner or for all.
    pub plan: TrapPlan,
}

/// How many traps each miner is sent. Small batches get fewer: traps are a small share of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrapPlan {
    /// Groups of confirmed illicit alerts.
    pub high_groups: usize,
    /// Groups of clean alerts.
    pub low_groups: usize,
    /// Alerts of a group.
    pub group_size: usize,
}

impl TrapPlan {
    /// No traps.
    pub const NONE: Self = Self { high_groups: 0, low_groups: 0, group_size: 0 };
}

impl Default for TrapPlan {
    /// A random submission passes a high group of 20 with probability 2e-10, and a low one with 0.058.
    fn default() -> Self {
        Self { high_groups: 2, low_groups: 2, group_size: 20 }
    }
}

/// What is sent to one miner: the roster with traps of its own in between, or nothing of its own where the task is common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// Its uid at that moment.
    pub uid: u16,
    /// Where it serves; `None` when it never announced an axon.
    pub axon: Option<SocketAddr>,
    /// Places of traps in this miner's list of alerts, ascending, and the ids they were issued under.
    pub issued: Vec<(usize, String)>,
    /// The groups, by place.
    pub groups: Vec<TrapGroup>,
    /// Key that this hotkey's receipts were known by then; `None` when it had none yet. Judging needs no other memory.
    #[serde(default)]
    pub receipt_key: Option<Digest>,
}

impl Ask {
    /// Ids of all alerts in this miner's order: the roster with the traps at their places.
    #[must_use]
    pub fn alert_ids(&self, roster: &[RosterRow]) -> Vec<String> {
        self.ids(roster).map(str::to_owned).collect()
    }

    /// As [`alert_ids`](Self::alert_ids), without copies.
    pub fn ids<'a>(&'a self, roster: &'a [RosterRow]) -> impl Iterator<Item = &'a str> {
        let mut traps = self.issued.iter().peekable();
        let mut rows = roster.iter();
        (0..roster.len() + self.issued.len()).filter_map(move |place| match traps.next_if(|(at, _)| *at == place) {
            Some((_, id)) => Some(id.as_str()),
            None => rows.next().map(|row| row.alert_id.as_str()),
        })
    }

    /// Places of the roster's alerts in this miner's list, in the order of the roster.
    #[must_use]
    pub fn roster_places(&self, roster: usize) -> Vec<usize> {
        let mut traps = self.issued.iter().peekable();
        (0..roster + self.issued.len()).filter(|place| traps.next_if(|(at, _)| at == place).is_none()).collect()
    }
}

mod as_text {
    //! A round's id as its text.

    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    use super::RoundId;

    pub(super) fn serialize<S: Serializer>(id: &RoundId, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(id)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<RoundId, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}
