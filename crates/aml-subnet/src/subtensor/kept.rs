//! What was read of the last few blocks, so that nothing is asked for twice.
//!
//! A block never changes, so what is kept under its hash is never old. A node's own words are kept with the connection to
//! it: what one node claims is not held against another.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use subxt::client::OnlineClientAtBlock;
use subxt::config::substrate::{H256, SubstrateConfig};

use crate::chain::types::Metagraph;

/// Blocks that are remembered: the finalised and the best one, of now and of just before.
const BLOCKS: usize = 4;

/// A block and its runtime.
pub(super) type AtBlock = OnlineClientAtBlock<SubstrateConfig>;

struct OfBlock {
    hash: H256,
    at: Option<AtBlock>,
    metagraph: Option<Metagraph>,
}

/// What is kept of one connection's blocks, the newest last.
#[derive(Default)]
pub(super) struct Kept(Mutex<VecDeque<OfBlock>>);

impl Kept {
    /// The block of this hash, where it was looked at before.
    pub(super) fn block(&self, hash: H256) -> Option<AtBlock> {
        self.lock().iter().find(|block| block.hash == hash)?.at.clone()
    }

    /// Keeps a block.
    pub(super) fn put_block(&self, at: &AtBlock) {
        self.change(at.block_hash(), |block| block.at = Some(at.clone()));
    }

    /// The metagraph of a subnet in a block.
    pub(super) fn metagraph(&self, hash: H256, netuid: u16) -> Option<Metagraph> {
        let blocks = self.lock();
        let kept = blocks.iter().find(|block| block.hash == hash)?.metagraph.as_ref();
        kept.filter(|metagraph| metagraph.netuid == netuid).cloned()
    }

    /// Keeps the metagraph of a subnet in a block.
    pub(super) fn put_metagraph(&self, hash: H256, metagraph: &Metagraph) {
        self.change(hash, |block| block.metagraph = Some(metagraph.clone()));
    }

    fn change(&self, hash: H256, change: impl FnOnce(&mut OfBlock)) {
        let mut blocks = self.lock();
        if let Some(block) = blocks.iter_mut().find(|block| block.hash == hash) {
            return change(block);
        }
        let mut block = OfBlock { hash, at: None, metagraph: None };
        change(&mut block);
        blocks.push_back(block);
        while blocks.len() > BLOCKS {
            blocks.pop_front();
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<OfBlock>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
