//! What is made of the answers: verdicts, canonical scores, settlements.

use std::collections::BTreeMap;

use aml_miner::digest::Digest;
use serde::{Deserialize, Serialize};

use super::column::ColumnDigests;
use crate::validation::rules::RulesVersion;
use crate::validation::score::CanonicalScore;
use crate::validation::tier1_integrity::Finding;
use crate::validation::tier2_traps::TrapFinding;
use crate::validation::tier3_settlement::{Label, Settlement};
use crate::wallet::Hotkey;

/// Computed and stored, not scored in rules v1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Observations {
    /// Share of neighbouring severities whose median scores rise; `None` with fewer than two severities.
    pub monotonicity: Option<f64>,
    /// Entropy of the scores over twenty bins, from 0 to 1.
    pub entropy: Option<f64>,
    /// Rank correlation with the same hotkey's scores of the day before, over the alerts of both.
    pub agreement: Option<f64>,
    /// Highest likeness to a submission of another hotkey.
    pub similarity: Option<f64>,
    /// Hotkeys whose submissions are one with this one, itself included; `None` when the submission does not count.
    #[serde(default)]
    pub copies: Option<u32>,
}

/// What the judge says of one miner in one round: a pure function of task and answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Of whom.
    pub hotkey: Hotkey,
    /// Its uid at that moment.
    pub uid: u16,
    /// `Ok` when the submission counts, else why not, in one line.
    pub accepted: Result<(), String>,
    /// Share of tier 1's checks that were passed; `None` when nothing came that could be checked.
    pub tier1: Option<f64>,
    /// Tier 1 in detail.
    pub checks: Vec<Finding>,
    /// Share of tier 2's groups that were passed; `None` when the submission does not count, or there were no traps.
    pub tier2: Option<f64>,
    /// Tier 2 in detail.
    pub traps: Vec<TrapFinding>,
    /// What is watched.
    pub observations: Observations,
    /// Version of the model, where the answer names one.
    pub model_version: Option<String>,
    /// Key of the receipt, where its signature holds.
    pub receipt_key: Option<Digest>,
    /// How long the answer took.
    pub took_ms: u64,
    /// How much better than chance it did on the traps, from 0 to 1; rules v2 look at this and not at `tier2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advantage: Option<f64>,
    /// What its column and its scores are kept as; rules v2 read these and no raw answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored: Option<ColumnDigests>,
}

/// The canonical scores of a round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Canonical {
    /// Rules they were made under.
    pub rules: RulesVersion,
    /// In the order of the roster.
    pub scores: Vec<CanonicalScore>,
    /// Each contributor's weight; they add up to 1.
    pub weights: BTreeMap<Hotkey, f64>,
    /// What each hotkey was worth then: with the submissions, all that the scores depend on.
    #[serde(default)]
    pub performance: BTreeMap<Hotkey, f64>,
}

/// A settled round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settled {
    /// Rules it was settled under.
    pub rules: RulesVersion,
    /// The outcomes that were known, by place in the roster.
    pub labels: Vec<Label>,
    /// By hotkey; `None` for a miner that was asked and has no submission that counts.
    pub miners: BTreeMap<Hotkey, Option<Settlement>>,
    /// The canonical scores against the same outcomes; `None` when there were none.
    pub canonical: Option<Settlement>,
    /// What other rules would have made of the same answers, against the same outcomes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub beside: BTreeMap<RulesVersion, Settlement>,
}
