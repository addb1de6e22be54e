//! The crate through its front door: one module a topic.

mod batch_corruption;
mod batch_kit;
mod batch_manifest;
mod batch_roundtrip;
mod metrics;
