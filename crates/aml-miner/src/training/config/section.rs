//! Reads a YAML mapping key by key, so that one pass finds every mistake: unknown keys, wrong types, wrong values.

use serde::de::DeserializeOwned;
use serde_yaml_ng::{Mapping, Value};

/// Mistakes found so far, each with the path of its key.
#[derive(Debug, Default)]
pub(super) struct Problems(pub(super) Vec<String>);

impl Problems {
    pub(super) fn add(&mut self, path: &str, problem: impl std::fmt::Display) {
        self.0.push(format!("{path}: {problem}"));
    }
}

/// A mapping of which the known keys are taken out one by one.
pub(super) struct Section<'p> {
    path: String,
    keys: Mapping,
    known: Vec<&'static str>,
    problems: &'p mut Problems,
}

impl<'p> Section<'p> {
    /// The mapping `value`; an absent one is empty, anything else a problem.
    pub(super) fn new(path: &str, value: Value, problems: &'p mut Problems) -> Self {
        let keys = match value {
            Value::Mapping(keys) => keys,
            Value::Null => Mapping::new(),
            _ => {
                problems.add(if path.is_empty() { "the file" } else { path }, "must be a mapping of keys to values");
                Mapping::new()
            }
        };
        Self { path: path.to_owned(), keys, known: Vec::new(), problems }
    }

    /// Sets `target` to the value of `key` where it is given, of the right type, and `check` finds nothing wrong.
    pub(super) fn read<T: DeserializeOwned, E: std::fmt::Display>(
        &mut self,
        key: &'static str,
        target: &mut T,
        check: impl Fn(&T) -> Result<(), E>,
    ) {
        self.known.push(key);
        let Some(value) = self.keys.remove(key) else { return };
        match serde_yaml_ng::from_value::<T>(value) {
            Err(error) => self.problems.add(&join(&self.path, key), error),
            Ok(value) => match check(&value) {
                Ok(()) => *target = value,
                Err(must) => self.problems.add(&join(&self.path, key), must),
            },
        }
    }

    /// Reads the section called `key`.
    pub(super) fn section<T>(&mut self, key: &'static str, read: impl FnOnce(Section<'_>) -> T) -> T {
        self.known.push(key);
        let value = self.keys.remove(key).unwrap_or(Value::Null);
        read(Section::new(&join(&self.path, key), value, self.problems))
    }

    /// Every key that was not asked for is a problem.
    pub(super) fn finish(self) {
        for key in self.keys.keys() {
            let name = key.as_str().map_or_else(|| format!("{key:?}"), str::to_owned);
            let known = self.known.join(", ");
            self.problems.add(&join(&self.path, &name), format_args!("unknown key (known here: {known})"));
        }
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// Accepts every value.
pub(super) fn any<T>(_: &T) -> Result<(), &'static str> {
    Ok(())
}

/// Accepts (0, 1].
pub(super) fn share(value: &f64) -> Result<(), &'static str> {
    if *value > 0.0 && *value <= 1.0 { Ok(()) } else { Err("must be above 0 and at most 1") }
}

/// Accepts [0, 1].
pub(super) fn share_or_none(value: &f64) -> Result<(), &'static str> {
    if (0.0..=1.0).contains(value) { Ok(()) } else { Err("must be from 0 to 1") }
}

/// Accepts (0, 0.5].
pub(super) fn small_share(value: &f64) -> Result<(), &'static str> {
    if *value > 0.0 && *value <= 0.5 { Ok(()) } else { Err("must be above 0 and at most 0.5") }
}

/// Accepts finite numbers from zero up.
pub(super) fn not_negative(value: &f64) -> Result<(), &'static str> {
    if value.is_finite() && *value >= 0.0 { Ok(()) } else { Err("must be a number of at least 0") }
}
