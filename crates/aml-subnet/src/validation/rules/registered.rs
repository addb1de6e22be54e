//! Rules of a subnet of your own: the program registers them before it does anything else, and from then on their name may stand in
//! `validator.rules`. `docs/customization.md` shows a program that does.
//!
//! They are rules v2 with other constants. A ledger names them, so every program that reads it has to have them registered.

use std::ops::RangeInclusive;
use std::sync::OnceLock;

use super::{Rules, RulesVersion};
use crate::validation::v2::Constants;

/// What the program registered. A ledger names rules, not constants: all of a process must mean the same by a name.
static REGISTERED: OnceLock<Vec<CustomRules>> = OnceLock::new();

/// Numbers below belong to the versions of this crate.
const FIRST_NUMBER: u64 = 1000;
/// Days that a window may look back: with two rounds a day these are as many as are looked through at once.
const LONGEST_WINDOW: i64 = 200;
/// Longest name.
const LONGEST: usize = 32;

/// Rules v2 with other constants.
#[derive(Clone, Debug)]
pub struct CustomRules {
    /// Name in settings, ledgers and files: lowercase letters, digits, `-` and `.`.
    pub name: &'static str,
    /// What the subnet's weights version says of them, from 1000 on.
    pub number: u64,
    /// How answers are judged: tiers 1 to 3.
    pub judging: Rules,
    /// What is paid, and who has a voice.
    pub paying: Constants,
}

/// One of the registered rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Registered(usize);

/// Why rules were not registered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegisterRulesError {
    /// The name is none.
    #[error("`{0}` is no name of rules: lowercase letters, digits, `-` and `.`, at most 32, a letter first")]
    Name(String),
    /// Name or number stand twice, or are those of this crate.
    #[error("rules `{name}`: {what} is taken")]
    Taken {
        /// Which rules.
        name: &'static str,
        /// What of them.
        what: &'static str,
    },
    /// The number belongs to this crate.
    #[error("rules `{name}` have the number {number}: numbers below 1000 belong to the crate's own rules")]
    Number {
        /// Which rules.
        name: &'static str,
        /// Their number.
        number: u64,
    },
    /// A constant makes no sense.
    #[error("rules `{name}`: {problem}")]
    Constant {
        /// Which rules.
        name: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// Somebody looked already.
    #[error("rules are registered once, before anything else is done")]
    TooLate,
}

impl CustomRules {
    /// Rules v2 under another name, to be changed.
    #[must_use]
    pub fn like_v2(name: &'static str, number: u64) -> Self {
        Self { name, number, judging: RulesVersion::V2.rules(), paying: Constants::V2 }
    }
}

impl Registered {
    /// The rules themselves.
    fn get(self) -> Option<&'static CustomRules> {
        all().get(self.0)
    }

    pub(super) fn name(self) -> &'static str {
        self.get().map_or("", |rules| rules.name)
    }

    pub(super) fn number(self) -> u64 {
        self.get().map_or(0, |rules| rules.number)
    }

    pub(super) fn judging(self) -> Rules {
        let judging = self.get().map_or_else(|| RulesVersion::V2.rules(), |rules| rules.judging);
        Rules { version: RulesVersion::Registered(self), ..judging }
    }

    pub(super) fn paying(self) -> &'static Constants {
        self.get().map_or(&Constants::V2, |rules| &rules.paying)
    }
}

/// From the first look on there are no others.
fn all() -> &'static [CustomRules] {
    REGISTERED.get_or_init(Vec::new)
}

/// All that are registered.
pub(super) fn each() -> impl Iterator<Item = RulesVersion> {
    (0..all().len()).map(|at| RulesVersion::Registered(Registered(at)))
}

/// Makes rules known to the whole process, beside the crate's own. To be called once, before anything else.
///
/// # Errors
/// When a name, number or constant is no good, or it is too late. Nothing is registered then.
pub fn register(rules: Vec<CustomRules>) -> Result<(), RegisterRulesError> {
    for (at, one) in rules.iter().enumerate() {
        let (name, before) = (one.name, rules.iter().take(at));
        if !is_name(name) {
            return Err(RegisterRulesError::Name(name.chars().take(LONGEST).collect()));
        }
        let taken = |what| RegisterRulesError::Taken { name, what };
        if RulesVersion::OWN.iter().any(|own| own.name() == name) || before.clone().any(|other| other.name == name) {
            return Err(taken("the name"));
        }
        if one.number < FIRST_NUMBER {
            return Err(RegisterRulesError::Number { name, number: one.number });
        }
        if before.clone().any(|other| other.number == one.number) {
            return Err(taken("the number"));
        }
        if let Some(problem) = problem(one) {
            return Err(RegisterRulesError::Constant { name, problem });
        }
    }
    REGISTERED.set(rules).map_err(|_| RegisterRulesError::TooLate)
}

fn is_name(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.';
    let begins = text.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    begins && text.len() <= LONGEST && text.bytes().all(known)
}

