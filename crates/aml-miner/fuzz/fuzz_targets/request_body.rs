//! A request body from a stranger: refused or read without a panic, the same however it is cut, and written back to
//! the same bits.
#![no_main]

#[path = "../src/bounds.rs"]
mod bounds;

use aml_miner::wire::{InOrder, ReadBodyError, Reading, read_body, write_body};
use libfuzzer_sys::fuzz_target;

fn run(bytes: &[u8]) {
    let reading = Reading::default();
    let text = std::str::from_utf8(bytes);
    match read_body(bytes, &reading, &InOrder) {
        Ok(batch) => {
            let again = read_body(&write_body(&batch), &reading, &InOrder).expect("what was written is read");
            assert_eq!(again.alerts.rows(), batch.alerts.rows());
            let judged = serde_json::from_slice::<serde::de::IgnoredAny>(bytes);
            assert!(judged.is_ok(), "accepted, but not JSON: {judged:?}");
        }
        Err(ReadBodyError::Broken { line, column, .. }) => {
            assert!(line >= 1 && column >= 1);
        }
        Err(ReadBodyError::Stopped) => unreachable!("nobody stops it"),
        Err(ReadBodyError::Invalid(problems)) => {
            assert!(text.is_ok() && !problems.is_empty() && problems.len() <= reading.limits.problems);
        }
    }
}

fuzz_target!(|bytes: &[u8]| bounds::within(|| run(bytes)));
