//! The commitment to a round's traps: fixed before anybody is asked, checked by anybody once the salt is revealed.
//!
//! It is SHA-256 over the salt, followed by a list as JSON without spaces: the traps of each miner ([`TrapList`]), or the one
//! list of all miners with what every fresh id stands for ([`CommonList`]).

use aml_miner::digest::Digest;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::store::records::{Common, RosterRow, SentName, Task};
use crate::validation::tier2_traps::TrapGroup;
use crate::wallet::Hotkey;

/// The traps of one miner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MinerTraps {
    /// Whose.
    pub hotkey: Hotkey,
    /// Places in its list of alerts, ascending, and the ids that stand there.
    pub issued: Vec<(usize, String)>,
    /// The groups, and where they are expected.
    pub groups: Vec<TrapGroup>,
}

/// All traps of a round, by ascending hotkey.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TrapList(pub Vec<MinerTraps>);

impl TrapList {
    /// The traps of a task.
    #[must_use]
    pub fn of(task: &Task) -> Self {
        let of_miner = |(hotkey, ask): (&Hotkey, &crate::store::records::Ask)| MinerTraps {
            hotkey: *hotkey,
            issued: ask.issued.clone(),
            groups: ask.groups.clone(),
        };
        Self(task.asks.iter().map(of_miner).collect())
    }

    /// The list as one text: JSON without spaces, fields in the order of the types.
    #[must_use]
    pub fn canonical(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts and integers have a JSON form")
    }

    /// `sha256(salt ‖ list)`.
    #[must_use]
    pub fn commitment(&self, salt: &[u8; 32]) -> Digest {
        commitment(salt, &self.canonical())
    }

    /// Whether a revealed salt and this list are what was committed to.
    #[must_use]
    pub fn fits(&self, salt: &[u8; 32], commitment: &Digest) -> bool {
        self.commitment(salt) == *commitment
    }
}

/// An id as it was sent, and what it stands for; nothing where only traps have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent(pub String, pub Option<String>);

/// The one list of a round whose task is common to all miners.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommonList {
    /// The alerts in the order in which they were sent.
    pub alerts: Vec<Sent>,
    /// The groups of traps, by place in this order.
    pub groups: Vec<TrapGroup>,
    /// The clusters, by the id that they were sent under.
    pub clusters: Vec<Sent>,
    /// The patterns, likewise.
    pub patterns: Vec<Sent>,
    /// SHA-256 of the request body.
    pub body: Digest,
}

impl CommonList {
    /// The list of a common task about the alerts of `roster`.
    #[must_use]
    pub fn of(roster: &[RosterRow], common: &Common) -> Self {
        let own = |of: Option<usize>| Some(roster.get(of?)?.alert_id.clone());
        let named = |names: &[SentName]| names.iter().map(|name| Sent(name.id.clone(), name.of.clone())).collect();
        Self {
            alerts: common.alerts().iter().map(|alert| Sent(alert.id.clone(), own(alert.of))).collect(),
            groups: common.groups().to_vec(),
            clusters: named(common.clusters()),
            patterns: named(common.patterns()),
            body: common.body(),
        }
    }

    /// `sha256(salt ‖ list)`.
    #[must_use]
    pub fn commitment(&self, salt: &[u8; 32]) -> Digest {
        commitment(salt, &serde_json::to_vec(self).expect("texts and integers have a JSON form"))
    }

    /// Whether a revealed salt and this list are what was committed to.
    #[must_use]
    pub fn fits(&self, salt: &[u8; 32], commitment: &Digest) -> bool {
        self.commitment(salt) == *commitment
    }
}

/// What is committed to before anybody is asked.
#[must_use]
pub fn commitment_of(task: &Task) -> Digest {
    match &task.common {
        Some(common) => CommonList::of(&task.roster, common).commitment(&task.salt),
        None => TrapList::of(task).commitment(&task.salt),
    }
}

fn commitment(salt: &[u8; 32], list: &[u8]) -> Digest {
    Digest::from_bytes(Sha256::new().chain_update(salt).chain_update(list).finalize().into())
}