/// What is wrong with the constants; `None` when nothing is.
fn problem(rules: &CustomRules) -> Option<String> {
    let (judging, paying) = (&rules.judging, &rules.paying);
    let days = |name: &str, value: i64, allowed: RangeInclusive<i64>| {
        (!allowed.contains(&value))
            .then(|| format!("{name} is {value}, not from {} to {}", allowed.start(), allowed.end()))
    };
    let within = |name: &str, value: f64, (low, high): (f64, f64)| {
        (!(low..=high).contains(&value)).then(|| format!("{name} is {value}, not from {low} to {high}"))
    };
    let whole = |names: &str, parts: [f64; 3]| {
        let wrong =
            parts.iter().any(|part| !(0.0..=1.0).contains(part)) || (parts.iter().sum::<f64>() - 1.0).abs() > 1e-9;
        wrong.then(|| format!("{names} are {parts:?}: parts of 1"))
    };
    let (auc, brier, ndcg) = judging.settlement;
    [
        whole("judging: tier1, tier2, tier3", [judging.tier1, judging.tier2, judging.tier3]),
        whole("judging: settlement", [auc, brier, ndcg]),
        within("judging: trap_share", judging.trap_share, (0.0, 1.0)),
        within("judging: least_deviation", judging.least_deviation, (0.0, 0.5)),
        within("judging: alpha", judging.alpha, (0.0, 10.0)),
        within("judging: alike", judging.alike, (0.0, 1.0)),
        days("judging: performance_days", judging.performance_days, 1..=365),
        (judging.ndcg_cutoff == 0).then(|| "judging: ndcg_cutoff is 0".to_owned()),
        (judging.least_of_class == 0).then(|| "judging: least_of_class is 0".to_owned()),
        days("paying: days", paying.days, 1..=LONGEST_WINDOW),
        days("paying: earliest", paying.earliest, 0..=LONGEST_WINDOW),
        days("paying: days and earliest together", paying.look_back(), 1..=LONGEST_WINDOW),
        days("paying: latest", paying.latest, paying.earliest..=365),
        within("paying: least", paying.least, (1.0, 1e9)),
        within("paying: z", paying.z, (0.0, 10.0)),
        within("paying: h", paying.h, (1e-9, 1e3)),
        within("paying: h_reference", paying.h_reference, (1e-9, 1e3)),
        within("paying: knee", paying.knee, (1e-9, 1.0)),
        within("paying: tail", paying.tail, (0.0, 1e3)),
        within("paying: alike", paying.alike, (0.0, 1.0)),
        days("paying: turns", i64::from(paying.turns), 1..=10),
        within("paying: gamma", paying.gamma, (1.0, 10.0)),
        whole("paying: tier1, traps, calibration", [paying.tier1, paying.traps, paying.calibration]),
        within("paying: alive", paying.alive, (0.0, 1.0)),
        within("paying: worthy", paying.worthy, (0.0, 1.0)),
        within("paying: steady", paying.steady, (0.0, 1.0)),
        within("paying: level", paying.level, (1.0, 1e3)),
        within("paying: newcomer", paying.newcomer, (0.0, 1.0)),
        within("paying: newcomers", paying.newcomers, (0.0, 1.0)),
        (paying.lately == 0).then(|| "paying: lately is 0".to_owned()),
    ]
    .into_iter()
    .flatten()
    .next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(changes: impl Fn(&mut CustomRules)) -> String {
        let mut rules = CustomRules::like_v2("ours-1", 1001);
        changes(&mut rules);
        register(vec![rules]).expect_err("it is no good").to_string()
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        assert!(refusal(|rules| rules.name = "Ours").contains("`Ours` is no name of rules"));
        assert!(refusal(|rules| rules.name = "").contains("`` is no name of rules"));
        assert!(refusal(|rules| rules.name = "v2").contains("rules `v2`: the name is taken"));
        assert!(refusal(|rules| rules.number = 2).contains("number 2: numbers below 1000"));
        assert!(refusal(|rules| rules.paying.gamma = f64::NAN).contains("paying: gamma is NaN, not from 1 to 10"));
        assert!(refusal(|rules| rules.paying.days = 0).contains("paying: days is 0, not from 1 to 200"));
        assert!(refusal(|rules| rules.paying.latest = 3).contains("paying: latest is 3, not from 7 to 365"));
        assert!(
            refusal(|rules| rules.paying.traps = 0.4).contains("paying: tier1, traps, calibration are [0.2, 0.4, 0.5]")
        );
        assert!(
            refusal(|rules| rules.judging.tier1 = -0.2).contains("judging: tier1, tier2, tier3 are [-0.2, 0.3, 0.5]")
        );
        let twice =
            |one: u64, two: u64, name| vec![CustomRules::like_v2("ours-1", one), CustomRules::like_v2(name, two)];
        let said = |rules| register(rules).expect_err("it is no good").to_string();
        assert!(said(twice(1001, 1002, "ours-1")).contains("the name is taken"));
        assert!(said(twice(1001, 1001, "ours-2")).contains("the number is taken"));
    }

    #[test]
    fn the_crates_own_rules_would_pass() {
        assert_eq!(problem(&CustomRules::like_v2("ours-1", 1001)), None);
    }
}
