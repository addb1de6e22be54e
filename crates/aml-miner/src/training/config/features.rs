//! Which features a training run takes beside the default ones, and which it leaves out.

use serde::Serialize;

use super::section::Section;
use crate::features::{FeatureBuilder, Kind, RowKind, Schema, features};

/// Changes to the default schema of a kind of row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FeatureChoice {
    /// Names that are added at the end.
    pub add: Vec<String>,
    /// Names that are left out; one that ends in `*` stands for all that begin so.
    pub drop: Vec<String>,
    /// Names whose values are categories, to LightGBM too: numbers without an order.
    pub categorical: Vec<String>,
}

impl FeatureChoice {
    pub(super) fn read(&mut self, mut section: Section<'_>, rows: RowKind) {
        section.read("add", &mut self.add, |names| check_added(rows, names));
        section.read("drop", &mut self.drop, |names| check_dropped(rows, names));
        let drop = self.drop.clone();
        section.read("categorical", &mut self.categorical, |names| check_categorical(rows, names, &drop));
        section.finish();
    }

    /// Changes `schema`; what it already has is not added again.
    pub fn apply(&self, schema: &mut Schema) {
        schema.features.retain(|name| !self.drop.iter().any(|pattern| matches(pattern, name)));
        for name in &self.add {
            if !schema.features.contains(name) {
                schema.features.push(name.clone());
            }
        }
    }
}

/// The default schema of a kind of row.
#[must_use]
pub fn default_schema(rows: RowKind) -> Schema {
    match rows {
        RowKind::Alert => Schema::default_alert(),
        RowKind::Cluster => Schema::default_cluster(),
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |prefix| name.starts_with(prefix))
}

fn check_added(rows: RowKind, names: &[String]) -> Result<(), String> {
    if names.is_empty() {
        return Ok(());
    }
    // LightGBM writes names into lines of words and changes what would break one.
    let unwritable =
        |name: &&String| name.contains(|letter: char| letter.is_whitespace() || "\",:[]{}".contains(letter));
    if let Some(name) = names.iter().find(unwritable) {
        return Err(format!(
            "`{name}` cannot be trained on: a model file has no spaces, quotes, commas, colons or brackets in names"
        ));
    }
    FeatureBuilder::new(&Schema::new(rows, names)).map(|_| ()).map_err(|error| error.to_string())
}

fn check_categorical(rows: RowKind, names: &[String], drop: &[String]) -> Result<(), String> {
    for name in names {
        if Schema::new(rows, [name]).categorical().is_empty() {
            let all = features(rows).iter().filter(|feature| feature.kind == Kind::Categorical);
            let all: Vec<String> = all.map(|feature| feature.name.to_string()).collect();
            return Err(format!("`{name}` is no category; those of {} rows are: {}", rows.name(), all.join(", ")));
        }
        if drop.iter().any(|pattern| matches(pattern, name)) {
            return Err(format!("`{name}` is left out by `drop`"));
        }
    }
    Ok(())
}

fn check_dropped(rows: RowKind, patterns: &[String]) -> Result<(), String> {
    let mut schema = default_schema(rows);
    if rows == RowKind::Alert {
        schema.features.extend(Schema::alert_history());
    }
    let unused = patterns.iter().find(|pattern| !schema.features.iter().any(|name| matches(pattern, name)));
    unused.map_or(Ok(()), |pattern| Err(format!("`{pattern}` is none of the default features")))
}
