//! Weights to numbers: from real-valued weights to the pairs of `u16` that the chain takes.
//!
//! Pure. The arithmetic is that of the current SDK: 64-bit floats, the largest weight becomes 65535, ties to even.
//! Whatever [`conform`] returns satisfies the subnet's rules, so that the chain does not refuse it.

use std::collections::HashSet;

use super::types::Uid;

/// The largest value on chain.
pub const FULL: u16 = u16::MAX;
/// Keeps clipped weights a hair below the limit, as the SDK does.
const EPSILON: f64 = 1e-7;

/// The rules of a subnet that concern the vector itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WeightRules {
    /// Fewest weights; the chain counts zeros.
    pub min_allowed: u16,
    /// Largest share of one weight, in 65535ths.
    pub max_limit: u16,
    /// Our own uid: a single weight on ourselves is exempt from both rules.
    pub own_uid: Option<Uid>,
}

/// A vector as the chain takes it: as many values as uids, the largest 65535; zeros only where it had to be filled up.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ChainWeights {
    /// Receivers.
    pub uids: Vec<u16>,
    /// Their weights.
    pub values: Vec<u16>,
}

impl ChainWeights {
    /// As pairs, as the chain stores them.
    #[must_use]
    pub fn pairs(&self) -> Vec<(Uid, u16)> {
        self.uids.iter().copied().map(Uid).zip(self.values.iter().copied()).collect()
    }
}

/// Why weights cannot be given to the chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConformError {
    /// A negative weight.
    #[error("the weight of uid {0} is negative")]
    Negative(u16),
    /// NaN or infinite.
    #[error("the weight of uid {0} is not a finite number")]
    NotFinite(u16),
    /// The same receiver twice.
    #[error("uid {0} has two weights")]
    Duplicate(u16),
    /// Nothing to set.
    #[error("all weights are zero: there is nothing to set")]
    AllZero,
    /// The subnet wants more receivers.
    #[error("the subnet requires at least {required} weights, only {positive} are positive")]
    TooFew {
        /// `MinAllowedWeights`.
        required: u16,
        /// What is left after zeros are dropped.
        positive: usize,
    },
    /// Even equal shares exceed the largest share allowed.
    #[error("{positive} weights cannot all stay within {limit}/65535 of the sum")]
    LimitUnreachable {
        /// `MaxWeightsLimit`.
        limit: u16,
        /// Positive weights.
        positive: usize,
    },
}

/// Brings weights into the form the chain takes under the subnet's rules.
///
/// Non-finite weights are dropped, zeros too unless the vector would be too short without them: then as many as it takes are
/// kept, at the end, by ascending uid. No share exceeds the limit; the largest value is 65535.
///
/// # Errors
/// [`ConformError`] when a weight is negative or given twice, when too few are positive, or when the largest share
/// allowed cannot be kept.
pub fn conform(weights: &[(Uid, f64)], rules: &WeightRules) -> Result<ChainWeights, ConformError> {
    let mut seen = HashSet::with_capacity(weights.len());
    for (uid, weight) in weights {
        if !seen.insert(uid.0) {
            return Err(ConformError::Duplicate(uid.0));
        }
        if weight.is_finite() && *weight < 0.0 {
            return Err(ConformError::Negative(uid.0));
        }
    }
    let kept: Vec<(Uid, f64)> = weights.iter().copied().filter(|(_, w)| w.is_finite() && *w > 0.0).collect();
    if kept.is_empty() {
        return Err(ConformError::AllZero);
    }
    if kept.len() == 1 && Some(kept[0].0) == rules.own_uid {
        return quantise(&kept);
    }
    let positive = kept.len();
    let limit = rules.max_limit;
    if limit == FULL {
        return enough(quantise(&kept)?, weights, rules);
    }
    if positive * usize::from(limit) < usize::from(FULL) {
        let too_few = positive < usize::from(rules.min_allowed);
        let required = rules.min_allowed;
        return Err(if too_few {
            ConformError::TooFew { required, positive }
        } else {
            ConformError::LimitUnreachable { limit, positive }
        });
    }
    let values: Vec<f64> = kept.iter().map(|(_, weight)| *weight).collect();
    let clipped = clip_to_max_weight(&values, f64::from(limit) / f64::from(FULL));
    let pairs: Vec<(Uid, f64)> = kept.iter().zip(clipped).map(|((uid, _), weight)| (*uid, weight)).collect();
    let mut quantised = quantise(&pairs)?;
    keep_below(&mut quantised.values, limit);
    // Where weights are so far apart that clipping leaves too few of them above zero.
    if exceeds(sum_of(&quantised.values), limit) {
        return Err(ConformError::LimitUnreachable { limit, positive: quantised.values.len() });
    }
    enough(quantised, weights, rules)
}

