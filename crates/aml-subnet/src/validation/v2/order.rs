//! The order in which a submission puts the alerts of a batch: all that is kept of its scores for its column.

use crate::validation::v2::constants::Constants;

/// For each alert, the places that it shares with the alerts of the same score, counted from the lowest score: from
/// `starts` (inclusive) to `ends` (exclusive). Monotone changes of scores do not change it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Order {
    starts: Vec<u32>,
    ends: Vec<u32>,
}

impl Order {
    /// The order of finite scores.
    ///
    /// # Panics
    /// With more than 2^32 - 1 scores.
    #[must_use]
    pub fn of(scores: &[f64]) -> Self {
        let count = u32::try_from(scores.len()).expect("a batch has fewer than 2^32 alerts");
        // Adding zero makes negative zero positive: equal scores are next to each other.
        let mut sorted: Vec<(f64, u32)> = scores.iter().map(|score| score + 0.0).zip(0..count).collect();
        sorted.sort_unstable_by(|one, two| one.0.total_cmp(&two.0).then(one.1.cmp(&two.1)));
        let (mut starts, mut ends) = (vec![0; scores.len()], vec![0; scores.len()]);
        let mut start = 0_u32;
        for tied in sorted.chunk_by(|one, two| one.0.total_cmp(&two.0).is_eq()) {
            let end = start + u32::try_from(tied.len()).expect("part of a batch");
            for (_, alert) in tied {
                starts[*alert as usize] = start;
                ends[*alert as usize] = end;
            }
            start = end;
        }
        Self { starts, ends }
    }

    /// How many alerts there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether there is no alert.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// Each alert's first place and the place after its last.
    pub(crate) fn spans(&self) -> impl Iterator<Item = (usize, usize)> {
        self.starts.iter().zip(&self.ends).map(|(start, end)| (*start as usize, *end as usize))
    }

    /// The part of the order that each alert is in, from 0 (lowest scores) to 39: `floor(40 (2 r + 1) / (2 n))` for the
    /// mean place `r` of `n`.
    #[must_use]
    pub fn parts(&self) -> Vec<u8> {
        let twice = 2 * self.len();
        // Twice the mean place plus one is the sum of both ends.
        let part = |(start, end): (usize, usize)| Constants::PARTS * (start + end) / twice;
        self.spans().map(|span| u8::try_from(part(span)).expect("below 40")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Order;

    #[test]
    fn equal_scores_share_their_places() {
        let order = Order::of(&[0.5, 0.0, -0.0, 0.9, 0.5, 0.5]);
        let spans: Vec<_> = order.spans().collect();
        assert_eq!(spans, [(2, 5), (0, 2), (0, 2), (5, 6), (2, 5), (2, 5)]);
        assert_eq!(order.parts(), [23, 6, 6, 36, 23, 23]);
        assert!(Order::of(&[]).parts().is_empty());
    }

    #[test]
    fn monotone_changes_do_not_show() {
        let scores = [0.3, 0.1, 0.7, 0.1, 0.2];
        let steeper: Vec<f64> = scores.iter().map(|score| score * score).collect();
        assert_eq!(Order::of(&scores), Order::of(&steeper));
    }
}
