//! The only place that calls LightGBM's C library: datasets of many parts, boosting round by round, model text, and the
//! answers of a finished model, to compare ours with.
//!
//! The safe binding has no query groups, no parameters at binning and no say between two rounds, so the C interface
//! is called directly. Each `unsafe` block is one call; every pointer in it comes from a slice or a handle that
//! lives in the same function or is owned by `self`, and every length is that slice's own.
//!
//! The library keeps its number of threads in a global that every model sets anew, and sizes buffers by it: two threads
//! of a process that call it at the same time write out of bounds. All calls therefore go through one lock
//! (`library::call`), which also gives each object the number of threads that it was made with. Whoever uses these types
//! needs no lock, on any number of threads.
#![allow(unsafe_code, reason = "LightGBM is a C library; the safe binding lacks groups and round-wise training")]

mod booster;
mod dataset;
mod finished;
mod library;
mod parameters;

pub use booster::Booster;
pub use dataset::{Dataset, Rows};
pub use finished::Finished;
pub use library::LightGbmError;
pub use parameters::Parameters;

/// Version of the linked C library, as `model_metadata.json` states it.
pub const LIGHTGBM_VERSION: &str = "4.7.0";
