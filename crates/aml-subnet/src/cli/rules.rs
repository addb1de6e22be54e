//! `aml-subnet rules`: the rules of scoring and pay by themselves.

mod apply;
mod compare;
mod switch;

use std::process::ExitCode;

use clap::{Args, Subcommand};

pub(super) use compare::{season, stored};

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
    /// Tells what stored rounds would have come to under other rules
    Compare(Box<compare::CompareArgs>),
    /// Says what a change of rules would do, before anything changes
    Switch(Box<switch::SwitchArgs>),
}

/// Runs the chosen subcommand.
pub(super) fn run(args: &RulesArgs) -> anyhow::Result<ExitCode> {
    match &args.command {
        Command::Apply(args) => apply::run(args),
        Command::Compare(args) => compare::run(args),
        Command::Switch(args) => switch::run(args),
    }
}
