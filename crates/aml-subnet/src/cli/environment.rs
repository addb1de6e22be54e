//! What the environment gives the command line: the working directory's `.env`, and no empty variables.

use std::io;
use std::path::Path;

use aml_miner::environment::{DotenvError, read_dotenv};
use clap::Command;
use clap::builder::Resettable;

/// Why `.env` was not taken over.
#[derive(Debug, thiserror::Error)]
pub(super) enum TakeError {
    /// It cannot be read.
    #[error(transparent)]
    Dotenv(#[from] DotenvError),
    /// The process does not take a variable.
    #[error("the variables of .env cannot be set: {0}")]
    Set(#[source] io::Error),
}

/// Adds the variables of the file at `path` to those of the process; what the environment has already wins, unless it is
/// empty. To be called before any thread is started.
pub(super) fn take_dotenv(path: &Path) -> Result<(), TakeError> {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let variables = read_dotenv(path)?.into_iter().filter(|one| !one.value.is_empty() && !is_set(&one.name));
    // Written again with everything quoted, so that the other reader takes it as it is.
    let text: String = variables.map(|one| format!("{}=\"{}\"\n", one.name, quoted(&one.value))).collect();
    dotenvy::from_read_override(text.as_bytes()).map_err(|error| TakeError::Set(io::Error::other(error)))
}

fn quoted(value: &str) -> String {
    let letter = |letter| match letter {
        '\n' => "\\n".to_owned(),
        '"' | '\\' | '$' => format!("\\{letter}"),
        other => other.to_string(),
    };
    value.chars().map(letter).collect()
}

/// `command` without those of its variables that are empty: they count as not set.
pub(super) fn without_empty_variables(command: Command) -> Command {
    let is_empty = |name: &std::ffi::OsStr| std::env::var_os(name).is_some_and(|value| value.is_empty());
    let command = command.mut_args(|arg| {
        let empty = arg.get_env().is_some_and(is_empty);
        if empty { arg.env(Resettable::Reset) } else { arg }
    });
    command.mut_subcommands(without_empty_variables)
}
