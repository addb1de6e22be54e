//! The state of addresses that runs along with the days that are read.

use std::sync::Arc;

use chrono::{Days, NaiveDate};

use super::reader::{AssembleError, Range};
use crate::data::{BatchEntry, list_batches};
use crate::features::FeatureBuilder;
use crate::history::{History, KEPT_DAYS, Running};
use crate::wire::Batch;

/// What earlier days say on each day of a range: of the days of its directory before it, and of the state that it begins with.
#[derive(Default)]
pub(in crate::training) struct Earlier {
    running: Option<Running>,
    start: Option<NaiveDate>,
    warm_up: usize,
}

impl Earlier {
    /// The state of `range` before its first day, when somebody asks; and the days to be read, those before its start among them.
    pub(in crate::training) fn open(range: &Range, asked: bool) -> Result<(Self, Vec<BatchEntry>), AssembleError> {
        let list = |start| {
            list_batches(&range.data_dir, start, range.end)
                .map_err(|error| AssembleError::List { path: range.data_dir.clone(), source: error.source })
        };
        if !asked {
            return Ok((Self::default(), list(range.start)?));
        }
        let history = range.history.as_deref().map(History::read).transpose()?.unwrap_or_default();
        let from = range
            .start
            .map(|start| start.checked_sub_days(Days::new(KEPT_DAYS.unsigned_abs().into())).unwrap_or(NaiveDate::MIN));
        let mut entries = list(from)?;
        let (last, before) =
            (history.last_day(), |entry: &BatchEntry| range.start.is_some_and(|start| entry.date < start));
        entries.retain(|entry| !before(entry) || last.is_none_or(|last| last < entry.date.to_epoch_days()));
        let warm_up = entries.iter().filter(|entry| before(entry)).count();
        Ok((Self { running: Some(Running::from(Arc::new(history))), start: range.start, warm_up }, entries))
    }

    /// Days that are read for the state alone.
    pub(in crate::training) fn warm_up(&self) -> usize {
        self.warm_up
    }

    /// Whether somebody asks.
    pub(in crate::training) fn asked(&self) -> bool {
        self.running.is_some()
    }

    /// Whether a day is read for the state alone.
    pub(in crate::training) fn is_before(&self, date: NaiveDate) -> bool {
        self.start.is_some_and(|start| date < start)
    }

    /// What the days before `date` say.
    pub(in crate::training) fn on(&mut self, date: NaiveDate) -> Option<Arc<History>> {
        self.running.as_mut().map(|running| Arc::clone(running.before(date.to_epoch_days())))
    }

    /// Takes the batch of `date`, for later days.
    pub(in crate::training) fn then(&mut self, date: NaiveDate, batch: &Batch) {
        if let Some(running) = &mut self.running {
            running.then(date.to_epoch_days(), batch);
        }
    }
}

/// `builder` with what is known on a day.
pub(in crate::training) fn on_day(builder: &FeatureBuilder, history: Option<&Arc<History>>) -> FeatureBuilder {
    builder.clone().knowing(history.cloned())
}
