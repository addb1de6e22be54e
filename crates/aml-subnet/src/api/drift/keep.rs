//! Months that were made, and what the metrics say of the newest.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedMutexGuard, Semaphore};
use tokio::time::timeout;

use super::{ApiError, ApiState, ErrorCode, Round, month_of};
use crate::readers::drift::{Summary, summary};
use crate::store::records::{RoundId, Step};

/// Months that are kept, some 200 KB each: two years of two windows, and some more.
const KEPT: usize = 64;
/// Requests that may wait for a month at once, a few of those that are worked on at all.
const WAITING: usize = 4;
/// How long a request waits for others' months.
const PATIENCE: Duration = Duration::from_secs(5);

/// A month that was made: of which window, and of which rounds, and how far they were.
#[derive(Debug)]
struct Kept {
    window_days: u16,
    month: String,
    rounds: Vec<(RoundId, Step)>,
    summary: Arc<Summary>,
}

/// Who asks for a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asks {
    /// A request, which is not to hold up others.
    Request,
    /// The validator itself, which has time.
    Upkeep,
}

/// What the metrics show.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::api) struct Newest {
    /// Figures of slices that fell; `None` where nothing could be compared.
    pub(in crate::api) fallen: Option<usize>,
    /// Population stability index of the scores.
    pub(in crate::api) psi: Option<f64>,
}

/// Months that were made, the last one asked for first.
#[derive(Debug)]
pub(in crate::api) struct Drifts {
    kept: Mutex<Vec<Kept>>,
    newest: Mutex<Newest>,
    /// One is made at a time: it takes seconds where days are large.
    making: Arc<tokio::sync::Mutex<()>>,
    waiting: Semaphore,
}

impl Default for Drifts {
    fn default() -> Self {
        Self {
            kept: Mutex::default(),
            newest: Mutex::default(),
            making: Arc::default(),
            waiting: Semaphore::new(WAITING),
        }
    }
}

impl Drifts {
    fn get(&self, rounds: &[Round]) -> Option<Arc<Summary>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |kept: &Kept| kept.rounds.iter().copied().eq(rounds.iter().map(|round| (round.id, round.step)));
        let at = kept.iter().position(same)?;
        let found = kept.remove(at);
        let summary = Arc::clone(&found.summary);
        kept.insert(0, found);
        Some(summary)
    }

    /// Keeps a month, in place of what it was before.
    fn put(&self, rounds: &[Round], summary: &Arc<Summary>) {
        let Some(first) = rounds.first() else { return };
        let (window_days, month, summary) = (first.id.window_days, month_of(first), Arc::clone(summary));
        let rounds = rounds.iter().map(|round| (round.id, round.step)).collect();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|other| other.window_days != window_days || other.month != month);
        kept.insert(0, Kept { window_days, month, rounds, summary });
        kept.truncate(KEPT);
    }

    /// The turn to make a month.
    async fn turn(&self, asks: Asks) -> Result<OwnedMutexGuard<()>, ApiError> {
        let turn = Arc::clone(&self.making).lock_owned();
        if asks == Asks::Upkeep {
            return Ok(turn.await);
        }
        let busy = || ApiError::new(ErrorCode::Busy, "Months are being made; try again in a few seconds");
        let _place = self.waiting.try_acquire().map_err(|_| busy())?;
        timeout(PATIENCE, turn).await.map_err(|_| busy())
    }

    /// Remembers what the newest months came to.
    pub(super) fn note(&self, fallen: Option<usize>, psi: Option<f64>) {
        *self.newest.lock().unwrap_or_else(PoisonError::into_inner) = Newest { fallen, psi };
    }

    /// What the newest months came to when they were last made.
    pub(in crate::api) fn newest(&self) -> Newest {
        *self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ApiState {
    /// The month of these rounds. Scores of a published round and outcomes of a settled one change no more.
    pub(super) async fn month(&self, rounds: Vec<Round>, asks: Asks) -> Result<Arc<Summary>, ApiError> {
        if let Some(kept) = self.drifts.get(&rounds) {
            return Ok(kept);
        }
        let turn = self.drifts.turn(asks).await?;
        if let Some(kept) = self.drifts.get(&rounds) {
            return Ok(kept);
        }
        // It is made to its end and kept, also where nobody waits for it any more: else nobody would ever get it.
        let api = self.clone();
        let making = tokio::spawn(async move {
            let _turn = turn;
            let seen = api.month_seen(&rounds).await?;
            let made = tokio::task::spawn_blocking(move || summary(&seen)).await.map_err(ApiError::internal)?;
            let made = Arc::new(made);
            api.drifts.put(&rounds, &made);
            Ok(made)
        });
        making.await.map_err(ApiError::internal)?
    }
}
