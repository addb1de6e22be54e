//! The runtime's rules: what each call requires, changes and reports.

pub(crate) mod admin;
pub(crate) mod commits;
pub(crate) mod dispatch;
pub(crate) mod epoch;
pub(crate) mod serving;
pub(crate) mod staking;
pub(crate) mod subnets;
pub(crate) mod timelock;
pub(crate) mod weights;
