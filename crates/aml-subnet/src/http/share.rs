//! Requests and bytes in flight, bounded for each key and for all together.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// So many requests, of so many bytes together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Requests.
    pub requests: usize,
    /// Bytes of their bodies.
    pub bytes: u64,
}

impl Share {
    /// No bound.
    pub const UNBOUNDED: Self = Self { requests: usize::MAX, bytes: u64::MAX };

    const fn fits(self, limit: Self) -> bool {
        self.requests <= limit.requests && self.bytes <= limit.bytes
    }

    const fn plus(self, other: Self) -> Self {
        Self { requests: self.requests + other.requests, bytes: self.bytes.saturating_add(other.bytes) }
    }

    const fn minus(self, other: Self) -> Self {
        Self { requests: self.requests.saturating_sub(other.requests), bytes: self.bytes.saturating_sub(other.bytes) }
    }
}

/// What may be in flight.
#[derive(Debug)]
pub struct Shares<K> {
    each: Share,
    all: Share,
    held: Mutex<Held<K>>,
}

#[derive(Debug)]
struct Held<K> {
    by_key: HashMap<K, Share>,
    all: Share,
}

/// A request in flight; what it takes is given back when it is dropped.
#[derive(Debug)]
pub struct Part<K: Copy + Eq + Hash> {
    of: Arc<Shares<K>>,
    key: K,
    takes: Share,
}

impl<K: Copy + Eq + Hash> Shares<K> {
    /// Nothing in flight yet: `each` is what one key may take, `all` what all may together.
    #[must_use]
    pub fn new(each: Share, all: Share) -> Arc<Self> {
        let held = Held { by_key: HashMap::new(), all: Share::default() };
        Arc::new(Self { each, all, held: Mutex::new(held) })
    }

    /// Begins a request of `key`, if one more fits.
    #[must_use]
    pub fn begin(self: &Arc<Self>, key: K) -> Option<Part<K>> {
        let takes = Share { requests: 1, bytes: 0 };
        self.take(key, takes).then(|| Part { of: Arc::clone(self), key, takes })
    }

    fn take(&self, key: K, more: Share) -> bool {
        let mut held = self.lock();
        let own = held.by_key.get(&key).copied().unwrap_or_default().plus(more);
        let all = held.all.plus(more);
        let fits = own.fits(self.each) && all.fits(self.all);
        if fits {
            held.by_key.insert(key, own);
            held.all = all;
        }
        fits
    }

    fn lock(&self) -> MutexGuard<'_, Held<K>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Copy + Eq + Hash> Part<K> {
    /// Takes room for more bytes; `false` when they do not fit.
    #[must_use]
    pub fn grow(&mut self, bytes: u64) -> bool {
        let more = Share { requests: 0, bytes };
        let fits = self.of.take(self.key, more);
        if fits {
            self.takes = self.takes.plus(more);
        }
        fits
    }
}

impl<K: Copy + Eq + Hash> Drop for Part<K> {
    fn drop(&mut self) {
        let mut held = self.of.lock();
        held.all = held.all.minus(self.takes);
        let own = held.by_key.get(&self.key).copied().unwrap_or_default().minus(self.takes);
        if own == Share::default() {
            held.by_key.remove(&self.key);
        } else {
            held.by_key.insert(self.key, own);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Share, Shares};

    #[test]
    fn a_key_has_its_share_and_all_have_theirs() {
        let shares = Shares::new(Share { requests: 2, bytes: 10 }, Share { requests: 3, bytes: 15 });
        let mut first = shares.begin("a").unwrap();
        let second = shares.begin("a").unwrap();
        assert!(shares.begin("a").is_none(), "its own share");
        let mut other = shares.begin("b").unwrap();
        assert!(shares.begin("c").is_none(), "that of all");
        assert!(first.grow(10) && !first.grow(1), "its own bytes");
        assert!(other.grow(5) && !other.grow(1), "those of all");
        drop(second);
        assert!(shares.begin("c").is_some());
        drop(first);
        assert!(other.grow(5));
        drop(other);
        assert!(shares.lock().by_key.is_empty());
        assert_eq!(shares.lock().all, Share::default());
    }
}
