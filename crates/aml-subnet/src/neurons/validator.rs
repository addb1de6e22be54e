//! The validator: asks all miners about a batch, judges and merges their answers, settles and pays.
//!
//! One room a concern; rounds tie them together. The rules are in [`crate::validation`], what is kept is in
//! [`crate::store`].

pub mod evidence;
pub mod judge;
pub mod merge;
pub mod pay;
pub mod query;
pub mod replay;
pub mod settle;
pub mod sot;
pub mod standing;
pub mod task;
pub mod traps;
