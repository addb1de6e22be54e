//! Values by round, kept in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::NaiveDate;

use super::scored::Scored;
use super::views::{RoundDetail, RoundFacts};
use crate::store::records::{Round, RoundId};

/// Rounds whose facts are kept: what a page of the list and a miner's history look at.
const FACTS_KEPT: usize = 256;
/// Rounds that are kept in full.
const DETAILS_KEPT: usize = 8;
/// Rounds whose most urgent addresses are kept: a week, and one of an earlier week.
const TOPS_KEPT: usize = 64;

/// Rounds whose scored alerts are kept: some 10 MB each.
const SCORED_KEPT: usize = 4;

#[derive(Debug)]
struct Entry<V> {
    of: Round,
    value: Arc<V>,
}

/// Values by round, the newest rounds staying longest. What a later step changes is made anew.
#[derive(Debug)]
pub(super) struct Kept<V> {
    most: usize,
    values: Mutex<BTreeMap<(NaiveDate, RoundId), Entry<V>>>,
}

impl<V> Kept<V> {
    const fn new(most: usize) -> Self {
        Self { most, values: Mutex::new(BTreeMap::new()) }
    }

    pub(super) fn get(&self, round: &Round) -> Option<Arc<V>> {
        let values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        values.get(&(round.id.date, round.id)).filter(|entry| entry.of == *round).map(|entry| Arc::clone(&entry.value))
    }

    pub(super) fn put(&self, round: &Round, value: V) -> Arc<V> {
        let value = Arc::new(value);
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        values.insert((round.id.date, round.id), Entry { of: round.clone(), value: Arc::clone(&value) });
        while values.len() > self.most {
            values.pop_first();
        }
        value
    }
}

/// What is kept in memory of rounds.
#[derive(Debug)]
pub(super) struct Memory {
    pub(super) facts: Kept<RoundFacts>,
    pub(super) details: Kept<RoundDetail>,
    pub(super) tops: Kept<BTreeSet<String>>,
    pub(super) scored: Kept<Scored>,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            facts: Kept::new(FACTS_KEPT),
            details: Kept::new(DETAILS_KEPT),
            tops: Kept::new(TOPS_KEPT),
            scored: Kept::new(SCORED_KEPT),
        }
    }
}
