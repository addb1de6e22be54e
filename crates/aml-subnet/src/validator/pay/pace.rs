//! How long an epoch lasts by our clock: the chain counts blocks, and on a development chain they are quick.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What was seen of the chain so far.
#[derive(Debug, Default)]
pub(super) struct Pace(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    first: Option<(u64, Duration)>,
    epoch: Option<Duration>,
}

impl Pace {
    /// The chain stood at `block` at `now`, and an epoch has so many blocks.
    pub(super) fn saw(&self, block: u64, epoch_blocks: u64, now: Duration) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was set back since says nothing of how long blocks took.
        if state.first.is_none_or(|(_, at)| now < at) {
            state.first = Some((block, now));
        }
        let Some((began, at)) = state.first else { return };
        let (blocks, passed) = (block.saturating_sub(began), now.saturating_sub(at));
        if let Ok(blocks) = u32::try_from(blocks)
            && blocks > 0
        {
            let of_one = passed / blocks;
            state.epoch = Some(of_one.saturating_mul(u32::try_from(epoch_blocks).unwrap_or(u32::MAX)));
        }
    }

    /// How long an epoch lasts; `None` before two blocks were seen.
    pub(super) fn epoch(&self) -> Option<Duration> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).epoch
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Pace;

    #[test]
    fn an_epoch_lasts_as_long_as_its_blocks() {
        let (pace, second) = (Pace::default(), Duration::from_secs);
        pace.saw(100, 20, second(1000));
        assert_eq!(pace.epoch(), None);
        pace.saw(100, 20, second(1001));
        assert_eq!(pace.epoch(), None, "no block, no pace");
        pace.saw(104, 20, second(1001));
        assert_eq!(pace.epoch(), Some(second(5)));
        pace.saw(99, 20, second(1002));
        assert_eq!(pace.epoch(), Some(second(5)), "a node that is behind tells nothing");
    }

    #[test]
    fn a_clock_that_is_set_back_makes_no_chain_quick() {
        let (pace, second) = (Pace::default(), Duration::from_secs);
        pace.saw(100, 20, second(10_000));
        pace.saw(110, 20, second(10_120));
        assert_eq!(pace.epoch(), Some(second(240)));
        pace.saw(120, 20, second(2_000));
        assert_eq!(pace.epoch(), Some(second(240)), "nothing new is known");
        pace.saw(130, 20, second(2_120));
        assert_eq!(pace.epoch(), Some(second(240)), "counted from then on");
    }
}
