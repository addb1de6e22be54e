//! Accounts, events, and what a signature covers.

use parity_scale_codec::{Compact, Decode, Encode};
use scale_info::TypeInfo;

use super::frame_support::dispatch::{DispatchClass, Pays};
use super::node_subtensor_runtime::RuntimeEvent;
use super::pallet_balances::types::AccountData;
use super::primitive_types::H256;
use super::sp_weights::weight_v2::Weight;

/// An account's nonce and balance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub(crate) struct AccountInfo {
    pub(crate) nonce: u32,
    pub(crate) consumers: u32,
    pub(crate) providers: u32,
    pub(crate) sufficients: u32,
    pub(crate) data: AccountData,
}

/// What caused an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub(crate) enum Phase {
    ApplyExtrinsic(u32),
    Finalization,
    Initialization,
}

/// An event of a block.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub(crate) struct EventRecord {
    pub(crate) phase: Phase,
    pub(crate) event: RuntimeEvent,
    pub(crate) topics: Vec<H256>,
}

/// What a dispatch cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub(crate) struct DispatchEventInfo {
    pub(crate) weight: Weight,
    pub(crate) class: DispatchClass,
    pub(crate) pays_fee: Pays,
}

/// The last runtime that ran.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub(crate) struct LastRuntimeUpgradeInfo {
    pub(crate) spec_version: Compact<u32>,
    pub(crate) spec_name: String,
}

pub(crate) mod pallet {
    //! Calls, events and errors.
    use parity_scale_codec::{Decode, Encode};
    use scale_info::TypeInfo;

    use super::DispatchEventInfo;
    use crate::localnet::mirror::{AccountId32, H256, sp_runtime::DispatchError};

    /// Calls.
    #[expect(non_camel_case_types, reason = "names on the wire")]
    #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
    pub(crate) enum Call {
        #[codec(index = 0)]
        remark { remark: Vec<u8> },
        #[codec(index = 7)]
        remark_with_event { remark: Vec<u8> },
    }

    /// Events.
    #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
    pub(crate) enum Event {
        #[codec(index = 0)]
        ExtrinsicSuccess { dispatch_info: DispatchEventInfo },
        #[codec(index = 1)]
        ExtrinsicFailed { dispatch_error: DispatchError, dispatch_info: DispatchEventInfo },
        #[codec(index = 2)]
        CodeUpdated,
        #[codec(index = 3)]
        NewAccount { account: AccountId32 },
        #[codec(index = 5)]
        Remarked { sender: AccountId32, hash: H256 },
    }

    /// Errors.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
    pub(crate) enum Error {
        #[codec(index = 5)]
        CallFiltered,
    }
}

pub(crate) mod extensions {
    //! What a signature covers besides the call.
    use parity_scale_codec::{Decode, Encode};
    use scale_info::TypeInfo;

    use crate::localnet::mirror::sp_runtime::generic::era::Era;

    /// An extension without data in the transaction.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
    pub(crate) struct Empty;

    /// The lifetime of the transaction.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
    pub(crate) struct CheckMortality(pub(crate) Era);

    /// The nonce of the transaction.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
    pub(crate) struct CheckNonce(#[codec(compact)] pub(crate) u32);
}
