//! The state: what is kept of every address, and how a day is added.

use std::collections::HashMap;
use std::fmt;

use super::facts::{Fact, Facts};
use super::past::{AlertDay, Known, Past, Sighting};
use crate::digest::Digest;
use crate::table::keyed_hash::Keyed;

/// Days that are kept, and looked back on.
pub const KEPT_DAYS: i32 = 30;
/// Days of the short look back, and the fewest that a state needs before it says anything: with less, all addresses look new.
pub const SHORT_DAYS: i32 = 7;
/// Days without a batch after which a state says nothing any more: what happened in them would look like nothing.
pub const STALE_DAYS: i32 = 7;
/// Addresses that are kept; of more, those that were seen last: about 2 GiB when all were seen every day.
pub const MAX_ADDRESSES: usize = 2_000_000;

/// How a state stands to a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It ends with the day before.
    Fresh,
    /// It ends a few days earlier: what happened since is not in it.
    Gap,
    /// It ends more than [`STALE_DAYS`] days before the day before, and says nothing any more.
    Stale,
    /// It contains the day or a later one, and says nothing: the day would know its future.
    Contained,
    /// It reaches back less than [`SHORT_DAYS`] days, and says nothing yet.
    Short,
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fresh => "the state of addresses ends with the day before",
            Self::Gap => "the state of addresses ends earlier than the day before: what happened since is not in it",
            Self::Stale => {
                "the state of addresses is more than a week too old for this day: features of earlier days are missing"
            }
            Self::Contained => {
                "the state of addresses contains this day or a later one: it takes a state that ends before"
            }
            Self::Short => "the state of addresses has less than a week: features of earlier days are missing",
        })
    }
}

/// What earlier days say of addresses.
#[derive(Clone, Debug, Default)]
pub struct History {
    pub(super) days: Option<(i32, i32)>,
    pub(super) pasts: HashMap<Box<str>, Past, Keyed>,
    pub(super) sha256: Option<Digest>,
    pub(super) most: Option<usize>,
}

impl History {
    /// The same, which keeps at most `addresses` addresses from the next day on.
    #[must_use]
    pub fn keeping(self, addresses: usize) -> Self {
        Self { most: Some(addresses), ..self }
    }

    /// The first day that it contains, in days since 1970-01-01; after all days where it contains none.
    #[must_use]
    pub fn first_day(&self) -> i32 {
        self.days.map_or(i32::MAX, |(first, _)| first)
    }

    /// The last day that it contains, in days since 1970-01-01.
    #[must_use]
    pub fn last_day(&self) -> Option<i32> {
        self.days.map(|(_, last)| last)
    }

    /// Number of addresses.
    #[must_use]
    pub fn addresses(&self) -> usize {
        self.pasts.len()
    }

    /// SHA-256 of the file that it was read from; none when days were added since.
    #[must_use]
    pub fn sha256(&self) -> Option<Digest> {
        self.sha256
    }

    /// How the state stands to a day.
    #[must_use]
    pub fn on(&self, day: i32) -> Standing {
        match self.days {
            None => Standing::Short,
            Some((_, last)) if day <= last => Standing::Contained,
            Some((first, _)) if day.saturating_sub(first) < SHORT_DAYS => Standing::Short,
            Some((_, last)) if day > last.saturating_add(1 + STALE_DAYS) => Standing::Stale,
            Some((_, last)) if day > last.saturating_add(1) => Standing::Gap,
            Some(_) => Standing::Fresh,
        }
    }

    /// What the state says on `day` of `address`: nothing when it does not know it, or is of no use on that day.
    #[must_use]
    pub fn past(&self, address: &str, day: i32) -> Option<Known<'_>> {
        let of_use = matches!(self.on(day), Standing::Fresh | Standing::Gap);
        let past = self.pasts.get(address).filter(|_| of_use)?;
        let kept = past.last_day().is_some_and(|last| last >= day.saturating_sub(KEPT_DAYS));
        kept.then_some(Known { past, day })
    }

    /// Adds what the batch of `day` says; a day that it contains, or one before its last day, changes nothing. Says whether it was added.
    pub fn add(&mut self, day: i32, facts: &Facts) -> bool {
        let first = match self.days {
            Some((_, last)) if day <= last => return false,
            Some((first, _)) => first,
            None => day,
        };
        self.sha256 = None;
        for (address, fact) in &facts.0 {
            let past = match self.pasts.get_mut(address) {
                Some(past) => past,
                None => self.pasts.entry(address.clone()).or_default(),
            };
            add_fact(past, day, *fact);
        }
        self.days = Some((first.max(day - KEPT_DAYS + 1), day));
        self.pasts.retain(|_, past| past.forget(day - KEPT_DAYS + 1));
        self.shrink(self.most.unwrap_or(MAX_ADDRESSES));
        true
    }

    /// Lets go of the addresses that were seen the longest ago; of equal ones those last by name.
    fn shrink(&mut self, most: usize) {
        if self.pasts.len() <= most {
            return;
        }
        let mut order: Vec<(i32, Box<str>)> =
            self.pasts.iter().map(|(name, past)| (past.last_day().unwrap_or(i32::MIN), name.clone())).collect();
        order.sort_unstable_by(|(one, name), (other, other_name)| other.cmp(one).then_with(|| name.cmp(other_name)));
        for (_, name) in order.drain(most..) {
            self.pasts.remove(&name);
        }
    }
}

fn add_fact(past: &mut Past, day: i32, fact: Fact) {
    if fact.alerts > 0 {
        past.alerts.push(AlertDay { day, count: fact.alerts, severity: fact.severity });
    }
    if let Some(volume_usd) = fact.volume_usd {
        past.seen.push(Sighting { day, volume_usd });
    }
}
