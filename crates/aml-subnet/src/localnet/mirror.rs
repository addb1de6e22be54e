//! Types of the runtime, under the paths of the originals.
//!
//! Clients find some types by path (`sp_runtime::DispatchError`, `sp_core::crypto::AccountId32`). The modules here are
//! named like the crates of the originals; the metadata drops everything up to `mirror`, so that only the original
//! path is seen. Shapes and indices are those of a Subtensor of early 2026 (spec 381); only what this chain does is
//! there, so a client that asks for more is told at encoding that the call does not exist.

#![allow(clippy::cast_possible_truncation, reason = "the codec's derive casts variant indices, which are below 256")]

pub(crate) mod frame_system;
pub(crate) mod node_subtensor_runtime;
pub(crate) mod pallet_admin_utils;
pub(crate) mod pallet_balances;
pub(crate) mod pallet_commitments;
pub(crate) mod pallet_drand;
pub(crate) mod pallet_shield;
pub(crate) mod pallet_subtensor;
pub(crate) mod sp_runtime;

pub(crate) mod sp_core {
    //! Accounts.

    pub(crate) mod crypto {
        //! Accounts.
        use parity_scale_codec::{Decode, Encode, MaxEncodedLen};
        use scale_info::TypeInfo;

        /// A public key as an account.
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, MaxEncodedLen, TypeInfo,
        )]
        pub(crate) struct AccountId32(pub(crate) [u8; 32]);
    }
}

pub(crate) mod primitive_types {
    //! Hashes.
    use parity_scale_codec::{Decode, Encode};
    use scale_info::TypeInfo;

    /// 32 bytes of a digest.
    #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, TypeInfo)]
    pub(crate) struct H256(pub(crate) [u8; 32]);

    impl std::fmt::Debug for H256 {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "0x{}", hex::encode(self.0))
        }
    }
}

pub(crate) mod bounded_collections {
    //! Lists with a limit.

    pub(crate) mod bounded_vec {
        //! Lists with a limit.
        use parity_scale_codec::{Decode, Encode};
        use scale_info::TypeInfo;

        /// A list whose limit the call checks.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
        pub(crate) struct BoundedVec<T>(pub(crate) Vec<T>);
    }
}

pub(crate) mod sp_weights {
    //! Weights of calls.

    pub(crate) mod weight_v2 {
        //! Weights of calls.
        use parity_scale_codec::{Decode, Encode};
        use scale_info::TypeInfo;

        /// Time and proof that a call takes; this chain measures neither.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
        pub(crate) struct Weight {
            #[codec(compact)]
            pub(crate) ref_time: u64,
            #[codec(compact)]
            pub(crate) proof_size: u64,
        }
    }
}

pub(crate) mod frame_support {
    //! What a dispatch costs.

    pub(crate) mod dispatch {
        //! What a dispatch costs.
        use parity_scale_codec::{Decode, Encode};
        use scale_info::TypeInfo;

        /// How urgent a call is.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
        pub(crate) enum DispatchClass {
            #[default]
            Normal,
            Operational,
            Mandatory,
        }

        /// Whether the sender pays a fee.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
        pub(crate) enum Pays {
            #[default]
            Yes,
            No,
        }
    }
}

pub(crate) mod sp_version {
    //! The version of a runtime.
    use parity_scale_codec::{Decode, Encode};
    use scale_info::TypeInfo;

    /// What a runtime says about itself.
    #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
    pub(crate) struct RuntimeVersion {
        pub(crate) spec_name: String,
        pub(crate) impl_name: String,
        pub(crate) authoring_version: u32,
        pub(crate) spec_version: u32,
        pub(crate) impl_version: u32,
        pub(crate) apis: Vec<([u8; 8], u32)>,
        pub(crate) transaction_version: u32,
        pub(crate) system_version: u8,
    }
}

pub(crate) mod pallet_timestamp {
    //! The time of a block.

    pub(crate) mod pallet {
        //! The time of a block.
        use parity_scale_codec::{Decode, Encode};
        use scale_info::TypeInfo;

