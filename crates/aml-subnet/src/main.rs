//! `aml-subnet`: miner, validator, localnet and their helpers.

use std::process::ExitCode;

fn main() -> ExitCode {
    aml_subnet::cli::main()
}
