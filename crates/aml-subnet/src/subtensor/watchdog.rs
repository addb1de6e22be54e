//! The watchdog: a process that sees no new block for a set time has to end, so that whoever supervises it starts
//! it anew and somebody hears of it.
//!
//! A node tells of new blocks; when it tells of none for a while it is asked, for a subscription may stay silent for ever
//! after a connection broke. While blocks are made and none becomes final the process goes on: no restart would help.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{At, Subtensor, observe};
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

/// How long a node may tell of nothing new before it is asked.
const QUIET: Duration = Duration::from_secs(60);

/// What was heard and seen of a chain. Pure.
struct Watch {
    longest: Duration,
    /// Finalised blocks.
    last: Silence,
    /// Blocks of any kind, since the last one that became final.
    made: Silence,
    told: Option<Block>,
    asked: Option<Duration>,
}

impl Watch {
    const fn new(longest: Duration) -> Self {
        let silence = Silence::new(Duration::ZERO, longest);
        Self { longest, last: silence, made: silence, told: None, asked: None }
    }

    /// Whether the node tells of something new.
    fn hears(&mut self, now: Duration, told: Option<Block>) -> bool {
        let news = told.is_some() && told != self.told;
        self.told = told.or(self.told);
        if let Some(block) = told.filter(|_| news) {
            // It may be a step back, to a node that is behind: it is news all the same.
            self.last = Silence { block: Some(block), since: now, ..self.last };
            self.made = self.last;
            self.asked = Some(now);
        }
        news
    }

    /// Whether it is time to ask: again and again where nobody tells anything.
    fn asks(&mut self, now: Duration) -> bool {
        let quiet = QUIET.min(self.longest / 4);
        let due = self.told.is_none() || self.asked.is_none_or(|asked| now.saturating_sub(asked) >= quiet);
        if due {
            self.asked = Some(now);
        }
        due
    }

    /// Takes note of the last finalised block and the best one; both, when only finality stands still.
    fn looks(
        &mut self,
        now: Duration,
        seen: Result<Block, String>,
        best: Result<Block, String>,
    ) -> Result<Option<(Block, Block)>, Stalled> {
        let block = best.clone().ok();
        let before = self.last.block;
        let stalled = self.last.look(now, seen).err();
        if self.last.block != before {
            self.made = self.last;
        }
        let silent = self.made.look(now, best).is_err();
        match (stalled, block) {
            (None, _) => Ok(None),
            (Some(stalled), Some(best)) if !silent => Ok(stalled.block.map(|finalised| (finalised, best))),
            (Some(stalled), _) => Err(stalled),
        }
    }
}

impl Subtensor {
    /// Watches the chain, and returns only when no block was made for `longest`. That none becomes final is no reason to
    /// end: it is said, and waited for.
    pub async fn watch_blocks(&self, longest: Duration) -> Stalled {
        let started = Instant::now();
        let mut watch = Watch::new(longest);
        loop {
            let told = self.links.open().await.and_then(|link| link.heads.newest()).map(Block);
            if watch.hears(started.elapsed(), told) {
                observe::finality_lag(0);
            } else if watch.asks(started.elapsed()) {
                let seen = self.ask(longest, At::Finalised).await;
                let made = self.ask(longest, At::Best).await;
                match watch.looks(started.elapsed(), seen, made) {
                    Ok(None) => observe::finality_lag(0),
                    Ok(Some((finalised, best))) => observe::finality_waits(finalised.0, best.0),
                    Err(stalled) => return stalled,
                }
            }
            sleep(self.timing().poll.min(longest / 2)).await;
        }
    }

    async fn ask(&self, longest: Duration, at: At) -> Result<Block, String> {
        match tokio::time::timeout(longest, self.snapshot(at)).await {
            Ok(Ok(snapshot)) => {
                snapshot.link.health.succeeded();
                Ok(snapshot.block())
            }
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("the chain does not answer".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Block, Duration, Watch};

    const LONGEST: Duration = Duration::from_secs(900);

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_chain_that_tells_of_its_blocks_is_not_asked() {
        let mut watch = Watch::new(LONGEST);
        assert!(watch.hears(at(0), Some(Block(7))));
        for second in 1..=600 {
            let told = Some(Block(7 + second / 12));
            if !watch.hears(at(second), told) {
                assert!(!watch.asks(at(second)), "second {second}");
            }
        }
        assert!(!watch.hears(at(659), Some(Block(57))));
        assert!(watch.asks(at(661)), "who says nothing for a minute is asked");
    }

    #[test]
    fn finality_that_stands_still_is_waited_for_and_a_chain_that_does_is_not() {
        let mut watch = Watch::new(LONGEST);
        assert_eq!(watch.looks(at(0), Ok(Block(100)), Ok(Block(103))), Ok(None));
        for minute in 1..=600 {
            let best = Block(103 + 5 * minute);
            let waits = (minute >= 15).then_some((Block(100), best));
            assert_eq!(watch.looks(at(60 * minute), Ok(Block(100)), Ok(best)), Ok(waits));
        }
        let best = Block(103 + 5 * 600);
        assert!(watch.looks(at(60 * 614), Ok(Block(100)), Ok(best)).is_ok());
        let stalled = watch.looks(at(60 * 615), Ok(Block(100)), Ok(best)).expect_err("no block at all");
        assert_eq!(stalled.block, Some(Block(100)));
        assert_eq!(watch.looks(at(60 * 616), Ok(Block(3100)), Ok(Block(3103))), Ok(None), "it caught up");
        let nobody = || Err("nobody answers".to_owned());
        assert!(watch.looks(at(60 * 630), nobody(), nobody()).is_ok());
        assert!(watch.looks(at(60 * 631), nobody(), nobody()).is_err());
    }
}
