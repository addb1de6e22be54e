//! Bittensor neurons of the AML subnet.
//!
//! The miner's proxy verifies signed requests and forwards them to an inference API; the validator asks all miners,
//! judges their answers, merges them and sets weights on chain; the localnet is a development chain for both.
//! Nothing here knows machine learning: the crate links no LightGBM.

pub mod api;
pub mod beacon;
pub mod calendar;
pub mod chain;
pub mod cli;
pub mod config;
pub mod doctor;
pub mod entropy;
mod failpoint;
pub mod http;
pub mod localnet;
pub mod logging;
pub mod miner;
pub mod outputs;
pub mod protocol;
pub mod readers;
pub mod seasons;
#[cfg(feature = "simulate")]
pub mod simulate;
pub mod store;
pub mod subtensor;
pub mod upgrade;
pub mod validation;
pub mod validator;
pub mod wallet;
