//! Figures of the money flows of the alerts' addresses, as the features of the same names have them: a transfer to oneself is no
//! flow, one without an end neither; an amount that is not known counts for nothing but counterparties.
//!
//! Amounts are put in order before they are added up, so that the order of the rows changes no bit.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use aml_miner::flows::passed_on;
use aml_miner::wire::{Batch, TextColumn};

use super::catalogue::{Dealt, Flow};
use super::data::ratio;

/// Rows of the money flows from and to some addresses.
pub(super) struct Graph<'a> {
    ends: Option<(&'a TextColumn, &'a TextColumn)>,
    amounts: Option<&'a [f64]>,
    times: Option<&'a [f64]>,
    rows: HashMap<&'a str, Vec<usize>>,
    exchanges: Option<HashSet<&'a str>>,
    mixers: Option<HashSet<&'a str>>,
    /// Of each address that deals with a mixer: which mixer, and whether with another one too.
    beside: HashMap<&'a str, Beside<'a>>,
}

/// A mixer that an address deals with.
#[derive(Clone, Copy)]
struct Beside<'a> {
    mixer: &'a str,
    another: bool,
}

impl Beside<'_> {
    /// Whether one of them is not this address.
    fn is_other_than(&self, address: &str) -> bool {
        self.another || self.mixer != address
    }
}

/// The figures of one address; each `None` where the batch does not say it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Figures {
    passed_on: Option<f64>,
    top: [Option<f64>; 2],
    exchanges: [Option<f64>; 2],
    mixers: [Option<f64>; 2],
    mixers_near: Option<f64>,
    mixers_behind: Option<f64>,
}

impl Figures {
    /// One of them.
    pub(super) fn of(&self, figure: Flow) -> Option<f64> {
        match figure {
            Flow::PassedOn => self.passed_on,
            Flow::TopSender => self.top[0],
            Flow::TopRecipient => self.top[1],
            Flow::FromExchanges => self.exchanges[0],
            Flow::ToExchanges => self.exchanges[1],
            Flow::FromMixers => self.mixers[0],
            Flow::ToMixers => self.mixers[1],
            Flow::Mixers => self.mixers_near,
            Flow::MixersBehind => self.mixers_behind,
        }
    }
}

/// The other end is an address.
type Edge<'a> = aml_miner::flows::Edge<&'a str>;

impl<'a> Graph<'a> {
    /// The flows of a batch from and to these addresses.
    pub(super) fn new(batch: &'a Batch, of: &HashSet<&'a str>) -> Self {
        let flows = &batch.money_flows;
        let ends = flows.texts("from_address").zip(flows.texts("to_address"));
        let mixers = flagged(batch, "is_mixer_like");
        let mut rows: HashMap<&str, Vec<usize>> = HashMap::new();
        let mut beside: HashMap<&str, Beside<'a>> = HashMap::new();
        for row in 0..ends.map_or(0, |_| flows.rows()) {
            let Some((from, to)) = ends.map(|(from, to)| (from.get(row), to.get(row))) else { continue };
            if from.is_empty() || to.is_empty() || from == to {
                continue;
            }
            for (end, other) in [(from, to), (to, from)] {
                if let Some(address) = of.get(end) {
                    rows.entry(address).or_default().push(row);
                }
                if mixers.as_ref().is_some_and(|mixers| mixers.contains(other)) {
                    let found = beside.entry(end).or_insert(Beside { mixer: other, another: false });
                    found.another |= found.mixer != other;
                }
            }
        }
        Self {
            ends,
            amounts: flows.numbers("amount_usd"),
            times: flows.numbers("last_seen"),
            rows,
            exchanges: flagged(batch, "is_exchange_like"),
            mixers,
            beside,
        }
    }

