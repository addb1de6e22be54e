//! The crate through its front door: one module a topic.

mod axon_v10;
mod btauth;
mod common;
#[cfg(feature = "redis")]
mod redis_nonces;
mod wallet;
