//! Stakes as the runtime APIs show them.

use std::collections::BTreeMap;

use super::query::{Query, c};
use crate::localnet::items::subtensor as s;
use crate::localnet::mirror::AccountId32;
use crate::localnet::mirror::pallet_subtensor::rpc_info::stake_info::{StakeAvailability, StakeInfo};
use crate::localnet::rules::staking;

/// What a coldkey holds, wherever it holds something.
pub(super) fn stakes(q: &Query<'_>, coldkey: AccountId32) -> Vec<StakeInfo> {
    let netuids = q.netuids();
    let hotkeys = s::STAKING_HOTKEYS.get(&q.db, (coldkey,)).into_iter();
    let pairs = hotkeys.flat_map(|hotkey| netuids.iter().map(move |netuid| (hotkey, *netuid)));
    pairs.filter_map(|(hotkey, netuid)| stake(q, hotkey, coldkey, netuid)).filter(|info| info.stake.0 > 0).collect()
}

/// What a coldkey holds with a hotkey in a subnet.
pub(super) fn stake(q: &Query<'_>, hotkey: AccountId32, coldkey: AccountId32, netuid: u16) -> Option<StakeInfo> {
    Some(StakeInfo {
        hotkey,
        coldkey,
        netuid: c(netuid),
        stake: c(staking::alpha(s::STAKE_OF.get(&q.db, (hotkey, coldkey, netuid)))),
        locked: c(0),
        emission: c(0),
        tao_emission: c(0),
        drain: c(0),
        is_registered: s::IS_NETWORK_MEMBER.get(&q.db, (hotkey, netuid)),
    })
}

/// What a coldkey holds in each of these subnets, and how much of it is locked as collateral of its miners.
pub(super) fn availability(q: &Query<'_>, coldkey: AccountId32, netuids: &[u16]) -> BTreeMap<u16, StakeAvailability> {
    let hotkeys = s::STAKING_HOTKEYS.get(&q.db, (coldkey,));
    let in_one = |netuid: u16| {
        let mut sum = StakeAvailability::default();
        for hotkey in &hotkeys {
            sum.total = sum.total.saturating_add(staking::alpha(s::STAKE_OF.get(&q.db, (*hotkey, coldkey, netuid))));
            let collateral = s::MINER_COLLATERAL.find(&q.db, (netuid, *hotkey, coldkey)).unwrap_or_default();
            sum.locked = sum.locked.saturating_add(collateral.locked);
        }
        sum.available = sum.total.saturating_sub(sum.locked);
        sum
    };
    netuids.iter().map(|netuid| (*netuid, in_one(*netuid))).collect()
}
