//! Nonces are the sender's time in nanoseconds. They are fresh within a window of our own choosing, and no process
//! of ours uses one twice.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aml_miner::clock::Clock;

use super::Refusal;

/// Nanoseconds since 1970, as the sender's clock had them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nonce(u64);

impl Nonce {
    /// A nonce of this value.
    #[must_use]
    pub const fn new(nanoseconds: u64) -> Self {
        Self(nanoseconds)
    }

    /// Nanoseconds since 1970.
    #[must_use]
    pub const fn nanoseconds(self) -> u64 {
        self.0
    }

    /// Reads 1 to 20 decimal digits and nothing else; `None` as well beyond 64 bits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse().ok().map(Self)).flatten()
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// How far a nonce may lie from our clock. Both ends are inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Oldest.
    pub back: Duration,
    /// Furthest ahead.
    pub ahead: Duration,
}

impl Default for Window {
    fn default() -> Self {
        Self { back: Duration::from_secs(10), ahead: Duration::from_secs(2) }
    }
}

impl Window {
    /// Whether `nonce` is fresh at `now`.
    ///
    /// # Errors
    /// [`Refusal::TooOld`] or [`Refusal::TooNew`].
    pub fn check(&self, nonce: Nonce, now: Duration) -> Result<(), Refusal> {
        let nonce = Duration::from_nanos(nonce.0);
        if now.saturating_sub(nonce) > self.back {
            return Err(Refusal::TooOld(self.back));
        }
        if nonce.saturating_sub(now) > self.ahead {
            return Err(Refusal::TooNew(self.ahead));
        }
        Ok(())
    }
}

/// Hands out nonces: the clock's time, but always more than the last one.
#[derive(Debug, Default)]
pub struct NonceSource(AtomicU64);

impl NonceSource {
    /// A nonce that this source never gave before.
    pub fn next(&self, clock: &dyn Clock) -> Nonce {
        let now = u64::try_from(clock.now().as_nanos()).unwrap_or(u64::MAX - 1);
        let previous = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(now.max(last + 1)));
        let last = previous.unwrap_or_else(|last| last);
        Nonce(now.max(last + 1))
    }
}
