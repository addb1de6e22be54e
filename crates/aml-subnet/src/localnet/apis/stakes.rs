//! Stakes as the runtime APIs show them.

use super::query::{Query, c};
use crate::localnet::items::subtensor as s;
use crate::localnet::mirror::AccountId32;
use crate::localnet::mirror::pallet_subtensor::rpc_info::stake_info::StakeInfo;
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
