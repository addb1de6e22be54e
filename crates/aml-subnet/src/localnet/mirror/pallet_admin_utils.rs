//! Rules of a subnet, set by the sudo key or, where the original allows it, by the subnet's owner.

pub(crate) mod pallet {
    //! Calls and errors.
    use parity_scale_codec::{Decode, Encode};
    use scale_info::TypeInfo;

    /// Calls.
    #[expect(non_camel_case_types, reason = "names on the wire")]
    #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
    pub(crate) enum Call {
        #[codec(index = 3)]
        sudo_set_serving_rate_limit { netuid: u16, serving_rate_limit: u64 },
        #[codec(index = 6)]
        sudo_set_weights_version_key { netuid: u16, weights_version_key: u64 },
        #[codec(index = 7)]
        sudo_set_weights_set_rate_limit { netuid: u16, weights_set_rate_limit: u64 },
        #[codec(index = 12)]
        sudo_set_max_weight_limit { netuid: u16, max_weight_limit: u16 },
        #[codec(index = 13)]
        sudo_set_immunity_period { netuid: u16, immunity_period: u16 },
        #[codec(index = 14)]
        sudo_set_min_allowed_weights { netuid: u16, min_allowed_weights: u16 },
        #[codec(index = 15)]
        sudo_set_max_allowed_uids { netuid: u16, max_allowed_uids: u16 },
        #[codec(index = 18)]
        sudo_set_activity_cutoff { netuid: u16, activity_cutoff: u16 },
        #[codec(index = 19)]
        sudo_set_network_registration_allowed { netuid: u16, registration_allowed: bool },
        #[codec(index = 25)]
        sudo_set_max_allowed_validators { netuid: u16, max_allowed_validators: u16 },
        #[codec(index = 27)]
        sudo_set_max_registrations_per_block { netuid: u16, max_registrations_per_block: u16 },
        #[codec(index = 30)]
        sudo_set_tempo { netuid: u16, tempo: u16 },
        #[codec(index = 42)]
        sudo_set_stake_threshold { min_stake: u64 },
        #[codec(index = 49)]
        sudo_set_commit_reveal_weights_enabled { netuid: u16, enabled: bool },
        #[codec(index = 57)]
        sudo_set_commit_reveal_weights_interval { netuid: u16, interval: u64 },
        #[codec(index = 71)]
        sudo_set_commit_reveal_version { version: u16 },
        #[codec(index = 76)]
        sudo_set_mechanism_count { netuid: u16, mechanism_count: u8 },
    }

    /// Errors.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
    pub(crate) enum Error {
        #[codec(index = 0)]
        SubnetDoesNotExist,
        #[codec(index = 1)]
        MaxValidatorsLargerThanMaxUIds,
        #[codec(index = 2)]
        MaxAllowedUIdsLessThanCurrentUIds,
    }
}
