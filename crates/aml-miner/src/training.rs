//! Training, tuning, evaluation and reports.

pub mod boost;
pub mod bootstrap;
pub mod calibration;
pub mod config;
pub mod drift;
pub mod evaluation;
pub mod lightgbm;
pub mod samples;
pub mod scored;
pub mod split;
