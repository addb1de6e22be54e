//! The constants of the rules, by version. A stored result names the version it was made under.

mod registered;

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};

use crate::validation::v2::Constants;

pub use registered::{CustomRules, RegisterRulesError, Registered, register};

/// Which rules a result was made under. Written as its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RulesVersion {
    /// The first rules.
    V1,
    /// Pay for information ([`crate::validation::v2`]).
    V2,
    /// Rules that the program registered: those of v2 with constants of its own.
    Registered(Registered),
}

/// The constants of one version.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rules {
    /// The version.
    pub version: RulesVersion,
    /// Weight of tier 1 in the final score.
    pub tier1: f64,
    /// Weight of tier 2.
    pub tier2: f64,
    /// Weight of tier 3.
    pub tier3: f64,
    /// Smallest standard deviation of a submission that says something.
    pub least_deviation: f64,
    /// Share of a group of traps that must be where it is expected.
    pub trap_share: f64,
    /// Weights of AUC, 1 - Brier and NDCG in tier 3.
    pub settlement: (f64, f64, f64),
    /// Cut-off of NDCG.
    pub ndcg_cutoff: usize,
    /// Alerts of each class that a settlement needs.
    pub least_of_class: usize,
    /// Days of rounds that performance looks back on.
    pub performance_days: i64,
    /// Power of performance in the ensemble.
    pub alpha: f64,
    /// Rank correlation of what is left after removing the consensus, above which two submissions are one.
    pub alike: f64,
}

impl Rules {
    /// Those of the first version.
    pub const V1: Self = Self {
        version: RulesVersion::V1,
        tier1: 0.2,
        tier2: 0.3,
        tier3: 0.5,
        least_deviation: 1e-6,
        trap_share: 0.7,
        settlement: (0.4, 0.3, 0.3),
        ndcg_cutoff: 500,
        least_of_class: 10,
        performance_days: 30,
        alpha: 2.0,
        alike: 0.999,
    };

    /// The days that performance looks back on, up to and including `today`; days since 1970-01-01.
    #[must_use]
    pub const fn recent(&self, today: i64) -> RangeInclusive<i64> {
        today - self.performance_days + 1..=today
    }
}

impl RulesVersion {
    /// What an empty ledger begins under.
    pub const LATEST: Self = Self::V2;

    /// The versions of this crate.
    pub const OWN: [Self; 2] = [Self::V1, Self::V2];

    /// How answers are judged under it. Rules v2 measure the three tiers as v1 does; what they pay for has constants of its
    /// own ([`RulesVersion::information`]).
    #[must_use]
    pub fn rules(self) -> Rules {
        match self {
            Self::V1 => Rules::V1,
            Self::V2 => Rules { version: Self::V2, ..Rules::V1 },
            Self::Registered(rules) => rules.judging(),
        }
    }

    /// The constants of rules that pay for information; `None` under v1.
    #[must_use]
    pub fn information(self) -> Option<&'static Constants> {
        match self {
            Self::V1 => None,
            Self::V2 => Some(&Constants::V2),
            Self::Registered(rules) => Some(rules.paying()),
        }
    }

    /// Days of rounds before a day that its results rest on: two windows, for pay looks back on standings that look back
    /// themselves.
    #[must_use]
    pub fn run_up(self) -> u64 {
        let constants = self.information().unwrap_or(&Constants::V2);
        2 * constants.look_back().unsigned_abs() + 1
    }

    /// Its number, as a subnet's weights version names it.
    #[must_use]
    pub fn number(self) -> u64 {
        match self {
            Self::V1 => 1,
            Self::V2 => 2,
            Self::Registered(rules) => rules.number(),
        }
    }

    /// The version of such a number.
    #[must_use]
    pub fn of_number(number: u64) -> Option<Self> {
        Self::known().find(|one| one.number() == number)
    }

    /// Its name, as it is written everywhere.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
            Self::Registered(rules) => rules.name(),
        }
    }

    /// All versions that this program knows.
    fn known() -> impl Iterator<Item = Self> {
        Self::OWN.into_iter().chain(registered::each())
    }
}

/// There are no such rules.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this program knows no rules {name:?}, only {known}")]
pub struct UnknownRules {
    name: String,
    known: String,
}

impl FromStr for RulesVersion {
    type Err = UnknownRules;

    fn from_str(text: &str) -> Result<Self, UnknownRules> {
        Self::known().find(|one| one.name() == text).ok_or_else(|| {
            let known: Vec<&str> = Self::known().map(Self::name).collect();
            UnknownRules { name: text.chars().take(40).collect(), known: known.join(", ") }
        })
    }
}

impl Serialize for RulesVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for RulesVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;
        impl Visitor<'_> for Name {
            type Value = RulesVersion;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("the name of a version of the rules")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<RulesVersion, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Name)
    }
}
