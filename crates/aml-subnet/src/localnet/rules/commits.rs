//! Weights that are committed first and revealed later.

use std::cmp::Ordering;

use parity_scale_codec::Encode;

use crate::localnet::exec::{Exec, Fault};
use crate::localnet::extrinsic::blake2_256;
use crate::localnet::item::Read;
use crate::localnet::items::subtensor::{
    COMMIT_REVEAL_VERSION, REVEAL_PERIOD_EPOCHS, SUBNET_EPOCH_INDEX, TEMPO, TIMELOCKED_WEIGHT_COMMITS, WEIGHT_COMMITS,
};
use crate::localnet::mirror::pallet_subtensor::pallet::{Error, Event, WeightCommit};
use crate::localnet::mirror::{AccountId32, BoundedVec, H256};
use crate::localnet::rules::subnets;
use crate::localnet::rules::weights::{self, Row, Target};
use crate::localnet::spec::{Generation, Spec};

/// Commits of one hotkey that may wait for their reveal.
const MAX_UNREVEALED: usize = 10;
/// Longest timelocked commit.
const MAX_COMMIT_BYTES: usize = 5000;

/// The moment that commits and reveals are judged at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// The runtime.
    pub(crate) spec: Spec,
    /// The block.
    pub(crate) block: u64,
}

impl Exec<'_> {
    pub(crate) fn moment(&self) -> Moment {
        Moment { spec: self.spec, block: self.block }
    }
}

/// The epoch of a block where epochs are not counted: subnets take turns.
fn epoch_of(db: &impl Read, netuid: u16, block: u64) -> u64 {
    let length = u64::from(TEMPO.get(db, (netuid,))) + 1;
    (block + u64::from(netuid) + 1) / length
}

/// The epoch of a subnet at a moment.
pub(crate) fn epoch_at(db: &impl Read, netuid: u16, at: Moment) -> u64 {
    match at.spec.generation {
        Generation::G463 => SUBNET_EPOCH_INDEX.get(db, (netuid,)),
        Generation::G218 | Generation::G381 => epoch_of(db, netuid, at.block),
    }
}

/// What is stored of a hash commit: its block and the window of its reveal, or its epoch where epochs are counted.
fn stored(db: &impl Read, netuid: u16, at: Moment, commit: H256) -> WeightCommit {
    match at.spec.generation {
        Generation::G463 => (commit, epoch_at(db, netuid, at), at.block, 0),
        Generation::G218 | Generation::G381 => {
            let (first, last) = reveal_window(db, netuid, at.block);
            (commit, at.block, first, last)
        }
    }
}

/// First and last block in which a commit of this block may be revealed.
fn reveal_window(db: &impl Read, netuid: u16, block: u64) -> (u64, u64) {
    let tempo = u64::from(TEMPO.get(db, (netuid,)));
    let epoch = epoch_of(db, netuid, block) + REVEAL_PERIOD_EPOCHS.get(db, (netuid,));
    let first = (epoch * (tempo + 1)).saturating_sub(u64::from(netuid) + 1);
    (first, first + tempo)
}

/// Whether a commit is to be revealed later (less), now (equal), or no more (greater).
pub(crate) fn due(db: &impl Read, netuid: u16, at: Moment, commit: &WeightCommit) -> Ordering {
    let committed = match at.spec.generation {
        Generation::G463 => commit.1,
        Generation::G218 | Generation::G381 => epoch_of(db, netuid, commit.1),
    };
    epoch_at(db, netuid, at).cmp(&(committed + REVEAL_PERIOD_EPOCHS.get(db, (netuid,))))
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
    let now = exec.moment();
    waiting.retain(|commit| due(&exec.db, target.netuid, now, commit).is_le());
    if waiting.len() >= MAX_UNREVEALED {
        return Err(Error::TooManyUnrevealedCommits.into());
    }
    waiting.push(stored(&exec.db, target.netuid, now, commit));
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
    let due = |commit: &WeightCommit| due(&exec.db, target.netuid, exec.moment(), commit);
    let expired = |commit: &WeightCommit| due(commit).is_gt();
    let place = waiting.iter().position(|commit| commit.0 == revealed && !expired(commit));
    match place {
        Some(place) if due(&waiting[place]).is_eq() => Ok(place),
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
    row: Row<'_>,
    salt: &[u16],
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

/// Weights that open in a round.
pub(crate) struct Sealed {
    /// The encrypted payload.
    pub(crate) commit: BoundedVec<u8>,
    /// The round.
    pub(crate) round: u64,
    /// Version of the scheme.
    pub(crate) version: u16,
}

/// `commit_timelocked_weights` and `commit_timelocked_mechanism_weights`: stored unread until its round.
pub(crate) fn commit_timelocked(
    exec: &mut Exec<'_>,
    hotkey: AccountId32,
    target: Target,
    Sealed { commit, round, version }: Sealed,
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
    let key = (target.index(), epoch_at(&exec.db, target.netuid, exec.moment()));
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
