//! Stake is added and taken away. There is no market here: one TAO buys one alpha in every subnet.

use crate::localnet::exec::{self, Exec, Fault};
use crate::localnet::item::Read;
use crate::localnet::items::subtensor::{
    OWNER, STAKE_OF, STAKE_THRESHOLD, STAKING_HOTKEYS, SUBNET_ALPHA_OUT, SUBNET_TAO, TAO_WEIGHT, TAO_WEIGHT_218,
    TOTAL_HOTKEY_ALPHA, TOTAL_STAKE, WEIGHTS_MIN_STAKE,
};
use crate::localnet::mirror::AccountId32;
use crate::localnet::mirror::pallet_subtensor::pallet::{Error, Event};
use crate::localnet::mirror::substrate_fixed::FixedU128;
use crate::localnet::rules::subnets;
use crate::localnet::spec::{Generation, Spec};

/// Least amount of one staking, in rao.
const MIN_STAKE: u64 = 500_000;

/// What counts for a hotkey in a subnet, in rao.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stake {
    /// Staked in the subnet itself.
    pub(crate) alpha: u64,
    /// Staked in the root, at the weight that it has in subnets.
    pub(crate) tao: u64,
}

impl Stake {
    /// Both together.
    pub(crate) fn total(self) -> u64 {
        self.alpha.saturating_add(self.tao)
    }
}

/// What counts for a hotkey in a subnet.
pub(crate) fn of(db: &impl Read, spec: Spec, hotkey: AccountId32, netuid: u16) -> Stake {
    let weight = match spec.generation {
        Generation::G218 => TAO_WEIGHT_218.get(db, (netuid,)),
        Generation::G381 | Generation::G463 => TAO_WEIGHT.get(db, ()),
    };
    let root = TOTAL_HOTKEY_ALPHA.get(db, (hotkey, subnets::ROOT));
    let tao = u128::from(root) * u128::from(weight) / u128::from(u64::MAX);
    let alpha = if netuid == subnets::ROOT { 0 } else { TOTAL_HOTKEY_ALPHA.get(db, (hotkey, netuid)) };
    Stake { alpha, tao: u64::try_from(tao).unwrap_or(u64::MAX) }
}

/// Whether a hotkey has the stake that weights ask for.
pub(crate) fn suffices(db: &impl Read, spec: Spec, hotkey: AccountId32, netuid: u16) -> bool {
    let least = match spec.generation {
        Generation::G218 => WEIGHTS_MIN_STAKE.get(db, ()),
        Generation::G381 | Generation::G463 => STAKE_THRESHOLD.get(db, ()),
    };
    of(db, spec, hotkey, netuid).total() >= least
}

/// `add_stake`.
pub(crate) fn add(
    exec: &mut Exec<'_>,
    coldkey: AccountId32,
    hotkey: AccountId32,
    netuid: u16,
    amount: u64,
) -> Result<(), Fault> {
    check(exec, hotkey, netuid)?;
    if amount < MIN_STAKE {
        return Err(Error::AmountTooLow.into());
    }
    if exec::balance(&exec.db, coldkey) < amount {
        return Err(Error::NotEnoughBalanceToStake.into());
    }
    exec::withdraw(&mut exec.db, coldkey, amount)?;
    credit(exec, coldkey, hotkey, netuid, amount);
    exec.emit_subtensor(Event::StakeAdded(coldkey, hotkey, amount, amount, netuid, 0));
    Ok(())
}

/// Writes a stake that somebody else paid for.
pub(crate) fn credit(exec: &mut Exec<'_>, coldkey: AccountId32, hotkey: AccountId32, netuid: u16, amount: u64) {
    let db = &mut exec.db;
    let more = |value: &mut u64| *value = value.saturating_add(amount);
    TOTAL_HOTKEY_ALPHA.mutate(db, (hotkey, netuid), more);
    STAKE_OF.mutate(db, (hotkey, coldkey, netuid), |share| *share = shares(alpha(*share).saturating_add(amount)));
    SUBNET_TAO.mutate(db, (netuid,), more);
    SUBNET_ALPHA_OUT.mutate(db, (netuid,), more);
    TOTAL_STAKE.mutate(db, (), more);
    STAKING_HOTKEYS.mutate(db, (coldkey,), |hotkeys| {
        if !hotkeys.contains(&hotkey) {
            hotkeys.push(hotkey);
        }
    });
}

/// `remove_stake`.
pub(crate) fn remove(
    exec: &mut Exec<'_>,
    coldkey: AccountId32,
    hotkey: AccountId32,
    netuid: u16,
    amount: u64,
) -> Result<(), Fault> {
    check(exec, hotkey, netuid)?;
    let held = alpha(STAKE_OF.get(&exec.db, (hotkey, coldkey, netuid)));
    let rest = held.checked_sub(amount).ok_or(Error::NotEnoughStakeToWithdraw)?;
    let db = &mut exec.db;
    let less = |value: &mut u64| *value = value.saturating_sub(amount);
    STAKE_OF.put(db, (hotkey, coldkey, netuid), &shares(rest));
    TOTAL_HOTKEY_ALPHA.mutate(db, (hotkey, netuid), less);
    SUBNET_TAO.mutate(db, (netuid,), less);
    SUBNET_ALPHA_OUT.mutate(db, (netuid,), less);
    TOTAL_STAKE.mutate(db, (), less);
    exec::deposit(db, coldkey, amount);
    exec.emit_subtensor(Event::StakeRemoved(coldkey, hotkey, amount, amount, netuid, 0));
    Ok(())
}

fn check(exec: &Exec<'_>, hotkey: AccountId32, netuid: u16) -> Result<(), Fault> {
    if !subnets::exists(&exec.db, netuid) {
        return Err(Error::SubnetNotExists.into());
    }
    if !OWNER.contains(&exec.db, (hotkey,)) {
        return Err(Error::HotKeyAccountNotExists.into());
    }
    Ok(())
}

/// What a coldkey holds with a hotkey.
pub(crate) fn alpha(shares: FixedU128) -> u64 {
    u64::try_from(shares.bits >> 64).unwrap_or(u64::MAX)
}

/// One share is worth one rao of alpha.
fn shares(alpha: u64) -> FixedU128 {
    FixedU128 { bits: u128::from(alpha) << 64 }
}
