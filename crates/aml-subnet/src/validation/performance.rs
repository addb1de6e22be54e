//! What a hotkey is worth: its rounds of the last thirty days.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::validation::rules::Rules;
use crate::wallet::Hotkey;

/// How a hotkey did in one round.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RoundScore {
    /// Day of the round, in days since 1970-01-01.
    pub day: i64,
    /// Share of tier 1's checks that were passed; `None` when the submission counts nowhere.
    pub tier1: Option<f64>,
    /// Share of tier 2's groups that were passed; `None` when the round had no traps.
    pub tier2: Option<f64>,
    /// Tier 3, once the round is settled. A settled round without a submission is 0.
    pub tier3: Option<f64>,
    /// Hotkeys whose submissions were one with this one's, itself included.
    #[serde(default = "alone")]
    pub copies: u32,
}

const fn alone() -> u32 {
    1
}

impl RoundScore {
    /// From 0 to 0.5: what is known at once. A submission that counts nowhere is 0; a round without traps counts
    /// tier 1 alone.
    #[must_use]
    pub fn immediate(&self, rules: &Rules) -> f64 {
        self.tier1.map_or(0.0, |tier1| rules.tier1 * tier1 + rules.tier2 * self.tier2.unwrap_or(0.0))
    }

    /// From 0 to 1 once settled, else the immediate score.
    #[must_use]
    pub fn score(&self, rules: &Rules) -> f64 {
        self.immediate(rules) + rules.tier3 * self.tier3.unwrap_or(0.0)
    }

    /// The part of the score that is paid: copies share what one of them would earn.
    #[must_use]
    pub fn earned(&self, rules: &Rules) -> f64 {
        self.score(rules) / f64::from(self.copies.max(1))
    }
}

/// What each hotkey's voice is worth: its mean score over its rounds of the last days up to and including `today`;
/// hotkeys without a round in that time are left out.
#[must_use]
pub fn performance(rules: &Rules, today: i64, history: &BTreeMap<Hotkey, Vec<RoundScore>>) -> BTreeMap<Hotkey, f64> {
    mean(rules, today, history, RoundScore::score)
}

/// What each hotkey is paid for: as [`performance`], but copies share what one of them would earn.
#[must_use]
pub fn earned(rules: &Rules, today: i64, history: &BTreeMap<Hotkey, Vec<RoundScore>>) -> BTreeMap<Hotkey, f64> {
    mean(rules, today, history, RoundScore::earned)
}

fn mean(
    rules: &Rules,
    today: i64,
    history: &BTreeMap<Hotkey, Vec<RoundScore>>,
    value: fn(&RoundScore, &Rules) -> f64,
) -> BTreeMap<Hotkey, f64> {
    let days = rules.recent(today);
    let mut worth = BTreeMap::new();
    for (hotkey, rounds) in history {
        let counts = |round: &&RoundScore| days.contains(&round.day);
        let mut recent: Vec<f64> = rounds.iter().filter(counts).map(|round| value(round, rules)).collect();
        if !recent.is_empty() {
            // The sum does not depend on the order in which rounds were read.
            recent.sort_by(f64::total_cmp);
            worth.insert(*hotkey, recent.iter().sum::<f64>() / recent.len() as f64);
        }
    }
    worth
}

/// The history without the rounds that a newcomer is forgiven: those without a submission that counts, on days before
/// its `grace` since it was first seen is over. Days are counted since 1970-01-01.
#[must_use]
pub fn after_grace(
    history: BTreeMap<Hotkey, Vec<RoundScore>>,
    first_seen: &BTreeMap<Hotkey, i64>,
    grace: i64,
) -> BTreeMap<Hotkey, Vec<RoundScore>> {
    let forgiven = |hotkey: &Hotkey, round: &RoundScore| {
        round.tier1.is_none() && first_seen.get(hotkey).is_some_and(|seen| round.day < seen + grace)
    };
    history
        .into_iter()
        .map(|(hotkey, mut rounds)| {
            rounds.retain(|round| !forgiven(&hotkey, round));
            (hotkey, rounds)
        })
        .collect()
}
