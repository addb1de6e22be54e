//! `aml-subnet` as a program of your own.

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};

use super::{Cli, EXIT_CONFIG, environment};
use crate::validation::rules::{CustomRules, register};

/// `aml-subnet` with all of its subcommands, settings and exit codes, and rules of your own.
#[derive(Debug, Default)]
pub struct Program {
    rules: Vec<CustomRules>,
}

impl Program {
    /// The program as it is shipped.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds rules: their name may stand wherever `v2` may. Every program that reads a ledger with rounds under them needs them.
    #[must_use]
    pub fn rules(mut self, rules: CustomRules) -> Self {
        self.rules.push(rules);
        self
    }

    /// Reads the process's arguments and environment and runs the chosen subcommand to its end. To be called first in `main`.
    #[must_use]
    pub fn run(self) -> ExitCode {
        let refused = |error: &dyn std::fmt::Display| {
            eprintln!("error: {error}");
            ExitCode::from(EXIT_CONFIG)
        };
        if let Err(error) = register(self.rules) {
            return refused(&error);
        }
        if let Err(error) = environment::take_dotenv(".env".as_ref()) {
            return refused(&error);
        }
        let matches = environment::without_empty_variables(Cli::command()).get_matches();
        match Cli::from_arg_matches(&matches) {
            Ok(cli) => cli.run(),
            Err(error) => error.exit(),
        }
    }
}
