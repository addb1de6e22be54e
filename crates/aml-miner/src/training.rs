//! Training, tuning, evaluation and reports.
//!
//! LightGBM's C library keeps state for the whole process. All calls of it go through one lock in [`lightgbm`], so
//! models may be trained on any number of threads at once; they take turns call by call.
//!
//! With the feature `judging` alone there is no LightGBM: labelled days, splits, figures and models from elsewhere.

pub mod adopt;
pub mod assemble;
#[cfg(feature = "training")]
pub mod boost;
pub mod bootstrap;
pub mod calibration;
#[cfg(feature = "training")]
pub mod card;
#[cfg(feature = "training")]
pub mod cli;
pub mod compare;
pub mod config;
#[cfg(feature = "training")]
pub mod diagnose;
pub mod drift;
pub mod evaluation;
#[cfg(feature = "training")]
pub mod fit;
#[cfg(feature = "training")]
pub mod hyperparameter_tuner;
#[cfg(feature = "training")]
mod keeping;
#[cfg(feature = "training")]
pub mod lightgbm;
#[cfg(feature = "training")]
pub mod masked;
pub mod raw;
pub mod record;
#[cfg(feature = "training")]
pub mod refit;
#[cfg(feature = "training")]
pub mod report;
#[cfg(feature = "training")]
pub mod returning;
pub mod samples;
pub mod scored;
#[cfg(feature = "training")]
pub mod select;
#[cfg(feature = "training")]
pub mod session;
pub mod shelf;
pub mod split;
pub mod summary;
#[cfg(feature = "training")]
pub mod train_cluster_scorer;
#[cfg(feature = "training")]
pub mod train_ranker;
#[cfg(feature = "training")]
pub mod train_scorer;
pub mod watch;
