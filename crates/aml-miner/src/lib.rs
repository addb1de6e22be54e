//! Scores, ranks and explains crypto anti-money-laundering alerts with models of LightGBM, XGBoost, CatBoost and scikit-learn.
//!
//! | feature | what it adds |
//! |---|---|
//! | none | [`table`], [`wire`], [`digest`], [`environment`], [`error_chain`], [`locked_file`], [`receipt`], [`metrics`], [`request_id`], [`secret_url`], [`whole_file`]: what callers and validators need |
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
//!
//! **What is promised** is what stands here at the root: it follows semantic versioning, and `scripts/checks/semver.sh` compares it
//! with the last release. The modules below are hidden from this page: the programs, tests, benches, fuzz targets and
//! `aml-subnet` reach into them, and they change with any version.
//!
//! A miner of your own is a program that begins with [`Server`] or [`Trainer`] and adds features and models:
//! `docs/customization.md`, `examples/forked_miner`.

#[doc(hidden)]
pub mod clock;
#[doc(hidden)]
pub mod digest;
#[doc(hidden)]
pub mod environment;
#[doc(hidden)]
pub mod error_chain;
#[doc(hidden)]
pub mod flows;
#[doc(hidden)]
pub mod locked_file;
#[doc(hidden)]
pub mod metrics;
#[doc(hidden)]
pub mod receipt;
#[doc(hidden)]
pub mod request_id;
#[doc(hidden)]
pub mod secret_url;
#[doc(hidden)]
pub mod table;
#[doc(hidden)]
pub mod whole_file;
#[doc(hidden)]
pub mod wire;

#[cfg(feature = "data")]
#[doc(hidden)]
pub mod data;
#[cfg(feature = "data")]
#[doc(hidden)]
pub mod history;
#[cfg(feature = "data")]
#[doc(hidden)]
pub mod synth;

#[cfg(feature = "http")]
#[doc(hidden)]
pub mod http;

#[cfg(feature = "inference")]
#[doc(hidden)]
pub mod api;
#[cfg(feature = "inference")]
#[doc(hidden)]
pub mod cli;
#[cfg(feature = "inference")]
#[doc(hidden)]
pub mod config;
#[cfg(feature = "inference")]
#[doc(hidden)]
pub mod features;
#[cfg(feature = "inference")]
#[doc(hidden)]
pub mod models;
#[cfg(feature = "inference")]
#[doc(hidden)]
pub mod offline;
#[cfg(feature = "inference")]
#[doc(hidden)]
pub mod scoring;
#[cfg(feature = "inference")]
#[doc(hidden)]
pub mod trees;

#[cfg(feature = "judging")]
#[doc(hidden)]
pub mod training;

#[cfg(feature = "python")]
mod python;

pub use digest::Digest;
pub use receipt::{Receipt, ReceiptKey, verify as verify_receipt};
pub use table::{Batch, Column, Table, TextColumn};

#[cfg(feature = "data")]
pub use data::BatchDir;

#[cfg(feature = "inference")]
pub use api::{engine::Engine, program::Server, router, state::AppState};
#[cfg(feature = "inference")]
pub use config::Settings;
#[cfg(feature = "inference")]
pub use features::{
    AlertsView, CustomFeature, FeatureBuilder, Matrix, Part, PerAlert, RowKind, Schema, register as register_features,
};
#[cfg(feature = "inference")]
pub use models::{BaseModel, Bundle, Contributions, ModelKind, TreeModel};
#[cfg(feature = "inference")]
pub use scoring::Prepared;

#[cfg(feature = "training")]
pub use training::cli::Trainer;
