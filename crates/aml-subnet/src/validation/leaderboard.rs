//! Who is worth what, best first, and what it rests on.

use std::collections::BTreeMap;

use super::performance::{RoundScore, earned, performance};
use super::rules::Rules;
use crate::wallet::Hotkey;

/// A hotkey's place.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// Who.
    pub hotkey: Hotkey,
    /// Mean score over its rounds of the last days.
    pub performance: f64,
    /// The same, where copies share what one of them would earn.
    pub earned: f64,
    /// The rounds of the last days.
    pub recent: Vec<RoundScore>,
}

impl Place {
    /// Rounds in which its submission counted.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.recent.iter().filter(|round| round.tier1.is_some()).count()
    }

    /// Rounds that are settled.
    #[must_use]
    pub fn settled(&self) -> usize {
        self.recent.iter().filter(|round| round.tier3.is_some()).count()
    }

    /// Mean of tier 1, 2 and 3 over the rounds that have one.
    #[must_use]
    pub fn tiers(&self) -> [Option<f64>; 3] {
        let tiers: [fn(&RoundScore) -> Option<f64>; 3] =
            [|round| round.tier1, |round| round.tier2, |round| round.tier3];
        tiers.map(|tier| mean(self.recent.iter().filter_map(tier)))
    }
}

/// All hotkeys with a round in the last days up to `today`, best first; equal performances go by hotkey.
#[must_use]
pub fn leaderboard(rules: &Rules, today: i64, history: &BTreeMap<Hotkey, Vec<RoundScore>>) -> Vec<Place> {
    let earned = earned(rules, today, history);
    let days = rules.recent(today);
    let place = |(hotkey, performance): (Hotkey, f64)| Place {
        hotkey,
        performance,
        earned: earned.get(&hotkey).copied().unwrap_or(0.0),
        recent: history[&hotkey].iter().filter(|round| days.contains(&round.day)).copied().collect(),
    };
    let mut places: Vec<Place> = performance(rules, today, history).into_iter().map(place).collect();
    places.sort_by(|a, b| b.performance.total_cmp(&a.performance).then(a.hotkey.cmp(&b.hotkey)));
    places
}

/// The mean; `None` of nothing.
#[must_use]
pub fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let values: Vec<f64> = values.collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}
