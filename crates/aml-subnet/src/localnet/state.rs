//! Storage with its recent past: every key keeps its values by block.
//!
//! There is no trie, so there are no proofs: a client that asks for one is told that the method does not exist.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::item::{Read, Write};

/// What a block changes: a value, or `None` for a removal.
pub(crate) type Changes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// A value from a block on; `None` where the block removed it.
type Version = (u64, Option<Vec<u8>>);

/// Values of all blocks that are still kept.
#[derive(Debug, Default)]
pub(crate) struct State {
    cells: BTreeMap<Vec<u8>, Vec<Version>>,
}

impl State {
    /// Everything as it was after a block.
    pub(crate) fn at(&self, block: u64) -> View<'_> {
        View { state: self, block }
    }

    /// Adds what a block changed; blocks come in order.
    pub(crate) fn commit(&mut self, block: u64, changes: Changes) {
        for (key, value) in changes {
            self.cells.entry(key).or_default().push((block, value));
        }
    }

    /// Forgets everything after a block.
    pub(crate) fn revert_to(&mut self, block: u64) {
        self.cells.retain(|_, versions| {
            versions.retain(|(at, _)| *at <= block);
            !versions.is_empty()
        });
    }

    /// Forgets what was before a block, so that earlier blocks can no longer be read.
    pub(crate) fn prune_before(&mut self, block: u64) {
        self.cells.retain(|_, versions| {
            let current = versions.iter().rposition(|(at, _)| *at <= block).unwrap_or(0);
            versions.drain(..current);
            !matches!(versions.as_slice(), [(_, None)])
        });
    }

    /// Every key and value after the latest block.
    pub(crate) fn latest(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let value = |versions: &[Version]| versions.last().is_some_and(|(_, value)| value.is_some());
        self.cells.iter().filter(move |(_, versions)| value(versions)).filter_map(|(key, versions)| {
            versions.last().and_then(|(_, value)| value.as_deref()).map(|value| (key.as_slice(), value))
        })
    }
}

/// Storage after one block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'a> {
    state: &'a State,
    block: u64,
}

impl View<'_> {
    fn version(&self, versions: &[Version]) -> Option<Vec<u8>> {
        let end = versions.partition_point(|(at, _)| *at <= self.block);
        versions.get(end.checked_sub(1)?).and_then(|(_, value)| value.clone())
    }
}

impl Read for View<'_> {
    fn read(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.version(self.state.cells.get(key)?)
    }

    fn keys(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Vec<Vec<u8>> {
        let from = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let cells = self.state.cells.range::<[u8], _>((from, Bound::Unbounded));
        let within = cells.take_while(|(key, _)| key.starts_with(prefix));
        let alive = within.filter(|(_, versions)| self.version(versions).is_some());
        alive.take(limit).map(|(key, _)| key.clone()).collect()
    }
}

/// Changes on top of a view, in layers: a layer is kept or dropped as a whole.
#[derive(Debug)]
pub(crate) struct Overlay<'a> {
    base: View<'a>,
    layers: Vec<Changes>,
}

impl<'a> Overlay<'a> {
    /// No changes yet.
    pub(crate) fn new(base: View<'a>) -> Self {
        Self { base, layers: vec![Changes::new()] }
    }

    /// Begins a layer.
    pub(crate) fn begin(&mut self) {
        self.layers.push(Changes::new());
    }

    /// Ends the layer, keeping its changes.
    pub(crate) fn keep(&mut self) {
        if let Some(top) = self.layers.pop() {
            match self.layers.last_mut() {
                Some(below) => below.extend(top),
                None => self.layers.push(top),
            }
        }
    }

    /// Ends the layer, forgetting its changes.
    pub(crate) fn forget(&mut self) {
        self.layers.pop();
    }

    /// All changes.
    pub(crate) fn into_changes(self) -> Changes {
        self.layers.into_iter().fold(Changes::new(), |mut all, layer| {
            all.extend(layer);
            all
        })
    }
}