        /// Calls.
        #[expect(non_camel_case_types, reason = "names on the wire")]
        #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
        pub(crate) enum Call {
            #[codec(index = 0)]
            set {
                #[codec(compact)]
                now: u64,
            },
        }
    }
}

pub(crate) mod pallet_transaction_payment {
    //! Fees.
    use parity_scale_codec::{Decode, Encode};
    use scale_info::TypeInfo;

    /// The tip of a transaction.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
    pub(crate) struct ChargeTransactionPayment(#[codec(compact)] pub(crate) u64);

    pub(crate) mod pallet {
        //! Fees.
        use super::super::sp_core::crypto::AccountId32;
        use parity_scale_codec::{Decode, Encode};
        use scale_info::TypeInfo;

        /// Events.
        #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
        pub(crate) enum Event {
            #[codec(index = 0)]
            TransactionFeePaid { who: AccountId32, actual_fee: u64, tip: u64 },
        }
    }

    pub(crate) mod types {
        //! What a transaction will cost.
        use super::super::{frame_support::dispatch::DispatchClass, sp_weights::weight_v2::Weight};
        use parity_scale_codec::{Decode, Encode};
        use scale_info::TypeInfo;

        /// What a transaction will cost.
        #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
        pub(crate) struct RuntimeDispatchInfo {
            pub(crate) weight: Weight,
            pub(crate) class: DispatchClass,
            pub(crate) partial_fee: u64,
        }
    }
}

pub(crate) mod pallet_subtensor_swap_runtime_api {
    //! Swaps that are only tried.
    use parity_scale_codec::{Decode, Encode};
    use scale_info::TypeInfo;

    /// What a swap would give.
    #[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
    pub(crate) struct SimSwapResult {
        pub(crate) tao_amount: u64,
        pub(crate) alpha_amount: u64,
        pub(crate) tao_fee: u64,
        pub(crate) alpha_fee: u64,
        pub(crate) tao_slippage: u64,
        pub(crate) alpha_slippage: u64,
    }

    /// What the alpha of a subnet costs.
    #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
    pub(crate) struct SubnetPrice {
        pub(crate) netuid: u16,
        pub(crate) price: u64,
    }
}

pub(crate) mod pallet_sudo {
    //! The key that may do everything.

    pub(crate) mod pallet {
        //! The key that may do everything.
        use super::super::{node_subtensor_runtime::RuntimeCall, sp_runtime::DispatchError};
        use parity_scale_codec::{Decode, Encode};
        use scale_info::TypeInfo;

        /// Calls.
        #[expect(non_camel_case_types, reason = "names on the wire")]
        #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
        pub(crate) enum Call {
            #[codec(index = 0)]
            sudo { call: Box<RuntimeCall> },
        }

        /// Events.
        #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
        pub(crate) enum Event {
            #[codec(index = 0)]
            Sudid { sudo_result: Result<(), DispatchError> },
        }

        /// Errors.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
        pub(crate) enum Error {
            #[codec(index = 0)]
            RequireSudo,
        }
    }
}

pub(crate) mod substrate_fixed {
    //! Fixed-point numbers.
    use parity_scale_codec::{Decode, Encode};
    use scale_info::TypeInfo;

    /// 64 bits before and 64 after the point (32 in the original's `I96F32`, which has this path too).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
    pub(crate) struct FixedI128 {
        pub(crate) bits: i128,
    }

    /// 64 bits before and 64 after the point, without sign.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
    pub(crate) struct FixedU128 {
        pub(crate) bits: u128,
    }
}

pub(crate) mod frame_metadata_hash_extension {
    //! Metadata hash of a transaction: never used here.
    use parity_scale_codec::{Decode, Encode};
    use scale_info::TypeInfo;

    /// Whether the transaction commits to the hash of the metadata.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
    pub(crate) enum Mode {
        Disabled,
        Enabled,
    }

    /// The extension.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
    pub(crate) struct CheckMetadataHash {
        pub(crate) mode: Mode,
    }
}

pub(crate) use self::bounded_collections::bounded_vec::BoundedVec;
pub(crate) use self::primitive_types::H256;
pub(crate) use self::sp_core::crypto::AccountId32;
