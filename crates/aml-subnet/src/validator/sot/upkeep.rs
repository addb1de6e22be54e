//! Cached batches, looked over: the newest and one more at a time, all of them the first time.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use aml_miner::data::listing::{BatchEntry, directory_name};
use aml_miner::error_chain::with_causes;

use super::Sot;

/// Reading a batch of 200 MB takes a second; this long is a disk that fails.
const SLOW: Duration = Duration::from_secs(60);

impl Sot {
    /// What is wrong with cached batches, a line each. A damaged one is fetched again where the source has the same.
    pub async fn look_over(&self) -> Vec<String> {
        let entries = match self.cache.list() {
            Ok(entries) => entries,
            Err(error) => return vec![with_causes(&error)],
        };
        let turn = self.looked.fetch_add(1, Ordering::Relaxed);
        let chosen = |at: usize| turn == 0 || at + 1 == entries.len() || at == turn % entries.len();
        let mut problems = Vec::new();
        for (_, entry) in entries.iter().enumerate().filter(|(at, _)| chosen(*at)) {
            problems.extend(self.look_at(entry).await);
        }
        problems
    }

    async fn look_at(&self, entry: &BatchEntry) -> Option<String> {
        // What is cached is named with its window.
        let window_days = entry.window_days?;
        let began = Instant::now();
        let name = directory_name(entry.date, Some(window_days));
        match self.fetch(entry.date, window_days).await {
            Err(error) => Some(format!("batch {name}: {}", with_causes(&error))),
            Ok(_) if began.elapsed() > SLOW => {
                Some(format!("batch {name} takes {} s to read: is the disk failing?", began.elapsed().as_secs()))
            }
            Ok(_) => None,
        }
    }
}
