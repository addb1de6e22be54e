//! A state that runs along with the days, in their order.

use std::sync::Arc;

use super::facts::Facts;
use super::state::History;
use crate::table::Batch;

/// A state that runs along with the days: what it says on a day comes from the days before it.
#[derive(Clone, Debug, Default)]
pub struct Running {
    history: Arc<History>,
    /// The day that was looked at last, and what it says.
    today: Option<(i32, Facts)>,
}

impl Running {
    /// Goes on from `history`.
    #[must_use]
    pub fn from(history: Arc<History>) -> Self {
        Self { history, today: None }
    }

    /// The state as it is when `day` (days since 1970-01-01) begins. Days have to come in order.
    pub fn before(&mut self, day: i32) -> &Arc<History> {
        if let Some((last, facts)) = self.today.take_if(|(last, _)| *last < day) {
            Arc::make_mut(&mut self.history).add(last, &facts);
        }
        &self.history
    }

    /// Takes what the batch of `day` says, for later days. Of several batches of a day the first counts.
    pub fn then(&mut self, day: i32, batch: &Batch) {
        let known = self.today.as_ref().is_some_and(|(today, _)| *today >= day);
        if !known && self.history.last_day().is_none_or(|last| last < day) {
            self.before(day);
            self.today = Some((day, Facts::of(batch)));
        }
    }

    /// The state with all days.
    #[must_use]
    pub fn finish(mut self) -> Arc<History> {
        self.before(i32::MAX);
        self.history
    }
}
