//! `aml-subnet rules`: the rules of scoring and pay by themselves.

mod apply;

use std::process::ExitCode;

use clap::{Args, Subcommand};

/// Arguments of `rules`.
#[derive(Debug, Args)]
pub(super) struct RulesArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Plays seasons that come in on standard input, a day at a time
    Apply(apply::ApplyArgs),
}

/// Runs the chosen subcommand.
pub(super) fn run(args: &RulesArgs) -> anyhow::Result<ExitCode> {
    match &args.command {
        Command::Apply(args) => apply::run(args),
    }
}
