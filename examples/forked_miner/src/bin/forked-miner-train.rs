//! `aml-miner-train` with this miner's feature, which is part of the default schema of alerts then.

use std::process::ExitCode;

use aml_miner::Trainer;
use forked_miner::EvidenceLength;

fn main() -> ExitCode {
    Trainer::new().feature(EvidenceLength).run()
}