impl Read for Overlay<'_> {
    fn read(&self, key: &[u8]) -> Option<Vec<u8>> {
        match self.layers.iter().rev().find_map(|layer| layer.get(key)) {
            Some(changed) => changed.clone(),
            None => self.base.read(key),
        }
    }

    fn keys(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Vec<Vec<u8>> {
        let changed = |key: &[u8]| self.layers.iter().rev().find_map(|layer| layer.get(key));
        let mut keys = self.base.keys(prefix, None, usize::MAX);
        keys.retain(|key| changed(key).is_none());
        for layer in &self.layers {
            let within = layer.range(prefix.to_vec()..).take_while(|(key, _)| key.starts_with(prefix));
            keys.extend(within.map(|(key, _)| key.clone()));
        }
        keys.sort();
        keys.dedup();
        keys.retain(|key| changed(key).is_none_or(Option::is_some) && after.is_none_or(|after| key.as_slice() > after));
        keys.truncate(limit);
        keys
    }
}

impl Write for Overlay<'_> {
    fn write(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) {
        match self.layers.last_mut() {
            Some(top) => drop(top.insert(key, value)),
            None => self.layers.push(Changes::from([(key, value)])),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(rows: &[(&str, Option<&str>)]) -> Changes {
        rows.iter().map(|(key, value)| (key.as_bytes().to_vec(), value.map(|v| v.as_bytes().to_vec()))).collect()
    }

    fn three_blocks() -> State {
        let mut state = State::default();
        state.commit(0, changes(&[("a", Some("0")), ("b", Some("0"))]));
        state.commit(1, changes(&[("a", Some("1")), ("c", Some("1"))]));
        state.commit(2, changes(&[("a", None), ("b", Some("2"))]));
        state
    }

    #[test]
    fn a_block_is_read_as_it_was() {
        let state = three_blocks();
        let read = |block| ["a", "b", "c"].map(|key| state.at(block).read(key.as_bytes()));
        let some = |value: &str| Some(value.as_bytes().to_vec());
        assert_eq!(read(0), [some("0"), some("0"), None]);
        assert_eq!(read(1), [some("1"), some("0"), some("1")]);
        assert_eq!(read(2), [None, some("2"), some("1")]);
        assert_eq!(state.at(2).keys(b"", None, 9), [b"b", b"c"]);
        assert_eq!(state.at(1).keys(b"", Some(b"a"), 1), [b"b"]);
    }

    #[test]
    fn a_revert_forgets_later_blocks_and_a_prune_earlier_ones() {
        let mut state = three_blocks();
        state.prune_before(1);
        assert_eq!(state.at(1).read(b"b"), Some(b"0".to_vec()));
        assert_eq!(state.at(0).read(b"a"), None);
        state.revert_to(1);
        assert_eq!(state.at(9).read(b"a"), Some(b"1".to_vec()));
        state.commit(2, changes(&[("a", None)]));
        state.prune_before(2);
        assert_eq!(state.latest().map(|(key, _)| key).collect::<Vec<_>>(), [b"b", b"c"]);
    }

    #[test]
    fn a_layer_is_kept_or_dropped_as_a_whole() {
        let state = three_blocks();
        let mut overlay = Overlay::new(state.at(2));
        overlay.write(b"b".to_vec(), None);
        overlay.begin();
        overlay.write(b"b".to_vec(), Some(b"x".to_vec()));
        overlay.write(b"d".to_vec(), Some(b"x".to_vec()));
        assert_eq!(overlay.keys(b"", None, 9), [b"b", b"c", b"d"]);
        overlay.forget();
        assert_eq!(overlay.keys(b"", None, 9), [b"c"]);
        overlay.begin();
        overlay.write(b"c".to_vec(), Some(b"y".to_vec()));
        overlay.keep();
        assert_eq!(overlay.into_changes(), changes(&[("b", None), ("c", Some("y"))]));
    }
}
