//! An account's place in the graph of a window: centrality, communities, neighbourhoods.
//!
//! Exact where that is cheap (core numbers, PageRank to a fixed number of steps); the rest is bounded: closeness and
//! betweenness come from a fixed number of start points, neighbourhoods stop after a fixed number of accounts.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::window::Window;

/// Start points from which shortest paths are walked.
const PIVOTS: usize = 12;
/// Accounts of a neighbourhood that are looked at.
const REACH: usize = 400;
/// Edges of one account that are followed.
const FOLLOWED: usize = 60;

/// The measurements, one entry an account each.
pub(super) struct GraphMeasures {
    pub(super) pagerank: Vec<f64>,
    pub(super) betweenness: Vec<f64>,
    pub(super) closeness: Vec<f64>,
    pub(super) clustering: Vec<f64>,
    pub(super) core: Vec<f64>,
    pub(super) community: Vec<f64>,
    /// Number of accounts within one, two and three hops.
    pub(super) reach: [Vec<f64>; 3],
    /// USD moved along the edges to them.
    pub(super) reach_usd: [Vec<f64>; 3],
}

/// Measures every account of the window.
pub(super) fn measure(window: &Window, rng: &mut ChaCha8Rng) -> GraphMeasures {
    let count = window.accounts.len();
    let (betweenness, closeness) = walks(window, rng);
    let neighbourhood = Neighbourhoods::new(window);
    GraphMeasures {
        pagerank: pagerank(window),
        betweenness,
        closeness,
        clustering: (0..count).map(|account| clustering(window, account)).collect(),
        core: cores(window),
        community: communities(window),
        reach: neighbourhood.reach,
        reach_usd: neighbourhood.usd,
    }
}

/// The accounts next to `account`, with the USD between them; at most [`FOLLOWED`] in each direction.
fn neighbours(window: &Window, account: usize) -> impl Iterator<Item = (usize, f64)> {
    let out = window.targets(account).take(FOLLOWED).map(|edge| (edge.to as usize, edge.usd));
    out.chain(window.sources(account).take(FOLLOWED).map(|edge| (edge.from as usize, edge.usd)))
}

fn pagerank(window: &Window) -> Vec<f64> {
    let count = window.accounts.len();
    let mut rank = vec![1.0 / count as f64; count];
    for _ in 0..20 {
        let mut next = vec![0.15 / count as f64; count];
        let mut dangling = 0.0;
        for (account, share) in rank.iter().enumerate() {
            let out = window.targets(account).len();
            if out == 0 {
                dangling += share;
            }
            window.targets(account).for_each(|edge| next[edge.to as usize] += 0.85 * share / out as f64);
        }
        next.iter_mut().for_each(|value| *value += 0.85 * dangling / count as f64);
        rank = next;
    }
    rank
}

/// Betweenness and closeness from breadth-first walks (Brandes' accumulation) over a sample of start points.
fn walks(window: &Window, rng: &mut ChaCha8Rng) -> (Vec<f64>, Vec<f64>) {
    let count = window.accounts.len();
    let (mut between, mut near, mut reached) = (vec![0.0; count], vec![0.0; count], vec![0.0; count]);
    for _ in 0..PIVOTS {
        let walk = Walk::from(window, rng.random_range(0..count));
        let mut share = vec![0.0; count];
        for &account in walk.order.iter().rev() {
            near[account] += walk.distance[account] as f64;
            reached[account] += 1.0;
            for (before, _) in neighbours(window, account) {
                if walk.distance[before] + 1 == walk.distance[account] {
                    share[before] += walk.paths[before] / walk.paths[account] * (1.0 + share[account]);
                }
            }
            between[account] += share[account] / count as f64 / PIVOTS as f64;
        }
    }
    let close = near.iter().zip(&reached).map(|(sum, hits)| if *sum > 0.0 { hits / sum } else { 0.0 }).collect();
    (between, close)
}

struct Walk {
    order: Vec<usize>,
    distance: Vec<u32>,
    paths: Vec<f64>,
}

