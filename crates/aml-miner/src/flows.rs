//! Money that passes through an address: what features and reasons tell of it alike.

use crate::table::cells::DAY_MS;

/// A transfer, seen from one of its ends.
#[derive(Clone, Copy, Debug)]
pub struct Edge<Other> {
    /// The other end.
    pub other: Other,
    /// How much; NaN where it is not known.
    pub amount: f64,
    /// When, in milliseconds since 1970; NaN where it is not known.
    pub time: f64,
}

/// Share of the amount received that was sent on within a day, the oldest receipts first; NaN without dated receipts.
///
/// Both sides are put in the order of their times; those without a time or an amount are taken out, and receipts are used up.
pub fn passed_on<Other>(incoming: &mut Vec<Edge<Other>>, outgoing: &mut Vec<Edge<Other>>) -> f64 {
    for edges in [&mut *incoming, &mut *outgoing] {
        edges.retain(|edge| !edge.amount.is_nan() && !edge.time.is_nan());
        edges.sort_unstable_by(|one, other| one.time.total_cmp(&other.time).then(one.amount.total_cmp(&other.amount)));
    }
    let received: f64 = incoming.iter().map(|edge| edge.amount).sum();
    let mut passed = 0.0;
    let mut oldest = 0;
    for sent in outgoing.iter() {
        let mut left = sent.amount;
        while let Some(receipt) = incoming.get_mut(oldest) {
            if receipt.time > sent.time || left <= 0.0 {
                break;
            }
            if receipt.time >= sent.time - DAY_MS {
                let part = left.min(receipt.amount);
                passed += part;
                left -= part;
                receipt.amount -= part;
                if receipt.amount > 0.0 {
                    break;
                }
            }
            oldest += 1;
        }
    }
    if received == 0.0 { f64::NAN } else { passed / received }
}
