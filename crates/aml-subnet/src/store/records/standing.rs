//! Where everybody stood on a round's day under rules v2, and how that day's pay is shared.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::validation::rules::RulesVersion;
use crate::validation::v2::price::Priced;
use crate::validation::v2::standing::Standing;
use crate::validation::v2::voice::{Choice, Muted};
use crate::wallet::Hotkey;

/// What the window of a round's day says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StandingRecord {
    /// Under which rules.
    pub rules: RulesVersion,
    /// When it was made: outcomes that were seen by then count.
    pub made_ms: i64,
    /// Days of the window's rounds.
    pub rounds: Vec<NaiveDate>,
    /// Those of them with submissions that count whose columns are not there: swept before they could be made.
    pub missing: Vec<NaiveDate>,
    /// `N`: outcomes of the window, an address counting once.
    pub number: f64,
    /// Illicit ones among them.
    pub illicit: f64,
    /// Whether that is enough for weights to be learned.
    pub known: bool,
    /// By hotkey: all that have a column in the window, and all that are asked today.
    pub miners: BTreeMap<Hotkey, Standing>,
    /// By name.
    pub references: BTreeMap<String, Priced>,
}

/// A miner's part of a day.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShareOf {
    /// Share of the day's pay; all shares and what is unearned add up to 1.
    pub share: f64,
    /// `lately * (points * quality)^gamma`.
    pub worth: f64,
    /// What its column tells beyond chance, references and others.
    pub points: f64,
    /// `0.2 tier 1 + 0.3 traps + 0.5 calibration`.
    pub quality: f64,
    /// Mean of tier 1 over thirty days.
    pub tier1: f64,
    /// Mean advantage on traps; `None` where there were none.
    pub traps: Option<f64>,
    /// Whether its scores are probabilities.
    pub calibration: f64,
    /// Share of the newest rounds in which it answered and was alive.
    pub lately: f64,
    /// Its part of the newcomers' pool: 1, or shared with copies.
    pub newcomer: f64,
    /// Rounds of the window in which its submission counted.
    pub counted: usize,
    /// Voice in the round's canonical scores.
    pub voice: f64,
    /// Why it has none.
    pub muted: Option<Muted>,
}

/// How a day's pay is shared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shares {
    /// Under which rules.
    pub rules: RulesVersion,
    /// When it was made.
    pub made_ms: i64,
    /// Why it was made again, where it was: outcomes that changed, a round that became void.
    pub amends: Option<String>,
    /// What newcomers have of it together.
    pub pool: f64,
    /// What nobody earned.
    pub unearned: f64,
    /// Days with rounds that count among the last thirty, this one included.
    pub rounds: usize,
    /// Who was chosen to speak; `None` when nobody was accepted.
    pub choice: Option<Choice>,
    /// By hotkey.
    pub miners: BTreeMap<Hotkey, ShareOf>,
}
