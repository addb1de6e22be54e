//! A round in full: its miners, the canonical scores in outline, what became known.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::brief::{MinerBrief, RoundBrief, RoundFacts, rules_name};
use super::known::{KnownSoFar, Measures, SettledSummary, set_aside};
use super::readers::{CalibrationBrief, Held, SeenBefore};
use crate::outputs::CanonicalRow;
use crate::readers::calibration::Calibration;
use crate::store::records::{Canonical, OutcomeTally, Settled, Step, Task, Verdict};
use crate::validation::leaderboard::mean;
use crate::validation::tier1_integrity::Finding;
use crate::validation::tier2_traps::TrapFinding;
use crate::wallet::Hotkey;

/// Bins of the histogram of canonical scores, each a twentieth wide.
pub const BINS: usize = 20;
/// Alerts that a round shows in full.
pub const TOP: usize = 10;

/// One of tier 1's checks.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct CheckResult {
    /// What was looked at.
    pub check: String,
    /// Whether it was passed.
    pub passed: bool,
    /// What is wrong.
    pub fault: Option<String>,
}

/// One of tier 2's groups.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct GroupResult {
    /// The group.
    pub name: String,
    /// Share of its alerts that were where they should be.
    pub share: f64,
    /// Whether that is enough.
    pub passed: bool,
}

/// One miner of a round, in full.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct RoundMiner {
    /// Who.
    pub hotkey: String,
    /// In one line.
    #[serde(flatten)]
    pub brief: MinerBrief,
    /// Its weight in the ensemble; null when it contributes nothing.
    pub weight: Option<f64>,
    /// Tier 1 in detail.
    pub checks: Vec<CheckResult>,
    /// Tier 2 in detail; empty until the round is settled.
    pub groups: Vec<GroupResult>,
    /// Tier 3 in detail; null until the round is settled, or without a submission that counts.
    pub settlement: Option<Measures>,
}

/// The canonical scores of a round in outline.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct CanonicalSummary {
    /// Rules they were made under.
    pub rules: String,
    /// How many there are.
    pub alerts: usize,
    /// Hotkeys that contributed.
    pub contributors: usize,
    /// Their mean.
    pub mean: f64,
    /// Mean of the miners' standard deviation.
    pub deviation: f64,
    /// How many fall into each twentieth from 0 to 1.
    pub histogram: Vec<u64>,
    /// The most urgent alerts.
    pub top: Vec<CanonicalRow>,
    /// What is remembered of their addresses, of those that anything is remembered of.
    pub seen_before: Vec<SeenBefore>,
}

impl CanonicalSummary {
    /// The outline of `rows`, to which `contributors` hotkeys contributed.
    #[must_use]
    pub fn new(rules: String, rows: &[CanonicalRow], contributors: usize) -> Self {
        let mut histogram = vec![0; BINS];
        for row in rows {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a score is from 0 to 1")]
            let bin = (row.score * BINS as f64) as usize;
            histogram[bin.min(BINS - 1)] += 1;
        }
        let mut top: Vec<&CanonicalRow> =
            rows.iter().filter(|row| usize::try_from(row.rank).is_ok_and(|rank| rank <= TOP)).collect();
        top.sort_by_key(|row| row.rank);
        Self {
            rules,
            alerts: rows.len(),
            contributors,
            mean: mean(rows.iter().map(|row| row.score)).unwrap_or(0.0),
            deviation: mean(rows.iter().map(|row| row.deviation)).unwrap_or(0.0),
            histogram,
            top: top.into_iter().cloned().collect(),
            seen_before: Vec::new(),
        }
    }
}

/// A round in full.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct RoundDetail {
    /// In a few numbers.
    pub round: RoundBrief,
    /// SHA-256 over salt and trap list, fixed before any miner was asked.
    pub commitment: Option<String>,
    /// The salt, 64 hex digits; null until the round is settled. `/rounds/{id}/traps` has the trap list.
    pub salt: Option<String>,
    /// Its miners, by score, then hotkey.
    pub miners: Vec<RoundMiner>,
    /// The canonical scores; null when no submission counted.
    pub canonical: Option<CanonicalSummary>,
    /// What became known; null until the round is settled.
    pub settlement: Option<SettledSummary>,
    /// What is known so far, where rules count outcomes as they come.
    pub known: Option<KnownSoFar>,
    /// What its probabilities rest on; null of a round that was published without.
    pub calibration: Option<CalibrationBrief>,
    /// What was told, held against the outcomes that are known now; null while there are too few.
    pub held: Option<Held>,
    /// Why the round counts for nobody, where it is void or late.
    pub set_aside: Option<String>,
}

