//! Scores of a month to four digits, and how far the scores of two months are apart.

/// Bins from 0 to 1.
const BINS: usize = 10_000;
/// Groups of equal number that months are compared by.
const GROUPS: u64 = 10;
/// No group is taken to be rarer than this, so that an empty one has a finite part.
pub(super) const FLOOR: f64 = 1e-4;
/// Alerts that each month needs for every group that months are compared by. Chance alone makes an index of about
/// `(groups - 1) (1 / now + 1 / then)`: 0.04 with so many, 0.1 and more, which reads as a shift, with 20.
pub const ALERTS_A_GROUP: u64 = 50;

/// Whether a month has enough alerts to be compared by so many groups.
pub(super) const fn is_enough(alerts: u64, groups: u64) -> bool {
    alerts > 0 && alerts >= groups * ALERTS_A_GROUP
}

/// Alerts by score.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram(Vec<u64>);

impl Histogram {
    /// That of some scores from 0 to 1.
    pub(super) fn of(scores: impl Iterator<Item = f64>) -> Self {
        let mut bins = vec![0; BINS];
        for score in scores {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "`as` saturates, and it is clamped"
            )]
            let bin = ((score * BINS as f64) as usize).min(BINS - 1);
            if let Some(bin) = bins.get_mut(bin) {
                *bin += 1;
            }
        }
        Self(bins)
    }

    fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Alerts in ten bins from 0 to 1.
    pub(super) fn tenths(&self) -> Vec<u64> {
        self.0.chunks(BINS / 10).map(|tenth| tenth.iter().sum()).collect()
    }

    /// The score below which this share of the alerts is, to four digits; `None` without alerts.
    pub(super) fn quantile(&self, share: f64) -> Option<f64> {
        let total = self.total();
        let wanted = share * total as f64;
        let mut below = 0;
        let bin = self.0.iter().position(|count| {
            below += count;
            below as f64 >= wanted && below > 0
        });
        bin.map(|bin| (bin + 1) as f64 / BINS as f64)
    }

    /// Population stability index against another month, in groups that were a tenth of it each; `None` where one of them has
    /// too few alerts.
    pub(super) fn psi(&self, before: &Self) -> Option<f64> {
        let (now, then) = (self.total(), before.total());
        if !is_enough(now, GROUPS) || !is_enough(then, GROUPS) {
            return None;
        }
        let mut groups: Vec<(u64, u64)> = Vec::new();
        let (mut group, mut passed) = ((0, 0), 0);
        for (count, was) in self.0.iter().zip(&before.0) {
            group = (group.0 + count, group.1 + was);
            passed += was;
            // A group ends where the next tenth of the month before is full; the last one holds the rest.
            let full = passed * GROUPS / then > (passed - group.1) * GROUPS / then;
            if full && passed < then {
                groups.push(std::mem::take(&mut group));
            }
        }
        groups.push(group);
        Some(psi(groups.into_iter().map(|(count, was)| (count as f64 / now as f64, was as f64 / then as f64))))
    }
}

/// Population stability index of shares now and before.
pub(super) fn psi(shares: impl Iterator<Item = (f64, f64)>) -> f64 {
    let part = |(now, then): (f64, f64)| {
        let (now, then) = (now.max(FLOOR), then.max(FLOOR));
        (now - then) * (now / then).ln()
    };
    shares.map(part).sum()
}

#[cfg(test)]
mod tests {
    use super::{Histogram, psi};

    fn even(count: u32, from: f64, to: f64) -> Histogram {
        Histogram::of((0..count).map(|at| from + (to - from) * (f64::from(at) + 0.5) / f64::from(count)))
    }

    #[test]
    fn the_same_is_stable_and_a_shift_is_not() {
        let (one, twice) = (even(1_000, 0.0, 1.0), even(2_000, 0.0, 1.0));
        assert!(one.psi(&one).expect("alerts").abs() < 1e-12);
        assert!(twice.psi(&one).expect("alerts").abs() < 1e-3);
        // All of the upper half: five groups that had a tenth have a fifth, five have none.
        let upper = even(1_000, 0.5, 1.0).psi(&one).expect("alerts");
        let by_hand = 5.0 * (0.1 * 2.0_f64.ln()) + 5.0 * ((1e-4 - 0.1) * (1e-4_f64 / 0.1).ln());
        assert!((upper - by_hand).abs() < 1e-3, "{upper} {by_hand}");
        // A small month says nothing, whichever of the two it is.
        for few in [0, 1, 499] {
            assert_eq!((even(few, 0.0, 1.0).psi(&one), one.psi(&even(few, 0.0, 1.0))), (None, None), "{few}");
        }
        assert!(even(500, 0.0, 1.0).psi(&one).is_some());
    }

    #[test]
    fn ties_fill_one_group() {
        // Nine tenths of the month before have one score.
        let before = Histogram::of((0..1_000).map(|at| if at < 900 { 0.2 } else { 0.8 }));
        let now = Histogram::of((0..1_000).map(|at| if at < 450 { 0.2 } else { 0.8 }));
        let by_hand = psi([(0.45, 0.9), (0.55, 0.1)].into_iter());
        assert!((now.psi(&before).expect("alerts") - by_hand).abs() < 1e-12);
    }

    #[test]
    fn quantiles_and_tenths() {
        let all = even(1_000, 0.0, 1.0);
        assert_eq!(all.tenths(), [100; 10]);
        assert!((all.quantile(0.5).expect("alerts") - 0.5).abs() < 1e-3);
        assert_eq!(Histogram::of([1.0, 0.0, f64::NAN].into_iter()).tenths(), [2, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!(even(0, 0.0, 1.0).quantile(0.5), None);
    }
}
