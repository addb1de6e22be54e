//! One endpoint of the list: its one connection, and how long it is left alone after a failure.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::link::{EndpointFailure, Link};
use crate::entropy::{Entropy as _, MachineEntropy};

/// The longest pause between two attempts to connect.
const LONGEST: Duration = Duration::from_secs(60);
/// Pauses double so often at most.
const MAX_DOUBLINGS: u32 = 10;

/// One endpoint of the list.
#[derive(Default)]
pub(super) struct Place {
    /// The one connection to it.
    pub(super) link: Option<Arc<Link>>,
    /// Connections that came to nothing, in a row.
    pub(super) failures: u32,
    /// Not to be tried before.
    pub(super) not_before: Option<Instant>,
    /// Why the last one came to nothing.
    pub(super) last: Option<EndpointFailure>,
}

impl Place {
    /// A connection came to nothing; the next one waits.
    pub(super) fn failed(&mut self, failure: EndpointFailure, base: Duration) {
        let doublings = self.failures.min(MAX_DOUBLINGS);
        self.failures = self.failures.saturating_add(1);
        // Half to one and a half, so that many clients do not come back together.
        let spread = 0.5 + f64::from(any_number()) / f64::from(u16::MAX);
        self.link = None;
        self.not_before = Some(Instant::now() + (base * (1 << doublings)).min(LONGEST).mul_f64(spread));
        self.last = Some(failure);
    }
}

/// A number that differs from process to process, and from call to call; without randomness pauses are as short as can be.
fn any_number() -> u16 {
    let mut bytes = [0; 2];
    MachineEntropy.fill(&mut bytes).map_or(0, |()| u16::from_le_bytes(bytes))
}
