//! What the ledger says the hotkeys are worth, and how much stands behind it. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::store::records::Shares;
use crate::validation::performance::{RoundScore, earned};
use crate::validation::rules::{Rules, RulesVersion};
use crate::wallet::Hotkey;

/// Performance by hotkey, with the number of rounds that it rests on.
#[derive(Clone, Debug, PartialEq)]
pub struct Worth {
    /// Mean score over the rounds that count, in which copies share what one of them would earn.
    pub performance: BTreeMap<Hotkey, f64>,
    /// Rounds that count, by hotkey.
    pub counted: BTreeMap<Hotkey, usize>,
    /// Days with a round that counts, whoever took part.
    pub rounds: usize,
    /// What nobody earned of a day's pay, where the rules say so; `performance` is in shares of the whole then.
    pub unearned: Option<f64>,
    /// The rules by which it was reckoned.
    pub rules: RulesVersion,
}

impl Worth {
    /// From the ledger's history, as of `today` (days since 1970-01-01).
    #[must_use]
    pub fn of(rules: &Rules, today: i64, history: &BTreeMap<Hotkey, Vec<RoundScore>>) -> Self {
        let counts = |round: &&RoundScore| (today - rules.performance_days + 1..=today).contains(&round.day);
        let performance = earned(rules, today, history);
        let days: BTreeSet<i64> = history.values().flatten().filter(counts).map(|round| round.day).collect();
        let counted = |hotkey: &Hotkey| history.get(hotkey).map_or(0, |rounds| rounds.iter().filter(counts).count());
        let counted = performance.keys().map(|hotkey| (*hotkey, counted(hotkey))).collect();
        Self { performance, counted, rounds: days.len(), unearned: None, rules: rules.version }
    }

    /// Where no round says anything.
    #[must_use]
    pub fn nothing(rules: RulesVersion) -> Self {
        Self { performance: BTreeMap::new(), counted: BTreeMap::new(), rounds: 0, unearned: None, rules }
    }

    /// From a day's shares under rules v2.
    #[must_use]
    pub fn shared(shares: &Shares) -> Self {
        let performance = shares.miners.iter().map(|(hotkey, of)| (*hotkey, of.share)).collect();
        let counted = shares.miners.iter().map(|(hotkey, of)| (*hotkey, of.counted)).collect();
        Self { performance, counted, rounds: shares.rounds, unearned: Some(shares.unearned), rules: shares.rules }
    }

    /// Why no weights are to be set on this, whatever the chain says.
    #[must_use]
    pub fn withheld(&self, min_rounds: usize) -> Option<Withheld> {
        if self.rounds < min_rounds.max(1) {
            return Some(Withheld::TooFewRounds { rounds: self.rounds, needed: min_rounds.max(1) });
        }
        if self.unearned.is_some() {
            return None;
        }
        let any = self.performance.values().any(|worth| worth.is_finite() && *worth > 0.0);
        (!any).then_some(Withheld::NothingEarned)
    }
}

/// Why no weights are set although they are due. Never a reason to pay everyone the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Withheld {
    /// A new or a lost ledger.
    #[error("the ledger has {rounds} days with rounds that count, weights want {needed}")]
    TooFewRounds {
        /// It has.
        rounds: usize,
        /// It should have.
        needed: usize,
    },
    /// No hotkey earned anything.
    #[error("no hotkey has earned anything in the rounds that count")]
    NothingEarned,
    /// Those who earned something have left the subnet.
    #[error("no hotkey that earned something is registered in the subnet")]
    NobodyRegistered,
    /// Nobody has earned the day's pay, and there is nobody to leave it to.
    #[error("nobody has earned the day's pay, and {0}")]
    Unearned(&'static str),
    /// Most neurons are gone at once: believed when a second read says the same.
    #[error("the metagraph has only {neurons} neurons, far fewer than before: read again before it is believed")]
    MetagraphDoubted {
        /// It has.
        neurons: usize,
    },
}
