//! The catalogue of reasons: every code that may stand at an alert. `docs/reasons.md` is the same as a table, which a test holds.
//!
//! A code's meaning never changes within a [`VERSION`](super::VERSION): sentences are made again from what is kept.

mod alert;
mod around;
mod expression;
mod flow;
mod habits;
mod looks;
mod money;

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use expression::{At, Dealt, Expression, Flow, Row};

/// How a datum is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// US dollars.
    Usd,
    /// A share of a whole, written as per cent.
    Share,
    /// A whole number.
    Count,
    /// Days before the day of the batch; what is not before it is on it, or after it.
    Days,
    /// Hours.
    Hours,
    /// An hour of the day, UTC.
    Hour,
    /// So many times.
    Times,
    /// A number without a unit.
    Number,
    /// Yes or no.
    Flag,
    /// A name.
    Name,
}

impl Unit {
    /// Its name in the catalogue.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Usd => "USD",
            Self::Share => "share",
            Self::Count => "count",
            Self::Days => "days",
            Self::Hours => "hours",
            Self::Hour => "hour",
            Self::Times => "times",
            Self::Number => "number",
            Self::Flag => "yes or no",
            Self::Name => "name",
        }
    }
}

/// Which data usually speak for suspicion. What a reason did at an alert is its effect, which the miners say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Large ones.
    More,
    /// Small ones.
    Less,
    /// It depends on the rest.
    Either,
}

impl Direction {
    /// Its name in the catalogue.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::More => "more",
            Self::Less => "less",
            Self::Either => "either",
        }
    }
}

/// A code.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    /// Its name.
    pub name: &'static str,
    /// The sentence, with `{}` where the datum stands.
    pub sentence: &'static str,
    /// How the datum is written.
    pub unit: Unit,
    /// Which data usually speak for suspicion.
    pub direction: Direction,
    /// How the datum is computed.
    pub expression: Expression,
    /// Names of features that mean it. One that ends in `*` is the beginning of names; any name may have `log_` before it.
    pub features: &'static [&'static str],
}

/// Unit, direction and expression of a code.
type Measure = (Unit, Direction, Expression);

const fn code(name: &'static str, sentence: &'static str, of: Measure, features: &'static [&'static str]) -> Code {
    let (unit, direction, expression) = of;
    Code { name, sentence, unit, direction, expression, features }
}

const fn column(name: &'static str) -> Expression {
    Expression::Column(At(Row::Address, name))
}

const fn ratio(of: &'static str, over: &'static str) -> Expression {
    Expression::Ratio(At(Row::Address, of), At(Row::Address, over))
}

const fn since(time: &'static str) -> Expression {
    Expression::DaysSince(At(Row::Address, time))
}

/// All codes, in the order of the catalogue.
pub static CATALOGUE: LazyLock<Vec<Code>> =
    LazyLock::new(|| [alert::CODES, money::CODES, habits::CODES, looks::CODES, flow::CODES, around::CODES].concat());

struct Names {
    whole: HashMap<&'static str, u8>,
    beginnings: Vec<(&'static str, u8)>,
}

static NAMES: LazyLock<Names> = LazyLock::new(|| {
    let mut names = Names { whole: HashMap::new(), beginnings: Vec::new() };
    for (code, entry) in (0_u8..).zip(CATALOGUE.iter()) {
        for feature in entry.features {
            match feature.strip_suffix('*') {
                Some(beginning) => names.beginnings.push((beginning, code)),
                None => drop(names.whole.insert(feature, code)),
            }
        }
    }
    names
});

/// A code by its place in the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CodeName(u8);

/// Names that codes had before, in rounds that are kept, and what they are called now.
const BEFORE: [(&str, &str); 3] = [
    ("usd_a_counterparty", "usd_per_counterparty"),
    ("transactions_a_counterparty", "transactions_per_counterparty"),
    ("usd_a_transaction", "usd_per_transaction"),
];

impl CodeName {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        (0_u8..).zip(CATALOGUE.iter()).map(|(code, _)| Self(code))
    }

