//! The localnet's own beacon: a round every second under a key that everybody knows, stored as the chain stores the real
//! beacon's rounds, so that answers open seconds after they were sealed.
//!
//! Its rounds are counted from 1970 and never meet the numbers of the real beacon's, which timelocked weights are encrypted
//! to; what decides which rounds those may name is not touched.

use super::exec::Exec;
use super::item::{Read as _, Write as _};
use super::items::drand;
use super::mirror::BoundedVec;
use super::mirror::pallet_drand::types::Pulse;
use super::spec::Generation;
use crate::beacon::{Beacon, sign_for_development};

/// Rounds that one block adds at most: after a pause the beacon catches up.
const AT_ONCE: u64 = 60;
/// A new chain begins with the rounds of so many seconds before.
const BEFORE: u64 = 10;
/// Rounds are kept for six hours.
const KEPT: u64 = 6 * 3600;
/// Where the last round is noted.
const LAST: &[u8] = b":aml:development_round";

/// Adds the rounds that are due at the time of a block.
pub(crate) fn on_block(exec: &mut Exec<'_>, time_ms: u64) {
    if exec.spec.generation == Generation::G218 {
        return;
    }
    let due = Beacon::Development.round_from(time_ms / 1000);
    let noted = exec.db.read(LAST).and_then(|bytes| <[u8; 8]>::try_from(&bytes[..]).ok()).map(u64::from_le_bytes);
    let last = noted.unwrap_or_else(|| due.saturating_sub(BEFORE));
    let until = due.min(last.saturating_add(AT_ONCE));
    for round in last.saturating_add(1)..=until {
        store(exec, round);
    }
    if until > last || noted.is_none() {
        exec.db.write(LAST.to_vec(), Some(until.max(last).to_le_bytes().to_vec()));
    }
}

fn store(exec: &mut Exec<'_>, round: u64) {
    use sha2::Digest as _;

    let signature = sign_for_development(round);
    let randomness = BoundedVec(sha2::Sha256::digest(signature).to_vec());
    let pulse = Pulse { round, randomness, signature: BoundedVec(signature.to_vec()) };
    drand::PULSES.put(&mut exec.db, (round,), &pulse);
    let old = (round.saturating_sub(KEPT),);
    if drand::PULSES.contains(&exec.db, old) {
        drand::PULSES.remove(&mut exec.db, old);
    }
}
