//! What a window says of every miner: weights, points, calibration, the usual level and likeness; and the curve.

use serde::{Deserialize, Serialize};

use crate::validation::v2::calibration::Bins;
use crate::validation::v2::constants::Constants;
use crate::validation::v2::curve::{Curve, Parts};
use crate::validation::v2::moments::Moments;
use crate::validation::v2::price::{Priced, price, usual_likeness};

/// What a miner delivered over the window's rounds (those with at least one outcome that counts).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// Rounds in which its submission counted.
    pub counted: usize,
    /// Rounds that it is measured by: all of the window without those in which it was not asked though it had been before.
    pub rounds: usize,
    /// Outcomes by part of its order, over these rounds.
    pub parts: Parts,
    /// Outcomes by bin of its scores, over these rounds.
    pub bins: Bins,
}

/// Where a miner stands on one day.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// Weight, points and what they come from.
    pub priced: Priced,
    /// Whether its scores are probabilities, from 0 to 1.
    pub calibration: f64,
    /// Mean of its scores over the window's outcomes; `None` without any.
    pub level: Option<f64>,
    /// Usual likeness to what the others say.
    pub usual: f64,
    /// Share of the window's rounds in which it counted.
    pub part: f64,
    /// Rounds of the window in which it counted.
    pub counted: usize,
}

impl Standing {
    /// The voice before anything is muted.
    #[must_use]
    pub fn strength(&self) -> f64 {
        self.priced.weight * self.part * self.calibration
    }
}

/// Where everybody stands on one day.
#[derive(Clone, Debug, PartialEq)]
pub struct Standings {
    /// In the order of hotkeys.
    pub miners: Vec<Standing>,
    /// Nobody's, as given.
    pub references: Vec<Priced>,
    /// What places are worth from today on; `None` while too little is known.
    pub curve: Option<Curve>,
    /// Whether so much is known that weights are learned.
    pub known: bool,
}

impl Standings {
    /// Prices a window. `delivered` and `before` (weights `w` of the day before) are one a miner, in the order of hotkeys;
    /// the other columns of `moments` are references. While no round of the window has outcomes everybody is taken to be
    /// calibrated.
    ///
    /// # Panics
    /// When there are more miners than columns, or not a weight for each miner.
    #[must_use]
    pub fn settle(k: &Constants, moments: &Moments, delivered: &[Delivered], before: &[f64]) -> Self {
        let miners = delivered.len();
        assert!(miners <= moments.columns() && miners == before.len(), "a column and a weight for each miner");
        let known = moments.is_enough(k);
        let mut priced = vec![Priced::default(); moments.columns()];
        let (mut usual, mut curve) = (vec![0.0; miners], None);
        if known {
            let parts: Vec<Parts> = delivered.iter().map(|one| one.parts).collect();
            curve = Curve::learned(&parts, before);
            priced = price(k, moments, miners);
            let weights: Vec<f64> = priced[..miners].iter().map(|one| one.weight).collect();
            usual = usual_likeness(moments, &weights);
        }
        let begun = delivered.iter().any(|one| one.rounds > 0);
        let standing = |((priced, usual), one): ((&Priced, f64), &Delivered)| Standing {
            priced: *priced,
            calibration: if begun { one.bins.calibration() } else { 1.0 },
            level: one.bins.mean(),
            usual,
            part: if one.rounds == 0 { 0.0 } else { one.counted as f64 / one.rounds as f64 },
            counted: one.counted,
        };
        let miners: Vec<Standing> = priced.iter().zip(usual).zip(delivered).map(standing).collect();
        Self { references: priced.split_off(miners.len()), miners, curve, known }
    }
}
