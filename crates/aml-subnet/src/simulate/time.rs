//! Virtual time, and the one thread that everything runs on.
//!
//! The runtime is tokio's for one thread, without its timers and without sockets: whoever uses one of those panics, so that
//! nothing of the real world is used unseen. Tokio calls a hook when no task is ready; the hook sets the time to that of the
//! earliest timer and wakes it. So a day of waiting takes no time at all, and nothing depends on how fast the machine is.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use aml_miner::clock::Clock;
use futures_util::future::BoxFuture;

use crate::validator::world::Time;

/// Time that moves only when nobody has anything to do.
#[derive(Clone)]
pub(super) struct VirtualTime(Arc<Mutex<State>>);

struct State {
    /// Time of day when the simulation began, since 1970.
    start: Duration,
    /// Since the simulation began.
    uptime: Duration,
    /// How far the validator's clock is ahead, in milliseconds.
    ahead_ms: i64,
    /// Timers by their time; those of one time in the order in which they were set.
    timers: BTreeMap<(Duration, u64), Waker>,
    timers_made: u64,
    /// Who runs the simulation.
    driver: Option<Waker>,
    fault: Option<Fault>,
}

/// Why a simulation did not come to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Nothing is ready, and nothing waits for a time.
    #[error("nothing happens any more: everybody waits for somebody else")]
    Stuck,
    /// Something ran on another thread, whose pace no seed decides.
    #[error("something ran on another thread than that of the simulation")]
    Strayed,
}

impl VirtualTime {
    /// Time that begins at `start` (since 1970).
    pub(super) fn new(start: Duration) -> Self {
        Self(Arc::new(Mutex::new(State {
            start,
            uptime: Duration::ZERO,
            ahead_ms: 0,
            timers: BTreeMap::new(),
            timers_made: 0,
            driver: None,
            fault: None,
        })))
    }

    /// Sets the clock that the validator reads: so far ahead of the time, or behind it.
    pub(super) fn set_ahead(&self, by_ms: i64) {
        self.state().ahead_ms = by_ms;
    }

    /// The time since 1970, whatever the validator's clock says.
    pub(super) fn real(&self) -> Duration {
        let state = self.state();
        state.start + state.uptime
    }

    /// Timers that are set.
    pub(super) fn timers(&self) -> usize {
        self.state().timers.len()
    }

    /// Runs `work` to its end on a thread of its own time.
    ///
    /// # Errors
    /// When it comes to no end.
    pub(super) fn run<T>(&self, work: impl Future<Output = T>) -> Result<T, Fault> {
        let (idle, strayed) = (self.clone(), self.clone());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .on_thread_park(move || idle.advance())
            .on_thread_start(move || strayed.give_up(Fault::Strayed))
            .build()
            .expect("a runtime without a driver needs nothing of the system");
        runtime.block_on(self.watched(work))
    }

    /// What `work` comes to, unless it is known that it comes to nothing.
    async fn watched<T>(&self, work: impl Future<Output = T>) -> Result<T, Fault> {
        let mut work = pin!(work);
        poll_fn(|context| {
            self.state().driver = Some(context.waker().clone());
            match (work.as_mut().poll(context), self.state().fault) {
                (_, Some(fault)) => Poll::Ready(Err(fault)),
                (Poll::Ready(done), None) => Poll::Ready(Ok(done)),
                (Poll::Pending, None) => Poll::Pending,
            }
        })
        .await
    }

    /// Nobody has anything to do: it becomes the time of the earliest timers.
    fn advance(&self) {
        let mut state = self.state();
        let Some(&(next, _)) = state.timers.keys().next() else {
            drop(state);
            return self.give_up(Fault::Stuck);
        };
        state.uptime = next;
        let later = state.timers.split_off(&(next, u64::MAX));
        let due = std::mem::replace(&mut state.timers, later);
        drop(state);
        due.into_values().for_each(Waker::wake);
    }

