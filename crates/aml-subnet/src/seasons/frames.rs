//! Frames as they come in: JSON, unknown fields refused. Nothing but the form is looked at here.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::seasons::MAX_MINERS;
use crate::seasons::numbers::Numbers;
use crate::seasons::refusal::Refusal;
use crate::validation::tier2_traps::Expected;

/// Groups of traps of a day, at most.
const MAX_GROUPS: usize = 64;
/// Constants that are given, at most.
const MAX_CONSTANTS: usize = 64;

/// What is asked for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Frame {
    /// Forgets the season there is and starts another one.
    Begin(Begin),
    /// Plays a day.
    Day(Day),
}

/// How a season is played.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Begin {
    pub(super) rules: Version,
    /// Places of miners; the order of places is the order of hotkeys.
    pub(super) miners: usize,
    /// Days in which a new miner is forgiven rounds without a submission that counts.
    #[serde(default)]
    pub(super) grace: i64,
    /// Constants of rules v2 that are to be others than those of the version.
    #[serde(default)]
    pub(super) constants: Constants,
    /// `false`: places keep their Savage scores. An experiment under rules v2.
    #[serde(default = "yes")]
    pub(super) learned: bool,
    /// `false`: an address counts as often as it alerts. An experiment under rules v2.
    #[serde(default = "yes")]
    pub(super) once: bool,
    /// Whether the answers say where everybody stands (rules v2).
    #[serde(default)]
    pub(super) details: bool,
}

const fn yes() -> bool {
    true
}

/// Which rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Version {
    V1,
    V2,
}

/// A day: a round, and what became known.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Day {
    pub(super) day: i64,
    /// What each alert is about: whole numbers.
    pub(super) addresses: Numbers,
    /// One a miner; null for who was not asked.
    pub(super) answers: AtMost<Option<Given>, MAX_MINERS>,
    /// Groups of traps, the same for all miners; their alerts follow after those of the batch.
    #[serde(default)]
    pub(super) traps: AtMost<Group, MAX_GROUPS>,
    #[serde(default)]
    pub(super) outcomes: Outcomes,
}

/// What one miner did; without scores nothing of it counts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Given {
    /// One an alert of the batch.
    pub(super) scores: Option<Numbers>,
    /// One a trap.
    #[serde(default)]
    pub(super) traps: Numbers,
    /// Share of tier 1's checks that were passed.
    pub(super) tier1: Option<f64>,
    /// Share of groups that were passed, instead of traps (rules v1).
    pub(super) tier2: Option<f64>,
    /// Advantage on traps, instead of traps (rules v2).
    pub(super) advantage: Option<f64>,
}

/// Traps that belong together.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Group {
    pub(super) expected: Expected,
    pub(super) alerts: usize,
}

/// What became known on this day, one entry per alert.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Outcomes {
    /// Days of the rounds.
    pub(super) day: Numbers,
    /// Places in their batches.
    pub(super) place: Numbers,
    /// 1 or 0.
    pub(super) illicit: Numbers,
    /// 2, 1 or 0 (rules v1); without it 2 for illicit ones, else 0.
    pub(super) relevance: Option<Numbers>,
}

/// Reads a frame.
pub(super) fn read(frame: &[u8]) -> Result<Frame, Refusal> {
    serde_json::from_slice(frame).map_err(|error| Refusal::Form(error.to_string()))
}

/// A list that is read no further than it may be long: an empty entry takes many times its text.
#[derive(Debug)]
pub(super) struct AtMost<T, const LIMIT: usize>(pub(super) Vec<T>);

impl<T, const LIMIT: usize> Default for AtMost<T, LIMIT> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>, const LIMIT: usize> Deserialize<'de> for AtMost<T, LIMIT> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_seq(List(PhantomData))
    }
}

struct List<T, const LIMIT: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const LIMIT: usize> Visitor<'de> for List<T, LIMIT> {
    type Value = AtMost<T, LIMIT>;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "a list of at most {LIMIT}")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(one) = from.next_element()? {
            if list.len() == LIMIT {
                return Err(A::Error::invalid_length(LIMIT + 1, &self));
            }
            list.push(one);
        }
        Ok(AtMost(list))
    }
}

/// Numbers by name.
#[derive(Debug, Default)]
pub(super) struct Constants(pub(super) BTreeMap<String, serde_json::Number>);

impl<'de> Deserialize<'de> for Constants {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(ByName)
    }
}

struct ByName;

impl<'de> Visitor<'de> for ByName {
    type Value = Constants;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "at most {MAX_CONSTANTS} numbers by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Constants, A::Error> {
        let mut all = BTreeMap::new();
        while let Some((name, value)) = from.next_entry::<String, serde_json::Number>()? {
            if all.len() == MAX_CONSTANTS {
                return Err(A::Error::invalid_length(MAX_CONSTANTS + 1, &self));
            }
            if all.insert(name.clone(), value).is_some() {
                return Err(A::Error::custom(format!("`{name}` is given twice")));
            }
        }
        Ok(Constants(all))
    }
}
