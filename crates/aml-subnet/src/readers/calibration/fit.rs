//! Learning the curve: groups of like scores, shares that never fall, intervals in which an address counts once.

use std::collections::{BTreeMap, HashMap};

use super::{Calibration, DAYS, Knot, LEAST, VERSION};
use crate::validation::v2::curve::Curve;

/// Outcomes of a group, at least.
const GROUP: usize = 40;
/// Groups, at most: a hundred outcomes each of five thousand.
const GROUPS: usize = 50;
/// Standard errors of an interval of 90 %.
const Z: f64 = 1.645;

/// What is known of an alert of an earlier round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Known {
    /// Its canonical score.
    pub score: f64,
    /// Whether it turned out illicit.
    pub illicit: bool,
    /// Its address, by number.
    pub address: u32,
}

/// Learns the curve of `round` from what was `known` at `as_of_ms` of the rounds of the days `rounds`.
#[must_use]
pub fn calibrate(round: &str, as_of_ms: i64, rounds: Vec<String>, mut known: Vec<Known>) -> Calibration {
    known.sort_by(|a, b| a.score.total_cmp(&b.score));
    let (addresses, rarer) = once(&known);
    let enough = rarer >= LEAST as f64;
    let knots = if enough { knots(&known) } else { Vec::new() };
    Calibration {
        version: VERSION,
        round: round.to_owned(),
        as_of_ms,
        days: DAYS,
        rounds,
        outcomes: known.len() as u64,
        illicit: known.iter().filter(|one| one.illicit).count() as u64,
        addresses,
        rarer,
        least: LEAST,
        knots,
    }
}

/// How many addresses there are, and how many outcomes of the rarer class, an address counting once.
fn once(known: &[Known]) -> (u64, f64) {
    let mut by_address: HashMap<u32, (u64, u64)> = HashMap::new();
    for one in known {
        let entry = by_address.entry(one.address).or_default();
        entry.0 += 1;
        entry.1 += u64::from(one.illicit);
    }
    let addresses = by_address.len() as u64;
    // Summed by kind, not by address: their numbers do not show.
    let mut kinds: BTreeMap<(u64, u64), u64> = BTreeMap::new();
    for kind in by_address.into_values() {
        *kinds.entry(kind).or_default() += 1;
    }
    let illicit: f64 =
        kinds.iter().map(|((outcomes, illicit), times)| *times as f64 * *illicit as f64 / *outcomes as f64).sum();
    (addresses, illicit.min(addresses as f64 - illicit).max(0.0))
}

/// The groups' ends in alerts sorted by score; equal scores stay together.
fn ends(known: &[Known]) -> Vec<usize> {
    let groups = (known.len() / GROUP).clamp(1, GROUPS);
    let mut ends = Vec::with_capacity(groups);
    for group in 1..=groups {
        let cut = group * known.len() / groups;
        let Some(last) = cut.checked_sub(1).and_then(|last| known.get(last)) else { continue };
        let end = known.partition_point(|one| one.score <= last.score);
        if ends.last().is_none_or(|before| *before < end) {
            ends.push(end);
        }
    }
    ends
}

/// A group of like scores.
struct Group<'a> {
    members: &'a [Known],
    outcomes: f64,
    illicit: f64,
}

fn knots(known: &[Known]) -> Vec<Knot> {
    let mut start = 0;
    let mut groups = Vec::new();
    for end in ends(known) {
        let members = known.get(start..end).unwrap_or_default();
        let illicit = members.iter().filter(|one| one.illicit).count();
        groups.push(Group { members, outcomes: members.len() as f64, illicit: illicit as f64 });
        start = end;
    }
    let (outcomes, illicit): (f64, f64) =
        groups.iter().fold((0.0, 0.0), |(all, bad), group| (all + group.outcomes, bad + group.illicit));
    let base = illicit / outcomes;
    // One outcome of the usual share in each group: nothing is certain.
    let shares: Vec<f64> = groups.iter().map(|group| (group.illicit + base) / (group.outcomes + 1.0)).collect();
    let weights: Vec<f64> = groups.iter().map(|group| group.outcomes).collect();
    let shares = Curve::rising(&shares, &weights).shares;
    let mut knots: Vec<Knot> = Vec::with_capacity(groups.len());
    for pool in pools(&shares) {
        let members = || groups.get(pool.clone()).unwrap_or_default();
        let share = shares.get(pool.start).copied().unwrap_or(base);
        let (low, high) = interval(share, effective(members().iter().flat_map(|group| group.members)));
        knots.extend(members().iter().map(|group| Knot {
            score: group.members.iter().map(|one| one.score).sum::<f64>() / group.outcomes,
            share,
            low,
            high,
            outcomes: group.members.len() as u64,
        }));
    }
    rising_ends(&mut knots);
    knots
}

/// Runs of groups that have the same share.
fn pools(shares: &[f64]) -> Vec<std::ops::Range<usize>> {
    let mut pools: Vec<std::ops::Range<usize>> = Vec::new();
    for (at, share) in shares.iter().enumerate() {
        match pools.last_mut() {
            Some(pool) if shares.get(pool.start).is_some_and(|first| first.to_bits() == share.to_bits()) => {
                pool.end = at + 1;
            }
            _ => pools.push(at..at + 1),
        }
    }
    pools
}

/// How many independent outcomes these are worth, those of an address being taken for one (Kish).
fn effective<'a>(members: impl Iterator<Item = &'a Known>) -> f64 {
    let mut by_address: HashMap<u32, u64> = HashMap::new();
    members.for_each(|one| *by_address.entry(one.address).or_default() += 1);
    let (count, squares) = by_address.values().fold((0, 0), |(count, squares), of| (count + of, squares + of * of));
    count as f64 * count as f64 / squares.max(1) as f64
}

/// Wilson's interval of a share among `number` outcomes.
pub(in crate::readers) fn interval(share: f64, number: f64) -> (f64, f64) {
    let number = number.max(1.0);
    let part = Z * Z / number;
    let middle = (share + part / 2.0) / (1.0 + part);
    let half = Z * (share * (1.0 - share) / number + part / (4.0 * number)).max(0.0).sqrt() / (1.0 + part);
    ((middle - half).clamp(0.0, share), (middle + half).clamp(share, 1.0))
}

/// Ends of intervals rise as the shares do: what holds below holds above.
fn rising_ends(knots: &mut [Knot]) {
    let mut low = 0.0_f64;
    for knot in knots.iter_mut() {
        low = low.max(knot.low);
        knot.low = low;
    }
    let mut high = 1.0_f64;
    for knot in knots.iter_mut().rev() {
        high = high.min(knot.high);
        knot.high = high;
    }
}
