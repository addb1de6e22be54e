//! The one task of a round: batch and traps under fresh ids, every table shuffled.
//!
//! All of it follows from the round's salt, the batch and the pool, so that the same rows are made again after a restart.

use std::collections::{BTreeMap, HashSet};

use aml_miner::wire::{Batch, Table};

use super::draw::Draw;
use super::forge::Forged;
use super::merge::merged;
use super::relabel::Labels;
use super::slice::Kind;
use super::{Forge, seeded};
use crate::store::records::{RoundId, SentAlert, SentName};
use crate::validation::tier2_traps::TrapGroup;

/// What all miners are sent, and what it stands for.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    /// The tables as they are sent.
    pub(crate) batch: Batch,
    /// The alerts, in this order.
    pub(crate) alerts: Vec<SentAlert>,
    /// The groups of traps, by place.
    pub(crate) groups: Vec<TrapGroup>,
    /// The clusters, by the id that they are sent under.
    pub(crate) clusters: Vec<SentName>,
    /// The patterns, likewise.
    pub(crate) patterns: Vec<SentName>,
}

/// Makes the task of `round` about `batch`; without a forge it has no traps.
pub(crate) fn make(round: RoundId, salt: &[u8; 32], batch: &Batch, forge: Option<&Forge>) -> Made {
    let draw = seeded(salt, round, b"common");
    let (merged, names, groups, added) = match forge {
        Some(forge) => with_traps(forge, batch, &draw),
        None => (batch.clone(), Vec::new(), Vec::new(), HashSet::new()),
    };
    let labels = Labels::of(&merged, &names, &mut draw.fork("labels"));
    let labelled = labels.apply(&merged);
    let order = turned(labelled.alerts.rows(), &draw.fork("order of alerts"));
    let sent_ids = labelled.alerts.texts("alert_id");
    let sent_id = |row: usize| sent_ids.map_or("", |ids| ids.get(row)).to_owned();
    let of = in_roster(labelled.alerts.rows(), &added);
    let alerts = order.iter().map(|&row| SentAlert { id: sent_id(row), of: of[row] }).collect();
    let place_of: BTreeMap<usize, usize> = order.iter().enumerate().map(|(place, &row)| (row, place)).collect();
    let groups = groups.into_iter().map(|group| moved(group, &place_of)).collect();
    let own = Own::of(batch);
    let shuffled = |table: &Table, purpose: &str| table.take(&turned(table.rows(), &draw.fork(purpose)));
    Made {
        alerts,
        groups,
        clusters: own.names(&labels, Kind::Cluster),
        patterns: own.names(&labels, Kind::Pattern),
        batch: Batch {
            features: shuffled(&labelled.features, "order of features"),
            clusters: shuffled(&labelled.clusters, "order of clusters"),
            money_flows: shuffled(&labelled.money_flows, "order of flows"),
            alerts: labelled.alerts.take(&order),
        },
    }
}

type WithTraps = (Batch, Vec<(Kind, String)>, Vec<TrapGroup>, HashSet<usize>);

/// The batch with traps and their company, names that stand in their prose alone, the groups, and which alerts were added.
fn with_traps(forge: &Forge, batch: &Batch, draw: &Draw) -> WithTraps {
    let (groups, Forged { rows, places, names }) = forge.common(draw);
    let added = places[0].iter().copied().collect();
    (merged(batch, &rows, &places), names, groups, added)
}

/// The place in the roster of each row that was not added.
fn in_roster(rows: usize, added: &HashSet<usize>) -> Vec<Option<usize>> {
    let mut next = 0..;
    (0..rows).map(|row| if added.contains(&row) { None } else { next.next() }).collect()
}

/// So many rows in random order.
fn turned(rows: usize, draw: &Draw) -> Vec<usize> {
    let mut order: Vec<usize> = (0..rows).collect();
    draw.clone().shuffle(&mut order);
    order
}

fn moved(group: TrapGroup, place_of: &BTreeMap<usize, usize>) -> TrapGroup {
    let mut places: Vec<usize> = group.places.iter().filter_map(|row| place_of.get(row).copied()).collect();
    places.sort_unstable();
    TrapGroup { places, ..group }
}

/// The ids that are the batch's own.
struct Own<'a>(HashSet<(Kind, &'a str)>);

impl<'a> Own<'a> {
    fn of(batch: &'a Batch) -> Self {
        let of = |table: &'a Table, column: &str, kind: Kind| {
            table.texts(column).into_iter().flat_map(move |texts| texts.iter().map(move |name| (kind, name)))
        };
        let clusters = of(&batch.clusters, "cluster_id", Kind::Cluster);
        let patterns = of(&batch.alerts, "pattern_id", Kind::Pattern);
        Self(clusters.chain(patterns).chain(of(&batch.clusters, "pattern_id", Kind::Pattern)).collect())
    }

    /// The labels of a kind by fresh id, so that their order says nothing.
    fn names(&self, labels: &Labels, kind: Kind) -> Vec<SentName> {
        let name = |(old, fresh): (&str, &str)| {
            let of = self.0.contains(&(kind, old)).then(|| old.to_owned());
            SentName { id: fresh.to_owned(), of }
        };
        let mut names: Vec<SentName> = labels.of_kind(kind).map(name).collect();
        names.sort_unstable();
        names
    }
}
