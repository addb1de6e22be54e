//! Trees: models of LightGBM, XGBoost, CatBoost and scikit-learn, read by bounded parsers into one form; their scores, and what
//! every feature adds to a score.
//!
//! The room stands alone: it takes bytes and rows of doubles and gives numbers, and imports nothing of the crate. What a library
//! does to a value before it compares and how it adds up is part of a [`model::Model`], so one evaluator gives each library's own bits.

mod catboost;
pub mod contributions;
mod flat;
pub mod forest;
pub mod isa;
mod json;
pub mod lightgbm;
pub mod limits;
pub mod model;
pub mod objective;
mod quantizer;
pub mod read;
mod sklearn;
mod xgboost;

pub use read::{ReadError, read};
