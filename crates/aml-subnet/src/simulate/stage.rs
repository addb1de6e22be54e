//! What all simulated sides share: the time, the trace, what is drawn, and whether the validator's process lives.

use std::fmt::Display;
use std::future::pending;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::plan::{Plan, Trouble};
use super::time::VirtualTime;
use super::trace::Trace;
use crate::validator::traps::Draw;
use crate::validator::world::{Entropy, NoEntropy, Time as _};

/// What all simulated sides share.
pub(super) struct Stage {
    /// The time.
    pub(super) time: VirtualTime,
    /// The world.
    pub(super) plan: Plan,
    /// Cancelled once the ledger has a published round.
    pub(super) published: CancellationToken,
    life: Mutex<Life>,
    killed: Notify,
}

struct Life {
    trace: Trace,
    draw: Draw,
    instants: usize,
    /// Instants at which the process is killed, the next one last.
    kills: Vec<usize>,
    dead: bool,
}

impl Stage {
    pub(super) fn new(plan: Plan, time: VirtualTime) -> Self {
        let draw = Draw::new(&[b"aml-simulate/1 stage", &plan.seed.to_le_bytes()]);
        let kill = |trouble: &Trouble| if let Trouble::Killed(instant) = trouble { Some(*instant) } else { None };
        let mut kills: Vec<usize> = plan.troubles.iter().filter_map(kill).collect();
        kills.sort_unstable();
        kills.reverse();
        let life = Life { trace: Trace::default(), draw, instants: 0, kills, dead: false };
        Self { time, plan, published: CancellationToken::new(), life: Mutex::new(life), killed: Notify::new() }
    }

    /// Writes down what happens at an edge.
    pub(super) fn note(&self, edge: &'static str, what: impl Display) {
        let at = self.time.uptime();
        self.life().trace.note(at, edge, what.to_string());
    }

    /// A number below `limit`.
    pub(super) fn below(&self, limit: usize) -> usize {
        self.life().draw.below(limit)
    }

    /// Some time, at most `most`.
    pub(super) fn span(&self, most: Duration) -> Duration {
        let unit = self.life().draw.unit();
        most.mul_f64(unit)
    }

    /// Some time passes, at most `most`.
    pub(super) async fn pause(&self, most: Duration) {
        let span = self.span(most);
        self.time.sleep(span).await;
    }

    /// An instant at which the validator's process may die. What belongs to a dead process never gets beyond it.
    pub(super) async fn instant(&self) {
        if self.is_last() {
            self.killed.notify_one();
        }
        if self.life().dead {
            pending::<()>().await;
        }
    }

    /// When the process is dead.
    pub(super) async fn death(&self) {
        self.killed.notified().await;
    }

    /// A new process, after whatever is left of the old one was dropped.
    pub(super) fn rise(&self) {
        self.life().dead = false;
    }

    /// Everything that happened.
    pub(super) fn trace(&self) -> Trace {
        self.life().trace.clone()
    }

    fn is_last(&self) -> bool {
        let mut life = self.life();
        if life.dead {
            return false;
        }
        life.instants += 1;
        life.dead = life.kills.last().is_some_and(|kill| *kill <= life.instants);
        if life.dead {
            life.kills.pop();
        }
        life.dead
    }

    fn life(&self) -> MutexGuard<'_, Life> {
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entropy for Stage {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        let mut life = self.life();
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&life.draw.number().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}
