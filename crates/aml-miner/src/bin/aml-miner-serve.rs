//! `aml-miner-serve`: scores, ranks and explains alerts over HTTP.

use std::process::ExitCode;

use aml_miner::Server;

/// The commit this is built from: what the build says, else what git says, else `unknown`. It is asked for here and
/// not in the library, so that a new commit builds this file alone.
const COMMIT: &str = match option_env!("AML_GIT_COMMIT") {
    Some(commit) => commit,
    None => git_version::git_version!(args = ["--always", "--abbrev=40", "--exclude=*"], fallback = "unknown"),
};

fn main() -> ExitCode {
    Server::new().commit(COMMIT).run()
}
