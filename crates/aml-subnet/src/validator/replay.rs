//! Computing a stored round again, and saying what differs: nothing, under the rules that it was judged by.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use super::calibrating::{CalibratingError, Calibrator};
use super::evidence::{Archive, EvidenceError};
use super::information::{Information, InformationError};
use super::judge::{Judged, submissions};
use super::merge::merge;
use super::reasoning::{Reasoner, ReasoningError, ScoredRound};
use super::settle::settle;
use super::world::{RoundLog, Threads};
use crate::store::records::{Canonical, Round, RoundId, Settled, Step};
use crate::store::{InForce, StorageError};
use crate::validation::rules::{Rules, RulesVersion};
use crate::validation::submission::Submission;
use crate::validation::tier3_settlement::SettleError;
use crate::wallet::Hotkey;

/// Differences that are named; there may be one an alert.
const NAMED: usize = 50;

/// A value that came out differently.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// Where, as in `verdicts.5Grw….tier1`.
    pub place: String,
    /// What is stored; null where there is nothing.
    pub stored: Value,
    /// What came out.
    pub again: Value,
}

/// What came of computing a round again.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Replay {
    /// The round.
    pub round: String,
    /// The rules that it was judged by.
    pub stored_rules: RulesVersion,
    /// The rules of this time.
    pub rules: RulesVersion,
    /// Verdicts that were compared.
    pub verdicts: usize,
    /// Canonical scores that were compared.
    pub scores: usize,
    /// Whether a settlement was compared.
    pub settlement: bool,
    /// Whether a calibration was compared.
    pub calibration: bool,
    /// Whether reasons were compared: which, in what order, by how many voices. Their data are the batch's.
    pub reasons: bool,
    /// Whether everything has the same bytes.
    pub identical: bool,
    /// The first differences.
    pub differences: Vec<Difference>,
}

