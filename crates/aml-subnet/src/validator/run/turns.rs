//! Turns of a concern: one after another, sooner after trouble, and an end soon after the process was told to stop.

use std::pin::pin;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::validator::world::{Time, within};

/// After trouble, the next attempt comes at the latest so soon.
const RETRY: Duration = Duration::from_secs(30);
/// How long what is under way may take once the process was told to stop. Supervisors wait ten seconds and more.
const GRACE: Duration = Duration::from_secs(4);

/// What `work` comes to; `None` when it was not done soon after `stop`: then it is left as it is recorded.
pub(super) async fn unless_stopped<T>(
    time: &dyn Time,
    stop: &CancellationToken,
    work: impl Future<Output = T>,
) -> Option<T> {
    let mut work = pin!(work);
    tokio::select! {
        biased;
        done = &mut work => return Some(done),
        () = stop.cancelled() => {}
    }
    within(time, time.uptime() + GRACE, work).await
}

/// Does `turn` every `interval`, and sooner after trouble, until `stop`.
pub(super) async fn every(
    time: &dyn Time,
    interval: impl Fn() -> Duration,
    stop: &CancellationToken,
    turn: impl AsyncFn() -> bool,
) {
    while !stop.is_cancelled() {
        let Some(good) = unless_stopped(time, stop, turn()).await else { return };
        let pause = if good { interval() } else { interval().min(RETRY) };
        tokio::select! {
            // In a fixed order, so that a simulation is the same each time.
            biased;
            () = stop.cancelled() => return,
            () = time.sleep(pause) => {}
        }
    }
}
