//! When a miner agrees with the canonical score of an alert: the one rule for reasons, for pages, and for whoever computes it again.
//!
//! Both orders are looked at alike: the place of an alert in one is the share of the alerts that have a lower score there. Equal scores
//! have the same place, so that miners who tie as the canonical scores do agree with them.

/// How far apart two places may be, in parts of all.
pub const APART: f64 = 0.1;

/// Whether places in two orders are those of scores that agree.
#[must_use]
pub fn agree(own: f64, canonical: f64) -> bool {
    (own - canonical).abs() <= APART
}

/// The place of each score.
#[must_use]
pub fn above(scores: &[f64]) -> Vec<f64> {
    let mut sorted: Vec<f64> = scores.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let share = |score: &f64| share_of(sorted.partition_point(|other| other < score), scores.len());
    scores.iter().map(share).collect()
}

/// The place of one of the scores; `None` where there is no such score.
#[must_use]
pub fn place_of(scores: &[f64], at: usize) -> Option<f64> {
    let score = scores.get(at)?;
    Some(share_of(scores.iter().filter(|other| *other < score).count(), scores.len()))
}

fn share_of(lower: usize, all: usize) -> f64 {
    lower as f64 / all.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::{above, agree, place_of};

    #[test]
    fn one_place_is_the_place_among_all() {
        let scores = [0.5, 0.1, 0.5, 0.9, 0.1, 0.0, 1.0, 0.5];
        let places = above(&scores);
        assert_eq!(places, [0.375, 0.125, 0.375, 0.75, 0.125, 0.0, 0.875, 0.375]);
        for (at, place) in places.iter().enumerate() {
            assert_eq!(place_of(&scores, at), Some(*place), "{at}");
        }
        assert_eq!((place_of(&scores, scores.len()), above(&[])), (None, Vec::new()));
    }

    #[test]
    fn a_tenth_apart_is_still_agreement() {
        assert!(agree(0.5, 0.6) && agree(0.6, 0.5) && agree(0.0, 0.0));
        assert!(!agree(0.5, 0.601) && !agree(f64::NAN, 0.5));
    }
}
