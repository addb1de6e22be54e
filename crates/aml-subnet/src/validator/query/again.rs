//! When a miner is asked again: what may pass, how long to wait, and what one miner may cost a round.
//!
//! * **What may pass.** No connection, one that ended before the answer, and the statuses 408, 429, 502, 503 and 504. A
//!   refusal that the miner has signed counts as its word: it is asked again only where it says when (`Retry-After`).
//! * **When.** After a hundredth of the round's time, then 4, 15 and 50 hundredths, a fifth more or less so that miners which
//!   failed together do not come back together; not before `Retry-After`, and never beyond the deadline.
//! * **What it costs.** At most [`MOST_ATTEMPTS`] attempts, [`BODIES`] bodies sent and as many answers begun.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aml_miner::digest::Digest;
use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};

use super::Peer;
use super::native::Heard;
use super::talk::Told;
use super::trouble::Trouble;
use crate::http::client::ExchangeError;
use crate::store::records::Attempt;

/// Attempts of one miner in a round.
pub const MOST_ATTEMPTS: u32 = 5;
/// Bodies' worth of bytes that are sent to one miner in a round, and answers that may begin.
const BODIES: u64 = 2;
/// Hundredths of the round's time before the second attempt, the third, and so on.
const PAUSES: [u32; 4] = [1, 4, 15, 50];

/// A failure that may pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Passing {
    /// How long the miner wants to be left alone.
    wait: Duration,
    /// Whether an answer had begun.
    begun: bool,
}

impl Passing {
    /// Of what went wrong; `None` of what is final.
    pub(super) fn of_trouble(trouble: &Trouble) -> Option<Self> {
        match trouble {
            Trouble::Exchange(ExchangeError::Connect(_) | ExchangeError::Reset(_)) => Some(Self::default()),
            Trouble::Exchange(ExchangeError::BrokeOff(_)) => Some(Self { begun: true, ..Self::default() }),
            Trouble::Exchange(_) | Trouble::TimedOut | Trouble::NoTurn | Trouble::Own(_) => None,
        }
    }

    /// Of what was heard at `now` (since 1970); `None` of what is final.
    pub(super) fn of_heard(heard: &Heard, now: Duration) -> Option<Self> {
        let passes = matches!(
            heard.status,
            StatusCode::REQUEST_TIMEOUT
                | StatusCode::TOO_MANY_REQUESTS
                | StatusCode::BAD_GATEWAY
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::GATEWAY_TIMEOUT
        );
        let wait = retry_after(&heard.headers, now);
        (passes && (wait.is_some() || !heard.signed)).then(|| Self { wait: wait.unwrap_or_default(), begun: false })
    }
}

/// Seconds, or a date.
fn retry_after(headers: &HeaderMap, now: Duration) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let date = chrono::DateTime::parse_from_rfc2822(text).ok()?.timestamp();
    Some(Duration::from_secs(u64::try_from(date).ok()?).saturating_sub(now))
}

/// The attempts of one miner in a round.
#[derive(Debug, Default)]
pub(super) struct Tries {
    /// Bytes of bodies that went out to it.
    pub(super) sent: Arc<AtomicU64>,
    /// What each came to.
    pub(super) done: Vec<Attempt>,
    begun: u64,
}

/// What bounds the next attempt.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Attempts at most.
    pub(super) attempts: u32,
    /// All the time that there was when the miner was first asked.
    pub(super) whole: Duration,
    /// What is left of it.
    pub(super) left: Duration,
}

impl Tries {
    /// How long to wait before `peer` is asked again after what was `told`; `None` when that is its end.
    pub(super) fn pause(&mut self, peer: &Peer, told: &Told, bounds: Bounds) -> Option<Duration> {
        let Passing { wait, begun } = told.passing?;
        self.begun += u64::from(begun);
        let made = u32::try_from(self.done.len()).unwrap_or(u32::MAX);
        let sent = self.sent.load(Ordering::Relaxed);
        if made >= bounds.attempts.min(MOST_ATTEMPTS)
            || self.begun >= BODIES
            || sent > told.length.saturating_mul(BODIES - 1)
        {
            return None;
        }
        let hundredths = *PAUSES.get(usize::try_from(made).ok()?.checked_sub(1)?)?;
        let digest = Digest::of(&[peer.hotkey.as_bytes(), &made.to_be_bytes()[..]].concat());
        // From four fifths to six fifths.
        let spread = 0.8 + 0.4 * f64::from(digest.as_bytes()[0]) / 255.0;
        let pause = (bounds.whole * hundredths / 100).mul_f64(spread).max(wait);
        (pause < bounds.left).then_some(pause)
    }
}
