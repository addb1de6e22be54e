//! Who may upload now.
//!
//! A body of a full batch has about 200 MB, and a miner's time runs from the first byte sent: if bodies went out to all
//! miners at once, each would get so little of the line that none had time left to answer. So few go out at a time, and
//! waiting for an answer takes no lane. Whoever takes nothing for a while, or takes too long altogether, loses its lane and
//! nothing else: its upload goes on, and others begin theirs.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, timeout_at};

/// Uploads at a time: at 1 Gbit/s a body of 200 MB takes 13 s then.
const LANES: usize = 8;
/// A lane on which nothing moves is free after so long; a body may wait 2 s until it is asked for.
const STALL: Duration = Duration::from_secs(5);
/// And any lane after so long: 256 miners that read as slowly as they can delay the others by 11 minutes of a round's 15.
const LONGEST: Duration = Duration::from_secs(20);

/// The lanes of an asker.
#[derive(Clone, Debug)]
pub(crate) struct Lanes {
    free: Arc<Semaphore>,
    stall: Duration,
    longest: Duration,
}

impl Default for Lanes {
    fn default() -> Self {
        Self { free: Arc::new(Semaphore::new(LANES)), stall: STALL, longest: LONGEST }
    }
}

impl Lanes {
    /// A lane, if one is free.
    pub(crate) fn try_take(&self) -> Option<Lane> {
        let permit = Arc::clone(&self.free).try_acquire_owned().ok()?;
        Some(self.lane(permit))
    }

    /// The next lane that is free; `None` never comes. How long to wait is up to the caller.
    pub(crate) async fn take(&self) -> Option<Lane> {
        let permit = Arc::clone(&self.free).acquire_owned().await.ok()?;
        Some(self.lane(permit))
    }

    fn lane(&self, permit: OwnedSemaphorePermit) -> Lane {
        Lane { permit, stall: self.stall, longest: self.longest }
    }
}

/// A lane on which nothing is sent yet.
#[derive(Debug)]
pub(crate) struct Lane {
    permit: OwnedSemaphorePermit,
    stall: Duration,
    longest: Duration,
}

impl Lane {
    /// Sending begins.
    pub(super) fn upload(self) -> Upload {
        let (moved, watched) = watch::channel(());
        tokio::spawn(self.keep(watched));
        Upload { moved }
    }

    /// Keeps the lane while the upload moves, and gives it back.
    async fn keep(self, mut watched: watch::Receiver<()>) {
        let end = Instant::now() + self.longest;
        while Instant::now() < end {
            let until = end.min(Instant::now() + self.stall);
            if !matches!(timeout_at(until, watched.changed()).await, Ok(Ok(()))) {
                break;
            }
        }
        drop(self.permit);
    }
}

/// An upload on a lane; ends when dropped.
#[derive(Debug)]
pub(super) struct Upload {
    moved: watch::Sender<()>,
}

impl Upload {
    /// Something was taken.
    pub(super) fn moves(&self) {
        self.moved.send_replace(());
    }
}

#[cfg(test)]
mod tests {
    use super::{Arc, Duration, Lanes, Semaphore};

    const HOUR: Duration = Duration::from_secs(3600);
    const BRIEF: Duration = Duration::from_millis(20);

    fn one(stall: Duration, longest: Duration) -> Lanes {
        Lanes { free: Arc::new(Semaphore::new(1)), stall, longest }
    }

    #[tokio::test]
    async fn an_upload_keeps_its_lane_until_it_ends() {
        let lanes = one(HOUR, HOUR);
        let upload = lanes.try_take().unwrap().upload();
        upload.moves();
        tokio::task::yield_now().await;
        assert!(lanes.try_take().is_none());
        drop(upload);
        assert!(lanes.take().await.is_some());
    }

    #[tokio::test]
    async fn a_lane_that_is_not_used_is_free_again() {
        let lanes = one(HOUR, HOUR);
        drop(lanes.try_take().unwrap());
        assert!(lanes.try_take().is_some());
    }

    #[tokio::test]
    async fn whoever_takes_nothing_loses_its_lane_and_goes_on() {
        let lanes = one(BRIEF, HOUR);
        let upload = lanes.try_take().unwrap().upload();
        assert!(lanes.take().await.is_some());
        upload.moves();
    }

    #[tokio::test]
    async fn whoever_takes_long_loses_its_lane_though_it_moves() {
        let lanes = one(HOUR, BRIEF);
        let upload = lanes.try_take().unwrap().upload();
        let moving = async {
            loop {
                upload.moves();
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            lane = lanes.take() => assert!(lane.is_some()),
            () = moving => {}
        }
    }
}
