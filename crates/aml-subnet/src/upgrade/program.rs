//! Running a program as a unit would: with its arguments, variables, folder and user.

use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::facts::Facts;
use super::systemd::{Role, Unit};
use super::version::Version;

/// How long a program may take for a look at its settings, in seconds, as `timeout` takes it.
const PATIENCE: &str = "120";
/// How much of what a program says is told.
const LONGEST: usize = 2_000;

/// Why a program was of no use.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// It cannot be run.
    #[error("cannot run {program}: {source}", program = program.display())]
    Run {
        /// Which.
        program: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It says no.
    #[error("{program} {what}: {said}", program = program.display())]
    Refused {
        /// Which.
        program: PathBuf,
        /// What it was told.
        what: String,
        /// What it says.
        said: String,
    },
    /// It says something else than expected.
    #[error("{program} {what} is not understood: {said}", program = program.display())]
    Said {
        /// Which.
        program: PathBuf,
        /// What it was told.
        what: String,
        /// What it says.
        said: String,
    },
}

/// Which version a program is; that it runs on this machine is known then, too.
pub(super) fn version(program: &Path) -> Result<Version, ProgramError> {
    let output = Command::new("timeout").arg(PATIENCE).arg(program).arg("--version").output();
    let output = output.map_err(|source| ProgramError::Run { program: program.to_path_buf(), source })?;
    let what = "--version";
    let text = succeeded(program, what, &output)?;
    let said = || ProgramError::Said { program: program.to_path_buf(), what: what.to_owned(), said: short(&text) };
    Version::in_words(&text).ok_or_else(said)
}

/// Lets `program` look at the settings of `unit`, as it would start with them.
pub(super) fn check(unit: &Unit, program: &Path) -> Result<String, ProgramError> {
    let output = as_unit(unit, program, "--check")?;
    succeeded(program, "--check", &output)
}

/// What the settings of a neuron's unit say; `program` is this program's own file.
pub(super) fn facts(unit: &Unit, program: &Path, role: Role) -> Result<Facts, ProgramError> {
    let output = as_unit(unit, program, "--facts")?;
    let text = succeeded(program, &format!("{} --facts", role.name()), &output)?;
    serde_json::from_str(&text).map_err(|error| ProgramError::Said {
        program: program.to_path_buf(),
        what: "--facts".to_owned(),
        said: error.to_string(),
    })
}

fn as_unit(unit: &Unit, program: &Path, more: &str) -> Result<Output, ProgramError> {
    let mut command = Command::new("timeout");
    command.arg(PATIENCE);
    if let Some(user) = unit.user.as_deref().filter(|user| *user != "root" && is_root()) {
        command.args(["runuser", "-u", user, "--"]);
    }
    command.arg(program).args(unit.argv.iter().skip(1).map(OsStr::new)).arg(more);
    command.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path))).envs(&unit.environment);
    if let Some(folder) = unit.folder.as_deref().filter(|folder| folder.is_dir()) {
        command.current_dir(folder);
    }
    command.output().map_err(|source| ProgramError::Run { program: program.to_path_buf(), source })
}

/// Who owns `/proc/self` is who we are.
pub(super) fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|about| about.uid() == 0)
}

fn succeeded(program: &Path, what: &str, output: &Output) -> Result<String, ProgramError> {
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = match output.status.code() {
        Some(124) => format!("it did not end within {PATIENCE} s"),
        _ => short(&String::from_utf8_lossy(&output.stderr)),
    };
    Err(ProgramError::Refused { program: program.to_path_buf(), what: what.to_owned(), said })
}

fn short(text: &str) -> String {
    text.trim().chars().take(LONGEST).collect()
}
