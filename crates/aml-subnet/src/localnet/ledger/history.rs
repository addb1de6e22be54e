//! What becomes of blocks after they are made: they become final, are taken back, are written down and read again.

use super::super::extrinsic::blake2_256;
use super::super::journal::{Record, Stored};
use super::super::pool::{Status, Waiting};
use super::super::spec::Generation;
use super::Ledger;

impl Ledger {
    /// The chain that a journal tells of; none, if it tells of none.
    pub(crate) fn restore(records: Vec<Record>) -> Option<Self> {
        let mut ledger = Self::empty(Generation::G381.spec());
        for record in records {
            match record {
                Record::Snapshot { genesis, head, cells } => {
                    ledger = Self::empty(ledger.spec);
                    ledger.genesis = genesis;
                    ledger.adopt(head.into(), cells.into_iter().map(|(key, value)| (key, Some(value))).collect());
                }
                Record::Block { block, changes } => drop(ledger.adopt(block.into(), changes)),
                Record::TakenBack { to } => ledger.drop_after(to),
            }
        }
        ledger.finalized = ledger.blocks.back()?.number();
        Some(ledger)
    }

    /// Everything as it is now, for a journal.
    pub(crate) fn snapshot(&self) -> Record {
        let cells = self.state.latest().map(|(key, value)| (key.to_vec(), value.to_vec())).collect();
        Record::Snapshot { genesis: self.genesis, head: Stored::from(&*self.head()), cells }
    }

    /// Makes every block final.
    pub(crate) fn finalize(&mut self) {
        self.finalized = self.head().number();
        self.undecided.clear();
        for (number, watcher) in std::mem::take(&mut self.included) {
            if let Some(hash) = self.hash_of(number) {
                let _ = watcher.try_send(Status::Finalized(hash));
            }
        }
    }

    /// Takes back the newest blocks that are not final, at most `depth`; their transactions wait again.
    pub(crate) fn take_back(&mut self, depth: u64) -> u64 {
        let head = self.head().number();
        let target = head.saturating_sub(depth).max(self.finalized);
        for (number, watcher) in std::mem::take(&mut self.included) {
            match self.by_number(number).filter(|_| number > target) {
                Some(gone) => drop(watcher.try_send(Status::Retracted(gone.hash))),
                None => self.included.push((number, watcher)),
            }
        }
        self.drop_after(target);
        for (number, signed, bytes) in std::mem::take(&mut self.undecided) {
            if number > target {
                let waiting = Waiting { hash: blake2_256(&bytes), bytes, signed, watcher: None };
                let _ = self.pool.insert(waiting);
            } else {
                self.undecided.push((number, signed, bytes));
            }
        }
        head - target
    }

    fn drop_after(&mut self, target: u64) {
        while let Some(gone) = self.blocks.pop_back_if(|block| block.number() > target) {
            self.numbers.remove(&gone.hash);
        }
        self.state.revert_to(target);
        if let Some(head) = self.blocks.back() {
            self.spec = head.spec;
        }
    }
}
