//! Values by round, kept in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::NaiveDate;

use super::alerts::Column;
use super::scored::Scored;
use super::views::{RoundDetail, RoundFacts};
use crate::store::records::{Round, RoundId};

/// Rounds whose facts are kept: what a page of the list and a miner's history look at.
const FACTS_KEPT: usize = 256;
/// Rounds that are kept in full.
const DETAILS_KEPT: usize = 8;
/// Rounds whose most urgent addresses are kept: a week, and one of an earlier week.
const TOPS_KEPT: usize = 64;
/// Rounds whose scored alerts are kept: some 20 MB each.
const SCORED_KEPT: usize = 4;
/// Rounds whose outcomes are kept.
const OUTCOMES_KEPT: usize = 16;
/// Rounds whose alerts are kept by actor, in each of two ways.
const CASES_KEPT: usize = 4;

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

/// Values by round, those that were asked for last staying longest: whoever reads an old day reads it more than once.
#[derive(Debug)]
pub(super) struct Recent<V> {
    most: usize,
    values: Mutex<Vec<Entry<V>>>,
    /// One value is made at a time: each takes much more memory than what is kept of it.
    pub(super) making: tokio::sync::Mutex<()>,
}

impl<V> Recent<V> {
    fn new(most: usize) -> Self {
        Self { most, values: Mutex::default(), making: tokio::sync::Mutex::default() }
    }

    pub(super) fn get(&self, round: &Round) -> Option<Arc<V>> {
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        let at = values.iter().position(|entry| entry.of == *round)?;
        let entry = values.remove(at);
        let value = Arc::clone(&entry.value);
        values.insert(0, entry);
        Some(value)
    }

    pub(super) fn put(&self, round: &Round, value: V) -> Arc<V> {
        let value = Arc::new(value);
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        // What a later step changes takes the place of what was there.
        values.retain(|entry| entry.of.id != round.id);
        values.insert(0, Entry { of: round.clone(), value: Arc::clone(&value) });
        values.truncate(self.most);
        value
    }
}

/// What is kept in memory of rounds.
#[derive(Debug)]
pub(super) struct Memory {
    pub(super) facts: Kept<RoundFacts>,
    pub(super) details: Kept<RoundDetail>,
    pub(super) tops: Kept<BTreeSet<String>>,
    pub(super) scored: Recent<Scored>,
    /// What is known of their alerts.
    pub(super) outcomes: Recent<Outcomes>,
    /// What each miner with a voice said.
    pub(super) columns: Recent<Vec<Column>>,
    /// The alerts of each case, by address alone.
    pub(super) by_address: Recent<Members>,
    /// The same, by what clusters hold together too.
    pub(super) by_cluster: Recent<Members>,
}

/// Whether alerts turned out illicit, by their places in the roster.
pub(super) type Outcomes = BTreeMap<usize, bool>;

/// The alerts of each case by their places in the roster, the most urgent case and the most urgent alert first.
pub(super) type Members = Vec<Vec<usize>>;

impl Default for Memory {
    fn default() -> Self {
        Self {
            facts: Kept::new(FACTS_KEPT),
            details: Kept::new(DETAILS_KEPT),
            tops: Kept::new(TOPS_KEPT),
            scored: Recent::new(SCORED_KEPT),
            outcomes: Recent::new(OUTCOMES_KEPT),
            columns: Recent::new(1),
            by_address: Recent::new(CASES_KEPT),
            by_cluster: Recent::new(CASES_KEPT),
        }
    }
}
