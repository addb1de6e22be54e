//! Which form a round's task has, and the common one from its parts.

use aml_miner::digest::Digest;
use aml_miner::wire::Batch;

use super::shared::Shared;
use crate::http::body::RequestBody;
use crate::store::records::{CommonParts, RoundId};
use crate::validation::rules::RulesVersion;
use crate::validator::traps::{Forge, common};

/// The form of a task, which the rules of its round decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskForm {
    /// The batch as it is, with traps of each miner's own in between: rules v1.
    PerMiner,
    /// The same bytes for every miner, under fresh ids and shuffled: rules v2.
    Common {
        /// Whether answers of the form of SDK 10 count.
        accept_unsigned: bool,
    },
}

impl TaskForm {
    /// The form under these rules; `accept_unsigned` says nothing under v1.
    #[must_use]
    pub fn of(rules: RulesVersion, accept_unsigned: bool) -> Self {
        if rules.information().is_some() { Self::Common { accept_unsigned } } else { Self::PerMiner }
    }
}

/// A common task in the making.
pub(super) struct Made {
    pub(super) parts: CommonParts,
    /// Its rows as JSON.
    pub(super) shared: Shared,
    /// Its rows.
    pub(super) batch: Batch,
}

/// The common task of `round`.
pub(super) fn common(round: RoundId, salt: &[u8; 32], batch: &Batch, forge: Option<&Forge>) -> Made {
    let common::Made { batch, alerts, groups, clusters, patterns } = common::make(round, salt, batch, forge);
    let shared = Shared::of(&batch);
    let body: Digest = RequestBody::from(shared.body(None)).digest();
    Made { parts: CommonParts { alerts, groups, clusters, patterns, body, accept_unsigned: false }, shared, batch }
}
