//! Ranks of many numbers.

/// Bits that one pass of the sort looks at: three passes for the upper half of a key.
const DIGIT: u32 = 11;
const PASSES: u32 = 3;
/// Where the upper half of a key begins. Keys that are alike in it are few, and sorted by comparison.
const HALF: u32 = 32;

/// Twice the ranks from 1, equal keys sharing their mean rank: whole numbers, so that sums of them are exact.
///
/// # Panics
/// With more than two thousand million keys.
pub(super) fn doubled_ranks(keys: impl Iterator<Item = u64>) -> Vec<u32> {
    let keys: Vec<u64> = keys.collect();
    assert!(keys.len() < 1 << (HALF - 1), "fewer alerts than two thousand million");
    let order = sorted(&keys);
    let alike = |a: &u64, b: &u64| a >> HALF == b >> HALF && keys[place(*a)] == keys[place(*b)];
    let mut ranks = vec![0; keys.len()];
    let mut start = 0;
    for tied in order.chunk_by(alike) {
        let end = start + tied.len();
        // Twice the mean of start + 1 to end.
        #[expect(clippy::cast_possible_truncation, reason = "at most twice the number of keys, looked at above")]
        let rank = (start + end + 1) as u32;
        tied.iter().for_each(|half| ranks[place(*half)] = rank);
        start = end;
    }
    ranks
}

/// Where the key of an upper half stands.
fn place(half: u64) -> usize {
    (half & ((1 << HALF) - 1)) as usize
}

/// The upper halves of the keys, each with its key's place below, in order of the keys: digit by digit from the lowest to
/// the highest, each pass keeping the order of the one before.
fn sorted(keys: &[u64]) -> Vec<u64> {
    let mut order: Vec<u64> = keys.iter().zip(0_u64..).map(|(key, place)| key >> HALF << HALF | place).collect();
    let mut other = vec![0; order.len()];
    for pass in 0..PASSES {
        scatter(&order, &mut other, HALF + pass * DIGIT);
        std::mem::swap(&mut order, &mut other);
    }
    for run in order.chunk_by_mut(|a, b| *a >> HALF == *b >> HALF).filter(|run| run.len() > 1) {
        run.sort_unstable_by_key(|half| keys[place(*half)]);
    }
    order
}

/// Copies `from` to `to` in order of the digit at `shift`.
fn scatter(from: &[u64], to: &mut [u64], shift: u32) {
    let digit = |half: u64| (half >> shift & ((1 << DIGIT) - 1)) as usize;
    let mut next = [0_usize; 1 << DIGIT];
    from.iter().for_each(|half| next[digit(*half)] += 1);
    let mut before = 0;
    for place in &mut next {
        before += std::mem::replace(place, before);
    }
    for half in from {
        let place = &mut next[digit(*half)];
        to[*place] = *half;
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
