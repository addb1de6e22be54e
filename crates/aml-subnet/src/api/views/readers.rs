//! What a round tells readers beside its scores: how sure it can be, how that held, and who was seen before.

use serde::Serialize;
use utoipa::ToSchema;

use crate::readers::calibration::Calibration;
use crate::readers::reliability::{Reliability, reliability};

/// What the probabilities of a round rest on.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct CalibrationBrief {
    /// Version of the formulas.
    pub version: u16,
    /// Whether enough is known to tell probabilities.
    pub known: bool,
    /// Outcomes of earlier rounds that were known when the round was opened.
    pub outcomes: u64,
    /// Illicit ones among them.
    pub illicit: u64,
    /// Outcomes of the rarer class, an address counting once.
    pub rarer: f64,
    /// How many of each class are needed.
    pub least: u64,
    /// Rounds that they are of.
    pub rounds: usize,
    /// Days that are looked back.
    pub days: i64,
}

impl From<&Calibration> for CalibrationBrief {
    fn from(of: &Calibration) -> Self {
        Self {
            version: of.version,
            known: of.is_known(),
            outcomes: of.outcomes,
            illicit: of.illicit,
            rarer: of.rarer,
            least: of.least,
            rounds: of.rounds.len(),
            days: of.days,
        }
    }
}

/// What was told, held against the outcomes that are known now. None of them was used for the curve.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Held {
    /// The probabilities; null where the round has none, or too few outcomes are known.
    pub probability: Option<Reliability>,
    /// The raw scores, read as if they were probabilities.
    pub score: Option<Reliability>,
}

impl Held {
    /// From `(score, probability, outcome)` of every alert whose outcome is known; `None` where too few are.
    #[must_use]
    pub fn of(known: &[(f64, Option<f64>, bool)]) -> Option<Self> {
        let scores: Vec<(f64, bool)> = known.iter().map(|(score, _, came)| (*score, *came)).collect();
        let told: Vec<(f64, bool)> = known.iter().filter_map(|(_, told, came)| Some(((*told)?, *came))).collect();
        let held = Self { probability: reliability(&told), score: reliability(&scores) };
        held.score.is_some().then_some(held)
    }
}

/// What is remembered of the address of an urgent alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SeenBefore {
    /// The alert.
    pub alert_id: String,
    /// Its address.
    pub address: String,
    /// Rounds of the seven days before in whose ten most urgent alerts the address stands, newest first.
    pub rounds: Vec<String>,
    /// Outcome of the address's newest alert that was known before the round's day: whether it was confirmed illicit.
    pub confirmed: Option<bool>,
}

impl SeenBefore {
    /// Whether there is anything to say.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.rounds.is_empty() && self.confirmed.is_none()
    }
}
