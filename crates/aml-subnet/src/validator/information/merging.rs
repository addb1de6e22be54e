//! From columns and standings to voices and canonical scores, and to the shares of the day's pay.

use std::collections::BTreeMap;

use crate::store::InForce;
use crate::store::records::{Canonical, Round, Shares};
use crate::validation::rules::RulesVersion;
use crate::validation::score::{CanonicalScore, Score};
use crate::validation::v2::calibration::mean_score;
use crate::validation::v2::order::Order;
use crate::validation::v2::standing::Standing;
use crate::validation::v2::voice::{Choice, Muted, Today, Voices, canonical, voices};
use crate::validator::judge::Judged;
use crate::wallet::Hotkey;

use super::paying::{Grace, Speakers};
use super::{Information, InformationError, Told};

/// What rules v2 make of a round.
#[derive(Clone, Debug, PartialEq)]
pub struct MergedRound {
    /// The canonical scores; `None` when no submission counts.
    pub canonical: Option<Canonical>,
    /// How the day's pay is shared.
    pub shares: Shares,
}

/// A submission that counts, with how it did on the traps.
struct Voiced {
    told: Told,
    advantage: Option<f64>,
}

impl Information<'_> {
    /// Merges a round's answers and shares its day's pay, made at `made_ms`.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn merge(
        &self,
        round: &Round,
        in_force: &InForce,
        answers: (&[Judged], Vec<Told>),
        grace: Grace,
    ) -> Result<MergedRound, InformationError> {
        let (canonical, speakers) = self.canonical_scores(in_force, answers.0, answers.1).await?;
        let shares = self.shares(round, &in_force.standing, speakers, grace).await?;
        Ok(MergedRound { canonical, shares })
    }

    /// The canonical scores of a round, and who spoke.
    ///
    /// # Errors
    /// When a worker breaks off.
    pub async fn canonical_scores(
        &self,
        in_force: &InForce,
        judged: &[Judged],
        told: Vec<Told>,
    ) -> Result<(Option<Canonical>, Speakers), InformationError> {
        let advantages: BTreeMap<Hotkey, Option<f64>> =
            judged.iter().map(|one| (one.verdict.hotkey, one.verdict.advantage)).collect();
        let voiced: Vec<Voiced> = told
            .into_iter()
            .map(|told| Voiced { advantage: advantages.get(&told.hotkey).copied().flatten(), told })
            .collect();
        let (rules, constants, threads) = (self.rules, self.constants, self.threads());
        let standings = in_force.standing.miners.clone();
        let unknown = unknown(in_force);
        let work = move || {
            let today: Vec<Today<'_>> = voiced
                .iter()
                .map(|one| Today {
                    column: &one.told.column.worths,
                    mean: mean_score(&one.told.column.scores),
                    advantage: one.advantage,
                    standing: standings.get(&one.told.hotkey).unwrap_or(&unknown),
                })
                .collect();
            let spoken = voices(constants, &today, threads);
            (merged(rules, &spoken, &voiced, &standings), speakers(spoken, &voiced))
        };
        Ok(self.workers.compute(work).await?)
    }
}

/// Where somebody stands of whom the window knows nothing.
fn unknown(in_force: &InForce) -> Standing {
    // While no round of the window has outcomes everybody is taken to be calibrated.
    let calibration = if in_force.standing.rounds.is_empty() { 1.0 } else { 0.0 };
    Standing { priced: Default::default(), calibration, level: None, usual: 0.0, part: 0.0, counted: 0 }
}

fn merged(
    rules: RulesVersion,
    spoken: &Voices,
    voiced: &[Voiced],
    standings: &BTreeMap<Hotkey, Standing>,
) -> Option<Canonical> {
    let given: Vec<&[f64]> = voiced.iter().map(|one| one.told.column.scores.as_slice()).collect();
    let means = canonical(&spoken.shares, &given);
    let speaking: Vec<(f64, &[f64])> =
        spoken.shares.iter().copied().zip(given).filter(|(voice, _)| *voice > 0.0).collect();
    let mut variances = vec![0.0; means.len()];
    for (voice, scores) in &speaking {
        for ((variance, mean), score) in variances.iter_mut().zip(&means).zip(*scores) {
            let apart: f64 = score - mean;
            *variance += voice * (apart * apart);
        }
    }
    let miners = speaking.len();
    let score = |(mean, variance): (&f64, f64)| {
        Some(CanonicalScore { score: Score::new(*mean)?, deviation: variance.sqrt(), miners })
    };
    let scores = means.iter().zip(variances).map(score).collect::<Option<Vec<_>>>()?;
    let voices = voiced.iter().zip(&spoken.shares).filter(|(_, voice)| **voice > 0.0);
    let weights = voices.map(|(one, voice)| (one.told.hotkey, *voice)).collect();
    let weight = |one: &Voiced| standings.get(&one.told.hotkey).map_or(0.0, |standing| standing.priced.weight);
    let performance = voiced.iter().map(|one| (one.told.hotkey, weight(one))).collect();
    let merged = Canonical { rules, scores, weights, performance };
    (!merged.scores.is_empty()).then_some(merged)
}

fn speakers(spoken: Voices, voiced: &[Voiced]) -> Speakers {
    let orders: BTreeMap<Hotkey, Order> = voiced.iter().map(|one| (one.told.hotkey, one.told.order.clone())).collect();
    let said = spoken.shares.into_iter().zip(spoken.muted);
    let voices: BTreeMap<Hotkey, (f64, Option<Muted>)> = voiced.iter().map(|one| one.told.hotkey).zip(said).collect();
    let choice: Option<Choice> = (!voices.is_empty()).then_some(spoken.choice);
    Speakers { orders, voices, choice }
}