/// What the ledger has of a round.
#[derive(Clone, Debug)]
pub struct Sources {
    /// What is judged.
    pub verdicts: Vec<Verdict>,
    /// The task.
    pub task: Option<Task>,
    /// The canonical scores and their rows.
    pub canonical: Option<(Canonical, Vec<CanonicalRow>)>,
    /// What became known.
    pub settled: Option<Settled>,
    /// How much is known so far.
    pub known: OutcomeTally,
    /// What the probabilities come from.
    pub calibration: Option<Calibration>,
    /// Outcomes that are known now, by place in the roster.
    pub outcomes: Vec<(usize, bool)>,
    /// What is remembered of the addresses of the most urgent alerts.
    pub seen_before: Vec<SeenBefore>,
}

impl Sources {
    /// Score, probability and outcome of every alert whose outcome is known.
    fn told_and_came(&self) -> Vec<(f64, Option<f64>, bool)> {
        let rows = self.canonical.as_ref().map(|(_, rows)| rows.as_slice()).unwrap_or_default();
        let of = |(place, came): &(usize, bool)| {
            let row = rows.get(*place)?;
            Some((row.score, row.probability, *came))
        };
        self.outcomes.iter().filter_map(of).collect()
    }
}

impl RoundDetail {
    /// A round in full. Whatever would give traps away is left out of a round that is not settled.
    #[must_use]
    pub fn new(facts: &RoundFacts, sources: &Sources) -> Self {
        let reveal = facts.round.step >= Step::Settled;
        let weights = sources.canonical.as_ref().map(|(canonical, _)| &canonical.weights);
        let settled = sources.settled.as_ref().filter(|_| reveal);
        let verdicts = sources.verdicts.iter();
        let mut miners: Vec<RoundMiner> =
            verdicts.filter_map(|verdict| miner(facts, verdict, weights, settled)).collect();
        miners.sort_by(|a, b| b.brief.score.total_cmp(&a.brief.score).then_with(|| a.hotkey.cmp(&b.hotkey)));
        let outline = |(canonical, rows): &(Canonical, Vec<CanonicalRow>)| {
            let summary = CanonicalSummary::new(rules_name(canonical.rules), rows, canonical.weights.len());
            CanonicalSummary { seen_before: sources.seen_before.clone(), ..summary }
        };
        Self {
            round: facts.brief(),
            commitment: facts.round.commitment.map(|digest| digest.to_string()),
            salt: sources.task.as_ref().filter(|_| reveal).map(|task| hex::encode(task.salt)),
            miners,
            canonical: sources.canonical.as_ref().map(outline),
            settlement: settled.map(SettledSummary::new),
            known: facts.round.rules.information().map(|_| KnownSoFar::new(&sources.known)),
            calibration: sources.calibration.as_ref().map(CalibrationBrief::from),
            held: Held::of(&sources.told_and_came()),
            set_aside: set_aside(&facts.round),
        }
    }
}

/// Name of something that serde writes as a text.
fn name_of(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|name| Some(name.as_str()?.to_owned())).unwrap_or_default()
}

fn miner(
    facts: &RoundFacts,
    verdict: &Verdict,
    weights: Option<&BTreeMap<Hotkey, f64>>,
    settled: Option<&Settled>,
) -> Option<RoundMiner> {
    let check = |finding: &Finding| CheckResult {
        check: name_of(&finding.check),
        passed: finding.fault.is_none(),
        fault: finding.fault.clone(),
    };
    let group = |finding: &TrapFinding| GroupResult {
        name: finding.name.clone(),
        share: finding.share,
        passed: finding.passed,
    };
    let groups = settled.map(|_| verdict.traps.iter().map(group).collect()).unwrap_or_default();
    let settlement = settled.and_then(|settled| settled.miners.get(&verdict.hotkey).copied().flatten());
    Some(RoundMiner {
        hotkey: verdict.hotkey.to_string(),
        brief: facts.miners.get(&verdict.hotkey)?.clone(),
        weight: weights.and_then(|weights| weights.get(&verdict.hotkey).copied()),
        checks: verdict.checks.iter().map(check).collect(),
        groups,
        settlement: settlement.map(Measures::from),
    })
}
