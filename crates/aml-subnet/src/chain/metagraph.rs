//! The metagraph as neurons use it: read now and then, looked up by hotkey on every request.
//!
//! A read that is not plausible ([`is_plausible`]) is not believed until a second one confirms it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::types::{Block, Metagraph, Neuron};
use crate::wallet::Hotkey;

/// Why there is no metagraph.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the metagraph: {0}")]
pub struct SourceError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl SourceError {
    /// Wraps the chain's own error.
    pub fn new(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

/// Reads the metagraph of our subnet.
pub trait MetagraphSource: Send + Sync {
    /// All neurons at one finalised block.
    fn metagraph(&self) -> BoxFuture<'_, Result<Metagraph, SourceError>>;
}

/// One read, indexed.
#[derive(Clone, Debug)]
pub struct Snapshot {
    neurons: HashMap<Hotkey, Neuron>,
    /// The block it was read at.
    pub block: Block,
    /// When it was read, by our clock.
    pub read_at: Duration,
}

impl Snapshot {
    fn new(metagraph: Metagraph, read_at: Duration) -> Self {
        let block = metagraph.block;
        let neurons = metagraph.neurons.into_iter().map(|neuron| (neuron.hotkey, neuron)).collect();
        Self { neurons, block, read_at }
    }

    /// The neuron with this hotkey.
    #[must_use]
    pub fn neuron(&self, hotkey: &Hotkey) -> Option<&Neuron> {
        self.neurons.get(hotkey)
    }

    /// How many neurons there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.neurons.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.neurons.is_empty()
    }
}

/// Whether a subnet that had `before` neurons may have so many now. A partial answer of an endpoint must not look like
/// mass deregistration, so one that lost more than half is to be read twice.
#[must_use]
pub const fn is_plausible(neurons: usize, before: usize) -> bool {
    neurons.saturating_mul(2) >= before
}

/// What became of a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is the current one now.
    Current,
    /// Most neurons are gone: kept aside until a second read agrees.
    Doubted,
}

/// The latest believable read.
#[derive(Debug, Default)]
pub struct Cache(RwLock<State>);

#[derive(Debug, Default)]
struct State {
    current: Option<Arc<Snapshot>>,
    /// Neurons that there should be, as long as nothing was read.
    expected: usize,
    doubted: bool,
}

impl Cache {
    /// The current snapshot, of whatever age.
    #[must_use]
    pub fn current(&self) -> Option<Arc<Snapshot>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).current.clone()
    }

    /// As long as nothing was read, the first read is held against so many neurons that are known from elsewhere.
    pub fn expect(&self, neurons: usize) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).expected = neurons;
    }

    /// Takes over a read, unless it loses most neurons for the first time.
    pub fn put(&self, metagraph: Metagraph, now: Duration) -> Kept {
        let snapshot = Snapshot::new(metagraph, now);
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let before = state.current.as_ref().map_or(state.expected, |current| current.len());
        if !is_plausible(snapshot.len(), before) && !state.doubted {
            state.doubted = true;
            return Kept::Doubted;
        }
        *state = State { current: Some(Arc::new(snapshot)), expected: 0, doubted: false };
        Kept::Current
    }
}
