//! The constants of rules v2. They are consensus between validators: they belong to the version, not to a configuration.

use serde::{Deserialize, Serialize};

/// Every number that the rules fix. "Standard error" is `1 / sqrt(N)`, `N` the outcomes of the window, an address counting
/// once.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constants {
    /// Days of rounds in the window; also the days that tier 1 and the traps look back on.
    pub days: i64,
    /// Age in days of the youngest round of the window: before that hardly any outcome is known.
    pub earliest: i64,
    /// Days after a round's own until which an outcome that becomes known counts.
    pub latest: i64,
    /// Outcomes of each class (an address counts once) in the window, below which nothing is known yet. From about 200
    /// illicit outcomes on the learned weights beat the plain mean, with 60 they do not.
    pub least: f64,
    /// Standard errors that a miner's covariance with the outcomes must exceed to count.
    pub z: f64,
    /// Slope of the loss on a miner's weight at the knee, in standard errors. Without it estimated weights lose to equal
    /// ones through their error alone, and pay moves by 16 % a day.
    pub h: f64,
    /// The same for a reference's weight: it is nobody's, so it loses next to nothing.
    pub h_reference: f64,
    /// Weight at which the loss stops rising steeply.
    pub knee: f64,
    /// Rise of the loss beyond the knee, in parts of that before it.
    pub tail: f64,
    /// Likeness beyond what the ensemble explains, from 0 to 1, from which on miners share one knee.
    pub alike: f64,
    /// How often likeness is found anew.
    pub turns: u32,
    /// Power of points times quality in pay: splitting a signal under several keys loses.
    pub gamma: f64,
    /// Part of tier 1 in quality.
    pub tier1: f64,
    /// Part of traps in quality.
    pub traps: f64,
    /// Part of calibration in quality.
    pub calibration: f64,
    /// Newest rounds in which a miner has to have answered and been alive for its full pay.
    pub lately: usize,
    /// Advantage on a round's traps, from 0 (chance) to 1, below which a submission shows no sign of life.
    pub alive: f64,
    /// Mean advantage on traps below which nobody is paid.
    pub worthy: f64,
    /// Likeness to what the others say today, in parts of the usual one, below which there is no voice today.
    pub steady: f64,
    /// Times by which a day's mean score may leave the usual one before there is no voice today.
    pub level: f64,
    /// Share of pay of each newcomer.
    pub newcomer: f64,
    /// Share of pay of all newcomers together, at most.
    pub newcomers: f64,
    /// Rounds of the window in which somebody counted, below which it is a newcomer.
    pub few: usize,
}

impl Constants {
    /// Rules v2.
    pub const V2: Self = Self {
        days: 30,
        earliest: 7,
        latest: 21,
        least: 100.0,
        z: 2.0,
        h: 1.0,
        h_reference: 0.001,
        knee: 0.005,
        tail: 0.0125,
        alike: 0.4,
        turns: 2,
        gamma: 1.5,
        tier1: 0.2,
        traps: 0.3,
        calibration: 0.5,
        lately: 7,
        alive: 0.2,
        worthy: 0.25,
        steady: 0.5,
        level: 2.0,
        newcomer: 0.001,
        newcomers: 0.01,
        few: 20,
    };

    /// Age in days of the oldest round of the window.
    #[must_use]
    pub const fn look_back(&self) -> i64 {
        self.days + self.earliest
    }

    /// Equal parts of an order, in which the worth of places is learned. Fixes the shape of stored counts.
    pub const PARTS: usize = 40;

    /// Columns are whole multiples of one 2048th and fit into 16 bits. Fixes the meaning of stored columns.
    pub const GRAIN: f64 = 2048.0;

    /// Bins of scores in which calibration is measured. Fixes the shape of stored counts.
    pub const BINS: usize = 10;

    /// Scores are summed in whole multiples of 2^-32.
    pub const SCORE_GRAIN: f64 = 4_294_967_296.0;

    /// Size of a column, in parts of a standard one (`P[i,i] / N`), below which it says nothing.
    pub const SILENT: f64 = 1e-6;

    /// Weights have settled when none moves by this much.
    pub const ENOUGH: f64 = 1e-12;

    /// Passes over all weights, at most.
    pub const SWEEPS: usize = 2000;
}
