//! One row per cluster: from its own columns, its alerts, their scores, and its addresses.
//!
//! Values are put in ascending order before they are summed, so that neither the order of a cluster's lists nor that
//! of the alerts changes a bit. An alert or address that a cluster lists twice counts once.

use std::collections::{HashMap, HashSet};

use rayon::prelude::*;

use crate::features::bind::{Bound, Expression, Op, RowsOf, bound, fill};
use crate::features::expressions::{Aggregate, MemberFigure, ScoreFigure};
use crate::features::view::{Addresses, AlertsView, JoinedRows, rows_of_ids};
use crate::features::vocabulary::{Matrix, NONE, Part, Reads, signed_log};
use crate::history::History;
use crate::wire::Batch;

/// Clusters that one task fills.
const BLOCK: usize = 16;

/// A column of the cluster matrix, with what it aggregates by position.
#[derive(Clone)]
enum Cell {
    Own(usize),
    OverAlerts(Aggregate, usize),
    OverAddresses(Aggregate, usize),
    Members(MemberFigure),
    Scores(ScoreFigure),
    Log(Box<Cell>),
}

/// How the rows of clusters are computed.
#[derive(Clone, Default)]
pub(crate) struct ClusterPlan {
    cells: Vec<Cell>,
    own: Vec<Op>,
    of_alerts: Vec<Op>,
    of_addresses: Vec<Op>,
    alert_reads: Reads,
    address_reads: Reads,
    reads: Reads,
}

/// Positions of the features already in a plan.
#[derive(Default)]
struct Known {
    alerts: HashMap<Box<str>, usize>,
    addresses: HashMap<Box<str>, usize>,
}

impl ClusterPlan {
    /// The plan for `expressions`, one column each.
    pub(crate) fn new(expressions: Vec<Expression>) -> Self {
        let mut plan = Self::default();
        let mut known = Known::default();
        for expression in expressions {
            let cell = plan.cell(expression, &mut known);
            plan.cells.push(cell);
        }
        plan.of_alerts.iter().for_each(|op| op.reads(&mut plan.alert_reads));
        plan.of_addresses.iter().for_each(|op| op.reads(&mut plan.address_reads));
        plan.alert_reads.add_joins_of_alerts();
        plan.own.iter().for_each(|op| op.reads(&mut plan.reads));
        plan.reads.extend(&plan.alert_reads);
        plan.reads.extend(&plan.address_reads);
        plan
    }

    /// All that the plan reads.
    pub(crate) fn reads(&self) -> &Reads {
        &self.reads
    }

    fn cell(&mut self, expression: Expression, known: &mut Known) -> Cell {
        let place = |ops: &mut Vec<Op>, op: Op| {
            ops.push(op);
            ops.len() - 1
        };
        match expression {
            Expression::Own(op) => Cell::Own(place(&mut self.own, op)),
            Expression::OverAlerts(aggregate, name, op) => {
                self.reads.add_named(Part::Clusters, "related_alert_ids");
                let position = *known.alerts.entry(name).or_insert_with(|| place(&mut self.of_alerts, op));
                Cell::OverAlerts(aggregate, position)
            }
            Expression::OverAddresses(aggregate, name, op) => {
                self.reads.add_named(Part::Clusters, "addresses_involved");
                let position = *known.addresses.entry(name).or_insert_with(|| place(&mut self.of_addresses, op));
                Cell::OverAddresses(aggregate, position)
            }
            Expression::Members(figure) => {
                self.reads.add_named(Part::Clusters, "related_alert_ids");
                figure.reads(&mut self.reads);
                Cell::Members(figure)
            }
            Expression::Scores(figure) => {
                self.reads.add_named(Part::Clusters, "related_alert_ids");
                Cell::Scores(figure)
            }
            Expression::Log(inner) => Cell::Log(Box::new(self.cell(*inner, known))),
        }
    }

    /// The matrix of the batch's clusters, with what earlier days say. `scores` holds one score per alert. `None` once `wanted`
    /// says no.
    pub(crate) fn matrix(
        &self,
        (batch, history): (&Batch, Option<&History>),
        scores: Option<&[f64]>,
        wanted: &dyn Fn() -> bool,
    ) -> Option<Matrix> {
        let alerts = AlertsView::new(batch, &self.alert_reads, history);
        let mut names = Addresses::default();
        let involved = if self.of_addresses.is_empty() { None } else { addresses_of_clusters(batch, &mut names) };
        let addresses = JoinedRows::of_addresses(batch, &names, &self.address_reads, history);
        let clusters = JoinedRows::of_clusters(batch);
        let own = bound(&self.own, RowsOf::Others(&clusters), wanted)?;
        let rows = Inputs {
            batch,
            own: &own,
            alerts: Members {
                matrix: filled(&self.of_alerts, RowsOf::Alerts(&alerts), alerts.rows(), wanted)?,
                of_clusters: alerts_of_clusters(batch),
            },
            addresses: Members {
                matrix: filled(&self.of_addresses, RowsOf::Others(&addresses), addresses.rows, wanted)?,
                of_clusters: involved,
            },
            scores,
        };
        let width = self.cells.len();
        let mut matrix = Matrix::missing(batch.clusters.rows(), width);
        matrix.values_mut().par_chunks_mut(BLOCK * width).enumerate().for_each(|(block, cells)| {
            for (row, cells) in cells.chunks_exact_mut(width).enumerate() {
                rows.fill(block * BLOCK + row, &self.cells, cells);
            }
        });
        Some(matrix)
    }
}

