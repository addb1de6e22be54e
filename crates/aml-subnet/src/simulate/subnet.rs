//! The subnet of a simulation: who has which place in which block. Miners lose their places to newcomers, and get others.

use std::sync::Arc;
use std::time::Duration;

use super::cast::{Miner, neuron, newcomer};
use super::plan::Plan;
use super::troubles::Trouble;
use crate::chain::types::{Block, Neuron, Uid};
use crate::wallet::Hotkey;

/// How long a block takes.
pub(super) const BLOCK_TIME: Duration = Duration::from_secs(12);
/// The block at the start.
pub(super) const FIRST: u64 = 1_000_000;
/// The block in which everybody was registered.
pub(super) const REGISTERED: u64 = FIRST - 1_000;

/// Who is there.
pub(super) struct Subnet {
    us: Hotkey,
    miners: Vec<Arc<Miner>>,
    /// In the order in which they happen.
    changes: Vec<Change>,
}

struct Change {
    at: Duration,
    miner: usize,
    moves: bool,
}

impl Subnet {
    /// The validator, and the miners of a plan.
    pub(super) fn new(plan: &Plan, us: Hotkey, miners: Vec<Arc<Miner>>) -> Self {
        let change = |trouble: &Trouble| match *trouble {
            Trouble::Deregistered { miner, at } => Some(Change { at, miner, moves: false }),
            Trouble::Moved { miner, at } => Some(Change { at, miner, moves: true }),
            _ => None,
        };
        let mut changes: Vec<Change> = plan.troubles.iter().filter_map(change).collect();
        changes.sort_by_key(|change| (change.at, change.miner));
        Self { us, miners, changes }
    }

    /// The miners, whether they are registered or not.
    pub(super) fn miners(&self) -> &[Arc<Miner>] {
        &self.miners
    }

    /// Whether a miner is registered at all times before this one.
    pub(super) fn is_there_until(&self, miner: usize, end: Duration) -> bool {
        !self.changes.iter().any(|change| change.miner == miner && !change.moves && change.at < end)
    }

    /// The neurons of a block.
    pub(super) fn neurons(&self, block: Block) -> Vec<Neuron> {
        let us = Neuron { validator_permit: true, ..neuron(0, self.us, None) };
        let others = (1..).zip(&self.miners).map(|(uid, miner)| neuron(uid, miner.hotkey(), Some(miner)));
        let mut all: Vec<Neuron> = std::iter::once(us).chain(others).collect();
        for change in self.changes.iter().filter(|change| at_block(change.at) <= block) {
            let Some(miner) = self.miners.get(change.miner) else { continue };
            let Some(place) = all.iter().position(|neuron| neuron.hotkey == miner.hotkey()) else { continue };
            let uid = all[place].uid.0;
            all[place] = neuron(uid, newcomer(change.miner), None);
            if change.moves {
                let next = u16::try_from(all.len()).unwrap_or(u16::MAX);
                all.push(neuron(next, miner.hotkey(), Some(miner)));
            }
        }
        all
    }

    /// Uids whose holder in a block is neither we nor a miner of the plan: nobody there has earned anything.
    pub(super) fn newcomers(&self, block: Block) -> Vec<u16> {
        let known = |hotkey: &Hotkey| *hotkey == self.us || self.miners.iter().any(|miner| miner.hotkey() == *hotkey);
        let news = self.neurons(block).into_iter().filter(|neuron| !known(&neuron.hotkey));
        news.map(|neuron| neuron.uid.0).collect()
    }

    /// Uids whose holder came between two blocks.
    pub(super) fn replaced(&self, since: Block, until: Block) -> Vec<Uid> {
        let before = self.neurons(Block(since.0.saturating_sub(1)));
        let came = |neuron: &Neuron| !before.iter().any(|old| (old.uid, old.hotkey) == (neuron.uid, neuron.hotkey));
        self.neurons(until).into_iter().filter(came).map(|neuron| neuron.uid).collect()
    }
}

/// The newest block at a time.
pub(super) fn at_block(at: Duration) -> Block {
    Block(FIRST + at.as_secs() / BLOCK_TIME.as_secs())
}
