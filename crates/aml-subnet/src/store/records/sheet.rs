//! The list of alerts that a miner of a round was sent, whichever form the round has.

use super::common::Common;
use super::round::{Ask, RosterRow, Task};
use crate::validation::tier2_traps::TrapGroup;
use crate::wallet::Hotkey;

/// The list of one miner.
#[derive(Clone, Copy, Debug)]
pub enum Sheet<'a> {
    /// The roster in its order, with traps of the miner's own in between: rules v1.
    Own {
        /// What is the miner's own.
        ask: &'a Ask,
        /// The alerts of the batch.
        roster: &'a [RosterRow],
    },
    /// The list of all miners: rules v2.
    Common(&'a Common),
}

impl Task {
    /// What `hotkey` was sent; `None` when it was not asked.
    #[must_use]
    pub fn sheet(&self, hotkey: &Hotkey) -> Option<Sheet<'_>> {
        let ask = self.asks.get(hotkey)?;
        Some(self.common.as_ref().map_or(Sheet::Own { ask, roster: &self.roster }, Sheet::Common))
    }

    /// Traps that were issued, those that several miners share counted once; without the company of common ones.
    #[must_use]
    pub fn traps_issued(&self) -> usize {
        match &self.common {
            Some(common) => common.groups().iter().map(|group| group.places.len()).sum(),
            None => self.asks.values().map(|ask| ask.issued.len()).sum(),
        }
    }

    /// Whether the common list, where there is one, is about this roster.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.common.as_ref().is_none_or(|common| common.roster() == self.roster.len())
    }
}

impl<'a> Sheet<'a> {
    /// Ids of all alerts in the order in which they were sent.
    #[must_use]
    pub fn ids(&self) -> Vec<&'a str> {
        match *self {
            Self::Own { ask, roster } => ask.ids(roster).collect(),
            Self::Common(common) => common.alerts().iter().map(|alert| alert.id.as_str()).collect(),
        }
    }

    /// Places of the roster's alerts in this list, in the order of the roster.
    #[must_use]
    pub fn roster_places(&self) -> Vec<usize> {
        match self {
            Self::Own { ask, roster } => ask.roster_places(roster.len()),
            Self::Common(common) => common.roster_places(),
        }
    }

    /// The groups of traps, by place in this list.
    #[must_use]
    pub fn groups(&self) -> &'a [TrapGroup] {
        match *self {
            Self::Own { ask, .. } => &ask.groups,
            Self::Common(common) => common.groups(),
        }
    }

    /// Whether answers count that nobody has signed.
    #[must_use]
    pub const fn accepts_unsigned(&self) -> bool {
        match self {
            Self::Own { .. } => false,
            Self::Common(common) => common.accept_unsigned(),
        }
    }
}
