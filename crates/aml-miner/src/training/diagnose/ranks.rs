//! How alike two lists of scores order the same alerts.

/// Correlation of the ranks (equal scores share their mean rank); `None` where one of the lists has one value alone.
pub(super) fn correlation(one: &[f64], other: &[f64]) -> Option<f64> {
    if one.len() != other.len() || one.is_empty() {
        return None;
    }
    let (one, other) = (ranks(one), ranks(other));
    let middle = (count(one.len()) - 1.0) / 2.0;
    let (mut both, mut of_one, mut of_other) = (0.0, 0.0, 0.0);
    for (a, b) in one.iter().zip(&other) {
        let (a, b) = (a - middle, b - middle);
        both += a * b;
        of_one += a * a;
        of_other += b * b;
    }
    let scale = (of_one * of_other).sqrt();
    (scale > 0.0).then(|| (both / scale).clamp(-1.0, 1.0))
}

/// Share of the `most` highest scores of one list that are among those of the other; all of them where there are fewer.
pub(super) fn same_highest(one: &[f64], other: &[f64], most: usize) -> Option<f64> {
    let most = most.min(one.len());
    if most == 0 || one.len() != other.len() {
        return None;
    }
    let highest = |scores: &[f64]| {
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
        order.truncate(most);
        order
    };
    let theirs: std::collections::HashSet<usize> = highest(other).into_iter().collect();
    Some(count(highest(one).iter().filter(|place| theirs.contains(place)).count()) / count(most))
}

/// Ranks from 0.
fn ranks(scores: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    let mut ranks = vec![0.0; scores.len()];
    let mut before = 0;
    for equal in order.chunk_by(|&a, &b| scores[a].total_cmp(&scores[b]).is_eq()) {
        let rank = count(before) + (count(equal.len()) - 1.0) / 2.0;
        equal.iter().for_each(|&place| ranks[place] = rank);
        before += equal.len();
    }
    ranks
}

#[expect(clippy::cast_precision_loss, reason = "numbers of alerts are far below 2^53")]
fn count(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::{correlation, same_highest};

    #[test]
    fn the_same_order_is_one_and_the_other_way_round_minus_one() {
        let scores = [0.1, 0.4, 0.2, 0.9];
        let squeezed: Vec<f64> = scores.iter().map(|score| score * score).collect();
        let turned: Vec<f64> = scores.iter().map(|score| 1.0 - score).collect();
        assert_eq!(correlation(&scores, &squeezed), Some(1.0));
        assert_eq!(correlation(&scores, &turned), Some(-1.0));
        assert_eq!(correlation(&scores, &[0.5; 4]), None);
        // SciPy's spearmanr([1, 2, 2, 4], [1, 3, 2, 4]) is 0.9486832980505138.
        let tied = correlation(&[1.0, 2.0, 2.0, 4.0], &[1.0, 3.0, 2.0, 4.0]).expect("defined");
        assert!((tied - 0.948_683_298_050_513_8).abs() < 1e-12, "{tied}");
    }

    #[test]
    fn the_highest_scores_are_shared_in_part() {
        assert_eq!(same_highest(&[0.9, 0.8, 0.1, 0.2], &[0.9, 0.1, 0.8, 0.2], 2), Some(0.5));
        assert_eq!(same_highest(&[0.9, 0.8], &[0.1, 0.2], 100), Some(1.0));
        assert_eq!(same_highest(&[], &[], 100), None);
    }
}
