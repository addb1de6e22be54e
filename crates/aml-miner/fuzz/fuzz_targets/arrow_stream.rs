//! An Arrow stream from a stranger: a table within its limits or a reason, without a panic.
#![no_main]

#[path = "../src/bounds.rs"]
mod bounds;

use aml_miner::data::{FileLimits, read_stream};
use aml_miner::wire::body::TABLES;
use libfuzzer_sys::fuzz_target;

fn run(bytes: &[u8]) {
    let limits = FileLimits { rows: 4096, text_bytes: 1 << 20, values: 1 << 16, ..FileLimits::default() };
    for spec in TABLES {
        if let Ok(table) = read_stream(bytes, spec, spec.name, &limits) {
            assert!(table.rows() <= limits.rows);
        }
    }
}

fuzz_target!(|bytes: &[u8]| bounds::within(|| run(bytes)));
