//! Weights: the checks in the order of the chain.

use crate::localnet::exec::{Exec, Fault};
use crate::localnet::item::Read;
use crate::localnet::items::subtensor::{
    LAST_UPDATE, MAX_WEIGHTS_LIMIT, MIN_ALLOWED_WEIGHTS, SUBNETWORK_N, VALIDATOR_PERMIT, WEIGHTS,
    WEIGHTS_SET_RATE_LIMIT, WEIGHTS_VERSION_KEY,
};
use crate::localnet::mirror::AccountId32;
use crate::localnet::mirror::pallet_subtensor::pallet::{Error, Event};
use crate::localnet::rules::{staking, subnets};

/// The subnet and mechanism that weights are for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    /// The subnet.
    pub(crate) netuid: u16,
    /// The mechanism in it; 0 where there is only one.
    pub(crate) mechanism: u8,
}

impl Target {
    /// Where they are stored.
    pub(crate) fn index(self) -> u16 {
        subnets::storage_index(self.netuid, self.mechanism)
    }
}

/// Weights as a call carries them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'a> {
    /// For whom.
    pub(crate) uids: &'a [u16],
    /// How much.
    pub(crate) values: &'a [u16],
    /// By which version of the rules.
    pub(crate) version_key: u64,
}

/// `set_weights` and `set_mechanism_weights`.
pub(crate) fn set(exec: &mut Exec<'_>, hotkey: AccountId32, target: Target, row: Row<'_>) -> Result<(), Fault> {
    if subnets::commits_first(&exec.db, exec.spec, target.netuid) {
        return Err(Error::CommitRevealEnabled.into());
    }
    apply(exec, hotkey, target, row)
}

/// Checks and stores weights; a reveal comes here too, without the rate limit.
pub(crate) fn apply(exec: &mut Exec<'_>, hotkey: AccountId32, target: Target, row: Row<'_>) -> Result<(), Fault> {
    let netuid = target.netuid;
    if netuid == subnets::ROOT {
        return Err(Error::CanNotSetRootNetworkWeights.into());
    }
    if row.uids.len() != row.values.len() {
        return Err(Error::WeightVecNotEqualSize.into());
    }
    subnets::ensure_mechanism(exec, netuid, target.mechanism)?;
    let size = SUBNETWORK_N.get(&exec.db, (netuid,));
    if row.uids.len() > usize::from(size) {
        return Err(Error::UidsLengthExceedUidsInSubNet.into());
    }
    let uid = subnets::uid_of(&exec.db, netuid, hotkey)?;
    if !staking::suffices(&exec.db, exec.spec, hotkey, netuid) {
        return Err(Error::NotEnoughStakeToSetWeights.into());
    }
    let version = WEIGHTS_VERSION_KEY.get(&exec.db, (netuid,));
    if version != 0 && row.version_key < version {
        return Err(Error::IncorrectWeightVersionKey.into());
    }
    let committed = subnets::commits_first(&exec.db, exec.spec, netuid);
    if !committed && !rested(&exec.db, target, uid, exec.block) {
        return Err(Error::SettingWeightsTooFast.into());
    }
    check_row(&exec.db, netuid, uid, row)?;
    let stored: Vec<_> = row.uids.iter().copied().zip(upscaled(row.values)).collect();
    WEIGHTS.put(&mut exec.db, (target.index(), uid), &stored);
    if !committed {
        touch(exec, target, uid);
    }
    exec.emit_subtensor(Event::WeightsSet(target.index(), uid));
    Ok(())
}

/// Whether the rate limit has passed since the neuron's last weights or commit.
pub(crate) fn rested(db: &impl Read, target: Target, uid: u16, block: u64) -> bool {
    let last = LAST_UPDATE.get(db, (target.index(),)).get(usize::from(uid)).copied().unwrap_or_default();
    last == 0 || block.saturating_sub(last) >= WEIGHTS_SET_RATE_LIMIT.get(db, (target.netuid,))
}

/// Notes that a neuron did its duty.
pub(crate) fn touch(exec: &mut Exec<'_>, target: Target, uid: u16) {
    let block = exec.block;
    LAST_UPDATE.mutate(&mut exec.db, (target.index(),), |column| subnets::set(column, uid, block));
}

/// What only concerns the weights themselves and the right to give them.
fn check_row(db: &impl Read, netuid: u16, uid: u16, row: Row<'_>) -> Result<(), Error> {
    let own = row.uids == [uid];
    let permits = VALIDATOR_PERMIT.get(db, (netuid,));
    if !own && !permits.get(usize::from(uid)).copied().unwrap_or_default() {
        return Err(Error::NeuronNoValidatorPermit);
    }
    let mut sorted = row.uids.to_vec();
    sorted.sort_unstable();
    if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(Error::DuplicateUids);
    }
    let size = SUBNETWORK_N.get(db, (netuid,));
    if sorted.last().is_some_and(|uid| *uid >= size) {
        return Err(Error::UidVecContainInvalidOne);
    }
    let least = MIN_ALLOWED_WEIGHTS.get(db, (netuid,)).min(size);
    if !own && row.uids.len() < usize::from(least) {
        return Err(Error::WeightVecLengthIsLow);
    }
    if !own && !within_limit(&upscaled(row.values), MAX_WEIGHTS_LIMIT.get(db, (netuid,))) {
        return Err(Error::MaxWeightExceeded);
    }
    Ok(())
}

/// Whether no share of the sum is above the limit.
fn within_limit(values: &[u16], limit: u16) -> bool {
    let sum: u64 = values.iter().copied().map(u64::from).sum();
    let most = values.iter().copied().map(u64::from).max().unwrap_or_default();
    // most / sum <= limit / 65535, without division
    limit == u16::MAX || sum == 0 || most * u64::from(u16::MAX) <= u64::from(limit) * sum
}

/// Values scaled so that the largest is 65535, rounded down as the chain's fixed-point numbers do.
pub(crate) fn upscaled(values: &[u16]) -> Vec<u16> {
    let most = values.iter().copied().max().unwrap_or_default();
    if most == 0 || most == u16::MAX {
        return values.to_vec();
    }
    let (most, full) = (u64::from(most), u64::from(u16::MAX));
    let scale = |value: u16| {
        let value = u64::from(value);
        let scaled = if value >= 32_768 { (full * ((value << 32) / most)) >> 32 } else { full * value / most };
        u16::try_from(scaled).unwrap_or(u16::MAX)
    };
    values.iter().copied().map(scale).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn zeros_stay_zeros_and_the_largest_becomes_full() {
        assert_eq!(upscaled(&[10, 0, 0]), [65535, 0, 0]);
        assert_eq!(upscaled(&[0, 0]), [0, 0]);
        assert_eq!(upscaled(&[65535, 32768]), [65535, 32768]);
        assert_eq!(upscaled(&[2, 1]), [65535, 32767]);
    }

    #[test]
    fn a_share_is_measured_against_the_sum() {
        assert!(!within_limit(&[65535, 32768], 30_000));
        assert!(within_limit(&[65535, 65535, 65535], 30_000));
        assert!(within_limit(&[0, 0], 1));
    }

    proptest! {
        #[test]
        fn order_is_kept(values in proptest::collection::vec(any::<u16>(), 1..40)) {
            let scaled = upscaled(&values);
            for (a, x) in values.iter().zip(&scaled) {
                for (b, y) in values.iter().zip(&scaled) {
                    prop_assert!(a > b || x <= y);
                }
            }
        }
    }
}
