//! Short lists of numbers by number, in one buffer, and the addresses of a day as numbers.

use std::collections::HashMap;

use crate::scoring::Pool;
use crate::table::keyed_hash::{AsItIs, Fingerprint, Fingerprints};
use crate::wire::{Spread as _, TextColumn};

/// Texts that one task looks at.
const TEXTS_OF_BLOCK: usize = 8_192;

/// "No such row", "no such address".
pub(super) const NONE: u32 = u32::MAX;

/// A row number: tables have fewer than 2^32 rows, which the reader checks.
pub(super) fn index(row: usize) -> u32 {
    u32::try_from(row).unwrap_or(NONE)
}

/// Lists, each without repetition and ascending.
#[derive(Default)]
pub(super) struct Lists {
    starts: Vec<usize>,
    items: Vec<u32>,
}

/// Lists in the making.
#[derive(Default)]
pub(super) struct Pairs(Vec<u64>);

impl Pairs {
    /// Adds `item` to the list of `key`.
    pub(super) fn add(&mut self, key: u32, item: u32) {
        self.0.push(u64::from(key) << 32 | u64::from(item));
    }

    /// The lists of the keys up to the highest.
    pub(super) fn lists(mut self) -> Lists {
        self.0.sort_unstable();
        self.0.dedup();
        let keys = self.0.last().map_or(0, |pair| (pair >> 32) as usize + 1);
        let mut starts = vec![0_usize; keys + 1];
        self.0.iter().for_each(|pair| starts[(pair >> 32) as usize + 1] += 1);
        (0..keys).for_each(|key| starts[key + 1] += starts[key]);
        #[expect(clippy::cast_possible_truncation, reason = "the lower half")]
        let items = self.0.into_iter().map(|pair| pair as u32).collect();
        Lists { starts, items }
    }
}

impl Lists {
    /// The list of `key`; empty where it has none.
    pub(super) fn of(&self, key: u32) -> &[u32] {
        let key = key as usize;
        match (self.starts.get(key), self.starts.get(key.wrapping_add(1))) {
            (Some(&start), Some(&end)) => &self.items[start..end],
            _ => &[],
        }
    }

    /// Calls `use_pair` with every key and item.
    pub(super) fn each(&self, mut use_pair: impl FnMut(u32, u32)) {
        for key in 0..self.starts.len().saturating_sub(1) {
            self.of(index(key)).iter().for_each(|&item| use_pair(index(key), item));
        }
    }

    /// Whether the list of `key` has `item`.
    pub(super) fn has(&self, key: u32, item: u32) -> bool {
        self.of(key).binary_search(&item).is_ok()
    }
}

/// Texts as numbers, by fingerprint: the texts themselves are not kept.
#[derive(Default)]
pub(super) struct Numbers {
    prints: Fingerprints,
    known: HashMap<Fingerprint, u32, AsItIs>,
}

impl Numbers {
    /// The number of `text`, given out when it is new; [`NONE`] of an empty one.
    pub(super) fn number(&mut self, text: &str) -> u32 {
        if text.is_empty() { NONE } else { self.number_of(self.prints.of(text)) }
    }

    fn number_of(&mut self, print: Fingerprint) -> u32 {
        let next = index(self.known.len());
        *self.known.entry(print).or_insert(next)
    }

    /// The numbers of `texts`, given out where they are new.
    pub(super) fn numbers(&mut self, texts: &TextColumn) -> Vec<u32> {
        let print = |text: &str| (!text.is_empty()).then(|| self.prints.of(text));
        let prints = side_by_side(texts, print);
        prints.into_iter().map(|print| print.map_or(NONE, |print| self.number_of(print))).collect()
    }

    /// The numbers of `texts`; [`NONE`] where one has none.
    pub(super) fn all_known(&self, texts: &TextColumn) -> Vec<u32> {
        side_by_side(texts, |text| self.known(text))
    }

    /// The number of `text`; [`NONE`] where it has none.
    pub(super) fn known(&self, text: &str) -> u32 {
        if text.is_empty() { NONE } else { self.known.get(&self.prints.of(text)).copied().unwrap_or(NONE) }
    }

    /// How many texts there are.
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }
}

/// What `of` gives for each text, in order, worked out side by side.
fn side_by_side<T: Send>(texts: &TextColumn, of: impl Fn(&str) -> T + Sync + Send) -> Vec<T> {
    let block = |block: usize| {
        let rows = block * TEXTS_OF_BLOCK..texts.len().min((block + 1) * TEXTS_OF_BLOCK);
        rows.map(|row| of(texts.get(row))).collect::<Vec<T>>()
    };
    Pool.map(texts.len().div_ceil(TEXTS_OF_BLOCK), block).into_iter().flatten().collect()
}

/// The name of an address within one run: shorter than its own, and so cheaper to keep and to compare.
pub(super) struct ShortName([u8; 6], usize);

impl ShortName {
    /// The name.
    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.0[..self.1]).unwrap_or_default()
    }
}

/// The short name of the address `number`; empty of [`NONE`].
pub(super) fn short_name(number: u32) -> ShortName {
    let digit = |place: u32| b'0' + u8::try_from(number >> (6 * place) & 63).unwrap_or(0);
    ShortName([0, 1, 2, 3, 4, 5].map(digit), if number == NONE { 0 } else { 6 })
}

/// The number of the address that a short name names.
pub(super) fn of_short_name(name: &str) -> u32 {
    let bits = |byte: u8| u32::from(byte.wrapping_sub(b'0'));
    name.bytes().enumerate().take(6).fold(0, |number, (digit, byte)| number | (bits(byte) & 63) << (6 * digit))
}
