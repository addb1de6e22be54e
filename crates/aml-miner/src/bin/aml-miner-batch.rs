//! Verify, inspect, download, import and score batch directories.

use std::io::{self, Write as _};
use std::process::ExitCode;

use aml_miner::cli::batch::{Cli, code_of, run};
use clap::Parser as _;

fn main() -> ExitCode {
    let mut out = io::stdout().lock();
    let ended = run(&Cli::parse(), &mut out).and_then(|verdict| {
        out.flush()?;
        Ok(verdict)
    });
    match ended {
        Ok(verdict) => ExitCode::from(verdict.code()),
        // The reader has seen enough, as in `inspect | head`.
        Err(error) if error.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe) => {
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("aml-miner-batch: {}", story(&error));
            ExitCode::from(code_of(&error))
        }
    }
}

/// The error and those of its causes that it does not tell itself.
fn story(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}
