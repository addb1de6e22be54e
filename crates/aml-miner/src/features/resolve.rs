//! From the names of a schema to computations: once a model, never once a request.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::features::catalogue::{self, Kind, families};
use crate::features::cluster_rows::Aggregate;
use crate::features::cluster_rows::members::MemberFigure;
use crate::features::cluster_rows::scores::ScoreFigure;
use crate::features::custom::CustomFeature;
use crate::features::formula::{Op, Source};
use crate::features::needs::{Needs, Part};
use crate::features::schema::{RowKind, SCHEMA_VERSION, Schema};

/// Most features that a schema may have: bounds the matrix of a model file from elsewhere.
const MAX_FEATURES: usize = 4096;
/// Longest name in bytes.
const MAX_NAME: usize = 256;
/// How many known names an error offers.
const SUGGESTIONS: usize = 3;

/// A schema that this builder cannot compute.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SchemaError {
    /// No feature at all.
    #[error("the schema has no features")]
    Empty,
    /// More features than a model can have.
    #[error("the schema has {found} features; at most {MAX_FEATURES} are allowed")]
    TooMany {
        /// Number of features.
        found: usize,
    },
    /// Made for other definitions.
    #[error("the schema has version {found}, this build computes version {SCHEMA_VERSION}; train the model again")]
    Version {
        /// The schema's version.
        found: u32,
    },
    /// A name twice.
    #[error("feature `{name}` is listed twice, as columns {first} and {second}")]
    Duplicate {
        /// The name.
        name: String,
        /// Its first column.
        first: usize,
        /// Its second column.
        second: usize,
    },
    /// A name that means nothing.
    #[error("column {column}: `{name}` is not a feature of {rows} rows{hint}", rows = rows.name(), hint = hint(closest))]
    Unknown {
        /// Its column.
        column: usize,
        /// The name, cut to a printable length.
        name: String,
        /// What the rows are.
        rows: RowKind,
        /// Known names that look like it, best first.
        closest: Vec<String>,
    },
    /// A custom feature with a name that is taken.
    #[error("custom feature `{name}` has the name of another feature; give it one of its own")]
    Taken {
        /// The name.
        name: String,
    },
    /// A custom feature that reads a column which the format does not have.
    #[error("custom feature `{name}` needs column `{column}` of {table}, which the format does not have")]
    NoSuchColumn {
        /// The feature.
        name: String,
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
}

fn hint(closest: &[String]) -> String {
    if closest.is_empty() { String::new() } else { format!("; did you mean `{}`?", closest.join("`, `")) }
}

/// The computation of a column of either kind of row.
#[derive(Clone)]
pub(crate) enum Column {
    /// Of the row itself.
    Own(Op),
    /// Over the alerts of a cluster: the aggregate, the feature's name and its computation.
    OverAlerts(Aggregate, Box<str>, Op),
    /// Over the addresses of a cluster.
    OverAddresses(Aggregate, Box<str>, Op),
    /// Of the alerts' agreement.
    Members(MemberFigure),
    /// Of the alerts' scores.
    Scores(ScoreFigure),
    /// The logarithm of another column.
    Log(Box<Column>),
}

impl Column {
    /// Whether it compares rows of the batch.
    pub(crate) fn is_relative(&self) -> bool {
        match self {
            Self::Own(op) | Self::OverAlerts(_, _, op) | Self::OverAddresses(_, _, op) => op.is_relative(),
            Self::Log(inner) => inner.is_relative(),
            Self::Members(_) | Self::Scores(_) => false,
        }
    }
}

/// The columns of `schema`, in order.
pub(crate) fn columns(schema: &Schema, custom: &[Arc<dyn CustomFeature>]) -> Result<Vec<Column>, SchemaError> {
    if schema.features.is_empty() {
        return Err(SchemaError::Empty);
    }
    if schema.features.len() > MAX_FEATURES {
        return Err(SchemaError::TooMany { found: schema.features.len() });
    }
    if schema.version != SCHEMA_VERSION {
        return Err(SchemaError::Version { found: schema.version });
    }
    check_duplicates(schema)?;
    check_custom(custom)?;
    let resolve = |(column, name): (usize, &String)| {
        let found = if is_printable(name) { resolve(schema.rows, name, custom) } else { None };
        found.ok_or_else(|| SchemaError::Unknown {
            column,
            name: name.chars().take(80).flat_map(char::escape_debug).collect(),
            rows: schema.rows,
            closest: closest(schema.rows, name, custom),
        })
    };
    schema.features.iter().enumerate().map(resolve).collect()
}

/// Whether any feature of `schema` compares rows of the batch.
pub(crate) fn is_relative(schema: &Schema, custom: &[Arc<dyn CustomFeature>]) -> bool {
    let column = |name: &String| resolve(schema.rows, name, custom);
    schema.features.iter().filter_map(column).any(|column| column.is_relative())
}

/// Whether the values of the feature are names without order.
pub(crate) fn is_categorical(rows: RowKind, name: &str) -> bool {
    catalogue::find(rows, name).is_some_and(|feature| feature.kind == Kind::Categorical)
}

