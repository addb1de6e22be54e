//! What systemd knows of a unit, and telling it to stop and start one: through `systemctl`, as an operator would.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use aml_miner::environment::{DotenvError, read_dotenv};

/// What runs on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The validator.
    Validator,
    /// The proxy and the inference API behind it.
    Miner,
}

impl Role {
    /// Its units, in the order in which they start.
    #[must_use]
    pub const fn units(self) -> &'static [&'static str] {
        match self {
            Self::Validator => &["aml-subnet-validator.service"],
            Self::Miner => &["aml-miner-serve.service", "aml-subnet-miner.service"],
        }
    }

    /// The unit whose settings tell where the role is reached.
    pub(super) const fn neuron(self) -> &'static str {
        match self {
            Self::Validator => "aml-subnet-validator.service",
            Self::Miner => "aml-subnet-miner.service",
        }
    }

    /// Whether its neuron runs on this machine.
    #[must_use]
    pub fn runs(self) -> bool {
        unit(self.neuron()).is_ok_and(|unit| unit.active)
    }

    /// In words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Validator => "validator",
            Self::Miner => "miner",
        }
    }
}

/// Why systemd does not do what it is told.
#[derive(Debug, thiserror::Error)]
pub enum SystemdError {
    /// It is not there.
    #[error("cannot run systemctl: {0}")]
    Missing(#[source] std::io::Error),
    /// It refuses.
    #[error("systemctl {what}: {said}")]
    Refused {
        /// What it was told.
        what: String,
        /// What it says.
        said: String,
    },
    /// A unit that is not installed.
    #[error("there is no unit {0} on this machine: an upgrade restarts units of systemd, see docs/operations.md")]
    NoUnit(String),
    /// A unit without a command that is understood.
    #[error("the command of {unit} is not understood: {command}")]
    Command {
        /// The unit.
        unit: String,
        /// Its command.
        command: String,
    },
    /// A file with variables that cannot be read.
    #[error(transparent)]
    Environment(#[from] DotenvError),
}

/// A unit as systemd has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unit {
    pub(super) name: String,
    /// Whether it runs, or is about to.
    pub(super) active: bool,
    /// Program and arguments.
    pub(super) argv: Vec<String>,
    /// Who runs it; `None` where nobody is named.
    pub(super) user: Option<String>,
    /// Where it runs.
    pub(super) folder: Option<PathBuf>,
    /// Its variables, those of files included.
    pub(super) environment: BTreeMap<String, String>,
    /// How often it was started again by itself.
    pub(super) restarts: u32,
}

/// What is asked of a unit.
const PROPERTIES: &str = "LoadState,ActiveState,User,WorkingDirectory,Environment,EnvironmentFiles,ExecStart,NRestarts";

/// Tells systemd to do something.
pub(super) fn tell(words: &[&str]) -> Result<(), SystemdError> {
    said(words).map(drop)
}

/// Looks at a unit.
pub(super) fn unit(name: &str) -> Result<Unit, SystemdError> {
    let text = said(&["show", name, "--property", PROPERTIES])?;
    let mut unit = parse(name, &text)?;
    for file in files(&text) {
        // The later one counts, as systemd has it.
        for variable in read_dotenv(&file)? {
            unit.environment.insert(variable.name, variable.value);
        }
    }
    Ok(unit)
}

fn said(words: &[&str]) -> Result<String, SystemdError> {
    let output = Command::new("systemctl").args(words).output().map_err(SystemdError::Missing)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(SystemdError::Refused { what: words.join(" "), said })
}

fn parse(name: &str, text: &str) -> Result<Unit, SystemdError> {
    let property = |key: &str| {
        let mut all = text.lines().filter_map(|line| line.split_once('=')).filter(|(name, _)| *name == key);
        all.next().map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    };
    if property("LoadState") != Some("loaded") {
        return Err(SystemdError::NoUnit(name.to_owned()));
    }
    let command = property("ExecStart").unwrap_or_default();
    let argv: Vec<String> = command
        .split_once("argv[]=")
        .map(|(_, rest)| rest.split(" ;").next().unwrap_or(rest).split_whitespace().map(str::to_owned).collect())
        .unwrap_or_default();
    if argv.is_empty() {
        return Err(SystemdError::Command { unit: name.to_owned(), command: command.to_owned() });
    }
    let folder = property("WorkingDirectory").map(|text| PathBuf::from(text.trim_start_matches('!')));
    let assigned = words(property("Environment").unwrap_or_default()).into_iter();
    Ok(Unit {
        name: name.to_owned(),
        active: matches!(property("ActiveState"), Some("active" | "activating" | "reloading")),
        argv,
        user: property("User").map(str::to_owned),
        folder,
        environment: assigned
            .filter_map(|word| word.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())))
            .collect(),
        restarts: property("NRestarts").and_then(|text| text.parse().ok()).unwrap_or(0),
    })
}

