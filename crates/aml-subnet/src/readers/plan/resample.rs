//! Intervals by resampling addresses: each resample counts an address as often as chance says, the same chance every time.

use std::collections::BTreeMap;

use super::Estimate;

/// Resamples: the ends of an interval of 90 % stand at the tenth from either end.
const RESAMPLES: u64 = 200;
/// The ends' places.
const ENDS: (usize, usize) = (9, 190);

/// What is counted of an address.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Tally {
    pub(super) reviewed: f64,
    pub(super) known: f64,
    pub(super) found: f64,
    pub(super) confirmed: f64,
}

impl Tally {
    fn add(&mut self, other: &Self, times: f64) {
        self.reviewed += times * other.reviewed;
        self.known += times * other.known;
        self.found += times * other.found;
        self.confirmed += times * other.confirmed;
    }
}

/// Numbers made of sums over addresses, each with its interval.
pub(super) fn interval<const N: usize>(
    tallies: &BTreeMap<u32, Tally>,
    of: impl Fn(&Tally) -> [f64; N],
) -> [Estimate; N] {
    let mut sum = Tally::default();
    tallies.values().for_each(|tally| sum.add(tally, 1.0));
    let mut seen: [Vec<f64>; N] = std::array::from_fn(|_| Vec::new());
    for resample in 0..RESAMPLES {
        let mut again = Tally::default();
        for (address, tally) in tallies {
            let times = times(u64::from(*address), resample);
            if times > 0.0 {
                again.add(tally, times);
            }
        }
        seen.iter_mut().zip(of(&again)).for_each(|(seen, value)| seen.push(value));
    }
    let values = of(&sum);
    let mut estimates = [Estimate::default(); N];
    for ((estimate, value), mut seen) in estimates.iter_mut().zip(values).zip(seen) {
        seen.sort_by(f64::total_cmp);
        let end = |at: usize| seen.get(at).copied().unwrap_or(value);
        *estimate = Estimate { value, low: end(ENDS.0).min(value), high: end(ENDS.1).max(value) };
    }
    estimates
}

/// How often an address is counted: Poisson with mean 1.
fn times(address: u64, resample: u64) -> f64 {
    // Chances of none, of at most one, of at most two and so on.
    const AT_MOST: [f64; 7] = [
        0.367_879_441_171_442_3,
        0.735_758_882_342_884_6,
        0.919_698_602_928_605_8,
        0.981_011_843_123_846_2,
        0.996_340_153_172_656_3,
        0.999_405_815_182_418_3,
        0.999_916_758_850_712,
    ];
    let bits = mixed(mixed(address.wrapping_add(0x9e37_79b9_7f4a_7c15)) ^ resample.wrapping_mul(0xbf58_476d_1ce4_e5b9));
    let chance = (bits >> 11) as f64 / 9_007_199_254_740_992.0;
    AT_MOST.iter().take_while(|at_most| chance >= **at_most).count() as f64
}

/// The mixing step of SplitMix64.
const fn mixed(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::times;

    #[test]
    fn an_address_is_counted_once_in_the_mean() {
        let counts: Vec<f64> = (0..2_000).flat_map(|address| (0..50).map(move |turn| times(address, turn))).collect();
        let number = counts.len() as f64;
        let mean = counts.iter().sum::<f64>() / number;
        let variance = counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / number;
        assert!((mean - 1.0).abs() < 0.02 && (variance - 1.0).abs() < 0.04, "{mean} {variance}");
    }
}
