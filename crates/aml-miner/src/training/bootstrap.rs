//! 95 % intervals by resampling rows within their days, the same for a seed whatever the number of threads.

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::training::scored::Scored;

/// The middle 95 % of a metric over the resamples.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Interval {
    /// 2.5th percentile.
    pub low: f64,
    /// 97.5th percentile.
    pub high: f64,
}

/// Intervals of every metric that is defined in at least half of `resamples`.
#[must_use]
pub fn intervals(scored: &Scored, bins: usize, resamples: u32, seed: u64) -> BTreeMap<String, Interval> {
    let order = descending(scored);
    let draws: Vec<_> = (0..resamples)
        .into_par_iter()
        .map(|resample| redraw(scored, &order, seed, u64::from(resample)).metrics(bins))
        .collect();
    let defined = draws.into_iter().flatten().filter_map(|(name, value)| Some((name, value.ok()?)));
    gathered(defined, resamples)
}

/// Intervals of the difference, first less second, of every metric that both have in at least half of `resamples`; both are
/// redrawn together.
#[must_use]
pub fn paired(scored: &[Scored; 2], bins: usize, resamples: u32, seed: u64) -> BTreeMap<String, Interval> {
    let orders = scored.each_ref().map(descending);
    let draws: Vec<_> = (0..resamples)
        .into_par_iter()
        .map(|resample| {
            let metrics = |side: usize| redraw(&scored[side], &orders[side], seed, u64::from(resample)).metrics(bins);
            let other = metrics(1);
            let both = metrics(0).into_iter().filter_map(|(name, value)| {
                let other = *other.get(&name)?.as_ref().ok()?;
                Some((name, value.ok()? - other))
            });
            both.collect::<Vec<_>>()
        })
        .collect();
    gathered(draws.into_iter().flatten(), resamples)
}

/// Places of the rows, the highest score first.
fn descending(scored: &Scored) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scored.labels.len()).collect();
    order.sort_by(|&a, &b| scored.scores[b].total_cmp(&scored.scores[a]));
    order
}

fn gathered(draws: impl Iterator<Item = (String, f64)>, resamples: u32) -> BTreeMap<String, Interval> {
    let mut values: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    draws.for_each(|(name, value)| values.entry(name).or_default().push(value));
    let enough = |values: &Vec<f64>| !values.is_empty() && 2 * values.len() >= resamples as usize;
    values.into_iter().filter(|(_, values)| enough(values)).map(|(name, values)| (name, middle(values))).collect()
}

/// Rows drawn with replacement, day by day. They come out in descending order of score within a day, which leaves the
/// metrics nothing to sort.
fn redraw(scored: &Scored, order: &[usize], seed: u64, resample: u64) -> Scored {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(resample);
    let rows = scored.labels.len();
    let mut drawn = vec![0_u32; rows];
    for day in scored.days() {
        for _ in day.clone() {
            drawn[random.random_range(day.clone())] += 1;
        }
    }
    let mut day_of = vec![0_usize; rows];
    scored.days().enumerate().for_each(|(index, day)| day_of[day].fill(index));
    let mut next: Vec<usize> = scored.days().map(|day| day.start).collect();
    let mut sample = scored.clone();
    for &row in order {
        for _ in 0..drawn[row] {
            let at = next[day_of[row]];
            next[day_of[row]] += 1;
            sample.labels[at] = scored.labels[row];
            sample.gains[at] = scored.gains[row];
            sample.scores[at] = scored.scores[row];
        }
    }
    sample
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a position in a short list"
)]
fn middle(mut values: Vec<f64>) -> Interval {
    values.sort_by(f64::total_cmp);
    let at = |share: f64| values[(share * (values.len() - 1) as f64).round() as usize];
    Interval { low: at(0.025), high: at(0.975) }
}
