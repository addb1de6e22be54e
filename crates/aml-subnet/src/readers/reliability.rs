//! Probabilities held against outcomes: ten bins of equal number, the calibration error over them, Murphy's parts of the
//! Brier score, and the top decile alone. Pure.

use serde::Serialize;
use utoipa::ToSchema;

use super::calibration::wilson;

/// Bins, where there are enough outcomes.
pub const BINS: usize = 10;
/// Outcomes of a bin, at least.
const LEAST: usize = 10;

/// Alerts of like probability.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct Bin {
    /// Outcomes that are known.
    pub outcomes: u64,
    /// Illicit ones among them.
    pub illicit: u64,
    /// Mean of what was told.
    pub told: f64,
    /// Share that turned out illicit.
    pub came: f64,
    /// Lower end of the interval of 90 % around that share.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// What was told, held against what came.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Reliability {
    /// Outcomes that are known.
    pub outcomes: u64,
    /// Illicit ones among them.
    pub illicit: u64,
    /// Mean distance of told and came over the bins, weighted by outcomes.
    pub error: f64,
    /// Brier score.
    pub brier: f64,
    /// Murphy's reliability: squared distance of told and came.
    pub reliability: f64,
    /// Murphy's resolution: how far bins are from the mean share.
    pub resolution: f64,
    /// The bins, from the lowest probabilities.
    pub bins: Vec<Bin>,
    /// The tenth with the highest probabilities.
    pub top: Bin,
}

/// Holds pairs of what was told and whether it came against each other; `None` with too few for a single bin.
///
/// Of equal probabilities those that are given first stand lower.
#[must_use]
pub fn reliability(pairs: &[(f64, bool)]) -> Option<Reliability> {
    if pairs.len() < LEAST {
        return None;
    }
    let mut sorted = pairs.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let count = (sorted.len() / LEAST).clamp(1, BINS);
    let cut = |bin: usize| bin * sorted.len() / count;
    let bins: Vec<Bin> = (0..count).map(|bin| of(sorted.get(cut(bin)..cut(bin + 1)).unwrap_or_default())).collect();
    let number = sorted.len() as f64;
    let illicit = sorted.iter().filter(|(_, came)| *came).count();
    let mean = illicit as f64 / number;
    let over =
        |part: &dyn Fn(&Bin) -> f64| bins.iter().map(|bin| bin.outcomes as f64 * part(bin)).sum::<f64>() / number;
    let square = |value: f64| value * value;
    Some(Reliability {
        outcomes: sorted.len() as u64,
        illicit: illicit as u64,
        error: over(&|bin| (bin.told - bin.came).abs()),
        brier: sorted.iter().map(|(told, came)| square(told - f64::from(u8::from(*came)))).sum::<f64>() / number,
        reliability: over(&|bin| square(bin.told - bin.came)),
        resolution: over(&|bin| square(bin.came - mean)),
        top: of(sorted.get(sorted.len() - sorted.len().div_ceil(BINS)..).unwrap_or_default()),
        bins,
    })
}

fn of(pairs: &[(f64, bool)]) -> Bin {
    let outcomes = pairs.len();
    if outcomes == 0 {
        return Bin::default();
    }
    let illicit = pairs.iter().filter(|(_, came)| *came).count();
    let came = illicit as f64 / outcomes as f64;
    let told = pairs.iter().map(|(told, _)| told).sum::<f64>() / outcomes as f64;
    let (low, high) = wilson(came, outcomes as f64);
    Bin { outcomes: outcomes as u64, illicit: illicit as u64, told, came, low, high }
}

#[cfg(test)]
mod tests {
    use super::reliability;

    #[test]
    fn an_example_by_hand() {
        // Two bins of ten: 0.1 told and 2 of 10 came; 0.8 told and 6 of 10 came.
        let pairs: Vec<(f64, bool)> = (0..10).map(|at| (0.1, at < 2)).chain((0..10).map(|at| (0.8, at < 6))).collect();
        let held = reliability(&pairs).expect("enough");
        assert_eq!((held.outcomes, held.illicit, held.bins.len()), (20, 8, 2));
        let near = |given: f64, wanted: f64| assert!((given - wanted).abs() < 1e-12, "{given} {wanted}");
        near(held.error, 0.15);
        near(held.reliability, (0.01 + 0.04) / 2.0);
        near(held.resolution, 0.04);
        near(held.brier, (2.0 * 0.81 + 8.0 * 0.01 + 6.0 * 0.04 + 4.0 * 0.64) / 20.0);
        assert_eq!((held.top.outcomes, held.bins[1].illicit), (2, 6));
        assert!(held.bins[0].low < 0.2 && held.bins[0].high > 0.2);
    }

    #[test]
    fn few_are_few() {
        assert_eq!(reliability(&[(0.5, true); 9]), None);
        assert_eq!(reliability(&[(0.5, true); 10]).map(|held| held.bins.len()), Some(1));
        assert_eq!(reliability(&[(0.5, true); 1000]).map(|held| held.bins.len()), Some(10));
    }
}