    fn give_up(&self, fault: Fault) {
        let mut state = self.state();
        state.fault.get_or_insert(fault);
        let driver = state.driver.take();
        drop(state);
        driver.into_iter().for_each(Waker::wake);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for VirtualTime {
    fn now(&self) -> Duration {
        let state = self.state();
        let (time, off) = (state.start + state.uptime, Duration::from_millis(state.ahead_ms.unsigned_abs()));
        if state.ahead_ms < 0 { time.saturating_sub(off) } else { time + off }
    }
}

impl Time for VirtualTime {
    fn uptime(&self) -> Duration {
        self.state().uptime
    }

    fn sleep(&self, span: Duration) -> BoxFuture<'static, ()> {
        let end = self.uptime().saturating_add(span);
        Box::pin(Sleep { time: self.clone(), end, timer: None })
    }
}

/// A timer; unset when dropped.
struct Sleep {
    time: VirtualTime,
    end: Duration,
    timer: Option<u64>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let time = self.time.clone();
        let mut state = time.state();
        if state.uptime >= self.end {
            return Poll::Ready(());
        }
        let number = *self.timer.get_or_insert_with(|| {
            state.timers_made += 1;
            state.timers_made
        });
        state.timers.insert((self.end, number), context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(number) = self.timer {
            let timer = self.time.state().timers.remove(&(self.end, number));
            // Dropped without the lock: a waker may be the last that holds a task, and with it other timers.
            drop(timer);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::time::Duration;

    use aml_miner::clock::Clock as _;

    use super::{Fault, VirtualTime};
    use crate::validator::world::{Time as _, within};

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn a_year_of_waiting_takes_no_time() {
        let time = VirtualTime::new(Duration::ZERO);
        let waited = time.run(async {
            for _ in 0..365 * 24 {
                time.sleep(HOUR).await;
            }
            time.uptime()
        });
        assert_eq!(waited, Ok(HOUR * 365 * 24));
    }

    #[test]
    fn tasks_wake_in_the_order_of_their_times() {
        let time = VirtualTime::new(Duration::ZERO);
        let order = time.run(async {
            let (sender, mut seen) = tokio::sync::mpsc::unbounded_channel();
            for hours in [3, 1, 2] {
                let (time, sender) = (time.clone(), sender.clone());
                tokio::spawn(async move {
                    time.sleep(HOUR * hours).await;
                    sender.send(hours).expect("it is awaited");
                });
            }
            [seen.recv().await, seen.recv().await, seen.recv().await]
        });
        assert_eq!(order, Ok([Some(1), Some(2), Some(3)]));
    }

    #[test]
    fn a_timer_that_is_dropped_moves_nothing() {
        let time = VirtualTime::new(Duration::ZERO);
        let uptime = time.run(async {
            assert_eq!(within(&time, HOUR * 9, time.sleep(HOUR)).await, Some(()));
            time.sleep(HOUR).await;
            time.uptime()
        });
        assert_eq!(uptime, Ok(HOUR * 2));
    }

    #[test]
    fn a_clock_that_is_off_moves_no_timer() {
        let time = VirtualTime::new(HOUR * 5);
        time.set_ahead(-1000);
        assert_eq!((time.now(), time.real()), (HOUR * 5 - Duration::from_secs(1), HOUR * 5));
        time.set_ahead(3_600_000);
        assert_eq!((time.now(), time.uptime()), (HOUR * 6, Duration::ZERO));
    }

    #[test]
    fn whoever_waits_for_nothing_is_found_out() {
        let time = VirtualTime::new(Duration::ZERO);
        assert_eq!(time.run(pending::<()>()), Err(Fault::Stuck));
    }

    #[test]
    fn another_thread_is_found_out() {
        let time = VirtualTime::new(Duration::ZERO);
        let strayed = time.run(async {
            let elsewhere = tokio::task::spawn_blocking(|| ());
            time.sleep(HOUR).await;
            elsewhere.await.expect("no panic");
        });
        // Which of the two, is up to the other thread.
        assert!(matches!(strayed, Err(Fault::Strayed | Fault::Stuck)), "{strayed:?}");
    }

    #[test]
    #[should_panic(expected = "timer")]
    fn a_timer_of_the_runtime_is_found_out() {
        let time = VirtualTime::new(Duration::ZERO);
        let _ = time.run(async { tokio::time::sleep(HOUR).await });
    }
}
