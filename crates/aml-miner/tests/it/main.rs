//! The crate through its front door: one module a topic.

mod batch_corruption;
mod batch_download;
mod batch_kit;
mod batch_manifest;
mod batch_roundtrip;
mod features_alert;
mod features_builder;
mod features_cluster;
mod features_flow;
mod features_invariants;
mod features_peer;
mod features_selector;
mod features_support;
mod metrics;
mod receipts;
mod synth;
mod training_boost;
mod training_calibration;
mod training_config;
mod training_evaluation;
mod training_split;
mod training_support;
mod wire_body;
mod wire_reply;
