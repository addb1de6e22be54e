//! What all miners of a round are asked alike, under rules v2: every id as it is sent, what it stands for, and the traps.
//!
//! A [`Common`] is well-formed by construction, whoever wrote the bytes that it is read from: no id twice, every alert of
//! the batch exactly once, and groups that name traps alone.

use std::collections::HashSet;

use aml_miner::digest::Digest;
use serde::{Deserialize, Serialize};

use crate::validation::tier2_traps::TrapGroup;

/// An alert of the list as it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentAlert {
    /// The id that it is sent under.
    pub id: String,
    /// The alert of the roster that it is, by its place there; `None` for a trap.
    pub of: Option<usize>,
}

/// A cluster or a pattern as it is sent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SentName {
    /// The id that it is sent under.
    pub id: String,
    /// The batch's own; `None` where only traps have it.
    pub of: Option<String>,
}

/// What a [`Common`] is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommonParts {
    /// All alerts in the order in which they are sent.
    pub alerts: Vec<SentAlert>,
    /// The groups of traps; places are those of `alerts`.
    pub groups: Vec<TrapGroup>,
    /// The clusters, by the id that they are sent under.
    pub clusters: Vec<SentName>,
    /// The patterns, by the id that they are sent under.
    pub patterns: Vec<SentName>,
    /// SHA-256 of the request body, which is the same for every miner.
    pub body: Digest,
    /// Whether answers of the form of SDK 10 count, which nobody has signed.
    #[serde(default)]
    pub accept_unsigned: bool,
}

/// The one task of a round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "CommonParts")]
pub struct Common {
    alerts: Vec<SentAlert>,
    groups: Vec<TrapGroup>,
    clusters: Vec<SentName>,
    patterns: Vec<SentName>,
    body: Digest,
    accept_unsigned: bool,
}

/// Parts that are no task.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotCommon {
    /// An id stands for two things.
    #[error("the common task has the id {0} twice")]
    Twice(String),
    /// The roster is not there as a whole.
    #[error("the common task does not have each of the first {alerts} alerts of the roster once")]
    Roster {
        /// Alerts of the list that are no traps.
        alerts: usize,
    },
    /// A group of what is no trap.
    #[error("place {place} of the group {group} of the common task is no trap, or is named twice")]
    Group {
        /// The group's name.
        group: String,
        /// The place.
        place: usize,
    },
}

impl Common {
    /// The task of these parts.
    ///
    /// # Errors
    /// The first part that does not go with the others.
    pub fn new(parts: CommonParts) -> Result<Self, NotCommon> {
        let CommonParts { alerts, groups, clusters, patterns, body, accept_unsigned } = parts;
        once(alerts.iter().map(|alert| &alert.id))?;
        once(clusters.iter().map(|cluster| &cluster.id))?;
        once(patterns.iter().map(|pattern| &pattern.id))?;
        let common = Self { alerts, groups, clusters, patterns, body, accept_unsigned };
        common.check_roster()?;
        common.check_groups()?;
        Ok(common)
    }

    /// All alerts in the order in which they are sent.
    #[must_use]
    pub fn alerts(&self) -> &[SentAlert] {
        &self.alerts
    }

    /// The groups of traps, by place in the list as it is sent.
    #[must_use]
    pub fn groups(&self) -> &[TrapGroup] {
        &self.groups
    }

    /// The clusters, by the id that they are sent under.
    #[must_use]
    pub fn clusters(&self) -> &[SentName] {
        &self.clusters
    }

    /// The patterns, by the id that they are sent under.
    #[must_use]
    pub fn patterns(&self) -> &[SentName] {
        &self.patterns
    }

    /// SHA-256 of the request body.
    #[must_use]
    pub const fn body(&self) -> Digest {
        self.body
    }

    /// Whether unsigned answers count.
    #[must_use]
    pub const fn accept_unsigned(&self) -> bool {
        self.accept_unsigned
    }

    /// How many alerts of the list are the roster's.
    #[must_use]
    pub fn roster(&self) -> usize {
        self.alerts.iter().filter(|alert| alert.of.is_some()).count()
    }

