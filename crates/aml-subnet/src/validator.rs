//! The validator: asks all miners about a batch, judges and merges their answers, settles and pays.
//!
//! One room a concern; [`round`] ties them together for one batch, [`run`] for ever. The rules are in
//! [`crate::validation`], what is kept is in [`crate::store`].
//!
//! | step | room |
//! |---|---|
//! | fetch | [`sot`]: where batches and outcomes come from |
//! | task | [`task`] and [`traps`]: what each miner is asked |
//! | ask | [`query`] |
//! | judge, merge | [`judge`] and [`merge`] over [`evidence`], what the ledger keeps |
//! | publish | [`calibrating`], [`reasoning`] and [`crate::outputs`] |
//! | settle | [`settling`] and [`settle`]; [`packing`]: evidence of rounds that can change no more |
//! | pay | [`standing`]: what hotkeys are worth; [`pay`]: weights on chain |
//!
//! Under rules v2 [`information`] has what judging, merging and paying need of earlier rounds; [`rulebook`] says which rules
//! are in force.
//!
//! [`webhooks`] tells readers of rounds. [`adopting`] takes rounds of another validator over from its packs. [`past`] runs past days as if each were its day; [`replay`] computes a stored round again. [`erasing`] takes an address out of what is kept. What all of them touch outside of
//! themselves is in [`world`].

pub mod adopting;
pub mod calibrating;
pub mod erasing;
pub mod evidence;
pub mod information;
pub mod judge;
pub mod merge;
pub mod packing;
pub mod past;
pub mod pay;
pub mod query;
pub mod reasoning;
pub mod replay;
pub mod round;
pub mod rulebook;
pub mod run;
pub mod settle;
pub mod settling;
pub mod sot;
pub mod standing;
pub mod task;
pub mod traps;
pub mod upkeep;
pub mod webhooks;
pub mod world;
