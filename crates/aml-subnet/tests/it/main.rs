//! The crate through its front door: one module a topic.

mod axon_v10;
mod btauth;
mod common;
mod config;
#[cfg(feature = "redis")]
mod redis_nonces;
mod wallet;
