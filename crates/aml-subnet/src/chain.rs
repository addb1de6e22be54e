//! What the crate knows of the chain, apart from how it is reached: types, weights and how they get on chain, commits,
//! refusals.
//!
//! Nothing here talks to a node. What others ask of one are traits beside the types they speak of
//! ([`metagraph::MetagraphSource`], [`reading::ChainSource`], [`outlook::OutlookSource`],
//! [`announce::Announce`]); [`crate::subtensor`] answers them.

pub mod announce;
pub mod carried;
pub mod collateral;
pub mod commit;
pub mod endpoints;
pub mod epoch;
pub mod metagraph;
pub mod outcome;
pub mod outlook;
pub mod plan;
pub mod pulses;
pub mod reading;
pub mod refusal;
pub mod reveal_round;
pub mod route;
pub mod standing;
pub mod timelock;
pub mod types;
pub mod weights;
