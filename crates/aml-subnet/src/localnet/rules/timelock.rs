//! Timelocked commits: revealed by the chain itself once the beacon's signature of their round is known.
//!
//! As the original does it: before an epoch may end, in each block, the commits that are due are opened with the pulse of
//! their round and applied as weights. One without a pulse waits for it as long as its epoch lasts; one that does not
//! open, or whose weights are not taken, is gone without a word. The pulses come from the developer, and are those of
//! the real beacon: clients encrypt to its public key.

use crate::chain::timelock;
use crate::localnet::exec::{Exec, Fault};
use crate::localnet::item::Read;
use crate::localnet::items::drand;
use crate::localnet::items::subtensor::{MECHANISM_COUNT_CURRENT, REVEAL_PERIOD_EPOCHS, TIMELOCKED_WEIGHT_COMMITS};
use crate::localnet::mirror::pallet_drand::types::Pulse;
use crate::localnet::mirror::pallet_subtensor::pallet::{Error, Event, TimelockedCommit};
use crate::localnet::mirror::{AccountId32, BoundedVec};
use crate::localnet::rules::commits::{Moment, epoch_at};
use crate::localnet::rules::subnets;
use crate::localnet::rules::weights::{self, Row, Target};
use crate::localnet::spec::Generation;

/// Epochs of commits that one mechanism can have open at once; more than any reveal period.
const MAX_EPOCHS: usize = 256;

/// Stores the signature of a round; the highest one decides which rounds new commits may name.
pub(crate) fn store_pulse(exec: &mut Exec<'_>, round: u64, signature: &[u8]) {
    use sha2::Digest as _;

    let randomness = BoundedVec(sha2::Sha256::digest(signature).to_vec());
    let pulse = Pulse { round, randomness, signature: BoundedVec(signature.to_vec()) };
    drand::PULSES.put(&mut exec.db, (round,), &pulse);
    drand::LAST_STORED_ROUND.mutate(&mut exec.db, (), |last| *last = round.max(*last));
}

/// What a block begins with: due commits are opened, those whose epoch has passed are dropped.
pub(crate) fn on_block(exec: &mut Exec<'_>, netuids: &[u16]) {
    if exec.spec.generation == Generation::G218 {
        return;
    }
    for netuid in netuids.iter().copied().filter(|netuid| *netuid != subnets::ROOT) {
        for mechanism in 0..MECHANISM_COUNT_CURRENT.get(&exec.db, (netuid,)) {
            reveal(exec, Target { netuid, mechanism });
        }
    }
}

fn reveal(exec: &mut Exec<'_>, target: Target) {
    let now = epoch_at(&exec.db, target.netuid, Moment { spec: exec.spec, block: exec.block });
    let period = REVEAL_PERIOD_EPOCHS.get(&exec.db, (target.netuid,));
    for epoch in open_epochs(&exec.db, target) {
        let key = (target.index(), epoch);
        let reveal_at = epoch.saturating_add(period);
        if reveal_at > now {
            continue;
        }
        let due = TIMELOCKED_WEIGHT_COMMITS.get(&exec.db, key);
        TIMELOCKED_WEIGHT_COMMITS.remove(&mut exec.db, key);
        if reveal_at < now {
            continue;
        }
        let waiting: Vec<TimelockedCommit> = due.into_iter().filter(|commit| !open(exec, target, commit)).collect();
        if !waiting.is_empty() {
            TIMELOCKED_WEIGHT_COMMITS.put(&mut exec.db, key, &waiting);
        }
    }
}

/// The epochs in which a mechanism has commits.
fn open_epochs(db: &impl Read, target: Target) -> Vec<u64> {
    let item = &TIMELOCKED_WEIGHT_COMMITS;
    let key = item.key(&(target.index(), 0));
    // The last part of the key is eight bytes of hash and the epoch itself.
    let prefix = key.get(..key.len().saturating_sub(16)).unwrap_or_default();
    let epoch = |key: Vec<u8>| Some(u64::from_le_bytes(key.get(key.len().checked_sub(8)?..)?.try_into().ok()?));
    db.keys(prefix, None, MAX_EPOCHS).into_iter().filter_map(epoch).collect()
}

/// Whether a commit is done with: opened, or dropped. One whose pulse is not known is not.
fn open(exec: &mut Exec<'_>, target: Target, (hotkey, _, commit, round): &TimelockedCommit) -> bool {
    let Some(pulse) = drand::PULSES.find(&exec.db, (*round,)) else { return false };
    let revealed = timelock::open(&commit.0, &pulse.signature.0);
    let taken = revealed.ok().filter(|payload| payload.hotkey == hotkey.0).map(|payload| {
        let row = Row { uids: &payload.uids, values: &payload.values, version_key: payload.version_key };
        exec.atomic(|exec| apply(exec, *hotkey, target, row))
    });
    if !matches!(taken, Some(Ok(()))) {
        tracing::debug!(netuid = target.netuid, round, ?taken, "a timelocked commit was dropped");
    }
    true
}

fn apply(exec: &mut Exec<'_>, hotkey: AccountId32, target: Target, row: Row<'_>) -> Result<(), Fault> {
    if !subnets::commits_first(&exec.db, exec.spec, target.netuid) {
        return Err(Error::CommitRevealDisabled.into());
    }
    weights::apply(exec, hotkey, target, row)?;
    exec.emit_subtensor(Event::TimelockedWeightsRevealed(target.index(), hotkey));
    Ok(())
}
