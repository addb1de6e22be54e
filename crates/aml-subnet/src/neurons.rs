//! What runs: the miner's proxy, and what neurons share.

pub mod announce;
pub mod metagraph;
pub mod miner;
pub mod subtensor;
