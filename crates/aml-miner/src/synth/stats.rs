//! Small statistics that several measurements share.

use super::traffic::Transfer;

pub(super) fn median(list: &[&Transfer]) -> f64 {
    let mut usd: Vec<f64> = list.iter().map(|transfer| transfer.usd).collect();
    usd.sort_by(f64::total_cmp);
    match usd.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => usd[count / 2],
        count => f64::midpoint(usd[count / 2 - 1], usd[count / 2]),
    }
}

/// Position of the largest value; the first of equals.
pub(super) fn peak(values: &[f64]) -> f64 {
    let mut best = 0;
    for (position, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = position;
        }
    }
    best as f64
}

/// Shannon entropy in bits.
pub(super) fn entropy(weights: &[f64]) -> f64 {
    let total: f64 = weights.iter().filter(|&&weight| weight > 0.0).sum();
    let shares = weights.iter().filter(|&&weight| weight > 0.0).map(|weight| weight / total);
    // Of one value it is -0 before the addition, or 0, as the compiler likes: files must have the same bytes in every build.
    shares.map(|share| -share * share.log2()).sum::<f64>().max(0.0) + 0.0
}

#[cfg(test)]
mod tests {
    use super::entropy;

    #[test]
    fn no_entropy_is_no_negative_zero() {
        for weights in [&[3.0, 0.0][..], &[1.0], &[]] {
            assert_eq!(entropy(weights).to_bits(), 0.0_f64.to_bits(), "{weights:?}");
        }
    }
}
