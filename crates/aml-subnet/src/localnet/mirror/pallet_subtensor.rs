//! The pallet of subnets, neurons and weights.

pub(crate) mod pallet;
pub(crate) mod rpc_info;
