//! What the runtime APIs answer.

use parity_scale_codec::{Compact, Decode, Encode};
use scale_info::TypeInfo;

use crate::localnet::mirror::AccountId32;

type C16 = Compact<u16>;
type C64 = Compact<u64>;
type C128 = Compact<u128>;

pub(crate) mod neuron_info {
    //! One neuron.
    use super::super::pallet::{AxonInfo, PrometheusInfo};
    use super::{AccountId32, C16, C64, Compact, Decode, Encode, TypeInfo};

    /// A neuron with its weights and bonds.
    #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
    pub(crate) struct NeuronInfo {
        pub(crate) hotkey: AccountId32,
        pub(crate) coldkey: AccountId32,
        pub(crate) uid: C16,
        pub(crate) netuid: C16,
        pub(crate) active: bool,
        pub(crate) axon_info: AxonInfo,
        pub(crate) prometheus_info: PrometheusInfo,
        pub(crate) stake: Vec<(AccountId32, C64)>,
        pub(crate) rank: C16,
        pub(crate) emission: C64,
        pub(crate) incentive: C16,
        pub(crate) consensus: C16,
        pub(crate) trust: C16,
        pub(crate) validator_trust: C16,
        pub(crate) dividends: C16,
        pub(crate) last_update: C64,
        pub(crate) validator_permit: bool,
        pub(crate) weights: Vec<(C16, C16)>,
        pub(crate) bonds: Vec<(C16, C16)>,
        pub(crate) pruning_score: Compact<u16>,
    }

    /// A neuron without weights and bonds.
    #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
    pub(crate) struct NeuronInfoLite {
        pub(crate) hotkey: AccountId32,
        pub(crate) coldkey: AccountId32,
        pub(crate) uid: C16,
        pub(crate) netuid: C16,
        pub(crate) active: bool,
        pub(crate) axon_info: AxonInfo,
        pub(crate) prometheus_info: PrometheusInfo,
        pub(crate) stake: Vec<(AccountId32, C64)>,
        pub(crate) rank: C16,
        pub(crate) emission: C64,
        pub(crate) incentive: C16,
        pub(crate) consensus: C16,
        pub(crate) trust: C16,
        pub(crate) validator_trust: C16,
        pub(crate) dividends: C16,
        pub(crate) last_update: C64,
        pub(crate) validator_permit: bool,
        pub(crate) pruning_score: Compact<u16>,
    }
}

pub(crate) mod show_subnet {
    //! A subnet by columns.
    use super::{AccountId32, C16, C64, Decode, Encode, TypeInfo};

    /// A subnet by columns.
    #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
    pub(crate) struct SubnetState {
        pub(crate) netuid: C16,
        pub(crate) hotkeys: Vec<AccountId32>,
        pub(crate) coldkeys: Vec<AccountId32>,
        pub(crate) active: Vec<bool>,
        pub(crate) validator_permit: Vec<bool>,
        pub(crate) pruning_score: Vec<C16>,
        pub(crate) last_update: Vec<C64>,
        pub(crate) emission: Vec<C64>,
        pub(crate) dividends: Vec<C16>,
        pub(crate) incentives: Vec<C16>,
        pub(crate) consensus: Vec<C16>,
        pub(crate) trust: Vec<C16>,
        pub(crate) rank: Vec<C16>,
        pub(crate) block_at_registration: Vec<C64>,
        pub(crate) alpha_stake: Vec<C64>,
        pub(crate) tao_stake: Vec<C64>,
        pub(crate) total_stake: Vec<C64>,
        pub(crate) emission_history: Vec<Vec<C64>>,
    }
}

pub(crate) mod stake_info {
    //! One stake.
    use super::{AccountId32, C16, C64, Decode, Encode, TypeInfo};

    /// One stake.
    #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
    pub(crate) struct StakeInfo {
        pub(crate) hotkey: AccountId32,
        pub(crate) coldkey: AccountId32,
        pub(crate) netuid: C16,
        pub(crate) stake: C64,
        pub(crate) locked: C64,
        pub(crate) emission: C64,
        pub(crate) tao_emission: C64,
        pub(crate) drain: C64,
        pub(crate) is_registered: bool,
    }

    /// What a coldkey holds in a subnet.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
    pub(crate) struct StakeAvailability {
        pub(crate) total: u64,
        pub(crate) locked: u64,
        pub(crate) available: u64,
    }
}

pub(crate) mod dynamic_info {
    //! A subnet's market.
    use super::super::pallet::SubnetIdentityV3;
    use super::{AccountId32, C16, C64, C128, Compact, Decode, Encode, TypeInfo};
    use crate::localnet::mirror::substrate_fixed::FixedI128;

