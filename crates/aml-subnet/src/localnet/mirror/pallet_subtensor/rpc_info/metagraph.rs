//! A whole subnet, in full or by chosen fields.
//!
//! The position of a field is its index in a request for chosen fields, so the order here is part of the contract.

use super::super::pallet::{AxonInfo, ChainIdentityV2, SubnetIdentityV3};
use super::{AccountId32, C16, C64, C128, Compact, Decode, Encode, TypeInfo};
use crate::localnet::mirror::substrate_fixed::FixedI128;

macro_rules! metagraph {
    ($($index:literal $field:ident: $ty:ty,)*) => {
        /// A whole subnet.
        #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
        pub(crate) struct Metagraph {
            pub(crate) netuid: C16,
            $(pub(crate) $field: $ty,)*
        }

        /// Chosen fields of a subnet.
        #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
        pub(crate) struct SelectiveMetagraph {
            pub(crate) netuid: C16,
            $(pub(crate) $field: Option<$ty>,)*
            pub(crate) validators: Option<Vec<C16>>,
            pub(crate) commitments: Option<Vec<(AccountId32, Vec<Compact<u8>>)>>,
        }

        impl Metagraph {
            /// The fields at these positions; unknown positions are left out.
            pub(crate) fn select(self, wanted: &[u16]) -> SelectiveMetagraph {
                let validators = wanted.contains(&VALIDATORS).then(|| self.validators());
                let commitments = wanted.contains(&COMMITMENTS).then(Vec::new);
                SelectiveMetagraph {
                    netuid: self.netuid,
                    $($field: wanted.contains(&$index).then_some(self.$field),)*
                    validators,
                    commitments,
                }
            }
        }
    };
}

/// Position of the list of validators.
const VALIDATORS: u16 = 72;
/// Position of the neurons' public notes.
const COMMITMENTS: u16 = 73;

impl Metagraph {
    /// The neurons with a permit.
    fn validators(&self) -> Vec<C16> {
        let permits = self.validator_permit.iter().zip(0_u16..);
        permits.filter(|(permit, _)| **permit).map(|(_, uid)| Compact(uid)).collect()
    }
}

metagraph! {
    1 name: Vec<Compact<u8>>,
    2 symbol: Vec<Compact<u8>>,
    3 identity: Option<SubnetIdentityV3>,
    4 network_registered_at: C64,
    5 owner_hotkey: AccountId32,
    6 owner_coldkey: AccountId32,
    7 block: C64,
    8 tempo: C16,
    9 last_step: C64,
    10 blocks_since_last_step: C64,
    11 subnet_emission: C64,
    12 alpha_in: C64,
    13 alpha_out: C64,
    14 tao_in: C64,
    15 alpha_out_emission: C64,
    16 alpha_in_emission: C64,
    17 tao_in_emission: C64,
    18 pending_alpha_emission: C64,
    19 pending_root_emission: C64,
    20 subnet_volume: C128,
    21 moving_price: FixedI128,
    22 rho: C16,
    23 kappa: C16,
    24 min_allowed_weights: C16,
    25 max_weights_limit: C16,
    26 weights_version: C64,
    27 weights_rate_limit: C64,
    28 activity_cutoff: C16,
    29 max_validators: C16,
    30 num_uids: C16,
    31 max_uids: C16,
    32 burn: C64,
    33 difficulty: C64,
    34 registration_allowed: bool,
    35 pow_registration_allowed: bool,
    36 immunity_period: C16,
    37 min_difficulty: C64,
    38 max_difficulty: C64,
    39 min_burn: C64,
    40 max_burn: C64,
    41 adjustment_alpha: C64,
    42 adjustment_interval: C16,
    43 target_regs_per_interval: C16,
    44 max_regs_per_block: C16,
    45 serving_rate_limit: C64,
    46 commit_reveal_weights_enabled: bool,
    47 commit_reveal_period: C64,
    48 liquid_alpha_enabled: bool,
    49 alpha_high: C16,
    50 alpha_low: C16,
    51 bonds_moving_avg: C64,
    52 hotkeys: Vec<AccountId32>,
    53 coldkeys: Vec<AccountId32>,
    54 identities: Vec<Option<ChainIdentityV2>>,
    55 axons: Vec<AxonInfo>,
    56 active: Vec<bool>,
    57 validator_permit: Vec<bool>,
    58 pruning_score: Vec<C16>,
    59 last_update: Vec<C64>,
    60 emission: Vec<C64>,
    61 dividends: Vec<C16>,
    62 incentives: Vec<C16>,
    63 consensus: Vec<C16>,
    64 trust: Vec<C16>,
    65 rank: Vec<C16>,
    66 block_at_registration: Vec<C64>,
    67 alpha_stake: Vec<C64>,
    68 tao_stake: Vec<C64>,
    69 total_stake: Vec<C64>,
    70 tao_dividends_per_hotkey: Vec<(AccountId32, C64)>,
    71 alpha_dividends_per_hotkey: Vec<(AccountId32, C64)>,
}
