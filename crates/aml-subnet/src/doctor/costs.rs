//! What a neuron costs to run on the subnet that is seen: traffic and disk for every 1,000 alerts of a day. Pure.
//!
//! The figures are those of the table in `docs/operations.md`, which names how each was measured.

use super::{Class, Finding, ok};
use crate::doctor::judge::Role;

/// What an alert is worth reckoning in.
const ALERTS: u64 = 1_000;
/// Bytes per alert of a task: 192 MiB for 50,000.
const TASK: u64 = 4_026;
/// Bytes per alert of a sealed answer that explains five features: 7 MB for 50,000.
const ANSWER: u64 = 140;
/// Bytes per alert and miner that a ledger takes: what arrived, what it opened to, and 9.4 of columns and scores.
const LEDGER: u64 = 2 * ANSWER + 9;
/// Bytes per alert of a batch in the cache and of published files.
const DAY: u64 = 6_000 + 470;

/// Whom a neuron has to do with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Others {
    /// Neurons that announce an axon.
    pub serving: u64,
    /// Neurons with a validator permit.
    pub permitted: u64,
}

/// What to expect.
pub(super) fn expected(role: Role, others: Others) -> Finding {
    let Others { serving, permitted } = others;
    let text = match role {
        Role::Validator => format!(
            "costs: every 1,000 alerts of a day are {} to send to {serving} miners, {} to receive and {} of disk",
            megabytes(TASK * serving),
            megabytes(ANSWER * serving),
            megabytes(LEDGER * serving + DAY),
        ),
        Role::Miner => format!(
            "costs: every 1,000 alerts of a day are {} to receive from {permitted} validators, {} to send, and twice that of \
             disk for two days",
            megabytes(TASK * permitted),
            megabytes(ANSWER * permitted),
        ),
    };
    ok(Class::Disk, text)
}

/// Bytes per alert, for all of them, in megabytes with a decimal.
fn megabytes(per_alert: u64) -> String {
    let tenths = (per_alert * ALERTS + 50_000) / 100_000;
    format!("{}.{} MB", tenths / 10, tenths % 10)
}
