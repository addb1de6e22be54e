//! Scores, ranks and explains crypto anti-money-laundering alerts with LightGBM models.
//!
//! | feature | what it adds |
//! |---|---|
//! | none | [`wire`], [`digest`], [`receipt`], [`metrics`], [`request_id`], [`whole_file`]: what callers and validators need |
//! | `data` | batch directories: read, verify, write, download, synthesise |
//! | `inference` | features, models, the HTTP API; trees are evaluated by this crate |
//! | `training` | training, tuning and reports; needs LightGBM's C library |
//!
//! The crate knows nothing of Bittensor.

pub mod clock;
pub mod digest;
pub mod metrics;
pub mod receipt;
pub mod request_id;
pub mod whole_file;
pub mod wire;

#[cfg(feature = "data")]
pub mod data;

#[cfg(feature = "inference")]
pub mod api;
#[cfg(feature = "inference")]
pub mod cli;
#[cfg(feature = "inference")]
pub mod config;
#[cfg(feature = "inference")]
pub mod features;
#[cfg(feature = "inference")]
pub mod models;
#[cfg(feature = "inference")]
pub mod offline;

#[cfg(feature = "training")]
pub mod training;
