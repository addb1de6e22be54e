//! Subtensor: what is read, what is written, and a development chain to try it on.

pub mod commit;
pub mod endpoints;
pub mod localnet;
pub mod refusal;
pub mod reveal_round;
pub mod subtensor;
pub mod timelock;
pub mod types;
pub mod weights;
