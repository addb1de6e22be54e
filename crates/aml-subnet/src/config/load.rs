//! Merging the sources, so that every unknown key and every bad value is named, each with where it came from.
//!
//! The serialised defaults are the list of known keys: a new field in [`Settings`] needs no other entry.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use aml_miner::secret_url::hide;
use config::{Config, File, FileFormat};
use serde_json::{Map, Value};

use super::Settings;

/// A configuration is a few KiB; a larger file is something else.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// A value from the environment or a flag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// Dotted key, as in `axon.port`.
    pub key: &'static str,
    /// Its text.
    pub text: String,
    /// For messages: the variable or flag.
    pub source: &'static str,
}

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not TOML.
    #[error("{} is not valid TOML: {reason}", path.display())]
    Toml {
        /// The file.
        path: PathBuf,
        /// What and where.
        reason: String,
    },
    /// Everything that is wrong, one line each.
    #[error("configuration:\n  {}", .0.join("\n  "))]
    Problems(Vec<String>),
}

/// Defaults, then `file`, then `overrides` in their order.
///
/// # Errors
/// All problems at once.
pub fn load(file: Option<&Path>, overrides: &[Override]) -> Result<Settings, ConfigError> {
    let mut merged = serde_json::to_value(Settings::default()).unwrap_or_default();
    let mut problems = Vec::new();
    if let Some(path) = file {
        let from = path.display().to_string();
        merge(&mut merged, &read(path)?, &from, &mut problems);
    }
    for Override { key, text, source } in overrides {
        if !try_text(&mut merged, key, text) {
            problems.push(format!("{source}: `{}` is no value for {key}", hide(text)));
        }
    }
    let mut settings: Settings = serde_json::from_value(merged).unwrap_or_default();
    if layer_of("subtensor.network", overrides) > layer_of("subtensor.chain_endpoint", overrides) {
        settings.subtensor.chain_endpoint.clear();
    }
    problems.extend(settings.expand_home());
    problems.extend(settings.problems());
    if problems.is_empty() { Ok(settings) } else { Err(ConfigError::Problems(problems)) }
}

/// The layer that gives `key`: 0 is a file or nobody, 1 the environment, 2 a flag.
fn layer_of(key: &str, overrides: &[Override]) -> u8 {
    let layers = overrides.iter().filter(|given| given.key == key);
    layers.map(|given| if given.source.starts_with('-') { 2 } else { 1 }).max().unwrap_or(0)
}

fn read(path: &Path) -> Result<Value, ConfigError> {
    let failed = |source| ConfigError::Read { path: path.to_owned(), source };
    let mut text = String::new();
    std::fs::File::open(path).map_err(failed)?.take(MAX_FILE_BYTES).read_to_string(&mut text).map_err(failed)?;
    let parsed = Config::builder().add_source(File::from_str(&text, FileFormat::Toml)).build();
    parsed
        .and_then(Config::try_deserialize)
        .map_err(|error| ConfigError::Toml { path: path.to_owned(), reason: hide(&error.to_string()) })
}

/// Takes over each leaf of `file` that is known and of the right type; names the others.
fn merge(merged: &mut Value, file: &Value, source: &str, problems: &mut Vec<String>) {
    let mut leaves = Vec::new();
    flatten(file, String::new(), merged, &mut leaves);
    for (key, value) in leaves {
        if at(merged, &key).is_none() {
            problems.push(format!("{source}: unknown key `{key}`"));
        } else if !try_value(merged, &key, value) {
            problems.push(format!("{source}: {} is no value for {key}", hide(&value.to_string())));
        }
    }
}

/// Descends as far as both sides are tables; an unknown table is one leaf.
fn flatten<'a>(file: &'a Value, prefix: String, known: &Value, leaves: &mut Vec<(String, &'a Value)>) {
    match (file, known) {
        (Value::Object(fields), Value::Object(expected)) => {
            for (name, value) in fields {
                let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
                flatten(value, key, expected.get(name).unwrap_or(&Value::Null), leaves);
            }
        }
        _ => leaves.push((prefix, file)),
    }
}

fn at<'a>(root: &'a mut Value, key: &str) -> Option<&'a mut Value> {
    key.split('.')
        .try_fold(root, |value, name| value.as_object_mut().and_then(|fields: &mut Map<_, _>| fields.get_mut(name)))
}

/// Puts `value` at `key` if the whole can still be read with it.
fn try_value(merged: &mut Value, key: &str, value: &Value) -> bool {
    let Some(place) = at(merged, key) else { return false };
    let before = std::mem::replace(place, value.clone());
    if serde_json::from_value::<Settings>(merged.clone()).is_ok() {
        return true;
    }
    if let Some(place) = at(merged, key) {
        *place = before;
    }
    false
}

/// A text may stand for a text, a number, a truth value, or a list separated by commas.
fn try_text(merged: &mut Value, key: &str, text: &str) -> bool {
    let list = text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(Value::from).collect();
    let mut readings = vec![Value::from(text), Value::Array(list)];
    readings.extend(serde_json::from_str::<Value>(text).ok().filter(|value| value.is_number() || value.is_boolean()));
    readings.iter().any(|value| try_value(merged, key, value))
}
