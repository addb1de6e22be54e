//! What a round's voices come from: the moments of its window and what each miner delivered over it, made again from what
//! was known when its standing was made. It is told in evidence packs, so that voices can be computed from one pack alone.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::store::records::Round;
use crate::validation::v2::Constants;
use crate::validation::v2::calibration::Bins;
use crate::validation::v2::curve::Parts;
use crate::validation::v2::moments::{Moments, Totals};
use crate::validation::v2::standing::{Delivered, Standings};
use crate::wallet::Hotkey;

use super::{Information, InformationError, REFERENCES};

/// The moment of whoever wants all that is known.
pub(super) const NOW: i64 = i64::MAX;

/// When a standing is made, and by what was known when; milliseconds since 1970.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    pub(super) made_ms: i64,
    pub(super) known_ms: i64,
}

/// What a standing is made of.
pub(super) struct Gathered {
    /// All that have a column in the window, and all that are asked.
    pub(super) miners: Vec<Hotkey>,
    /// Days of the window's rounds.
    pub(super) rounds: Vec<NaiveDate>,
    /// Those whose columns are not kept.
    pub(super) missing: Vec<NaiveDate>,
    /// Columns are miners, then references.
    pub(super) moments: Moments,
    /// By miner.
    pub(super) delivered: Vec<Delivered>,
}

/// What a miner delivered over the window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroundsOf {
    /// Rounds in which its submission counted.
    pub counted: usize,
    /// Rounds that it is measured by.
    pub rounds: usize,
    /// Outcomes by part of its order.
    pub parts: Parts,
    /// Outcomes by bin of its scores.
    pub bins: Bins,
    /// Its weight of the day before.
    pub weight_before: f64,
    /// When it was first seen here, in milliseconds since 1970.
    pub first_seen_ms: Option<i64>,
}

/// What the voices of a round come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grounds {
    /// When the standing was made; what was known then counts.
    pub made_ms: i64,
    /// Days of the window's rounds.
    pub rounds: Vec<NaiveDate>,
    /// Whose columns the moments are of: miners, then references.
    pub columns: Vec<String>,
    /// `N`.
    pub number: f64,
    /// Illicit ones among `N`.
    pub illicit: f64,
    /// `u`.
    pub own: f64,
    /// `p`.
    pub told: Vec<f64>,
    /// `P`: of row i the columns 0 to i.
    pub cross: Vec<Vec<f64>>,
    /// By hotkey.
    pub miners: BTreeMap<Hotkey, GroundsOf>,
}

impl Grounds {
    /// The standings that come from them; `None` when they do not go together.
    #[must_use]
    pub fn standings(&self, constants: &Constants) -> Option<Standings> {
        let columns = self.told.len();
        let shaped = columns == self.columns.len()
            && columns == self.cross.len()
            && columns == self.miners.len() + REFERENCES.len()
            && self.cross.iter().enumerate().all(|(at, row)| row.len() == at + 1)
            && self.miners.keys().map(Hotkey::to_string).eq(self.columns.iter().take(self.miners.len()).cloned());
        if !shaped {
            return None;
        }
        let (cross, totals) = (&self.cross, Totals { own: self.own, number: self.number, illicit: self.illicit });
        let at = |i: usize, j: usize| cross.get(i.max(j)).and_then(|row| row.get(i.min(j))).copied().unwrap_or(0.0);
        let full = (0..columns).flat_map(|i| (0..columns).map(move |j| at(i, j))).collect();
        let moments = Moments::of(full, self.told.clone(), totals);
        let one = |of: &GroundsOf| Delivered { counted: of.counted, rounds: of.rounds, parts: of.parts, bins: of.bins };
        let delivered: Vec<Delivered> = self.miners.values().map(one).collect();
        let before: Vec<f64> = self.miners.values().map(|of| of.weight_before).collect();
        Some(Standings::settle(constants, &moments, &delivered, &before))
    }
}

impl Information<'_> {
    /// What the voices of a round come from; `None` where columns of its window are no longer kept, so that its standing does
    /// not come out again.
    ///
    /// # Errors
    /// When the ledger cannot be read, or a column is not what its digest says.
    pub async fn grounds(&self, round: &Round) -> Result<Option<Grounds>, InformationError> {
        let Some(in_force) = self.ledger.in_force(round.id).await? else { return Ok(None) };
        let stored = in_force.standing;
        let asked: Vec<Hotkey> = stored.miners.keys().copied().collect();
        let moment = Moment { made_ms: stored.made_ms, known_ms: stored.made_ms };
        let gathered = self.gather(round.id, &asked, moment).await?;
        if (&gathered.rounds, &gathered.missing) != (&stored.rounds, &stored.missing) {
            return Ok(None);
        }
        let before = self.weights_before(round.id, &gathered.miners, moment.known_ms).await?;
        let first = self.ledger.first_seen().await?;
        let constants = self.constants;
        let work = move || {
            let again = Standings::settle(constants, &gathered.moments, &gathered.delivered, &before);
            let same = again.miners.iter().eq(stored.miners.values()) && again.curve == in_force.curve;
            same.then(|| told(gathered, moment.made_ms, &before, &first))
        };
        Ok(self.workers.compute(work).await?)
    }
}

fn told(gathered: Gathered, made_ms: i64, before: &[f64], first: &BTreeMap<Hotkey, i64>) -> Grounds {
    let Gathered { miners, rounds, moments, delivered, .. } = gathered;
    let references = REFERENCES.iter().map(|name| format!("reference:{name}"));
    let one = |((miner, delivered), before): ((&Hotkey, &Delivered), &f64)| {
        let Delivered { counted, rounds, parts, bins } = *delivered;
        let first_seen_ms = first.get(miner).copied();
        (*miner, GroundsOf { counted, rounds, parts, bins, weight_before: *before, first_seen_ms })
    };
    Grounds {
        made_ms,
        rounds,
        columns: miners.iter().map(Hotkey::to_string).chain(references).collect(),
        number: moments.number,
        illicit: moments.illicit,
        own: moments.own,
        told: (0..moments.columns()).map(|at| moments.told(at)).collect(),
        cross: (0..moments.columns()).map(|at| moments.row(at).iter().take(at + 1).copied().collect()).collect(),
        miners: miners.iter().zip(&delivered).zip(before).map(one).collect(),
    }
}
