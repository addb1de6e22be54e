//! Weights that are committed first and revealed later.

use parity_scale_codec::Encode;

use crate::chain::localnet::exec::{Exec, Fault};
use crate::chain::localnet::extrinsic::blake2_256;
use crate::chain::localnet::item::Read;
use crate::chain::localnet::items::subtensor::{
    COMMIT_REVEAL_VERSION, REVEAL_PERIOD_EPOCHS, TEMPO, TIMELOCKED_WEIGHT_COMMITS, WEIGHT_COMMITS,
};
use crate::chain::localnet::mirror::pallet_subtensor::pallet::{Error, Event, WeightCommit};
use crate::chain::localnet::mirror::{AccountId32, BoundedVec, H256};
use crate::chain::localnet::rules::subnets;
use crate::chain::localnet::rules::weights::{self, Row, Target};

/// Commits of one hotkey that may wait for their reveal.
const MAX_UNREVEALED: usize = 10;
/// Longest timelocked commit.
const MAX_COMMIT_BYTES: usize = 5000;

/// The epoch of a block: subnets take turns.
pub(crate) fn epoch_of(db: &impl Read, netuid: u16, block: u64) -> u64 {
    let length = u64::from(TEMPO.get(db, (netuid,))) + 1;
    (block + u64::from(netuid) + 1) / length
}

/// First and last block in which a commit of this block may be revealed.
pub(crate) fn reveal_window(db: &impl Read, netuid: u16, block: u64) -> (u64, u64) {
    let tempo = u64::from(TEMPO.get(db, (netuid,)));
    let epoch = epoch_of(db, netuid, block) + REVEAL_PERIOD_EPOCHS.get(db, (netuid,));
    let first = (epoch * (tempo + 1)).saturating_sub(u64::from(netuid) + 1);
    (first, first + tempo)
}

/// Whether the epoch of reveals for a commit is now, before, or still to come.
fn due(db: &impl Read, netuid: u16, committed: u64, block: u64) -> std::cmp::Ordering {
    let wanted = epoch_of(db, netuid, committed) + REVEAL_PERIOD_EPOCHS.get(db, (netuid,));
    epoch_of(db, netuid, block).cmp(&wanted)
}

/// What a hash commit is the digest of.
pub(crate) fn hash(hotkey: AccountId32, target: Target, row: Row<'_>, salt: &[u16]) -> H256 {
    blake2_256(&(hotkey, target.index(), row.uids, row.values, salt, row.version_key).encode())
}

fn check_switch(exec: &Exec<'_>, target: Target) -> Result<(), Fault> {
    if subnets::commits_first(&exec.db, exec.spec, target.netuid) {
        Ok(())
    } else {
        Err(Error::CommitRevealDisabled.into())
    }
}

/// `commit_weights` and `commit_mechanism_weights`.
pub(crate) fn commit(exec: &mut Exec<'_>, hotkey: AccountId32, target: Target, commit: H256) -> Result<(), Fault> {
    subnets::ensure_mechanism(exec, target.netuid, target.mechanism)?;
    check_switch(exec, target)?;
    let uid = subnets::uid_of(&exec.db, target.netuid, hotkey)?;
    if !weights::rested(&exec.db, target, uid, exec.block) {
        return Err(Error::CommittingWeightsTooFast.into());
    }
    let key = (target.index(), hotkey);
    let mut waiting = WEIGHT_COMMITS.find(&exec.db, key).unwrap_or_default();
    waiting.retain(|(_, block, ..)| due(&exec.db, target.netuid, *block, exec.block).is_le());
    if waiting.len() >= MAX_UNREVEALED {
        return Err(Error::TooManyUnrevealedCommits.into());
    }
    let (first, last) = reveal_window(&exec.db, target.netuid, exec.block);
    waiting.push((commit, exec.block, first, last));
    WEIGHT_COMMITS.put(&mut exec.db, key, &waiting);
    weights::touch(exec, target, uid);
    exec.emit_subtensor(Event::WeightsCommitted(hotkey, target.index(), commit));
    Ok(())
}

