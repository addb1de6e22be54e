//! Whether a transaction may be in the next block: the checks of the extensions, in their order.

use super::apis;
use super::exec;
use super::extrinsic::Signed;
use super::item::Read;
use super::items::system;
use super::items::{drand, subtensor};
use super::metadata::BLOCK_HASH_COUNT;
use super::mirror::node_subtensor_runtime::RuntimeCall;
use super::mirror::pallet_subtensor::pallet::{Call, Error};
use super::mirror::{AccountId32, H256};
use super::pool::Invalid;
use super::rules::commits::Moment;
use super::rules::weights::Row;
use super::rules::weights::Target;
use super::rules::{commits, dispatch, serving, staking};
use super::spec::{Generation, Spec};

/// What the checks look at besides storage.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scene {
    /// Name of the first block.
    pub(crate) genesis: H256,
    /// Name of the block before.
    pub(crate) parent: H256,
    /// The block that the transaction would be in.
    pub(crate) block: u64,
    /// The runtime of that block.
    pub(crate) spec: Spec,
}

/// Whether the transaction may be in the block, and pays for it.
pub(crate) fn check(db: &impl Read, scene: Scene, tx: &Signed, bytes: usize) -> Result<(), Invalid> {
    if tx.signer == AccountId32::default() {
        return Err(Invalid::BadSigner);
    }
    let birth = birth_hash(db, scene, tx)?;
    if !tx.is_genuine(scene.spec.version, scene.genesis, birth) {
        return Err(Invalid::BadProof);
    }
    let account = system::ACCOUNT.get(db, (tx.signer,));
    match tx.nonce.cmp(&account.nonce) {
        std::cmp::Ordering::Less => return Err(Invalid::Stale),
        std::cmp::Ordering::Greater => return Err(Invalid::Future),
        std::cmp::Ordering::Equal => {}
    }
    if exec::balance(db, tx.signer) < cost(tx, bytes) {
        return Err(Invalid::Payment);
    }
    if !scene.spec.offers(&tx.call) {
        return Err(Invalid::Call);
    }
    match &tx.call {
        RuntimeCall::SubtensorModule(call) => check_call(db, scene, tx.signer, call),
        _ => Ok(()),
    }
}

/// What the signer pays, tip included.
pub(crate) fn cost(tx: &Signed, bytes: usize) -> u64 {
    let fee = if dispatch::is_free(&tx.call) { 0 } else { apis::fee(bytes) };
    fee.saturating_add(tx.tip)
}

/// Hash of the block from which the transaction lives; it is part of what is signed.
fn birth_hash(db: &impl Read, scene: Scene, tx: &Signed) -> Result<H256, Invalid> {
    let birth = tx.era.birth(scene.block);
    if birth == 0 {
        return Ok(scene.genesis);
    }
    if birth + 1 == scene.block {
        return Ok(scene.parent);
    }
    let known = birth < scene.block && birth + u64::from(BLOCK_HASH_COUNT) >= scene.block;
    let number = u32::try_from(birth).ok().filter(|_| known).ok_or(Invalid::AncientBirthBlock)?;
    system::BLOCK_HASH.find(db, (number,)).ok_or(Invalid::AncientBirthBlock)
}

/// What the runtime refuses before a block is made: its numbers have no names in the metadata.
fn check_call(db: &impl Read, scene: Scene, who: AccountId32, call: &Call) -> Result<(), Invalid> {
    let new = scene.spec.generation != Generation::G218;
    if let Some((netuid, axon)) = dispatch::axon(call).filter(|_| new) {
        let checked = serving::check_axon(db, Moment { spec: scene.spec, block: scene.block }, who, netuid, &axon);
        return checked.map_err(|error| Invalid::Custom(serving_code(error)));
    }
    let Some(target) = dispatch::target(call) else { return Ok(()) };
    if !staking::suffices(db, scene.spec, who, target.netuid) {
        return Err(Invalid::Custom(if new { 1 } else { 3 }));
    }
    match call {
        Call::reveal_weights { uids, values, salt, version_key, .. }
        | Call::reveal_mechanism_weights { uids, values, salt, version_key, .. }
            if new =>
        {
            let row = Row { uids, values, version_key: *version_key };
            check_reveal(db, scene, who, target, commits::hash(who, target, row, salt))
        }
        Call::commit_timelocked_weights { commit, reveal_round, .. }
        | Call::commit_timelocked_mechanism_weights { commit, reveal_round, .. } => {
            if !commits::fits(commit) {
                return Err(Invalid::Call);
            }
            let passed = *reveal_round <= drand::LAST_STORED_ROUND.get(db, ());
            if passed { Err(Invalid::Custom(15)) } else { Ok(()) }
        }
        _ => Ok(()),
    }
}

fn check_reveal(db: &impl Read, scene: Scene, who: AccountId32, target: Target, revealed: H256) -> Result<(), Invalid> {
    let waiting = subtensor::WEIGHT_COMMITS.find(db, (target.index(), who)).unwrap_or_default();
    let commit = waiting.iter().find(|commit| commit.0 == revealed).ok_or(Invalid::Custom(16))?;
    let now = Moment { spec: scene.spec, block: scene.block };
    if commits::due(db, target.netuid, now, commit).is_eq() { Ok(()) } else { Err(Invalid::Custom(17)) }
}

fn serving_code(error: Error) -> u8 {
    match error {
        Error::HotKeyNotRegisteredInNetwork => 10,
        Error::InvalidIpType | Error::InvalidIpAddress => 11,
        Error::ServingRateLimitExceeded => 12,
        Error::InvalidPort => 13,
        _ => 255,
    }
}