/// Why a round cannot be computed again.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// There is no such round.
    #[error("there is no round {0} in the ledger; `aml-subnet rounds` lists them")]
    Unknown(RoundId),
    /// There is nothing to compare with.
    #[error("round {round} is at step {step:?}: it has no verdicts yet")]
    NotJudged {
        /// The round.
        round: RoundId,
        /// Its step.
        step: Step,
    },
    /// It was not begun under rules v2.
    #[error("round {0} was not begun under rules v2: no standing and no curve were in force for it")]
    NothingInForce(RoundId),
    /// Rules v2 came to no result.
    #[error(transparent)]
    Information(#[from] InformationError),
    /// What was recorded cannot be judged.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// Probabilities.
    #[error(transparent)]
    Calibrating(#[from] CalibratingError),
    /// Reasons.
    #[error(transparent)]
    Reasoning(#[from] ReasoningError),
    /// Tier 3.
    #[error(transparent)]
    Settle(#[from] SettleError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] StorageError),
    /// A value without a JSON form.
    #[error("a result has no JSON form")]
    Json(#[from] serde_json::Error),
}

/// Computes verdicts, canonical scores and settlement of a round again, from stored answers and inputs.
///
/// # Errors
/// When the round is not judged yet, or its raw answers are gone.
pub async fn replay(ledger: &dyn RoundLog, id: RoundId, rules: Option<RulesVersion>) -> Result<Replay, ReplayError> {
    let round = ledger.round(id).await?.ok_or(ReplayError::Unknown(id))?;
    if round.step < Step::Judged {
        return Err(ReplayError::NotJudged { round: id, step: round.step });
    }
    let version = rules.unwrap_or(round.rules);
    let rules = version.rules();
    let archive = Archive { ledger, workers: &Threads };
    let task = archive.task(id).await?;
    let judged = archive.judged(&round, &task, rules).await?;
    let in_force = in_force(ledger, id, version).await?;
    let (judged, told) = match &in_force {
        Some((information, in_force)) => information.told(&rules, in_force.curve.clone(), judged).await?,
        None => (judged, Vec::new()),
    };
    let mut report = Report::default();
    let verdicts = ledger.verdicts(id).await?;
    let by_hotkey = |all: &mut dyn Iterator<Item = crate::store::records::Verdict>| -> BTreeMap<String, _> {
        all.map(|verdict| (verdict.hotkey.to_string(), verdict)).collect()
    };
    let again = by_hotkey(&mut judged.iter().map(|one| one.verdict.clone()));
    report.compare("verdicts", &by_hotkey(&mut verdicts.iter().cloned()), &again)?;
    let canonical = ledger.canonical(id).await?;
    let merged = match &in_force {
        Some((information, in_force)) => information.canonical_scores(in_force, &judged, told).await?.0,
        None => merge_again(&rules, &round, &judged, canonical.as_ref()),
    };
    let merged = merged.filter(|_| round.step >= Step::Merged);
    if round.step >= Step::Merged {
        report.compare("canonical", &canonical, &merged)?;
    }
    let settled = ledger.settled(id).await?;
    if let Some(settled) = &settled {
        let mut again = settle_again(&rules, &judged, settled, merged.as_ref())?;
        // What other rules would have made is measured from what is stored of them.
        again.beside.clone_from(&settled.beside);
        report.compare("settlement", settled, &again)?;
    }
    let calibration = calibrate_again(ledger, &round, &mut report).await?;
    let scored = canonical.clone().map(|canonical| ScoredRound { id, task, canonical: Arc::new(canonical) });
    let reasons = reason_again(ledger, scored, &mut report).await?;
    Ok(Replay {
        round: id.to_string(),
        stored_rules: round.rules,
        rules: version,
        verdicts: verdicts.len(),
        scores: canonical.map_or(0, |canonical| canonical.scores.len()),
        settlement: settled.is_some(),
        calibration,
        reasons,
        identical: report.identical,
        differences: report.differences,
    })
}

/// Rules v2 with what was in force for a round; `None` under v1.
async fn in_force(
    ledger: &dyn RoundLog,
    id: RoundId,
    version: RulesVersion,
) -> Result<Option<(Information<'_>, InForce)>, ReplayError> {
    let Some(information) = Information::under(version, ledger, &Threads) else { return Ok(None) };
    let in_force = ledger.in_force(id).await?.ok_or(ReplayError::NothingInForce(id))?;
    Ok(Some((information, in_force)))
}

/// Makes the probabilities' curve again, where one is kept; says whether one is.
async fn calibrate_again(ledger: &dyn RoundLog, round: &Round, report: &mut Report) -> Result<bool, ReplayError> {
    let Some(kept) = ledger.calibration(round.id).await? else { return Ok(false) };
    let made = Calibrator { ledger, workers: &Threads }.made(round).await?;
    report.compare("calibration", &kept, &made)?;
    Ok(true)
}

/// Merges the reasons again, where any are kept; says whether any are.
async fn reason_again(
    ledger: &dyn RoundLog,
    scored: Option<ScoredRound>,
    report: &mut Report,
) -> Result<bool, ReplayError> {
    let Some(scored) = scored else { return Ok(false) };
    let Some(kept) = ledger.reasons(scored.id).await? else { return Ok(false) };
    if kept.absent.is_some() || kept.miners == 0 {
        return Ok(false);
    }
    let merging = Reasoner { ledger, workers: &Threads }.merging(&scored).await?;
    report.compare("reasons", &kept, &kept.merged_again(&merging))?;
    Ok(true)
}

/// With the performance of that time, which is stored with the canonical scores.
fn merge_again(rules: &Rules, round: &Round, judged: &[Judged], stored: Option<&Canonical>) -> Option<Canonical> {
    let performance = stored.map(|canonical| canonical.performance.clone()).unwrap_or_default();
    (round.step >= Step::Merged).then(|| merge(rules, judged, performance)).flatten()
}

/// With the outcomes of that time, and for those who were measured then.
fn settle_again(
    rules: &Rules,
    judged: &[Judged],
    stored: &Settled,
    merged: Option<&Canonical>,
) -> Result<Settled, SettleError> {
    let mut accepted = submissions(judged);
    let miners: BTreeMap<Hotkey, Option<Submission>> =
        stored.miners.keys().map(|hotkey| (*hotkey, accepted.remove(hotkey))).collect();
    if rules.version.information().is_some() && stored.canonical.is_none() && stored.miners.is_empty() {
        // Too little was known to measure anybody.
        return Ok(stored.clone());
    }
    settle(rules, stored.labels.clone(), &miners, merged)
}

struct Report {
    identical: bool,
    differences: Vec<Difference>,
}

impl Default for Report {
    fn default() -> Self {
        Self { identical: true, differences: Vec::new() }
    }
}

impl Report {
    fn compare<T: Serialize>(&mut self, what: &str, stored: &T, again: &T) -> Result<(), serde_json::Error> {
        if serde_json::to_vec(stored)? == serde_json::to_vec(again)? {
            return Ok(());
        }
        self.identical = false;
        self.descend(what.to_owned(), serde_json::to_value(stored)?, serde_json::to_value(again)?);
        Ok(())
    }

    /// Names the innermost values that differ.
    fn descend(&mut self, place: String, stored: Value, again: Value) {
        if stored == again || self.differences.len() == NAMED {
            return;
        }
        match (stored, again) {
            (Value::Object(stored), Value::Object(mut again)) => {
                for (name, value) in stored {
                    let other = again.remove(&name).unwrap_or(Value::Null);
                    self.descend(format!("{place}.{name}"), value, other);
                }
                again.into_iter().for_each(|(name, new)| self.descend(format!("{place}.{name}"), Value::Null, new));
            }
            (Value::Array(stored), Value::Array(again)) if stored.len() == again.len() => {
                let pairs = stored.into_iter().zip(again).enumerate();
                pairs.for_each(|(index, (old, new))| self.descend(format!("{place}[{index}]"), old, new));
            }
            (stored, again) => self.differences.push(Difference { place, stored, again }),
        }
    }
}
