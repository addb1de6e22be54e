//! A fast hash of texts under a key that is drawn for each map: who sends the texts cannot make them collide.
//!
//! Sixteen bytes at a time are multiplied to 128 bits, whose halves are folded together; both factors depend on the
//! key. It is for maps alone: another map, another process has other hashes.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Makes hashers of one key.
#[derive(Clone, Debug)]
pub(crate) struct Keyed {
    first: u64,
    second: u64,
}

impl Default for Keyed {
    fn default() -> Self {
        let drawn = RandomState::new();
        Self { first: drawn.hash_one(1_u8), second: drawn.hash_one(2_u8) }
    }
}

impl BuildHasher for Keyed {
    type Hasher = KeyedHasher;

    fn build_hasher(&self) -> KeyedHasher {
        KeyedHasher { state: self.first, key: self.second }
    }
}

/// 128 bits that stand for a text within one process.
#[cfg(feature = "data")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Fingerprint(u64, FingerprintRest);

/// The half that finds no place in a map, and tells texts apart that share one.
#[cfg(feature = "data")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FingerprintRest(u64);

#[cfg(feature = "data")]
impl std::hash::Hash for FingerprintRest {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

/// Makes fingerprints under two keys that are drawn for it.
#[cfg(feature = "data")]
#[derive(Clone, Debug, Default)]
pub(crate) struct Fingerprints {
    one: Keyed,
    other: Keyed,
}

#[cfg(feature = "data")]
impl Fingerprints {
    /// The fingerprint of `text`.
    #[inline]
    pub(crate) fn of(&self, text: &str) -> Fingerprint {
        Fingerprint(self.one.hash_one(text), FingerprintRest(self.other.hash_one(text)))
    }
}

/// Hashes a fingerprint to itself.
#[cfg(feature = "data")]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AsItIs;

/// The hash in the making.
#[cfg(feature = "data")]
#[derive(Debug, Default)]
pub(crate) struct Same(u64);

#[cfg(feature = "data")]
impl BuildHasher for AsItIs {
    type Hasher = Same;

    fn build_hasher(&self) -> Same {
        Same(0)
    }
}

#[cfg(feature = "data")]
impl Hasher for Same {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, word: u64) {
        self.0 ^= word;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// A hash in the making.
#[derive(Debug)]
pub(crate) struct KeyedHasher {
    state: u64,
    key: u64,
}

impl KeyedHasher {
    #[inline]
    fn mix(&mut self, a: u64, b: u64) {
        let product = u128::from(a ^ self.state) * u128::from(b ^ self.key);
        #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
        let folded = product as u64 ^ (product >> 64) as u64;
        // What came before stays, should a factor be zero.
        self.state = folded ^ self.state.rotate_left(29);
    }
}

impl Hasher for KeyedHasher {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let (pairs, rest) = bytes.as_chunks::<16>();
        for pair in pairs {
            let (a, b) = pair.split_at(8);
            self.mix(word(a), word(b));
        }
        let (a, b) = rest.split_at(rest.len().min(8));
        self.mix(word(a), word(b) ^ (bytes.len() as u64) << 56);
    }

    #[inline]
    fn write_u8(&mut self, byte: u8) {
        self.state ^= u64::from(byte);
    }

    #[inline]
    fn finish(&self) -> u64 {
        let mut last = Self { state: self.state, key: self.key };
        last.mix(self.state.rotate_left(32), self.key.rotate_left(32));
        last.state
    }
}

/// Up to eight bytes as a number.
#[inline]
fn word(bytes: &[u8]) -> u64 {
    match bytes.first_chunk::<8>() {
        Some(whole) => u64::from_le_bytes(*whole),
        None => bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::hash::BuildHasher as _;

    use super::Keyed;

    #[test]
    fn texts_that_differ_little_have_hashes_that_differ_much() {
        let keyed = Keyed::default();
        let mut texts: Vec<String> = (0..20_000).map(|number| format!("address-{number:030}")).collect();
        texts.extend((0..64).map(|length| "\0".repeat(length)));
        let hashes: HashSet<u64> = texts.iter().map(|text| keyed.hash_one(text.as_str())).collect();
        assert_eq!(hashes.len(), texts.len());
        // Maps use the upper and the lower bits.
        for shift in [0, 52] {
            let mut places = vec![0_u32; 4096];
            texts.iter().for_each(|text| places[(keyed.hash_one(text.as_str()) >> shift & 4095) as usize] += 1);
            assert!(places.iter().all(|count| *count < 30), "{:?}", places.iter().max());
        }
    }

    #[test]
    fn every_map_has_a_key_of_its_own() {
        let text = "5F3sa2TJAWMqDhXG6jhV4N8ko9SxwGy8TpaNS1repo5EYjQX";
        assert_ne!(Keyed::default().hash_one(text), Keyed::default().hash_one(text));
    }
}