/// The features of alerts (or addresses) and which of them belong to each cluster.
struct Members {
    matrix: Matrix,
    of_clusters: Option<Vec<Vec<u32>>>,
}

impl Members {
    /// For each column the known values of the members of `cluster` in ascending order.
    fn sorted(&self, cluster: usize) -> Vec<Vec<f64>> {
        let members = self.of(cluster);
        let column = |column| {
            let value = |&row: &u32| self.matrix.row(row as usize)[column];
            ascending(members.iter().map(value))
        };
        (0..self.matrix.columns()).map(column).collect()
    }

    fn of(&self, cluster: usize) -> &[u32] {
        self.of_clusters.as_ref().map_or(&[], |of_clusters| &of_clusters[cluster])
    }
}

/// What the cells of a cluster's row read.
struct Inputs<'a> {
    batch: &'a Batch,
    own: &'a [Bound<'a>],
    alerts: Members,
    addresses: Members,
    scores: Option<&'a [f64]>,
}

impl Inputs<'_> {
    fn fill(&self, cluster: usize, cells: &[Cell], values: &mut [f64]) {
        let row = Row {
            inputs: self,
            cluster,
            alerts: self.alerts.sorted(cluster),
            addresses: self.addresses.sorted(cluster),
            scores: self.scores.map_or_else(Vec::new, |scores| {
                ascending(self.alerts.of(cluster).iter().map(|&alert| scores[alert as usize]))
            }),
        };
        for (value, cell) in values.iter_mut().zip(cells) {
            *value = row.value(cell);
        }
    }
}

/// One cluster.
struct Row<'a> {
    inputs: &'a Inputs<'a>,
    cluster: usize,
    alerts: Vec<Vec<f64>>,
    addresses: Vec<Vec<f64>>,
    scores: Vec<f64>,
}

impl Row<'_> {
    fn value(&self, cell: &Cell) -> f64 {
        match cell {
            Cell::Own(position) => self.inputs.own[*position].value(self.cluster),
            Cell::OverAlerts(aggregate, position) => aggregate.of(&self.alerts[*position]),
            Cell::OverAddresses(aggregate, position) => aggregate.of(&self.addresses[*position]),
            Cell::Members(figure) => self.members(*figure),
            Cell::Scores(_) if self.scores.is_empty() => f64::NAN,
            Cell::Scores(figure) => (figure.0)(&self.scores),
            Cell::Log(inner) => signed_log(self.value(inner)),
        }
    }

    fn members(&self, figure: MemberFigure) -> f64 {
        let batch = self.inputs.batch;
        let Some(listed) = batch.clusters.text_lists("related_alert_ids") else {
            return f64::NAN;
        };
        let listed = || listed.get(self.cluster).collect::<HashSet<_>>().len();
        figure.value(&batch.alerts, self.inputs.alerts.of(self.cluster), listed)
    }
}

fn filled(ops: &[Op], of: RowsOf<'_>, rows: usize, wanted: &dyn Fn() -> bool) -> Option<Matrix> {
    Some(fill(&bound(ops, of, wanted)?, rows))
}

fn ascending(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut known: Vec<f64> = values.filter(|value| !value.is_nan()).collect();
    known.sort_unstable_by(f64::total_cmp);
    known
}

/// For each cluster the rows of its alerts that the batch has, each once.
fn alerts_of_clusters(batch: &Batch) -> Option<Vec<Vec<u32>>> {
    let rows = batch.alerts.texts("alert_id").map(rows_of_ids).unwrap_or_default();
    let members = batch.clusters.text_lists("related_alert_ids")?;
    let of_cluster = |cluster| distinct(members.get(cluster).filter_map(|id| rows.get(id).copied()));
    Some((0..members.len()).map(of_cluster).collect())
}

/// For each cluster the ids of its addresses, each once.
fn addresses_of_clusters<'a>(batch: &'a Batch, names: &mut Addresses<'a>) -> Option<Vec<Vec<u32>>> {
    let members = batch.clusters.text_lists("addresses_involved")?;
    let mut of_cluster = |cluster| distinct(members.get(cluster).map(|name| names.id(name)));
    Some((0..members.len()).map(&mut of_cluster).collect())
}

fn distinct(rows: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut rows: Vec<u32> = rows.filter(|&row| row != NONE).collect();
    rows.sort_unstable();
    rows.dedup();
    rows
}
