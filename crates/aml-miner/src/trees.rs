//! Trees: LightGBM's text models, read by a bounded parser; their scores, and what every feature adds to a score.
//!
//! The room stands alone: it takes bytes and rows of doubles and gives numbers, and imports nothing of the crate.

pub mod contributions;
pub mod forest;
pub mod isa;
pub mod lightgbm;
mod quantizer;