/// Fills up with zeros that were given, where the chain wants more weights.
fn enough(made: ChainWeights, given: &[(Uid, f64)], rules: &WeightRules) -> Result<ChainWeights, ConformError> {
    let (positive, required) = (made.values.len(), usize::from(rules.min_allowed));
    let zero = |(uid, weight): &(Uid, f64)| (weight.abs() <= 0.0 && !made.uids.contains(&uid.0)).then_some(uid.0);
    let mut zeros: Vec<u16> = given.iter().filter_map(zero).collect();
    zeros.sort_unstable();
    zeros.truncate(required.saturating_sub(positive));
    if positive + zeros.len() < required {
        return Err(ConformError::TooFew { required: rules.min_allowed, positive });
    }
    let ChainWeights { mut uids, mut values } = made;
    values.extend(std::iter::repeat_n(0, zeros.len()));
    uids.extend(zeros);
    Ok(ChainWeights { uids, values })
}

/// Scales so that the largest weight is 65535, rounds half to even, drops zeros; keeps the order.
///
/// # Errors
/// [`ConformError::Negative`] and [`ConformError::NotFinite`].
pub fn quantise(weights: &[(Uid, f64)]) -> Result<ChainWeights, ConformError> {
    for (uid, weight) in weights {
        if !weight.is_finite() {
            return Err(ConformError::NotFinite(uid.0));
        }
        if *weight < 0.0 {
            return Err(ConformError::Negative(uid.0));
        }
    }
    let largest = weights.iter().map(|(_, weight)| *weight).fold(0.0, f64::max);
    let mut scaled = ChainWeights { uids: Vec::new(), values: Vec::new() };
    if largest > 0.0 {
        for (uid, weight) in weights {
            let value = to_u16(weight / largest);
            if value > 0 {
                scaled.uids.push(uid.0);
                scaled.values.push(value);
            }
        }
    }
    Ok(scaled)
}

/// A share in `0..=1` as 65535ths.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the product lies within 0..=65535")]
fn to_u16(share: f64) -> u16 {
    (share * f64::from(FULL)).round_ties_even() as u16
}

/// Cuts the largest weights down to a common value so that, once normalised, no share exceeds `limit`.
///
/// The result sums to 1. Where the limit cannot be kept, or there is nothing to share, all shares are equal.
#[must_use]
pub fn clip_to_max_weight(weights: &[f64], limit: f64) -> Vec<f64> {
    let sum: f64 = weights.iter().sum();
    let count = weights.len();
    if count == 0 {
        return Vec::new();
    }
    if sum <= 0.0 || real(count) * limit <= 1.0 {
        return vec![1.0 / real(count); count];
    }
    let mut sorted: Vec<f64> = weights.iter().map(|weight| weight / sum).collect();
    sorted.sort_by(f64::total_cmp);
    if sorted[count - 1] <= limit {
        return weights.iter().map(|weight| weight / sum).collect();
    }
    let running: Vec<f64> = sorted
        .iter()
        .scan(0.0, |total, share| {
            *total += share;
            Some(*total)
        })
        .collect();
    let below =
        (0..count).filter(|&i| sorted[i] / (real(count - i - 1) * sorted[i] + running[i] + EPSILON) < limit).count();
    let kept = if below == 0 { 0.0 } else { running[below - 1] };
    let cutoff = (limit * kept - EPSILON) / (1.0 - limit * real(count - below)) * sum;
    let clipped: Vec<f64> = weights.iter().map(|weight| weight.min(cutoff)).collect();
    let total: f64 = clipped.iter().sum();
    clipped.iter().map(|weight| weight / total).collect()
}

/// A count as a number; no subnet has more neurons than a float can count.
#[expect(clippy::cast_precision_loss, reason = "counts of neurons are below 2^16")]
fn real(count: usize) -> f64 {
    count as f64
}

fn sum_of(values: &[u16]) -> u64 {
    values.iter().copied().map(u64::from).sum()
}

/// Whether a weight of 65535, the largest there is, is above the limit's share of `sum`.
fn exceeds(sum: u64, limit: u16) -> bool {
    u64::from(FULL) * u64::from(FULL) > u64::from(limit) * sum
}

/// Makes up for rounding: raises the smaller values until the largest share is within the limit, exactly.
fn keep_below(values: &mut [u16], limit: u16) {
    let mut sum = sum_of(values);
    while exceeds(sum, limit) {
        let before = sum;
        for value in values.iter_mut().filter(|value| **value < FULL) {
            if !exceeds(sum, limit) {
                return;
            }
            *value += 1;
            sum += 1;
        }
        if sum == before {
            return;
        }
    }
}
