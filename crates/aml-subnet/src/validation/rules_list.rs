//! Which rules are in force on which day.
//!
//! All validators of a subnet use one version from one day on, so a change is a date in a list:
//! `[{ version = "v1" }, { version = "v2", from = "2027-01-10" }]`. A round is judged under the rules of its day, and the
//! list is recorded with it.

use std::fmt;

use chrono::NaiveDate;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{self, Deserializer, IntoDeserializer as _, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::validation::rules::RulesVersion;

/// Rules, each from a day on. Written as a list, or as one version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct RulesList(Vec<RulesFrom>);

/// A version, and the first day of its rounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RulesFrom {
    /// The version.
    pub version: RulesVersion,
    /// Its first day; none for the rules that a subnet began with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<NaiveDate>,
}

/// Both ways to write a list.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
enum Written {
    Version(RulesVersion),
    List(Vec<RulesFrom>),
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Written;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a version of the rules, or a list of versions with the days from which they hold")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Written, E> {
                RulesVersion::deserialize(name.into_deserializer()).map(Written::Version)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Written, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(Written::List)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl From<Written> for RulesList {
    fn from(written: Written) -> Self {
        match written {
            Written::Version(version) => Self::always(version),
            Written::List(list) => Self(list),
        }
    }
}

impl From<RulesList> for Written {
    fn from(list: RulesList) -> Self {
        match *list.0 {
            [RulesFrom { version, from: None }] => Self::Version(version),
            _ => Self::List(list.0),
        }
    }
}

impl RulesList {
    /// One version on every day.
    #[must_use]
    pub fn always(version: RulesVersion) -> Self {
        Self(vec![RulesFrom { version, from: None }])
    }

    /// The entries, as they were written.
    #[must_use]
    pub fn entries(&self) -> &[RulesFrom] {
        &self.0
    }

    /// Up to the day of `entry` as here, from then on under it.
    #[must_use]
    pub fn and_from(&self, entry: RulesFrom) -> Self {
        let stays = |one: &&RulesFrom| one.from.is_none_or(|from| entry.from.is_none_or(|new| from < new));
        Self(self.0.iter().filter(stays).copied().chain([entry]).collect())
    }

    /// The rules of a round of `date`.
    #[must_use]
    pub fn on(&self, date: NaiveDate) -> RulesVersion {
        let begun = self.0.iter().filter(|entry| entry.from.is_none_or(|from| from <= date));
        begun.max_by_key(|entry| entry.from).map_or(RulesVersion::V1, |entry| entry.version)
    }

    /// Whether `version` is in force on any day.
    #[must_use]
    pub fn has(&self, version: RulesVersion) -> bool {
        self.0.iter().any(|entry| entry.version == version)
    }

    /// What is wrong with the list itself, each as one line.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        match self.0.first() {
            None => problems.push("the list is empty: it needs the rules of the first day".to_owned()),
            Some(RulesFrom { version, from: Some(from) }) => problems.push(format!(
                "the first entry, {}, has a date ({from}): the rules of the first day need none",
                version.name()
            )),
            Some(_) => {}
        }
        for pair in self.0.windows(2) {
            let [before, after] = pair else { continue };
            let name = after.version.name();
            match (before.from, after.from) {
                (_, None) => problems.push(format!("{name} has no date: say from which day on it is in force")),
                (Some(one), Some(two)) if one == two => {
                    problems.push(format!("two entries begin on {two}: a day has one version of the rules"));
                }
                (Some(one), Some(two)) if one > two => {
                    problems.push(format!("{name} from {two} stands after {one}: entries go by ascending days"));
                }
                _ if before.version == after.version => {
                    problems.push(format!("{name} follows {name}: two entries alike, leave one out"));
                }
                _ => {}
            }
        }
        problems
    }

    /// The entries of this list that `known` does not have and whose day is not after `today`: rules that would begin in
    /// the past, on days whose rounds may have been judged under others.
    #[must_use]
    pub fn begun_unknown(&self, known: &Self, today: NaiveDate) -> Vec<RulesFrom> {
        let past = |entry: &&RulesFrom| entry.from.is_some_and(|from| from <= today) && !known.0.contains(entry);
        self.0.iter().filter(past).copied().collect()
    }
}

impl fmt::Display for RulesList {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, entry) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(out, "{comma}{}", entry.version.name())?;
            if let Some(from) = entry.from {
                write!(out, " from {from}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::{RulesFrom, RulesList, RulesVersion};

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    fn list(json: &str) -> RulesList {
        serde_json::from_str(json).expect("a list")
    }

    const SWITCH: &str = r#"[{"version":"v1"},{"version":"v2","from":"2027-01-10"}]"#;

    #[test]
    fn a_round_is_under_the_rules_of_its_day() {
        let rules = list(SWITCH);
        assert_eq!(rules.on(day("2027-01-09")), RulesVersion::V1);
        assert_eq!(rules.on(day("2027-01-10")), RulesVersion::V2);
        assert_eq!(rules.to_string(), "v1, v2 from 2027-01-10");
        assert_eq!(serde_json::to_string(&rules).expect("a text"), SWITCH);
        assert_eq!(serde_json::to_string(&list("\"v1\"")).expect("a text"), "\"v1\"");
        assert!(rules.problems().is_empty());
    }

    #[test]
    fn a_list_that_says_two_things_is_told() {
        for (json, part) in [
            ("[]", "empty"),
            (r#"[{"version":"v2","from":"2027-01-10"}]"#, "has a date"),
            (r#"[{"version":"v1"},{"version":"v2"}]"#, "has no date"),
            (r#"[{"version":"v1"},{"version":"v1","from":"2027-01-10"}]"#, "two entries alike"),
            (
                r#"[{"version":"v1"},{"version":"v2","from":"2027-01-10"},{"version":"v1","from":"2027-01-10"}]"#,
                "begin on",
            ),
            (
                r#"[{"version":"v1"},{"version":"v2","from":"2027-01-10"},{"version":"v1","from":"2027-01-09"}]"#,
                "ascending",
            ),
        ] {
            let problems = list(json).problems();
            assert!(problems.len() == 1 && problems[0].contains(part), "{json}: {problems:?}");
        }
        assert!(serde_json::from_str::<RulesList>(r#"[{"version":"v9"}]"#).is_err());
        assert!(serde_json::from_str::<RulesList>(r#"[{"version":"v1","since":"2027-01-10"}]"#).is_err());
    }

    #[test]
    fn rules_that_would_begin_in_the_past_are_found() {
        let (old, new) = (RulesList::always(RulesVersion::V1), list(SWITCH));
        assert!(new.begun_unknown(&old, day("2027-01-09")).is_empty());
        let begun = RulesFrom { version: RulesVersion::V2, from: Some(day("2027-01-10")) };
        assert_eq!(new.begun_unknown(&old, day("2027-01-10")), [begun]);
        assert!(new.begun_unknown(&new, day("2027-02-01")).is_empty(), "it was known before");
    }
}