    /// The figures of an address.
    pub(super) fn figures(&self, address: &str) -> Figures {
        let mut sides = self.sides(address);
        let others: BTreeSet<&str> = sides.iter().flatten().map(|edge| edge.other).collect();
        let near = |mixers: &HashSet<&str>| others.iter().filter(|other| mixers.contains(*other)).count() as f64;
        let behind = |other: &&&str| self.beside.get(**other).is_some_and(|beside| beside.is_other_than(address));
        let mixers_behind = self.mixers.as_ref().map(|_| others.iter().filter(behind).count() as f64);
        let [incoming, outgoing] = &mut sides;
        let both = [side(incoming), side(outgoing)];
        let share = |flags: &Option<HashSet<&str>>| {
            let flags = flags.as_ref();
            [share_of(incoming, &both[0], flags), share_of(outgoing, &both[1], flags)]
        };
        let (exchanges, mixers) = (share(&self.exchanges), share(&self.mixers));
        Figures {
            top: both.map(|side| ratio(side.top, side.sum)),
            exchanges,
            mixers,
            mixers_near: self.mixers.as_ref().map(near),
            mixers_behind,
            passed_on: Some(passed_on(incoming, outgoing)).filter(|share| share.is_finite()),
        }
    }

    /// Those that an address deals with in one direction, each once; exchanges are none.
    pub(super) fn dealt_with(&self, address: &str, side: Dealt) -> BTreeSet<&'a str> {
        let [incoming, outgoing] = self.sides(address);
        let edges = if side == Dealt::Senders { incoming } else { outgoing };
        let is_exchange = |other: &&str| self.exchanges.as_ref().is_some_and(|exchanges| exchanges.contains(other));
        edges.into_iter().map(|edge| edge.other).filter(|other| !is_exchange(other)).collect()
    }

    /// What came in and what went out, the smallest amount first.
    fn sides(&self, address: &str) -> [Vec<Edge<'a>>; 2] {
        let mut sides = [Vec::new(), Vec::new()];
        let (Some((from, to)), Some(rows)) = (self.ends, self.rows.get(address)) else { return sides };
        let of = |column: Option<&[f64]>, row: usize| column.and_then(|values| values.get(row)).copied();
        for &row in rows {
            let (amount, time) = (of(self.amounts, row), of(self.times, row));
            let (amount, time) = (amount.unwrap_or(f64::NAN), time.unwrap_or(f64::NAN));
            let (sender, recipient) = (from.get(row), to.get(row));
            let is_in = recipient == address;
            let other = if is_in { sender } else { recipient };
            sides[usize::from(!is_in)].push(Edge { other, amount, time });
        }
        sides.iter_mut().for_each(|side| side.sort_by(|a, b| a.amount.total_cmp(&b.amount)));
        sides
    }
}

/// Addresses with a flag; `None` where the batch does not have it.
fn flagged<'a>(batch: &'a Batch, column: &str) -> Option<HashSet<&'a str>> {
    let (addresses, flags) = (batch.features.texts("address")?, batch.features.numbers(column)?);
    Some(addresses.iter().zip(flags).filter(|(_, flag)| **flag > 0.0).map(|(address, _)| address).collect())
}

/// What is known of one direction.
#[derive(Clone, Copy)]
struct Side {
    /// All amounts.
    sum: f64,
    /// Those of the largest counterparty.
    top: f64,
}

fn side(edges: &[Edge<'_>]) -> Side {
    let mut of_other: BTreeMap<&str, f64> = BTreeMap::new();
    let mut sum = 0.0;
    for edge in edges.iter().filter(|edge| edge.amount.is_finite()) {
        sum += edge.amount;
        *of_other.entry(edge.other).or_insert(0.0) += edge.amount;
    }
    Side { sum, top: of_other.into_values().fold(0.0, f64::max) }
}

/// Share of the flagged ones.
fn share_of(edges: &[Edge<'_>], side: &Side, flagged: Option<&HashSet<&str>>) -> Option<f64> {
    let flagged = flagged?;
    let of = edges.iter().filter(|edge| edge.amount.is_finite() && flagged.contains(edge.other));
    // `-0.0` is an empty sum.
    ratio(of.map(|edge| edge.amount).sum::<f64>() + 0.0, side.sum)
}
