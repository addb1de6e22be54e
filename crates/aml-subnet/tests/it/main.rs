//! The crate through its front door: one module a topic.

mod axon_v10;
mod btauth;
mod chain_bench;
mod chain_conformance;
mod chain_encoding;
mod chain_faults;
mod chain_node;
mod chain_rules;
mod chain_timelock;
mod chain_weights;
mod cli_chain;
mod common;
mod config;
mod doctor;
mod fake_miner;
mod ledger;
mod ledger_kit;
mod ledger_lock;
mod localnet_metadata;
mod localnet_replay;
mod localnet_rpc;
mod miner;
mod miner_chain;
mod miner_parts;
#[cfg(feature = "redis")]
mod redis_nonces;
mod validation;
mod validator_judge;
mod validator_kit;
mod validator_query;
mod validator_query_rules;
mod validator_sot;
mod validator_task;
mod validator_weights;
mod wallet;
