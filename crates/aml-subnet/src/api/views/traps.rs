//! The traps of a settled round, for whoever checks the commitment to them.

use serde::Serialize;
use utoipa::ToSchema;

use crate::store::records::{Ask, Round, Task};
use crate::validation::tier2_traps::{Expected, TrapGroup};
use crate::validator::task::CommonList;
use crate::wallet::Hotkey;

/// Traps that belong together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct IssuedGroup {
    /// What they are.
    pub name: String,
    /// `high` or `low`: where they should be found.
    #[schema(value_type = String)]
    pub expected: Expected,
    /// Their places.
    pub places: Vec<usize>,
}

/// The traps of one miner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct MinerTraps {
    /// Whose.
    pub hotkey: String,
    /// Places in its list of alerts, and the ids that stand there.
    #[schema(value_type = Vec<Vec<serde_json::Value>>)]
    pub issued: Vec<(usize, String)>,
    /// The groups.
    pub groups: Vec<IssuedGroup>,
}

/// The traps of a settled round. The commitment is SHA-256 over the 32 bytes of the salt, followed by `traps`, or by `common`
/// where there is one, as JSON without spaces, fields in this order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct TrapList {
    /// The round.
    pub round: String,
    /// What was fixed before any miner was asked.
    pub commitment: Option<String>,
    /// The salt, 64 hex digits.
    pub salt: String,
    /// By ascending public key of the miners, where each has traps of its own (rules v1).
    pub traps: Vec<MinerTraps>,
    /// The one list of all miners (rules v2): `alerts`, `clusters` and `patterns` with what each id stands for, `groups` by
    /// place, and the SHA-256 of the request's `body`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub common: Option<CommonList>,
}

impl TrapList {
    /// The traps of a round; to be shown once it is settled.
    #[must_use]
    pub fn new(round: &Round, task: &Task) -> Self {
        let group = |group: &TrapGroup| IssuedGroup {
            name: group.name.clone(),
            expected: group.expected,
            places: group.places.clone(),
        };
        let traps = |(hotkey, ask): (&Hotkey, &Ask)| MinerTraps {
            hotkey: hotkey.to_string(),
            issued: ask.issued.clone(),
            groups: ask.groups.iter().map(group).collect(),
        };
        Self {
            round: round.id.to_string(),
            commitment: round.commitment.map(|digest| digest.to_string()),
            salt: hex::encode(task.salt),
            traps: if task.common.is_some() { Vec::new() } else { task.asks.iter().map(traps).collect() },
            common: task.common.as_ref().map(|common| CommonList::of(&task.roster, common)),
        }
    }
}
