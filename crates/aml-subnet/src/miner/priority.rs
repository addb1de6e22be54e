//! A few requests at a time, the highest stake first.
//!
//! When all slots are taken, verified requests wait in a bounded queue. When that is full too, the lowest stake gives way.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// All slots and the queue are taken by callers of at least as much stake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("busy with callers of more stake; try again later")]
pub struct Busy;

/// Slots for work, handed out by stake.
#[derive(Clone, Debug)]
pub struct Slots(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    queue: usize,
    state: Mutex<State>,
}

/// Highest stake first, then first come.
type Place = (Reverse<u64>, u64);

#[derive(Debug)]
struct State {
    free: usize,
    arrivals: u64,
    waiting: BTreeMap<Place, oneshot::Sender<Slot>>,
}

/// The right to work; freed when dropped, and then given to the next in line.
#[derive(Debug)]
pub struct Slot(Arc<Inner>);

/// Leaves the queue when its request is given up.
struct InLine<'a>(&'a Inner, Place);

impl Slots {
    /// `concurrent` slots and a queue of `queue`.
    #[must_use]
    pub fn new(concurrent: usize, queue: usize) -> Self {
        let state = State { free: concurrent, arrivals: 0, waiting: BTreeMap::new() };
        Self(Arc::new(Inner { queue, state: Mutex::new(state) }))
    }

    /// How many wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.0.lock().waiting.len()
    }

    /// A slot, at once or after those with more stake.
    ///
    /// # Errors
    /// [`Busy`], also when crowded out while waiting.
    pub async fn acquire(&self, stake: u64) -> Result<Slot, Busy> {
        let (place, receiver) = {
            let mut state = self.0.lock();
            if state.free > 0 {
                state.free -= 1;
                drop(state);
                return Ok(Slot(Arc::clone(&self.0)));
            }
            state.line_up(stake, self.0.queue)?
        };
        let _in_line = InLine(&self.0, place);
        receiver.await.map_err(|_| Busy)
    }
}

impl State {
    fn line_up(&mut self, stake: u64, queue: usize) -> Result<(Place, oneshot::Receiver<Slot>), Busy> {
        if self.waiting.len() >= queue {
            match self.waiting.last_key_value() {
                Some(((Reverse(lowest), _), _)) if *lowest < stake => self.waiting.pop_last(),
                _ => return Err(Busy),
            };
        }
        self.arrivals += 1;
        let (sender, receiver) = oneshot::channel();
        let place = (Reverse(stake), self.arrivals);
        self.waiting.insert(place, sender);
        Ok((place, receiver))
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        let left = self.0.lock().waiting.remove(&self.1);
        drop(left);
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let next = {
            let mut state = self.0.lock();
            let next = state.waiting.pop_first();
            if next.is_none() {
                state.free += 1;
            }
            next
        };
        if let Some((_, sender)) = next {
            // If the receiver is gone the slot comes back, is dropped here, and goes to the one after.
            let returned = sender.send(Self(Arc::clone(&self.0)));
            drop(returned);
        }
    }
}
