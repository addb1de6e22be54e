//! Ranks of many numbers.

/// Bits that one pass of the sort looks at.
const DIGIT: u32 = 11;
/// Passes over the upper bits. Numbers that are alike in them are few, and sorted by comparison.
const PASSES: u32 = 3;
/// The bits below.
const REST: u32 = u64::BITS - DIGIT * PASSES;

/// A key and where it stood.
type Keyed = (u64, u32);

/// Twice the ranks from 1, equal keys sharing their mean rank: whole numbers, so that sums of them are exact.
///
/// # Panics
/// With more than two thousand million keys.
pub(super) fn doubled_ranks(keys: impl ExactSizeIterator<Item = u64>) -> Vec<u32> {
    let count = u32::try_from(2 * keys.len() + 1).expect("fewer alerts than two thousand million") / 2;
    let order = sorted(keys.zip(0..count).collect());
    let mut ranks = vec![0; order.len()];
    let mut start = 0;
    for tied in order.chunk_by(|a, b| a.0 == b.0) {
        let end = start + tied.len();
        // Twice the mean of start + 1 to end; the count was looked at above.
        #[expect(clippy::cast_possible_truncation, reason = "at most twice the count")]
        let rank = (start + end + 1) as u32;
        tied.iter().for_each(|(_, place)| ranks[*place as usize] = rank);
        start = end;
    }
    ranks
}

/// In order of the keys: digit by digit from the lowest looked at to the highest, each pass keeping the order of the one
/// before.
fn sorted(mut order: Vec<Keyed>) -> Vec<Keyed> {
    let mut other = vec![(0, 0); order.len()];
    for pass in 0..PASSES {
        scatter(&order, &mut other, REST + pass * DIGIT);
        std::mem::swap(&mut order, &mut other);
    }
    for run in order.chunk_by_mut(|a, b| a.0 >> REST == b.0 >> REST).filter(|run| run.len() > 1) {
        run.sort_unstable();
    }
    order
}

/// Copies `from` to `to` in order of the digit at `shift`.
fn scatter(from: &[Keyed], to: &mut [Keyed], shift: u32) {
    let digit = |key: u64| (key >> shift & ((1 << DIGIT) - 1)) as usize;
    let mut next = [0_usize; 1 << DIGIT];
    from.iter().for_each(|(key, _)| next[digit(*key)] += 1);
    let mut before = 0;
    for place in &mut next {
        before += std::mem::replace(place, before);
    }
    for keyed in from {
        let place = &mut next[digit(keyed.0)];
        to[*place] = *keyed;
        *place += 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{Strategy, any, prop_assert_eq, prop_oneof, proptest};

    use super::doubled_ranks;

    /// By comparing alone.
    fn plain_ranks(keys: &[u64]) -> Vec<u32> {
        let rank = |key: &u64| {
            let below = keys.iter().filter(|other| *other < key).count();
            let equal = keys.iter().filter(|other| *other == key).count();
            u32::try_from(2 * below + equal + 1).unwrap()
        };
        keys.iter().map(rank).collect()
    }

    fn keys() -> impl Strategy<Value = Vec<u64>> {
        let scores = vec((0.0..=1.0_f64).prop_map(f64::to_bits), 0..200);
        let few = vec((0..=20_u32).prop_map(|step| (f64::from(step) / 20.0).to_bits()), 0..200);
        let alike_above = vec(0..64_u64, 0..200);
        prop_oneof![scores, few, alike_above, vec(any::<u64>(), 0..200)]
    }

    proptest! {
        #[test]
        fn ranks_are_those_of_comparing(keys in keys()) {
            prop_assert_eq!(doubled_ranks(keys.iter().copied()), plain_ranks(&keys));
        }
    }
}