impl Walk {
    fn from(window: &Window, start: usize) -> Self {
        let count = window.accounts.len();
        let (mut distance, mut paths) = (vec![u32::MAX - 1; count], vec![0.0; count]);
        (distance[start], paths[start]) = (0, 1.0);
        let mut order = vec![start];
        let mut next = 0;
        while let Some(&account) = order.get(next) {
            next += 1;
            for (neighbour, _) in neighbours(window, account) {
                if distance[neighbour] == u32::MAX - 1 {
                    distance[neighbour] = distance[account] + 1;
                    order.push(neighbour);
                }
                if distance[neighbour] == distance[account] + 1 {
                    paths[neighbour] += paths[account];
                }
            }
        }
        Self { order, distance, paths }
    }
}

/// Share of pairs of neighbours that trade with each other, over the first neighbours.
fn clustering(window: &Window, account: usize) -> f64 {
    let mut around: Vec<usize> = neighbours(window, account).map(|(id, _)| id).take(24).collect();
    around.sort_unstable();
    around.dedup();
    if around.len() < 2 {
        return f64::NAN;
    }
    let linked = |a: usize| window.targets(a).take(FOLLOWED).filter(|e| around.binary_search(&(e.to as usize)).is_ok());
    let links: usize = around.iter().map(|&neighbour| linked(neighbour).count()).sum();
    links as f64 / (around.len() * (around.len() - 1)) as f64
}

/// Core numbers by peeling accounts of the lowest degree.
fn cores(window: &Window) -> Vec<f64> {
    let count = window.accounts.len();
    let mut degree: Vec<usize> = (0..count).map(|account| window.degree(account)).collect();
    let mut buckets: Vec<Vec<usize>> = vec![Vec::new(); degree.iter().max().map_or(1, |most| most + 1)];
    degree.iter().enumerate().for_each(|(account, &edges)| buckets[edges].push(account));
    let (mut core, mut done, mut level) = (vec![0.0; count], vec![false; count], 0);
    while level < buckets.len() {
        let Some(account) = buckets[level].pop() else {
            level += 1;
            continue;
        };
        if done[account] || degree[account] > level {
            continue;
        }
        done[account] = true;
        core[account] = level as f64;
        let ends = window.targets(account).map(|e| e.to).chain(window.sources(account).map(|e| e.from));
        for neighbour in ends.map(|id| id as usize) {
            if !done[neighbour] && degree[neighbour] > level {
                degree[neighbour] -= 1;
                buckets[degree[neighbour]].push(neighbour);
            }
        }
    }
    core
}

/// Communities by three rounds of taking the label that most money comes with.
fn communities(window: &Window) -> Vec<f64> {
    let mut labels: Vec<usize> = (0..window.accounts.len()).collect();
    for _ in 0..3 {
        let before = labels.clone();
        for (account, label) in labels.iter_mut().enumerate() {
            let mut weights: Vec<(usize, f64)> =
                neighbours(window, account).map(|(id, usd)| (before[id], usd)).collect();
            weights.sort_by_key(|(candidate, _)| *candidate);
            let mut best = (*label, 0.0);
            for group in weights.chunk_by(|a, b| a.0 == b.0) {
                let usd: f64 = group.iter().map(|(_, usd)| usd).sum();
                if usd > best.1 {
                    best = (group[0].0, usd);
                }
            }
            *label = best.0;
        }
    }
    labels.into_iter().map(|label| label as f64).collect()
}

struct Neighbourhoods {
    reach: [Vec<f64>; 3],
    usd: [Vec<f64>; 3],
}

impl Neighbourhoods {
    fn new(window: &Window) -> Self {
        let count = window.accounts.len();
        let empty = || [0; 3].map(|_| Vec::with_capacity(count));
        let mut found = Self { reach: empty(), usd: empty() };
        let mut seen = vec![u32::MAX; count];
        let mut queue = Vec::new();
        for account in 0..count {
            found.add(window, account, &mut seen, &mut queue);
        }
        found
    }

    fn add(&mut self, window: &Window, account: usize, seen: &mut [u32], queue: &mut Vec<usize>) {
        let mark = account as u32;
        queue.clear();
        queue.push(account);
        seen[account] = mark;
        let (mut start, mut usd) = (0, 0.0);
        for hop in 0..3 {
            let end = queue.len();
            for position in start..end {
                for (neighbour, amount) in neighbours(window, queue[position]) {
                    if queue.len() > REACH {
                        break;
                    }
                    usd += amount;
                    if seen[neighbour] != mark {
                        seen[neighbour] = mark;
                        queue.push(neighbour);
                    }
                }
            }
            start = end;
            self.reach[hop].push((queue.len() - 1) as f64);
            self.usd[hop].push(usd);
        }
    }
}
