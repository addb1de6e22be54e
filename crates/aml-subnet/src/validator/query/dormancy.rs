//! Miners that do not answer are left alone for longer and longer, and tried again for ever.
//!
//! Whatever is heard of a miner, a refusal included, ends that at once. What costs no time, such as an address that is not
//! called, neither begins nor ends it.

use crate::store::records::{Dormancy, Reply};

/// So many failures in a row are free.
const FREE: u32 = 2;
const HOUR_MS: i64 = 3_600_000;
/// The longest pause: three daily rounds.
const LONGEST_MS: i64 = 72 * HOUR_MS;

/// Whether a miner is left alone at `now_ms`.
#[must_use]
pub fn is_asleep(dormancy: Option<&Dormancy>, now_ms: i64) -> bool {
    // A clock that is set back must not lengthen a pause beyond the longest one.
    dormancy.is_some_and(|dormancy| (1..=LONGEST_MS).contains(&dormancy.next_try_ms.saturating_sub(now_ms)))
}

/// What is remembered of a miner that was called, and replied so at `now_ms`.
#[must_use]
pub fn after(previous: Option<&Dormancy>, reply: &Reply, now_ms: i64) -> Option<Dormancy> {
    match reply {
        Reply::Answered | Reply::Refused(_) => None,
        Reply::NotServing | Reply::NotAsked => previous.copied(),
        Reply::TimedOut | Reply::Unreachable(_) | Reply::TooLarge => {
            let failures = previous.map_or(0, |previous| previous.failures).saturating_add(1);
            Some(Dormancy { failures, next_try_ms: now_ms.saturating_add(pause_ms(failures)) })
        }
    }
}

/// Nothing, nothing, then one hour, two, four, and so on.
fn pause_ms(failures: u32) -> i64 {
    match failures.checked_sub(FREE + 1) {
        None => 0,
        Some(doublings) => HOUR_MS.saturating_mul(1_i64 << doublings.min(20)).min(LONGEST_MS),
    }
}