    /// The code that a feature of this name means.
    #[must_use]
    pub fn of_feature(name: &str) -> Option<Self> {
        let find = |name: &str| {
            let beginning = || {
                let found = NAMES.beginnings.iter().find(|(beginning, _)| name.starts_with(beginning));
                found.map(|(_, code)| *code)
            };
            NAMES.whole.get(name).copied().or_else(beginning)
        };
        find(name).or_else(|| find(name.strip_prefix("log_")?)).map(Self)
    }

    /// The code of this name, also of one that it had before.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        let name = BEFORE.iter().find(|(before, _)| *before == name).map_or(name, |(_, now)| now);
        Self::all().find(|code| code.entry().name == name)
    }

    /// Its entry.
    #[must_use]
    pub fn entry(self) -> &'static Code {
        &CATALOGUE[usize::from(self.0)]
    }

    /// Its place in the catalogue.
    #[must_use]
    pub fn place(self) -> usize {
        usize::from(self.0)
    }
}

impl Serialize for CodeName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.entry().name)
    }
}

impl<'de> Deserialize<'de> for CodeName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::of(&name).ok_or_else(|| D::Error::custom("a code that the catalogue does not have"))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use aml_miner::wire::spec::{ALERTS, CLUSTERS, FEATURES};

    use super::{At, CATALOGUE, CodeName, Expression, Row, Unit};

    fn columns(of: Expression) -> Vec<At> {
        match of {
            Expression::Column(at) | Expression::Count(at) | Expression::DaysSince(at) => vec![at],
            Expression::Ratio(one, two) | Expression::Hours(one, two) => vec![one, two],
            Expression::Mean(_, column) => vec![At(Row::Address, column)],
            Expression::Flow(_) => Vec::new(),
        }
    }

    #[test]
    fn names_of_before_are_read_and_told_as_they_are_now() {
        for (before, now) in super::BEFORE {
            let code: CodeName = serde_json::from_value(before.into()).unwrap();
            assert_eq!((serde_json::to_value(code).unwrap(), CodeName::of(now)), (now.into(), Some(code)));
        }
        assert!(serde_json::from_value::<CodeName>("usd_a_day_or_so".into()).is_err());
    }

    #[test]
    fn every_code_has_a_datum_of_columns_that_there_are() {
        for code in CATALOGUE.iter() {
            assert_eq!(code.sentence.matches("{}").count(), 1, "{}", code.name);
            assert!(!code.features.is_empty() && !code.sentence.contains(';'), "{}", code.name);
            for At(row, column) in columns(code.expression) {
                let table = match row {
                    Row::Alert => &ALERTS,
                    Row::Address => &FEATURES,
                    Row::Cluster => &CLUSTERS,
                };
                assert!(table.position(column).is_some(), "{}: {} has no {column}", code.name, table.name);
            }
            let name = matches!(code.expression, Expression::Column(At(_, "severity" | "severity_max")))
                || matches!(code.expression, Expression::Column(At(_, column)) if column.ends_with("_type"));
            assert_eq!(code.unit == Unit::Name, name, "{}", code.name);
        }
    }

    #[test]
    fn names_are_there_once() {
        let names: BTreeSet<&str> = CATALOGUE.iter().map(|code| code.name).collect();
        assert_eq!(names.len(), CATALOGUE.len());
        let features: Vec<&str> = CATALOGUE.iter().flat_map(|code| code.features).copied().collect();
        assert_eq!(features.iter().collect::<BTreeSet<_>>().len(), features.len());
        for code in CodeName::all() {
            assert_eq!(CodeName::of(code.entry().name), Some(code));
            let first = code.entry().features[0].replace('*', "anything");
            assert_eq!(CodeName::of_feature(&first), Some(code), "{first}");
            assert_eq!(CodeName::of_feature(&format!("log_{first}")), Some(code), "{first}");
        }
        assert_eq!(CodeName::of_feature("log_log_volume_usd_of_mine"), None);
    }
}
