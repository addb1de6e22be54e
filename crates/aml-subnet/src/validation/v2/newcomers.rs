//! The newcomers' pool: it keeps a newcomer from being pruned before its first outcomes come; it is no living.

use std::collections::BTreeMap;

use crate::validation::v2::constants::Constants;
use crate::validation::v2::order::Order;
use crate::validation::v2::window::Window;

/// A miner whose submission counted in the newest round.
#[derive(Clone, Copy, Debug)]
pub struct Present<'a> {
    /// Rounds of the window in which it counted.
    pub counted: usize,
    /// Its mean advantage on traps; `None` when it counted in no round with traps.
    pub traps: Option<f64>,
    /// The day on which it was first asked.
    pub first_asked: i64,
    /// The order of its submission in the newest round.
    pub order: &'a Order,
}

/// Each miner's part of the pool: 1 for a newcomer, shared among newcomers with the same order, ties included; 0 for
/// everybody else. `present` is `None` for who did not count in the newest round.
#[must_use]
pub fn parts(k: &Constants, today: i64, present: &[Option<Present<'_>>]) -> Vec<f64> {
    let window = Window::new(k, today);
    let is_new = |one: &Present<'_>| {
        one.counted < k.few && one.traps.is_some_and(|traps| traps >= k.worthy) && window.is_new(one.first_asked)
    };
    let newcomers: Vec<Option<&Order>> = present.iter().map(|one| one.filter(is_new).map(|one| one.order)).collect();
    let mut alike: BTreeMap<&Order, u32> = BTreeMap::new();
    for order in newcomers.iter().flatten() {
        *alike.entry(order).or_default() += 1;
    }
    newcomers.iter().map(|order| order.map_or(0.0, |order| 1.0 / f64::from(alike[order]))).collect()
}

#[cfg(test)]
mod tests {
    use super::{Constants, Order, Present, parts};

    #[test]
    fn copies_are_one_newcomer() {
        let (one, other) = (Order::of(&[0.1, 0.2, 0.2]), Order::of(&[0.1, 0.2, 0.3]));
        let new = |order| Some(Present { counted: 19, traps: Some(0.25), first_asked: 64, order });
        let mut given = vec![new(&one), None, new(&other), new(&one)];
        assert_eq!(parts(&Constants::V2, 100, &given), [0.5, 0.0, 1.0, 0.5]);
        given[0] = new(&one).map(|new| Present { counted: 20, ..new });
        given[2] = new(&other).map(|new| Present { first_asked: 63, ..new });
        assert_eq!(parts(&Constants::V2, 100, &given), [0.0, 0.0, 0.0, 1.0]);
        given[3] = new(&one).map(|new| Present { traps: None, ..new });
        assert_eq!(parts(&Constants::V2, 100, &given), [0.0; 4]);
        assert_eq!(parts(&Constants::V2, 100, &[None]), [0.0]);
    }
}
