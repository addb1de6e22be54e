//! Fuzzes `signed_headers` of `src/targets.rs` within bounds of memory and time.
#![no_main]

#[path = "../../../aml-miner/fuzz/src/bounds.rs"]
mod bounds;
#[path = "../src/targets.rs"]
#[allow(dead_code, reason = "one target of several")]
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bounds::within(|| targets::signed_headers(bytes)));
