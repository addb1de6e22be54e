//! The figures of addresses in the graph of money flows.
//!
//! Amounts are put in ascending order before they are summed: the order of the edges in the batch changes no bit.

use rayon::prelude::*;

use super::flow_graph::{Graph, Grouped};
use crate::features::expressions::{FlowStats, Side};
use crate::features::vocabulary::{count, ratio};
use crate::flows::passed_on;

const HOUR_MS: f64 = 3_600_000.0;

/// Addresses that are worth a task of their own.
const BLOCK: usize = 64;

/// The other end is a node of the graph.
type Edge = crate::flows::Edge<u32>;

/// Buffers that are used again for the next address.
#[derive(Default)]
struct Scratch {
    incoming: Vec<Edge>,
    outgoing: Vec<Edge>,
    values: Vec<f64>,
    nodes: Vec<u32>,
}

/// The figures of `names`, in order.
pub(super) fn stats(graph: &Graph<'_>, names: &[&str]) -> Vec<FlowStats> {
    let of_name = |scratch: &mut Scratch, name: &&str| of_node(graph, graph.node(name), scratch);
    if names.len() > BLOCK {
        let tasks = names.par_iter().with_min_len(BLOCK);
        return tasks.map_init(Scratch::default, of_name).collect();
    }
    let mut scratch = Scratch::default();
    names.iter().map(|name| of_name(&mut scratch, name)).collect()
}

/// The figures of `node`; of an address without flows where it is `None`.
fn of_node(graph: &Graph<'_>, node: Option<u32>, scratch: &mut Scratch) -> FlowStats {
    let rows = |grouped: &'_ Grouped| node.map_or_else(Vec::new, |node| grouped.of(node).to_vec());
    let (received, sent) = (rows(&graph.incoming), rows(&graph.outgoing));
    edges(graph, &received, &graph.from, &mut scratch.incoming);
    edges(graph, &sent, &graph.to, &mut scratch.outgoing);
    let nodes = &mut scratch.nodes;
    nodes.clear();
    if let Some(node) = node {
        graph.counterparties(node, nodes);
    }
    let own_flag = match (&graph.flagged, node) {
        (Some(flagged), Some(node)) => u32::from(flagged[node as usize]),
        _ => 0,
    };
    let flagged = graph.flagged.as_ref();
    let is_near = |other: &&u32| graph.flagged_links[**other as usize] > own_flag;
    let incoming = side(graph, &received, &mut scratch.incoming, &mut scratch.values);
    let outgoing = side(graph, &sent, &mut scratch.outgoing, &mut scratch.values);
    FlowStats {
        degree: count(nodes.len()),
        mutual: incoming.degree + outgoing.degree - count(nodes.len()),
        flagged: count_if(flagged, |flagged| nodes.iter().filter(|other| flagged[**other as usize]).count()),
        near_flagged: count_if(flagged, |_| nodes.iter().filter(is_near).count()),
        passed_on: passed_on(&mut scratch.incoming, &mut scratch.outgoing),
        span_hours: span_hours(graph, received.iter().chain(&sent)),
        incoming,
        outgoing,
    }
}

fn edges(graph: &Graph<'_>, rows: &[u32], others: &[u32], edges: &mut Vec<Edge>) {
    let of = |values: Option<&[f64]>, row: usize| values.map_or(f64::NAN, |values| values[row]);
    edges.clear();
    edges.extend(rows.iter().map(|&row| row as usize).map(|row| Edge {
        other: others[row],
        amount: of(graph.amounts, row),
        time: of(graph.last_seen, row),
    }));
}

fn side(graph: &Graph<'_>, rows: &[u32], edges: &mut [Edge], values: &mut Vec<f64>) -> Side {
    edges.sort_unstable_by(|one, other| one.amount.total_cmp(&other.amount));
    let known = || edges.iter().filter(|edge| !edge.amount.is_nan());
    let amounts = known().count();
    let sum_of = |keep: &dyn Fn(&Edge) -> bool| {
        let sum = known().filter(|edge| keep(edge)).map(|edge| edge.amount).sum::<f64>();
        // A sum over edges of which no amount is known is unknown; over no edges it is 0. `-0.0` is an empty sum.
        if amounts == 0 && !edges.is_empty() { f64::NAN } else { sum + 0.0 }
    };
    let flag =
        |flags: &Option<Vec<bool>>| flags.as_ref().map_or(f64::NAN, |flags| sum_of(&|edge| flags[edge.other as usize]));
    let sum = if graph.amounts.is_some() { sum_of(&|_| true) } else { f64::NAN };
    let mean = sum / count(amounts);
    let squares: f64 = known().map(|edge| (edge.amount - mean) * (edge.amount - mean)).sum();
    let max = known().next_back().map_or(f64::NAN, |edge| edge.amount);
    let (flagged, exchange) = (flag(&graph.flagged), flag(&graph.exchange));
    edges.sort_unstable_by(|one, other| one.other.cmp(&other.other).then(one.amount.total_cmp(&other.amount)));
    let of_counterparty =
        |edges: &[Edge]| edges.iter().filter(|edge| !edge.amount.is_nan()).map(|edge| edge.amount).sum::<f64>();
    values.clear();
    values.extend(edges.chunk_by(|one, other| one.other == other.other).map(of_counterparty));
    let top = values.iter().copied().fold(f64::NAN, f64::max);
    let degree = count(values.len());
    Side {
        degree,
        tx: transactions(graph, rows, values),
        sum,
        mean: if amounts == 0 { f64::NAN } else { mean },
        std: if amounts == 0 { f64::NAN } else { (squares / count(amounts)).sqrt() },
        max,
        top_share: ratio(&[top, sum]),
        flagged,
        exchange,
    }
}

fn transactions(graph: &Graph<'_>, rows: &[u32], values: &mut Vec<f64>) -> f64 {
    let Some(counts) = graph.counts else {
        return f64::NAN;
    };
    values.clear();
    values.extend(rows.iter().map(|&row| counts[row as usize]).filter(|count| !count.is_nan()));
    values.sort_unstable_by(f64::total_cmp);
    if values.is_empty() && !rows.is_empty() { f64::NAN } else { values.iter().sum::<f64>() + 0.0 }
}

fn span_hours<'a>(graph: &Graph<'_>, rows: impl Iterator<Item = &'a u32>) -> f64 {
    let (Some(first), Some(last)) = (graph.first_seen, graph.last_seen) else {
        return f64::NAN;
    };
    let bounds = rows.fold((f64::NAN, f64::NAN), |(earliest, latest), &row| {
        (earliest.min(first[row as usize]), latest.max(last[row as usize]))
    });
    (bounds.1 - bounds.0) / HOUR_MS
}

/// A count that needs a column: missing without it.
fn count_if<T>(column: Option<T>, counted: impl FnOnce(T) -> usize) -> f64 {
    column.map_or(f64::NAN, |column| count(counted(column)))
}