fn is_printable(name: &str) -> bool {
    name.len() <= MAX_NAME && !name.chars().any(char::is_control)
}

fn check_duplicates(schema: &Schema) -> Result<(), SchemaError> {
    let mut seen = HashMap::new();
    for (second, name) in schema.features.iter().enumerate() {
        if let Some(first) = seen.insert(name.as_str(), second) {
            let name = name.chars().take(80).collect();
            return Err(SchemaError::Duplicate { name, first, second });
        }
    }
    Ok(())
}

fn check_custom(custom: &[Arc<dyn CustomFeature>]) -> Result<(), SchemaError> {
    let mut seen = HashSet::new();
    for feature in custom {
        let name = feature.name();
        if !seen.insert(name) || resolve(RowKind::Alert, name, &[]).is_some() {
            return Err(SchemaError::Taken { name: name.to_owned() });
        }
        for &(part, column) in feature.needs() {
            if part.spec().position(column).is_none() {
                let table = part.spec().name;
                return Err(SchemaError::NoSuchColumn { name: name.to_owned(), table, column });
            }
        }
    }
    Ok(())
}

fn resolve(rows: RowKind, name: &str, custom: &[Arc<dyn CustomFeature>]) -> Option<Column> {
    match rows {
        RowKind::Alert => alert_op(name, custom).map(Column::Own),
        RowKind::Cluster => cluster_column(name, custom),
    }
}

fn alert_op(name: &str, custom: &[Arc<dyn CustomFeature>]) -> Option<Op> {
    if let Some(feature) = catalogue::find(RowKind::Alert, name) {
        return match feature.source {
            Source::Row(formula) => Some(formula.op()),
            Source::Members(_) | Source::Scores(_) => None,
        };
    }
    if let Some(feature) = custom.iter().find(|feature| feature.name() == name) {
        return Some(Op::Custom(Arc::clone(feature)));
    }
    if let Some(inner) = name.strip_prefix("log_") {
        return alert_op(inner, custom).map(|inner| Op::Of(Box::new([inner]), |inputs| signed_log(inputs[0])));
    }
    value_op(RowKind::Alert, name)
}

/// A feature of a one-hot family.
fn value_op(rows: RowKind, name: &str) -> Option<Op> {
    let (family, value) = families(rows)
        .iter()
        .find_map(|family| Some((family, name.strip_prefix(family.prefix).filter(|value| !value.is_empty())?)))?;
    if family.prefix == "risk_indicator_" {
        let column = Part::Alerts.spec().position("risk_indicators")?;
        return Some(Op::Lists { part: Part::Alerts, column, value: value.into() });
    }
    let (part, column, empty) = catalogue::one_hot(family.prefix)?;
    Some(Op::OneHot { part, column: part.spec().position(column)?, value: value.into(), empty })
}

fn cluster_column(name: &str, custom: &[Arc<dyn CustomFeature>]) -> Option<Column> {
    if let Some(feature) = catalogue::find(RowKind::Cluster, name) {
        return Some(match feature.source {
            Source::Row(formula) => Column::Own(formula.op()),
            Source::Members(figure) => Column::Members(figure),
            Source::Scores(figure) => Column::Scores(figure),
        });
    }
    if let Some(inner) = name.strip_prefix("log_") {
        return cluster_column(inner, custom).map(|inner| Column::Log(Box::new(inner)));
    }
    if let Some(rest) = name.strip_prefix("address_")
        && let Some((aggregate, inner)) = Aggregate::split(rest)
        && let Some(op) = alert_op(inner, &[]).filter(is_of_address)
    {
        return Some(Column::OverAddresses(aggregate, inner.into(), op));
    }
    if let Some((aggregate, inner)) = Aggregate::split(name) {
        return alert_op(inner, custom).map(|op| Column::OverAlerts(aggregate, inner.into(), op));
    }
    value_op(RowKind::Cluster, name).map(Column::Own)
}

/// Whether an address alone decides the value.
fn is_of_address(op: &Op) -> bool {
    let mut needs = Needs::default();
    op.needs(&mut needs);
    !needs.reads(Part::Alerts) && !needs.reads(Part::Clusters)
}

/// ln(1 + x), continued below zero as -ln(1 - x).
pub(crate) fn signed_log(value: f64) -> f64 {
    value.abs().ln_1p().copysign(value)
}

fn closest(rows: RowKind, name: &str, custom: &[Arc<dyn CustomFeature>]) -> Vec<String> {
    let name: String = name.chars().take(MAX_NAME).collect();
    let fixed = catalogue::features(rows).iter().map(|feature| feature.name.to_string());
    let families = families(rows).iter().map(|family| format!("{}..", family.prefix));
    let custom = custom.iter().map(|feature| feature.name().to_owned());
    let likeness = |known: String| (strsim::jaro_winkler(&name, &known), known);
    let mut known: Vec<(f64, String)> = fixed.chain(families).chain(custom).map(likeness).collect();
    known.sort_by(|(left, one), (right, other)| right.total_cmp(left).then_with(|| one.cmp(other)));
    known.into_iter().filter(|(likeness, _)| *likeness > 0.75).take(SUGGESTIONS).map(|(_, known)| known).collect()
}
