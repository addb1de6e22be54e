//! How miners are asked.

use std::time::Duration;

use aml_miner::wire::{Explain, Share};

/// How miners are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuerySettings {
    /// How long one miner may take, from the first byte sent to the last one received.
    pub deadline: Duration,
    /// Attempts of one miner, of which [`MOST_ATTEMPTS`](super::MOST_ATTEMPTS) are the most.
    pub attempts: u32,
    /// Miners asked at once. One that hangs costs a slot for its deadline: a socket, below a megabyte of memory, and up to
    /// [`max_answer_bytes`](Self::max_answer_bytes) of temporary disk while its answer arrives.
    pub concurrency: usize,
    /// Largest answer.
    pub max_answer_bytes: u64,
    /// Whether loopback and private addresses are called.
    pub allow_private_ips: bool,
    /// Whether a miner that does not know the native route is asked in the form of SDK 10.
    pub v10_fallback: bool,
    /// How much of an explanation is asked for.
    pub explain: Explain,
}

impl Default for QuerySettings {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(120),
            attempts: super::MOST_ATTEMPTS,
            concurrency: 256,
            max_answer_bytes: 64 << 20,
            allow_private_ips: false,
            v10_fallback: false,
            explain: Explain::Share(Share::TENTH),
        }
    }
}

impl QuerySettings {
    /// How long asking so many miners takes when every one of them uses up its deadline. A round with a deadline of its
    /// own that is shorter cannot promise each miner its full time.
    #[must_use]
    pub fn longest(&self, miners: usize) -> Duration {
        let turns = miners.div_ceil(self.concurrency.max(1));
        self.deadline.saturating_mul(u32::try_from(turns).unwrap_or(u32::MAX))
    }
}
