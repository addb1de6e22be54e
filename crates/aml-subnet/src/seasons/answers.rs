//! Answers as they go out.

use serde::Serialize;
use serde_json::Value;

use crate::seasons::numbers::Numbers;
use crate::seasons::refusal::Refusal;

/// What a frame is answered with.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// A season has begun; the rules and constants that are in force.
    Begun(Value),
    /// A day was played.
    Day(Box<Played>),
    /// Nothing was done.
    Refused {
        /// A word for programs.
        code: &'static str,
        /// What is wrong.
        message: String,
    },
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        Self::Refused { code: refusal.code(), message: refusal.to_string() }
    }
}

/// What came of a day. Lists are one a miner unless something else is said; what is not there is not a number.
#[derive(Clone, Debug, Serialize)]
pub struct Played {
    /// The day.
    pub day: i64,
    /// Shares of the voice; they add up to 1 unless nobody submitted.
    pub voices: Numbers,
    /// Shares of pay.
    pub pay: Numbers,
    /// What nobody earned.
    pub unearned: f64,
    /// One canonical score per alert; empty when nobody submitted.
    pub canonical: Numbers,
    /// Rules v1: share of groups of traps that were passed.
    pub tier2: Numbers,
    /// Rules v2: advantage on traps.
    pub advantage: Numbers,
    /// Where everybody stands, when the season was begun with `details`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<Details>,
}

/// Where everybody stands under rules v2. Lists run over miners, the first four over the two references too (canonical,
/// outcomes).
#[derive(Clone, Debug, Serialize)]
pub struct Details {
    /// `b`: correlation with the outcomes.
    pub b: Numbers,
    /// `c`: what of it is beyond chance.
    pub c: Numbers,
    /// `w`: weight of the column.
    pub w: Numbers,
    /// What it is paid for.
    pub points: Numbers,
    /// Part of a knee that it has to itself.
    pub mass: Numbers,
    /// Whether scores are probabilities.
    pub calibration: Numbers,
    /// Usual likeness to what the others say.
    pub usual: Numbers,
    /// Share of the window's rounds in which it counted.
    pub part: Numbers,
    /// Tiers 1 and traps, and calibration, as pay weighs them.
    pub quality: Numbers,
    /// Share of the newest rounds in which it counted and was alive.
    pub lately: Numbers,
    /// What places are worth in this round; empty while too little is known.
    pub curve: Numbers,
    /// Whether enough outcomes are known.
    pub known: bool,
    /// Outcomes of the window, an address counting once; and the illicit ones among them.
    pub outcomes: f64,
    /// Illicit ones among them.
    pub illicit: f64,
}
