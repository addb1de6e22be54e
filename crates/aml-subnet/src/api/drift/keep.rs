//! Months that were made, and what the metrics say of the newest.

use std::sync::{Arc, Mutex, PoisonError};

use super::{ApiError, ApiState, Round};
use crate::readers::drift::{Summary, summary};
use crate::store::records::{RoundId, Step};

/// Months that are kept, some 50 KB each: two years, and the usual ones with other numbers of reviews.
const KEPT: usize = 64;

/// What a month is made of: its rounds and how far they are, and reviews a day.
type Key = (Vec<(RoundId, Step)>, usize);

/// What the metrics show.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::api) struct Newest {
    /// Figures of slices that fell; `None` where nothing could be compared.
    pub(in crate::api) fallen: Option<usize>,
    /// Population stability index of the scores.
    pub(in crate::api) psi: Option<f64>,
}

/// Months that were made, the last one asked for first.
#[derive(Debug, Default)]
pub(in crate::api) struct Drifts {
    kept: Mutex<Vec<(Key, Arc<Summary>)>>,
    newest: Mutex<Newest>,
    /// One is made at a time: it takes seconds where days are large.
    making: tokio::sync::Mutex<()>,
}

impl Drifts {
    fn get(&self, key: &Key) -> Option<Arc<Summary>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.iter().position(|(other, _)| other == key)?;
        let found = kept.remove(at);
        let summary = Arc::clone(&found.1);
        kept.insert(0, found);
        Some(summary)
    }

    fn put(&self, key: Key, summary: &Arc<Summary>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(0, (key, Arc::clone(summary)));
        kept.truncate(KEPT);
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
    pub(super) async fn month(&self, rounds: Vec<Round>, reviews: usize) -> Result<Arc<Summary>, ApiError> {
        let key: Key = (rounds.iter().map(|round| (round.id, round.step)).collect(), reviews);
        if let Some(kept) = self.drifts.get(&key) {
            return Ok(kept);
        }
        let _turn = self.drifts.making.lock().await;
        if let Some(kept) = self.drifts.get(&key) {
            return Ok(kept);
        }
        let seen = self.month_seen(&rounds).await?;
        let making = tokio::task::spawn_blocking(move || summary(&seen, reviews));
        let made = Arc::new(making.await.map_err(ApiError::internal)?);
        self.drifts.put(key, &made);
        Ok(made)
    }
}
