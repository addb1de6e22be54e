//! Scores, ranks and explains crypto anti-money-laundering alerts with LightGBM models.
//!
//! | feature | what it adds |
//! |---|---|
//! | none | [`table`], [`wire`], [`digest`], [`environment`], [`error_chain`], [`receipt`], [`metrics`], [`request_id`], [`secret_url`], [`whole_file`]: what callers and validators need |
//! | `data` | batch directories: read, verify, write, download; days made from a seed |
//! | `http` | what servers share: errors, request ids and deadlines, bounded connections |
//! | `inference` | features, models, the HTTP API; trees are evaluated by this crate |
//! | `s3` | batches from S3-compatible storage |
//! | `otel` | traces to an OpenTelemetry collector |
//! | `judging` | labelled days, splits, figures, models trained elsewhere; no LightGBM |
//! | `training` | training, tuning and reports; needs LightGBM's C library |
//! | `python` | the extension module of the Python package `aml-miner` |
//!
//! The crate knows nothing of Bittensor.

pub mod clock;
pub mod digest;
pub mod environment;
pub mod error_chain;
pub mod flows;
pub mod metrics;
pub mod receipt;
pub mod request_id;
pub mod secret_url;
pub mod table;
pub mod whole_file;
pub mod wire;

#[cfg(feature = "data")]
pub mod data;
#[cfg(feature = "data")]
pub mod synth;

#[cfg(feature = "http")]
pub mod http;

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
#[cfg(feature = "inference")]
pub mod scoring;
#[cfg(feature = "inference")]
pub mod trees;

#[cfg(feature = "judging")]
pub mod training;

#[cfg(feature = "python")]
mod python;
