//! The constants of the rules, by version. A stored result names the version it was made under.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::validation::v2::Constants;

/// Which rules a result was made under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RulesVersion {
    /// The first rules.
    V1,
    /// Pay for information ([`crate::validation::v2`]).
    V2,
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
    /// The days that performance looks back on, up to and including `today`; days since 1970-01-01.
    #[must_use]
    pub const fn recent(&self, today: i64) -> RangeInclusive<i64> {
        today - self.performance_days + 1..=today
    }
}

impl RulesVersion {
    /// What an empty ledger begins under.
    pub const LATEST: Self = Self::V2;

    /// Its constants. Rules v2 measure the three tiers as v1 does; what they pay for has constants of its own
    /// ([`RulesVersion::information`]).
    #[must_use]
    pub const fn rules(self) -> Rules {
        Rules {
            version: self,
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
        }
    }

    /// The constants of rules that pay for information; `None` under v1.
    #[must_use]
    pub const fn information(self) -> Option<&'static Constants> {
        match self {
            Self::V1 => None,
            Self::V2 => Some(&Constants::V2),
        }
    }

    /// Its number, as a subnet's weights version names it.
    #[must_use]
    pub const fn number(self) -> u64 {
        match self {
            Self::V1 => 1,
            Self::V2 => 2,
        }
    }

    /// The version of such a number.
    #[must_use]
    pub const fn of_number(number: u64) -> Option<Self> {
        match number {
            1 => Some(Self::V1),
            2 => Some(Self::V2),
            _ => None,
        }
    }

    /// Its name, as it is written everywhere.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
        }
    }
}
