//! The outer enums: pallets by index.

use parity_scale_codec::{Decode, Encode};
use scale_info::TypeInfo;

use super::{
    frame_system, pallet_admin_utils, pallet_balances, pallet_commitments, pallet_shield, pallet_subtensor,
    pallet_sudo, pallet_timestamp, pallet_transaction_payment,
};

/// Marks the runtime in the metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TypeInfo)]
pub(crate) struct Runtime;

/// Every call.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub(crate) enum RuntimeCall {
    #[codec(index = 0)]
    System(frame_system::pallet::Call),
    #[codec(index = 2)]
    Timestamp(pallet_timestamp::pallet::Call),
    #[codec(index = 5)]
    Balances(pallet_balances::pallet::Call),
    #[codec(index = 7)]
    SubtensorModule(pallet_subtensor::pallet::Call),
    #[codec(index = 12)]
    Sudo(pallet_sudo::pallet::Call),
    #[codec(index = 19)]
    AdminUtils(pallet_admin_utils::pallet::Call),
    #[codec(index = 30)]
    MevShield(pallet_shield::pallet::Call),
}

/// Every event.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub(crate) enum RuntimeEvent {
    #[codec(index = 0)]
    System(frame_system::pallet::Event),
    #[codec(index = 5)]
    Balances(pallet_balances::pallet::Event),
    #[codec(index = 6)]
    TransactionPayment(pallet_transaction_payment::pallet::Event),
    #[codec(index = 7)]
    SubtensorModule(pallet_subtensor::pallet::Event),
    #[codec(index = 12)]
    Sudo(pallet_sudo::pallet::Event),
    #[codec(index = 30)]
    MevShield(pallet_shield::pallet::Event),
}

/// Every error.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub(crate) enum RuntimeError {
    #[codec(index = 0)]
    System(frame_system::pallet::Error),
    #[codec(index = 5)]
    Balances(pallet_balances::pallet::Error),
    #[codec(index = 7)]
    SubtensorModule(pallet_subtensor::pallet::Error),
    #[codec(index = 12)]
    Sudo(pallet_sudo::pallet::Error),
    #[codec(index = 18)]
    Commitments(pallet_commitments::pallet::Error),
    #[codec(index = 19)]
    AdminUtils(pallet_admin_utils::pallet::Error),
}
