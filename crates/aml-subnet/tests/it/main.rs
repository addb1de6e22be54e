//! The crate through its front door: one module a topic.

mod common;
mod wallet;