    /// A subnet's market; this chain has no market: price 1, pools empty.
    #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
    pub(crate) struct DynamicInfo {
        pub(crate) netuid: C16,
        pub(crate) owner_hotkey: AccountId32,
        pub(crate) owner_coldkey: AccountId32,
        pub(crate) subnet_name: Vec<Compact<u8>>,
        pub(crate) token_symbol: Vec<Compact<u8>>,
        pub(crate) tempo: C16,
        pub(crate) last_step: C64,
        pub(crate) blocks_since_last_step: C64,
        pub(crate) emission: C64,
        pub(crate) alpha_in: C64,
        pub(crate) alpha_out: C64,
        pub(crate) tao_in: C64,
        pub(crate) alpha_out_emission: C64,
        pub(crate) alpha_in_emission: C64,
        pub(crate) tao_in_emission: C64,
        pub(crate) pending_alpha_emission: C64,
        pub(crate) pending_root_emission: C64,
        pub(crate) subnet_volume: C128,
        pub(crate) network_registered_at: C64,
        pub(crate) subnet_identity: Option<SubnetIdentityV3>,
        pub(crate) moving_price: FixedI128,
    }
}

pub(crate) mod subnet_info {
    //! A subnet's rules.
    use super::super::pallet::SubnetIdentityV3;
    use super::{AccountId32, C16, C64, Decode, Encode, TypeInfo};

    /// A subnet's rules.
    #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
    pub(crate) struct SubnetHyperparams {
        pub(crate) rho: C16,
        pub(crate) kappa: C16,
        pub(crate) immunity_period: C16,
        pub(crate) min_allowed_weights: C16,
        pub(crate) max_weights_limit: C16,
        pub(crate) tempo: C16,
        pub(crate) min_difficulty: C64,
        pub(crate) max_difficulty: C64,
        pub(crate) weights_version: C64,
        pub(crate) weights_rate_limit: C64,
        pub(crate) adjustment_interval: C16,
        pub(crate) activity_cutoff: C16,
        pub(crate) registration_allowed: bool,
        pub(crate) target_regs_per_interval: C16,
        pub(crate) min_burn: C64,
        pub(crate) max_burn: C64,
        pub(crate) bonds_moving_avg: C64,
        pub(crate) max_regs_per_block: C16,
        pub(crate) serving_rate_limit: C64,
        pub(crate) max_validators: C16,
        pub(crate) adjustment_alpha: C64,
        pub(crate) difficulty: C64,
        pub(crate) commit_reveal_period: C64,
        pub(crate) commit_reveal_weights_enabled: bool,
        pub(crate) alpha_high: C16,
        pub(crate) alpha_low: C16,
        pub(crate) liquid_alpha_enabled: bool,
    }

    /// A subnet in short.
    #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
    pub(crate) struct SubnetInfo {
        pub(crate) netuid: C16,
        pub(crate) rho: C16,
        pub(crate) kappa: C16,
        pub(crate) difficulty: C64,
        pub(crate) immunity_period: C16,
        pub(crate) max_allowed_validators: C16,
        pub(crate) min_allowed_weights: C16,
        pub(crate) max_weights_limit: C16,
        pub(crate) scaling_law_power: C16,
        pub(crate) subnetwork_n: C16,
        pub(crate) max_allowed_uids: C16,
        pub(crate) blocks_since_last_step: C64,
        pub(crate) tempo: C16,
        pub(crate) network_modality: C16,
        pub(crate) network_connect: Vec<[u16; 2]>,
        pub(crate) emission_values: C64,
        pub(crate) burn: C64,
        pub(crate) owner: AccountId32,
    }

    /// A subnet in short, and how it presents itself.
    #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
    pub(crate) struct SubnetInfov2 {
        pub(crate) netuid: C16,
        pub(crate) rho: C16,
        pub(crate) kappa: C16,
        pub(crate) difficulty: C64,
        pub(crate) immunity_period: C16,
        pub(crate) max_allowed_validators: C16,
        pub(crate) min_allowed_weights: C16,
        pub(crate) max_weights_limit: C16,
        pub(crate) scaling_law_power: C16,
        pub(crate) subnetwork_n: C16,
        pub(crate) max_allowed_uids: C16,
        pub(crate) blocks_since_last_step: C64,
        pub(crate) tempo: C16,
        pub(crate) network_modality: C16,
        pub(crate) network_connect: Vec<[u16; 2]>,
        pub(crate) emission_value: C64,
        pub(crate) burn: C64,
        pub(crate) owner: AccountId32,
        pub(crate) identity: Option<SubnetIdentityV3>,
    }
}

pub(crate) mod metagraph;
