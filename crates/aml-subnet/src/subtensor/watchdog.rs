//! The watchdog: a process that sees no new block for a set time has to end, so that whoever supervises it starts
//! it anew and somebody hears of it.
//!
//! The head is asked for again and again; a subscription may stay silent for ever after a connection broke.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Subtensor;
use crate::chain::types::Block;

/// No block was seen for too long.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no new finalised block for {silence:?} (the last is {}): {reason}", Self::number(.block.as_ref()))]
pub struct Stalled {
    /// The last block seen.
    pub block: Option<Block>,
    /// For how long nothing new was seen.
    pub silence: Duration,
    /// What the last look gave.
    pub reason: String,
}

impl Stalled {
    fn number(block: Option<&Block>) -> String {
        block.map_or_else(|| "unknown".to_owned(), |block| block.0.to_string())
    }
}

/// How long nothing new has been seen. Pure: the time comes in from outside.
#[derive(Clone, Copy, Debug)]
pub struct Silence {
    longest: Duration,
    block: Option<Block>,
    since: Duration,
}

impl Silence {
    /// Begins at `now`; `longest` is how long nothing may happen.
    #[must_use]
    pub const fn new(now: Duration, longest: Duration) -> Self {
        Self { longest, block: None, since: now }
    }

    /// Takes note of a look at the chain.
    ///
    /// # Errors
    /// [`Stalled`] when nothing new has been seen for longer than allowed.
    pub fn look(&mut self, now: Duration, seen: Result<Block, String>) -> Result<(), Stalled> {
        let reason = match seen {
            Ok(block) if self.block.is_none_or(|last| block > last) => {
                self.block = Some(block);
                self.since = now;
                return Ok(());
            }
            Ok(block) => format!("the chain stands at block {}", block.0),
            Err(reason) => reason,
        };
        let silence = now.saturating_sub(self.since);
        if silence < self.longest {
            return Ok(());
        }
        Err(Stalled { block: self.block, silence, reason })
    }
}

impl Subtensor {
    /// Watches the chain, and returns only when no new block was finalised for `longest`.
    pub async fn watch_blocks(&self, longest: Duration) -> Stalled {
        let started = Instant::now();
        let mut silence = Silence::new(Duration::ZERO, longest);
        loop {
            let seen = tokio::time::timeout(longest, self.head()).await;
            let seen = match seen {
                Ok(Ok(head)) => Ok(head.block),
                Ok(Err(error)) => Err(error.to_string()),
                Err(_) => Err("the chain does not answer".to_owned()),
            };
            if let Err(stalled) = silence.look(started.elapsed(), seen) {
                return stalled;
            }
            sleep(self.timing().poll.min(longest / 2)).await;
        }
    }
}
