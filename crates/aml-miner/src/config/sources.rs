//! Where settings come from, and the one reader that takes them by key and keeps every complaint.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use config::{FileFormat, Source as _, Value, ValueKind};

use crate::environment::{Variable, expand_home, read_dotenv};

/// Everything that is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError {
    /// One line a problem.
    pub problems: Vec<String>,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} problem(s) with the settings:", self.problems.len())?;
        self.problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl std::error::Error for SettingsError {}

/// Raw settings from all places; a later place wins.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    file: BTreeMap<String, Given>,
    environment: BTreeMap<String, Given>,
    flags: BTreeMap<String, Given>,
    /// What `~` stands for.
    home: Option<String>,
    problems: Vec<String>,
}

#[derive(Clone, Debug)]
struct Given {
    text: String,
    from: String,
}

impl Sources {
    /// Adds the TOML file at `path`.
    #[must_use]
    pub fn file(mut self, path: &Path) -> Self {
        match config::File::from(path.to_owned()).format(FileFormat::Toml).collect() {
            Ok(table) => {
                for (key, value) in table {
                    flatten(&mut self.file, &key, value, &path.display().to_string());
                }
            }
            Err(error) => self.problems.push(format!("{}: {error}", path.display())),
        }
        self
    }

    /// Adds the `.env` file at `path`, if there is one; variables that are given already win.
    #[must_use]
    pub fn dotenv(mut self, path: &Path) -> Self {
        match read_dotenv(path) {
            Ok(variables) => {
                for Variable { name, value: text, line } in variables.into_iter().filter(|one| !one.value.is_empty()) {
                    let from = format!("{name} in {}, line {line}", path.display());
                    self.environment.entry(name).or_insert(Given { text, from });
                }
            }
            Err(error) => self.problems.push(error.to_string()),
        }
        self
    }

    /// Adds environment variables; an empty one is not set.
    #[must_use]
    pub fn environment(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        for (name, text) in variables.into_iter().filter(|(_, text)| !text.is_empty()) {
            let from = format!("environment variable {name}");
            if name == "HOME" {
                self.home = Some(text.clone());
            }
            self.environment.insert(name, Given { text, from });
        }
        self
    }

    /// Adds a flag under the key of its setting.
    #[must_use]
    pub fn flag(mut self, key: &str, text: Option<String>) -> Self {
        if let Some(text) = text {
            self.flags.insert(key.to_owned(), Given { text, from: format!("flag for {key}") });
        }
        self
    }

    pub(super) fn reader(self) -> Reader {
        let problems = self.problems.clone();
        Reader { sources: self, problems }
    }
}

/// Dotted keys of nested tables.
fn flatten(into: &mut BTreeMap<String, Given>, key: &str, value: Value, file: &str) {
    match value.kind {
        ValueKind::Table(table) => {
            table.into_iter().for_each(|(name, value)| flatten(into, &format!("{key}.{name}"), value, file));
        }
        _ => {
            let from = format!("{key} in {file}");
            let text = value.into_string().unwrap_or_else(|_| "<a list>".to_owned());
            into.insert(key.to_owned(), Given { text, from });
        }
    }
}

/// Takes settings one by one.
pub(super) struct Reader {
    sources: Sources,
    problems: Vec<String>,
}

impl Reader {
    /// The setting `key`, called `variable` in the environment; `default` where nobody gives it or the value is bad.
    pub(super) fn take<T>(
        &mut self,
        key: &str,
        variable: &str,
        default: T,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> T {
        let from_file = self.sources.file.remove(key);
        let given = self.sources.flags.remove(key).or(self.sources.environment.remove(variable)).or(from_file);
        let Some(Given { text, from }) = given else { return default };
        match parse(text.trim()) {
            Ok(value) => value,
            Err(why) => {
                let shown: String = text.chars().take(60).collect();
                self.problems.push(format!("{from}: `{shown}`: {why}"));
                default
            }
        }
    }

    /// A path; empty text and `none` are none. A default below a home that nobody knows stays as it is, for whoever opens it.
    pub(super) fn path(&mut self, key: &str, variable: &str, default: &str) -> Option<PathBuf> {
        let home = self.sources.home.clone();
        let some = |text: &str| {
            let named = !text.is_empty() && text != "none";
            let path = named.then(|| expand_home(text, home.as_deref())).transpose();
            path.map(|path| path.map(PathBuf::from)).map_err(str::to_owned)
        };
        self.take(key, variable, some(default).unwrap_or_else(|_| Some(PathBuf::from(default))), some)
    }

    pub(super) fn complain(&mut self, problem: String) {
        self.problems.push(problem);
    }

    /// Nothing may be left in the file.
    pub(super) fn finish(mut self) -> Result<(), SettingsError> {
        let unknown = self.sources.file.values().map(|given| format!("{}: no such setting", given.from));
        self.problems.extend(unknown);
        if self.problems.is_empty() { Ok(()) } else { Err(SettingsError { problems: self.problems }) }
    }
}
