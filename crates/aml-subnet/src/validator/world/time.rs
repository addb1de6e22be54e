//! The clock and the timers that the validator waits with.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use aml_miner::clock::Clock;
use futures_util::future::BoxFuture;
use tokio::time::Instant;

/// The time of day, the time since start, and a way to wait. The time of day may be set forward and back; waiting goes by
/// the time since start, which never is.
pub trait Time: Clock {
    /// Time since some instant before; never set back.
    fn uptime(&self) -> Duration;

    /// Waits. May be dropped at any time.
    fn sleep(&self, span: Duration) -> BoxFuture<'static, ()>;
}

/// A clock beside the runtime's own timers.
pub struct MachineTime {
    clock: Arc<dyn Clock>,
    start: Instant,
}

impl MachineTime {
    /// Timers begin now.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, start: Instant::now() }
    }
}

impl Clock for MachineTime {
    fn now(&self) -> Duration {
        self.clock.now()
    }
}

impl Time for MachineTime {
    fn uptime(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep(&self, span: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(span))
    }
}

/// What `work` comes to before `end`, by [`Time::uptime`]; `None` when it is not done by then. What is done at once is done
/// in time.
pub async fn within<T>(time: &dyn Time, end: Duration, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let mut alarm = time.sleep(end.saturating_sub(time.uptime()));
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => alarm.as_mut().poll(context).map(|()| None),
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::sync::Arc;
    use std::time::Duration;

    use aml_miner::clock::{Clock as _, FixedClock};

    use super::{MachineTime, Time as _, within};

    #[tokio::test]
    async fn what_is_ready_is_in_time_and_what_never_comes_is_given_up() {
        let time = MachineTime::new(Arc::new(FixedClock(Duration::from_secs(5))));
        assert_eq!(time.now(), Duration::from_secs(5));
        assert_eq!(within(&time, Duration::ZERO, ready(7)).await, Some(7));
        let before = time.uptime();
        let end = before + Duration::from_millis(5);
        assert_eq!(within(&time, end, pending::<()>()).await, None);
        assert!(time.uptime() >= end, "the clock stands still, timers do not");
    }
}
