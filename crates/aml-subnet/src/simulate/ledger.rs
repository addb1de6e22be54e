//! The ledger of a simulation: the real one, in memory, each step at an instant of virtual time.
//!
//! The driver of SQLite works on a thread of its own, whose pace no seed decides. So a step is done while the simulation's
//! only thread waits for it: it takes no virtual time, and nothing happens beside it. The time that a step takes in the
//! world is drawn and passes before and after it; at either instant the process may die, so that a step is there or is not.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::runtime::Runtime;

use super::promises::Promises;
use super::stage::Stage;
use super::troubles::Trouble;
use crate::store::{Ledger, OpenLedgerError, Opening, StorageError};
use crate::validator::world::Time as _;

/// How long a step takes at most, when nothing is wrong.
const QUICK: Duration = Duration::from_millis(5);
/// How soon a step that waits for another one looks again.
const LOOKS: Duration = Duration::from_millis(10);

/// The ledger of a simulated validator. It outlives the validator's processes, and is not to be dropped by one.
pub(super) struct SimLedger {
    pub(super) stage: Arc<Stage>,
    pub(super) ledger: Ledger,
    /// What it said is done.
    promises: Mutex<Promises>,
    /// Where the driver's own tasks run, while a step is done.
    runtime: Runtime,
    slowest: Duration,
    /// For how long no answer is taken, from the first one on.
    gone: Duration,
    first: OnceLock<Duration>,
}

impl SimLedger {
    /// An empty one.
    pub(super) fn open(stage: Arc<Stage>) -> Result<Self, OpenLedgerError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("the system has a few descriptors left");
        let opening = Opening { holder: "a simulation".to_owned(), read_only: false };
        let ledger = runtime.block_on(Ledger::open("sqlite::memory:", &opening))?;
        let slow = |trouble: &Trouble| if let Trouble::SlowLedger(most) = trouble { Some(*most) } else { None };
        let slowest = stage.plan.troubles.iter().find_map(slow).unwrap_or(QUICK);
        let gone = |trouble: &Trouble| if let Trouble::LedgerGone(span) = trouble { Some(*span) } else { None };
        let gone = stage.plan.troubles.iter().find_map(gone).unwrap_or_default();
        let promises = Mutex::default();
        Ok(Self { stage, ledger, promises, runtime, slowest, gone, first: OnceLock::new() })
    }

    /// What `look` sees, at an instant of the simulation or outside of it.
    pub(super) fn look<T: Send>(&self, look: impl AsyncFnOnce(&Ledger) -> T + Send) -> T {
        let done = std::thread::scope(|scope| scope.spawn(|| self.runtime.block_on(look(&self.ledger))).join());
        done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// What it said is done.
    pub(super) fn promises(&self) -> MutexGuard<'_, Promises> {
        self.promises.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A step, whole, in the middle of the time that it takes.
    pub(super) fn done<'a, T: Send + 'a>(
        &'a self,
        what: &'static str,
        step: impl Future<Output = T> + Send + 'a,
    ) -> BoxFuture<'a, T> {
        Box::pin(async move {
            self.begins().await;
            self.stage.note("ledger", what);
            let done = self.now(step);
            self.ends().await;
            done
        })
    }

    /// A step that writes: refused while the disk is full, and remembered when it is done.
    pub(super) fn write<'a, T, E>(
        &'a self,
        what: &'static str,
        step: impl Future<Output = Result<T, E>> + Send + 'a,
        done: impl FnOnce(&T, &mut Promises) + Send + 'a,
    ) -> BoxFuture<'a, Result<T, E>>
    where
        T: Send + 'a,
        E: From<StorageError> + Send + 'a,
    {
        Box::pin(async move {
            self.begins().await;
            let written = self.written(what, step);
            if let Ok(written) = &written {
                done(written, &mut self.promises());
            }
            self.ends().await;
            written
        })
    }

    /// The same of a step that waits until nobody makes anything of the outcomes. Were it begun before, it would wait for
    /// ever, for nothing happens beside it.
    pub(super) fn write_outcomes<'a, T, E>(
        &'a self,
        what: &'static str,
        step: impl Future<Output = Result<T, E>> + Send + 'a,
    ) -> BoxFuture<'a, Result<T, E>>
    where
        T: Send + 'a,
        E: From<StorageError> + Send + 'a,
    {
        Box::pin(async move {
            self.begins().await;
            while self.ledger.outcomes_are_held() {
                self.stage.time.sleep(LOOKS).await;
                self.stage.instant().await;
            }
            let written = self.written(what, step);
            self.ends().await;
            written
        })
    }

    async fn begins(&self) {
        self.stage.instant().await;
        self.stage.pause(self.slowest).await;
        self.stage.instant().await;
    }

    async fn ends(&self) {
        self.stage.instant().await;
        self.stage.pause(self.slowest).await;
    }

    fn written<T: Send, E: From<StorageError> + Send>(
        &self,
        what: &'static str,
        step: impl Future<Output = Result<T, E>> + Send,
    ) -> Result<T, E> {
        if self.stage.is_full() {
            self.stage.note("ledger", format_args!("{what}: the disk is full"));
            return Err(StorageError::unavailable(what).into());
        }
        self.stage.note("ledger", what);
        self.now(step)
    }

    fn now<T: Send>(&self, step: impl Future<Output = T> + Send) -> T {
        let done = std::thread::scope(|scope| scope.spawn(|| self.runtime.block_on(step)).join());
        done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// Whether answers are not taken now.
    pub(super) fn is_gone(&self) -> bool {
        let now = self.stage.time.uptime();
        now.saturating_sub(*self.first.get_or_init(|| now)) < self.gone
    }
}

/// Nothing is promised that could be forgotten.
pub(super) fn nothing<T>(_written: &T, _promises: &mut Promises) {}

impl Drop for SimLedger {
    fn drop(&mut self) {
        // The driver lets go of its connection where its tasks run.
        self.runtime.block_on(self.ledger.close());
    }
}
