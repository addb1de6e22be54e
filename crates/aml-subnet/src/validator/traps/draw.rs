//! Random numbers that follow from a secret: the same secret draws the same, on every machine and in every version.
//!
//! Block `i` is `sha256(seed ‖ i)` with `i` as eight little-endian bytes; each block gives four 64-bit numbers. Whoever
//! does not know the seed cannot tell the numbers from random ones, which is all that traps need of them.

use std::collections::BTreeSet;

use sha2::{Digest as _, Sha256};

/// A generator of random numbers.
#[derive(Clone, Debug)]
pub struct Draw {
    seed: [u8; 32],
    blocks: u64,
    block: [u8; 32],
    used: usize,
}

impl Draw {
    /// A generator whose seed is the SHA-256 of `parts`, each after its length.
    #[must_use]
    pub fn new(parts: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        Self { seed: hasher.finalize().into(), blocks: 0, block: [0; 32], used: 32 }
    }

    /// A generator of its own for `purpose`, whatever was drawn from this one before.
    #[must_use]
    pub fn fork(&self, purpose: &str) -> Self {
        Self::new(&[&self.seed, purpose.as_bytes()])
    }

    /// A number below 2^64.
    pub fn number(&mut self) -> u64 {
        if self.used == self.block.len() {
            self.block =
                Sha256::new().chain_update(self.seed).chain_update(self.blocks.to_le_bytes()).finalize().into();
            self.blocks += 1;
            self.used = 0;
        }
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.block[self.used..self.used + 8]);
        self.used += 8;
        u64::from_le_bytes(bytes)
    }

    /// A number below `limit`, all equally likely.
    ///
    /// # Panics
    /// When `limit` is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        assert!(limit > 0, "there is no number below 0");
        let limit = limit as u64;
        // Numbers past the last whole multiple of the limit would favour small results.
        let whole = u64::MAX - u64::MAX % limit;
        loop {
            let number = self.number();
            if number < whole {
                return usize::try_from(number % limit).expect("below a usize");
            }
        }
    }

    /// A number from 0 up to, not including, 1.
    pub fn unit(&mut self) -> f64 {
        (self.number() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A number from `-reach` to `reach`.
    pub fn around_zero(&mut self, reach: f64) -> f64 {
        (self.unit() * 2.0 - 1.0) * reach
    }

    /// Puts `items` into a random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }

    /// `count` different numbers below `total`, ascending; all sets are equally likely.
    ///
    /// # Panics
    /// When `count` is above `total`.
    pub fn places(&mut self, count: usize, total: usize) -> Vec<usize> {
        assert!(count <= total, "{count} of {total} places");
        let mut chosen = BTreeSet::new();
        for last in total - count..total {
            let place = self.below(last + 1);
            if !chosen.insert(place) {
                chosen.insert(last);
            }
        }
        chosen.into_iter().collect()
    }
}
