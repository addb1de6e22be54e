//! Why a miner is paid what it is paid under rules v2: the parts, and the words made of them.

use serde::Serialize;
use utoipa::ToSchema;

use crate::validation::v2::constants::Constants;
use crate::validation::v2::explain::{Facts, explain, first_days};

/// The parts of a miner's pay on one day under rules v2.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Information)]
pub struct MinerInformation {
    /// The round whose day is paid.
    pub round: String,
    /// Share of the day's pay.
    pub share: f64,
    /// Share of the voice in the round's canonical scores.
    pub voice: f64,
    /// Why it had none: `unknown`, `lifeless`, `level` or `unsteady`.
    pub muted: Option<String>,
    /// `b`: how far its order goes with the outcomes of the window, from -1 to 1.
    pub b: f64,
    /// `z` standard errors: what of `b` is chance.
    pub z_error: f64,
    /// `c`: what of `b` is beyond chance.
    pub c: f64,
    /// `w`: weight of its column in the best combination.
    pub w: f64,
    /// The part of a knee that it has to itself: 1 when nobody is like it.
    pub mass: f64,
    /// What it is paid for.
    pub points: f64,
    /// 0.2 tier 1 + 0.3 traps + 0.5 calibration.
    pub quality: f64,
    /// Mean of tier 1 over the last thirty days.
    pub tier1: f64,
    /// Mean advantage on traps; null where there were none.
    pub traps: Option<f64>,
    /// Whether its scores are probabilities, 0 to 1.
    pub calibration: f64,
    /// Share of the newest rounds in which it counted and was alive.
    pub lately: f64,
    /// Rounds of the window in which it counted.
    pub counted: usize,
    /// These as a share of the window's rounds.
    pub part: f64,
    /// Outcomes of the window, an address counting once.
    pub outcomes: f64,
    /// Illicit ones among them.
    pub illicit: f64,
    /// Whether that is enough to pay for information.
    pub known: bool,
    /// All of this in words.
    pub why: Vec<Why>,
    /// What a new miner may expect.
    pub first_days: Option<String>,
}

/// A sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Why {
    /// What it is about, for programs.
    pub about: String,
    /// For people.
    pub text: String,
}

/// What the round says beside what is known of the miner.
#[derive(Clone, Debug, PartialEq)]
pub struct Heard {
    /// The round.
    pub round: String,
    /// Share of the voice.
    pub voice: f64,
    /// Why there is none.
    pub muted: Option<String>,
}

impl MinerInformation {
    /// The parts and the words.
    #[must_use]
    pub fn of(k: &Constants, facts: &Facts<'_>, heard: Heard) -> Self {
        let (standing, tiers, window) = (facts.standing, facts.tiers, facts.window);
        let priced = &standing.priced;
        let error = if window.outcomes > 0.0 { 1.0 / window.outcomes.sqrt() } else { 0.0 };
        let why =
            |one: crate::validation::v2::explain::Sentence| Why { about: one.about.name().to_owned(), text: one.text };
        Self {
            round: heard.round,
            share: facts.share,
            voice: heard.voice,
            muted: heard.muted,
            b: priced.correlation,
            z_error: k.z * error,
            c: priced.beyond,
            w: priced.weight,
            mass: priced.mass,
            points: priced.points,
            quality: tiers.quality(k, standing.calibration),
            tier1: tiers.tier1,
            traps: tiers.traps,
            calibration: standing.calibration,
            lately: tiers.lately,
            counted: standing.counted,
            part: standing.part,
            outcomes: window.outcomes,
            illicit: window.illicit,
            known: window.known,
            why: explain(k, facts).into_iter().map(why).collect(),
            first_days: (standing.counted < k.few).then(|| first_days(k)),
        }
    }
}