/// The files with variables, in their order.
fn files(text: &str) -> Vec<PathBuf> {
    let named = text.lines().filter_map(|line| line.strip_prefix("EnvironmentFiles="));
    named.filter_map(|value| value.split(" (").next()).filter(|path| !path.is_empty()).map(PathBuf::from).collect()
}

/// Words as systemd writes them: apart by blanks, quoted where they have some.
fn words(text: &str) -> Vec<String> {
    let (mut all, mut word, mut quoted, mut any) = (Vec::new(), String::new(), false, false);
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => (quoted, any) = (!quoted, true),
            '\\' => match letters.next() {
                Some('n') => word.push('\n'),
                Some(escaped) => word.push(escaped),
                None => {}
            },
            blank if blank.is_whitespace() && !quoted => {
                if any || !word.is_empty() {
                    all.push(std::mem::take(&mut word));
                }
                any = false;
            }
            other => word.push(other),
        }
    }
    if any || !word.is_empty() {
        all.push(word);
    }
    all
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    use super::{SystemdError, files, parse, words};

    const SHOWN: &str = "LoadState=loaded\nActiveState=active\nUser=aml-subnet\nNRestarts=2\n\
        WorkingDirectory=/var/lib/aml-validator\n\
        Environment=VALIDATOR_DATA_DIR=/var/lib/aml-validator \"NOTE=two \\\"words\\\"\"\n\
        EnvironmentFiles=/etc/aml/subnet.env (ignore_errors=yes)\nEnvironmentFiles=/etc/aml/validator.env (ignore_errors=no)\n\
        ExecStart={ path=/usr/local/bin/aml-subnet ; argv[]=/usr/local/bin/aml-subnet validator --config \
        /etc/aml/subnet.toml ; ignore_errors=no ; start_time=[n/a] ; pid=0 ; status=0/0 }\n";

    #[test]
    fn a_unit_is_what_systemd_says() {
        let unit = parse("x.service", SHOWN).unwrap();
        assert_eq!(unit.argv, ["/usr/local/bin/aml-subnet", "validator", "--config", "/etc/aml/subnet.toml"]);
        assert_eq!((unit.user.as_deref(), unit.active, unit.restarts), (Some("aml-subnet"), true, 2));
        assert_eq!(unit.folder, Some(PathBuf::from("/var/lib/aml-validator")));
        let variables = [("VALIDATOR_DATA_DIR", "/var/lib/aml-validator"), ("NOTE", "two \"words\"")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(unit.environment, BTreeMap::from(variables));
        assert_eq!(files(SHOWN), [PathBuf::from("/etc/aml/subnet.env"), PathBuf::from("/etc/aml/validator.env")]);
    }

    #[test]
    fn a_unit_that_is_not_there_or_has_no_command_is_said() {
        let absent = SHOWN.replace("LoadState=loaded", "LoadState=not-found");
        assert!(matches!(parse("x", &absent), Err(SystemdError::NoUnit(_))));
        let odd = SHOWN.replace("argv[]=", "");
        assert!(matches!(parse("x", &odd), Err(SystemdError::Command { .. })));
    }

    #[test]
    fn words_are_apart_by_blanks() {
        assert_eq!(words("  a=1 \"b=x y\" c=\\\"\\\\  \"\" "), ["a=1", "b=x y", "c=\"\\", ""]);
        assert_eq!(words(""), Vec::<String>::new());
    }
}
