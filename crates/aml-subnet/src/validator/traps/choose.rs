//! Which settled alerts one miner gets, in which groups, and where they stand in its task.

use std::collections::{BTreeMap, BTreeSet};

use super::draw::Draw;
use super::pool::TrapPool;
use super::slice::{Candidate, LEAST_GROUP};
use crate::config::TrapSettings;
use crate::store::records::TrapPlan;
use crate::validation::tier2_traps::{Expected, TrapGroup};

/// At most one alert in so many is a trap.
pub const ALERTS_PER_TRAP: usize = 20;
/// Name of a group of several typologies.
const MIXED: &str = "mixed";

/// How traps are issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Issuing {
    /// By themselves, to one miner: rules v1.
    Alone,
    /// With all that belongs to them, to everybody, in groups of all typologies, each as often as it is: rules v2.
    InCompany,
}

/// A settled alert: its slice, and its place among the slice's candidates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Source {
    pub(super) slice: usize,
    pub(super) candidate: usize,
}

/// The traps of one miner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chosen {
    /// In the order of their places.
    pub(super) sources: Vec<Source>,
    /// Their places in the task, ascending.
    pub(super) places: Vec<usize>,
    /// The groups, by place.
    pub(super) groups: Vec<TrapGroup>,
}

impl From<TrapSettings> for TrapPlan {
    fn from(settings: TrapSettings) -> Self {
        let TrapSettings { high_groups, low_groups, group_size } = settings;
        Self { high_groups, low_groups, group_size }
    }
}

impl TrapPlan {
    /// About `traps` traps in groups of `group_size`, half of them expected to be high.
    #[must_use]
    pub const fn split(traps: usize, group_size: usize) -> Self {
        if group_size == 0 {
            return Self::NONE;
        }
        let groups = traps / group_size;
        Self { high_groups: groups.div_ceil(2), low_groups: groups / 2, group_size }
    }

    /// What is left of the plan for a task of `alerts` alerts, so that traps stay a small share of it.
    #[must_use]
    pub fn within(self, alerts: usize) -> Self {
        let most = alerts / ALERTS_PER_TRAP;
        let (mut high, mut low) = (self.high_groups, self.low_groups);
        while high + low > 2 && most / (high + low) < self.group_size {
            // The larger half gives way, so that both kinds stay.
            *(if high > low { &mut high } else { &mut low }) -= 1;
        }
        let group_size = self.group_size.min(most / (high + low).max(1));
        if group_size < LEAST_GROUP.min(self.group_size) {
            Self::NONE
        } else {
            Self { high_groups: high, low_groups: low, group_size }
        }
    }
}

/// Draws the traps of a task of `alerts` alerts. No alert and no address is drawn twice.
pub(super) fn choose(pool: &TrapPool, plan: TrapPlan, issuing: Issuing, alerts: usize, draw: &Draw) -> Chosen {
    let plan = plan.within(alerts);
    let draw_groups = draw.fork("choose");
    let mut drawing = Drawing { pool, issuing, draw: draw_groups, used: BTreeSet::new(), addresses: BTreeSet::new() };
    let mut groups: Vec<(String, Expected, Vec<Source>)> = Vec::new();
    for (expected, count) in [(Expected::High, plan.high_groups), (Expected::Low, plan.low_groups)] {
        groups.extend((0..count).filter_map(|_| drawing.group(expected, plan.group_size)));
    }
    let mut members: Vec<(Source, usize)> =
        groups.iter().zip(0..).flat_map(|((_, _, sources), group)| sources.iter().map(move |&s| (s, group))).collect();
    let mut placing = draw.fork("places");
    placing.shuffle(&mut members);
    let places = placing.places(members.len(), alerts + members.len());
    let of_group = |group: usize| {
        let own = members.iter().zip(&places).filter(move |((_, of), _)| *of == group);
        own.map(|(_, &place)| place).collect()
    };
    let groups = groups
        .iter()
        .enumerate()
        .map(|(group, (name, expected, _))| TrapGroup {
            name: name.clone(),
            expected: *expected,
            places: of_group(group),
        })
        .collect();
    Chosen { sources: members.into_iter().map(|(source, _)| source).collect(), places, groups }
}

struct Drawing<'a> {
    pool: &'a TrapPool,
    issuing: Issuing,
    draw: Draw,
    used: BTreeSet<Source>,
    addresses: BTreeSet<&'a str>,
}

impl<'a> Drawing<'a> {
    /// A group, to one miner of one typology where there are enough; `None` when too few alerts are left.
    fn group(&mut self, expected: Expected, size: usize) -> Option<(String, Expected, Vec<Source>)> {
        let free = self.free(expected);
        if self.issuing == Issuing::InCompany {
            let members = self.members(&free, size);
            return if members.len() == size { self.taken(MIXED, expected, members) } else { None };
        }
        let mut by_typology: BTreeMap<&'a str, Vec<Source>> = BTreeMap::new();
        for source in free {
            by_typology.entry(&self.candidate(source).typology).or_default().push(source);
        }
        let mut typologies: Vec<&str> = by_typology.keys().copied().collect();
        self.draw.shuffle(&mut typologies);
        for typology in typologies {
            let members = self.members(&by_typology[typology], size);
            if members.len() == size {
                return self.taken(typology, expected, members);
            }
        }
        let all: Vec<Source> = by_typology.into_values().flatten().collect();
        let members = self.members(&all, size);
        if members.len() == size { self.taken(MIXED, expected, members) } else { None }
    }

    fn taken(
        &mut self,
        name: &str,
        expected: Expected,
        members: Vec<Source>,
    ) -> Option<(String, Expected, Vec<Source>)> {
        for &member in &members {
            self.used.insert(member);
            self.addresses.insert(self.address(member));
        }
        Some((name.to_owned(), expected, members))
    }

    /// Up to `size` of `from`, unit by unit.
    fn members(&mut self, from: &[Source], size: usize) -> Vec<Source> {
        let mut units: BTreeMap<(usize, usize), Vec<Source>> = BTreeMap::new();
        for &source in from {
            units.entry((source.slice, self.candidate(source).unit)).or_default().push(source);
        }
        let mut units: Vec<Vec<Source>> = units.into_values().collect();
        self.draw.shuffle(&mut units);
        let mut addresses = BTreeSet::new();
        let all = units.into_iter().flatten();
        all.filter(|&source| addresses.insert(self.address(source))).take(size).collect()
    }

    fn free(&self, expected: Expected) -> Vec<Source> {
        let all = self.pool.slices.iter().zip(0..).flat_map(|(slice, number)| {
            let fitting = slice.candidates.iter().zip(0..).filter(move |(candidate, _)| candidate.expected == expected);
            fitting.map(move |(_, candidate)| Source { slice: number, candidate })
        });
        let is_free = |source: &Source| !self.used.contains(source) && !self.addresses.contains(self.address(*source));
        let fits = |source: &Source| self.issuing == Issuing::Alone || self.candidate(*source).whole;
        all.filter(|source| is_free(source) && fits(source)).collect()
    }

    fn candidate(&self, source: Source) -> &'a Candidate {
        &self.pool.slices[source.slice].candidates[source.candidate]
    }

    fn address(&self, source: Source) -> &'a str {
        let alerts = &self.pool.slices[source.slice].batch.alerts;
        alerts.texts("address").map_or("", |column| column.get(self.candidate(source).row))
    }
}