    /// Places of the roster's alerts in the list as it is sent, in the order of the roster.
    #[must_use]
    pub fn roster_places(&self) -> Vec<usize> {
        let mut places = vec![0; self.roster()];
        for (place, of) in self.alerts.iter().enumerate().filter_map(|(place, alert)| Some((place, alert.of?))) {
            if let Some(slot) = places.get_mut(of) {
                *slot = place;
            }
        }
        places
    }

    fn check_roster(&self) -> Result<(), NotCommon> {
        let alerts = self.roster();
        let mut there = vec![false; alerts];
        for of in self.alerts.iter().filter_map(|alert| alert.of) {
            match there.get_mut(of) {
                Some(slot) if !*slot => *slot = true,
                _ => return Err(NotCommon::Roster { alerts }),
            }
        }
        Ok(())
    }

    fn check_groups(&self) -> Result<(), NotCommon> {
        let mut named = HashSet::new();
        for group in &self.groups {
            for &place in &group.places {
                let is_trap = self.alerts.get(place).is_some_and(|alert| alert.of.is_none());
                if !is_trap || !named.insert(place) {
                    return Err(NotCommon::Group { group: group.name.clone(), place });
                }
            }
        }
        Ok(())
    }
}

impl TryFrom<CommonParts> for Common {
    type Error = NotCommon;

    fn try_from(parts: CommonParts) -> Result<Self, NotCommon> {
        Self::new(parts)
    }
}

fn once<'a>(ids: impl Iterator<Item = &'a String>) -> Result<(), NotCommon> {
    let mut seen = HashSet::new();
    for id in ids {
        if !seen.insert(id.as_str()) {
            return Err(NotCommon::Twice(id.clone()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use aml_miner::digest::Digest;

    use super::{Common, CommonParts, NotCommon, SentAlert, SentName};
    use crate::validation::tier2_traps::{Expected, TrapGroup};

    fn parts() -> CommonParts {
        let alert = |(id, of): (&str, Option<usize>)| SentAlert { id: id.to_owned(), of };
        let name = |id: &str, of: Option<&str>| SentName { id: id.to_owned(), of: of.map(str::to_owned) };
        CommonParts {
            alerts: [("x", Some(1)), ("y", None), ("z", Some(0)), ("w", None)].into_iter().map(alert).collect(),
            groups: vec![TrapGroup { name: "g".to_owned(), expected: Expected::High, places: vec![1, 3] }],
            clusters: vec![name("c", Some("cluster_1")), name("d", None)],
            patterns: vec![name("p", Some("cycle_1"))],
            body: Digest::of(b"body"),
            accept_unsigned: true,
        }
    }

    #[test]
    fn a_list_is_mapped_back_to_the_roster() {
        let common = Common::new(parts()).unwrap();
        assert_eq!((common.roster(), common.roster_places()), (2, vec![2, 0]));
    }

    #[test]
    fn what_is_written_is_read_and_nothing_else_is() {
        let common = Common::new(parts()).unwrap();
        let text = serde_json::to_string(&common).unwrap();
        assert_eq!(serde_json::from_str::<Common>(&text).unwrap(), common);
        type Change = fn(&mut CommonParts);
        let changes: [(Change, NotCommon); 7] = [
            (|parts| parts.alerts[1].id = "x".to_owned(), NotCommon::Twice("x".to_owned())),
            (|parts| parts.clusters[1].id = "c".to_owned(), NotCommon::Twice("c".to_owned())),
            (|parts| parts.alerts[0].of = Some(0), NotCommon::Roster { alerts: 2 }),
            (|parts| parts.alerts[0].of = Some(usize::MAX), NotCommon::Roster { alerts: 2 }),
            (|parts| parts.groups[0].places[1] = 0, NotCommon::Group { group: "g".to_owned(), place: 0 }),
            (|parts| parts.groups[0].places[1] = 4, NotCommon::Group { group: "g".to_owned(), place: 4 }),
            (|parts| parts.groups[0].places[1] = 1, NotCommon::Group { group: "g".to_owned(), place: 1 }),
        ];
        for (change, expected) in changes {
            let mut changed = parts();
            change(&mut changed);
            let text = serde_json::to_string(&changed).unwrap();
            let error = serde_json::from_str::<Common>(&text).unwrap_err();
            assert!(error.to_string().contains(&expected.to_string()), "{error}");
            assert_eq!(Common::new(changed), Err(expected));
        }
    }
}
