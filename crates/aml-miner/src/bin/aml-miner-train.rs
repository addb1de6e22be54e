//! `aml-miner-train`: trains, tunes, evaluates and reports on models.

use std::process::ExitCode;

fn main() -> ExitCode {
    aml_miner::Trainer::new().run()
}
