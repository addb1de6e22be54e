//! Training, tuning, evaluation and reports.
//!
//! LightGBM's C library keeps state for the whole process. All calls of it go through one lock in [`lightgbm`], so
//! models may be trained on any number of threads at once; they take turns call by call.

pub mod adopt;
pub mod assemble;
pub mod boost;
pub mod bootstrap;
pub mod calibration;
pub mod cli;
pub mod config;
pub mod drift;
pub mod evaluation;
pub mod fit;
pub mod hyperparameter_tuner;
pub mod lightgbm;
pub mod record;
pub mod report;
pub mod samples;
pub mod scored;
pub mod session;
pub mod shelf;
pub mod split;
pub mod summary;
pub mod train_cluster_scorer;
pub mod train_ranker;
pub mod train_scorer;
pub mod watch;
