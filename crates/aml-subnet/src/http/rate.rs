//! Token buckets per key, in bounded memory.
//!
//! Looking ([`Buckets::wait`]) and taking are separate: a stranger who merely *names* a hotkey must not use up its
//! rate, so a token is taken once the signature was verified.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// More keys than this are not remembered; those that have recovered go first.
const MAX_KEYS: usize = 16_384;

/// One bucket per key, each holding a minute's worth.
#[derive(Debug)]
pub struct Buckets<K> {
    per_minute: f64,
    levels: Mutex<HashMap<K, Level>>,
}

#[derive(Clone, Copy, Debug)]
struct Level {
    tokens: f64,
    at: Duration,
}

impl<K: Copy + Eq + Hash> Buckets<K> {
    /// Buckets that hold and regain `per_minute` tokens.
    #[must_use]
    pub fn new(per_minute: u32) -> Self {
        Self { per_minute: f64::from(per_minute), levels: Mutex::default() }
    }

    /// `None` when a token is there, else how long until one is.
    #[must_use]
    pub fn wait(&self, key: &K, now: Duration) -> Option<Duration> {
        let levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        let tokens = levels.get(key).map_or(self.per_minute, |level| self.refilled(*level, now));
        self.missing(tokens)
    }

    /// Takes a token; `Some` says how long to wait for one instead.
    #[must_use]
    pub fn take(&self, key: K, now: Duration) -> Option<Duration> {
        let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        if levels.len() >= MAX_KEYS && !levels.contains_key(&key) {
            levels.retain(|_, level| self.refilled(*level, now) < self.per_minute);
            if levels.len() >= MAX_KEYS {
                levels.clear();
            }
        }
        let level = levels.entry(key).or_insert(Level { tokens: self.per_minute, at: now });
        let tokens = self.refilled(*level, now);
        let missing = self.missing(tokens);
        let taken = if missing.is_none() { tokens - 1.0 } else { tokens };
        *level = Level { tokens: taken, at: level.at.max(now) };
        missing
    }

    fn refilled(&self, level: Level, now: Duration) -> f64 {
        let regained = now.saturating_sub(level.at).as_secs_f64() / 60.0 * self.per_minute;
        (level.tokens + regained).min(self.per_minute)
    }

    fn missing(&self, tokens: f64) -> Option<Duration> {
        (tokens < 1.0).then(|| Duration::from_secs_f64((1.0 - tokens) * 60.0 / self.per_minute))
    }
}

/// What counts as one peer: an IPv4 address, or the /64 that one IPv6 customer owns.
#[must_use]
pub fn peer_of(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from(u128::from(ip) & !u128::from(u64::MAX))),
        v4 @ IpAddr::V4(_) => v4,
    }
}
