//! How many connections are open, in all and from each peer.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// The open connections.
#[derive(Debug)]
pub struct Connections {
    open: Mutex<HashMap<IpAddr, usize>>,
    most: usize,
    most_per_peer: usize,
}

/// One open connection; counted until it is dropped.
#[derive(Debug)]
pub struct Counted {
    all: Arc<Connections>,
    peer: IpAddr,
}

impl Connections {
    /// At most `most` connections, and `most_per_peer` of one peer.
    #[must_use]
    pub fn new(most: usize, most_per_peer: usize) -> Arc<Self> {
        Arc::new(Self { open: Mutex::default(), most, most_per_peer })
    }

    /// Counts a connection from `peer`, unless there are too many. Which addresses are one peer is the caller's choice.
    pub fn count(self: &Arc<Self>, peer: IpAddr) -> Option<Counted> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.values().sum::<usize>() >= self.most || open.get(&peer).is_some_and(|of| *of >= self.most_per_peer) {
            return None;
        }
        *open.entry(peer).or_default() += 1;
        Some(Counted { all: Arc::clone(self), peer })
    }

    /// How many are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).values().sum()
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut open = self.all.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.peer);
            }
        }
    }
}
