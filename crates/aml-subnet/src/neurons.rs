//! What runs: the miner's proxy, the validator, and what neurons share.

pub mod announce;
pub mod metagraph;
pub mod miner;
pub mod spool;
pub mod subtensor;
pub mod validator;
