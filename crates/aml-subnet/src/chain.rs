//! Subtensor: what is read, what is written, and a development chain to try it on.

pub mod types;
