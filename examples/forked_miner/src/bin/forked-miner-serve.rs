//! `aml-miner-serve` with what this miner adds: arguments, settings and routes are the shipped program's.

use std::process::ExitCode;

use aml_miner::{ModelKind, Server};
use forked_miner::{EvidenceLength, SeverityFirst};

fn main() -> ExitCode {
    Server::new().feature(EvidenceLength).model(ModelKind::AlertRanker, SeverityFirst::new()).run()
}
