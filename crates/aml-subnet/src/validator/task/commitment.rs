//! The commitment to a round's traps: fixed before anybody is asked, checked by anybody once the salt is revealed.

use aml_miner::digest::Digest;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::store::records::Task;
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
        let hash = Sha256::new().chain_update(salt).chain_update(self.canonical());
        Digest::from_bytes(hash.finalize().into())
    }

    /// Whether a revealed salt and this list are what was committed to.
    #[must_use]
    pub fn fits(&self, salt: &[u8; 32], commitment: &Digest) -> bool {
        self.commitment(salt) == *commitment
    }
}