/// The commit that a reveal answers, among those that wait.
pub(crate) fn matching(
    exec: &Exec<'_>,
    target: Target,
    waiting: &[WeightCommit],
    revealed: H256,
) -> Result<usize, Error> {
    let expired = |commit: &WeightCommit| due(&exec.db, target.netuid, commit.1, exec.block).is_gt();
    let place = waiting.iter().position(|commit| commit.0 == revealed && !expired(commit));
    match place {
        Some(place) if due(&exec.db, target.netuid, waiting[place].1, exec.block).is_eq() => Ok(place),
        Some(_) => Err(Error::RevealTooEarly),
        None if waiting.iter().any(|commit| commit.0 == revealed) => Err(Error::ExpiredWeightCommit),
        None if waiting.iter().all(expired) => Err(Error::NoWeightsCommitFound),
        None => Err(Error::InvalidRevealCommitHashNotMatch),
    }
}

/// `reveal_weights` and `reveal_mechanism_weights`.
pub(crate) fn reveal(
    exec: &mut Exec<'_>,
    hotkey: AccountId32,
    target: Target,
    (row, salt): (Row<'_>, &[u16]),
) -> Result<(), Fault> {
    subnets::ensure_mechanism(exec, target.netuid, target.mechanism)?;
    check_switch(exec, target)?;
    let key = (target.index(), hotkey);
    let mut waiting = WEIGHT_COMMITS.find(&exec.db, key).ok_or(Error::NoWeightsCommitFound)?;
    let revealed = hash(hotkey, target, row, salt);
    let place = matching(exec, target, &waiting, revealed)?;
    waiting.drain(..=place);
    if waiting.is_empty() {
        WEIGHT_COMMITS.remove(&mut exec.db, key);
    } else {
        WEIGHT_COMMITS.put(&mut exec.db, key, &waiting);
    }
    weights::apply(exec, hotkey, target, row)?;
    exec.emit_subtensor(Event::WeightsRevealed(hotkey, target.index(), revealed));
    Ok(())
}

/// `commit_timelocked_weights` and `commit_timelocked_mechanism_weights`: stored unread until its round.
pub(crate) fn commit_timelocked(
    exec: &mut Exec<'_>,
    hotkey: AccountId32,
    target: Target,
    (commit, round, version): (BoundedVec<u8>, u64, u16),
) -> Result<(), Fault> {
    subnets::ensure_mechanism(exec, target.netuid, target.mechanism)?;
    check_switch(exec, target)?;
    if version != COMMIT_REVEAL_VERSION.get(&exec.db, ()) {
        return Err(Error::IncorrectCommitRevealVersion.into());
    }
    let uid = subnets::uid_of(&exec.db, target.netuid, hotkey)?;
    if !weights::rested(&exec.db, target, uid, exec.block) {
        return Err(Error::CommittingWeightsTooFast.into());
    }
    let key = (target.index(), epoch_of(&exec.db, target.netuid, exec.block));
    let mut waiting = TIMELOCKED_WEIGHT_COMMITS.get(&exec.db, key);
    if waiting.iter().filter(|commit| commit.0 == hotkey).count() >= MAX_UNREVEALED {
        return Err(Error::TooManyUnrevealedCommits.into());
    }
    let digest = blake2_256(&commit.0);
    waiting.push((hotkey, exec.block, commit, round));
    TIMELOCKED_WEIGHT_COMMITS.put(&mut exec.db, key, &waiting);
    weights::touch(exec, target, uid);
    exec.emit_subtensor(Event::TimelockedWeightsCommitted(hotkey, target.index(), digest, round));
    Ok(())
}

/// Whether a commit is short enough to be decoded at all.
pub(crate) fn fits(commit: &BoundedVec<u8>) -> bool {
    commit.0.len() <= MAX_COMMIT_BYTES
}
