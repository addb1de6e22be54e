//! The order of what is seen and what is made of it: a standing that was made at a moment saw every outcome that bears an
//! earlier one or the same, and none that bears a later one, so that it can be made again from the ledger.

use std::sync::Arc;

use tokio::sync::OwnedMutexGuard;

use super::ledger::Ledger;

/// The newest moments, milliseconds since 1970.
#[derive(Debug, Default)]
pub(super) struct Moments {
    /// Outcomes were recorded.
    seen: i64,
    /// A standing was made.
    made: i64,
}

/// Keeps outcomes as they are while something is made of them: none are recorded as long as this is held.
#[derive(Debug)]
pub struct OutcomesHeld {
    moments: OwnedMutexGuard<Moments>,
}

impl OutcomesHeld {
    /// The moment of what is made of them now; at least `now_ms`, and no earlier than any outcome was seen.
    pub fn made(&mut self, now_ms: i64) -> i64 {
        let made = now_ms.max(self.moments.seen);
        self.moments.made = self.moments.made.max(made);
        made
    }

    /// The moment of outcomes that are recorded now; later than what was made before them.
    pub(super) fn seen(&mut self, now_ms: i64) -> i64 {
        let seen = now_ms.max(self.moments.made.saturating_add(1));
        self.moments.seen = self.moments.seen.max(seen);
        seen
    }
}

impl Ledger {
    /// Waits until outcomes are not being recorded, and keeps them as they are until what comes back is dropped. Whoever
    /// holds it must not record any.
    pub async fn hold_outcomes(&self) -> OutcomesHeld {
        OutcomesHeld { moments: Arc::clone(&self.inner.moments).lock_owned().await }
    }

    /// Whether somebody keeps outcomes as they are: for a world in which nothing happens beside a step.
    #[cfg(feature = "simulate")]
    pub(crate) fn outcomes_are_held(&self) -> bool {
        self.inner.moments.try_lock().is_err()
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::Mutex;

    use super::{Arc, Moments, OutcomesHeld};

    #[tokio::test]
    async fn what_is_made_lies_between_what_was_seen_before_and_after_it() {
        let mut held = OutcomesHeld { moments: Arc::new(Mutex::new(Moments::default())).lock_owned().await };
        assert_eq!((held.seen(100), held.seen(100)), (100, 100));
        // A clock that goes back, or that was read long before.
        assert_eq!(held.made(90), 100);
        assert_eq!((held.seen(80), held.seen(300)), (101, 300));
        assert_eq!((held.made(200), held.seen(300)), (300, 301));
    }
}
