//! The program `aml-miner-batch` within the caller's process.

use clap::Parser as _;
use pyo3::prelude::*;

use super::pool::spread;
use crate::cli::batch::{Cli, code_of, run};
use crate::error_chain::with_causes;

/// Runs a command of `aml-miner-batch`: its exit code, what it writes, and what it says when it cannot do its work.
#[pyfunction]
pub(super) fn batch_program(py: Python<'_>, args: Vec<String>) -> PyResult<(i32, String, String)> {
    let all = std::iter::once("aml-miner-batch".to_owned()).chain(args);
    spread(py, || {
        let cli = match Cli::try_parse_from(all) {
            Ok(cli) => cli,
            Err(told) if told.use_stderr() => return Ok((told.exit_code(), String::new(), told.to_string())),
            Err(told) => return Ok((told.exit_code(), told.to_string(), String::new())),
        };
        let mut out = Vec::new();
        let ended = run(&cli, &mut out);
        let out = String::from_utf8_lossy(&out).into_owned();
        Ok(match ended {
            Ok(verdict) => (i32::from(verdict.code()), out, String::new()),
            Err(error) => (i32::from(code_of(&error)), out, with_causes(error.as_ref())),
        })
    })
}
