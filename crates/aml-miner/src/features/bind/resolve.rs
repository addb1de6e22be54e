//! From the names of a schema to computations: once per model, never once per request.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::expression::Expression;
use super::op::Op;
use super::schema_error::{MAX_FEATURES, SchemaError};
use crate::features::catalogue::{self, families};
use crate::features::custom::{CustomFeature, registered};
use crate::features::expressions::{Aggregate, Counterparties, Kind, Source};
use crate::features::vocabulary::{Part, Reads, RowKind, SCHEMA_VERSION, Schema, signed_log};

/// Longest name in bytes.
const MAX_NAME: usize = 256;
/// How many known names an error offers.
const SUGGESTIONS: usize = 3;

/// The expressions of `schema`, in order.
pub(crate) fn expressions(schema: &Schema, custom: &[Arc<dyn CustomFeature>]) -> Result<Vec<Expression>, SchemaError> {
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

impl Schema {
    /// Whether an alert's row depends on the batch's other alerts, so that scoring a part of a batch gives other
    /// scores than scoring all of it. Names that are not features count for nothing.
    #[must_use]
    pub fn batch_relative(&self) -> bool {
        let custom = registered();
        let found = |name: &String| resolve(self.rows, name, &custom);
        self.features.iter().filter_map(found).any(|expression| expression.is_relative())
    }

    /// The columns that ask earlier days. A model that has such needs a state ([`History`](crate::history::History)): without one
    /// they are missing.
    #[must_use]
    pub fn history(&self) -> Vec<usize> {
        let custom = registered();
        let asks = |name: &String| resolve(self.rows, name, &custom).is_some_and(|found| found.asks_history());
        (0..self.features.len()).filter(|&column| asks(&self.features[column])).collect()
    }

    /// The columns whose values are names without order.
    #[must_use]
    pub fn categorical(&self) -> Vec<usize> {
        let kind = |name: &String| catalogue::find(self.rows, name).map(|feature| feature.kind);
        let is_categorical = |name: &String| kind(name) == Some(Kind::Categorical);
        (0..self.features.len()).filter(|&column| is_categorical(&self.features[column])).collect()
    }
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

/// Whether features of the caller's own can stand beside the catalogue's: names that are free, columns that are there.
pub(crate) fn check_custom(custom: &[Arc<dyn CustomFeature>]) -> Result<(), SchemaError> {
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

fn resolve(rows: RowKind, name: &str, custom: &[Arc<dyn CustomFeature>]) -> Option<Expression> {
    match rows {
        RowKind::Alert => alert_op(name, custom).map(Expression::Own),
        RowKind::Cluster => cluster_expression(name, custom),
    }
}

fn alert_op(name: &str, custom: &[Arc<dyn CustomFeature>]) -> Option<Op> {
    if let Some(feature) = catalogue::find(RowKind::Alert, name) {
        return match feature.source {
            Source::Row(formula) => Some(Op::new(formula)),
            Source::Members(_) | Source::Scores(_) => None,
        };
    }
    if let Some(feature) = custom.iter().find(|feature| feature.name() == name) {
        return Some(Op::Custom(Arc::clone(feature)));
    }
    if let Some(inner) = name.strip_prefix("log_") {
        return alert_op(inner, custom).map(|inner| Op::Of(Box::new([inner]), |inputs| signed_log(inputs[0])));
    }
    if let Some((side, rest)) = Counterparties::split(name)
        && let Some((aggregate, inner)) = Aggregate::split(rest)
        && matches!(aggregate, Aggregate::Mean | Aggregate::Max | Aggregate::Min)
        && let Some(op) = alert_op(inner, &[]).filter(is_of_features)
    {
        return Some(Op::Over(side, aggregate, Box::new(op)));
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

fn cluster_expression(name: &str, custom: &[Arc<dyn CustomFeature>]) -> Option<Expression> {
    if let Some(feature) = catalogue::find(RowKind::Cluster, name) {
        return Some(match feature.source {
            Source::Row(formula) => Expression::Own(Op::new(formula)),
            Source::Members(figure) => Expression::Members(figure),
            Source::Scores(figure) => Expression::Scores(figure),
        });
    }
    if let Some(inner) = name.strip_prefix("log_") {
        return cluster_expression(inner, custom).map(|inner| Expression::Log(Box::new(inner)));
    }
    if let Some(rest) = name.strip_prefix("address_")
        && let Some((aggregate, inner)) = Aggregate::split(rest)
        && let Some(op) = alert_op(inner, &[]).filter(is_of_address)
    {
        return Some(Expression::OverAddresses(aggregate, inner.into(), op));
    }
    if let Some((aggregate, inner)) = Aggregate::split(name) {
        return alert_op(inner, custom).map(|op| Expression::OverAlerts(aggregate, inner.into(), op));
    }
    value_op(RowKind::Cluster, name).map(Expression::Own)
}

/// Whether the row of `features` alone decides the value.
fn is_of_features(op: &Op) -> bool {
    let mut reads = Reads::default();
    op.reads(&mut reads);
    let only = !reads.has(Part::Alerts) && !reads.has(Part::Clusters) && !reads.has(Part::Flows);
    only && !matches!(op, Op::InCluster | Op::Relative(_) | Op::Custom(_))
}

/// Whether an address alone decides the value.
fn is_of_address(op: &Op) -> bool {
    let mut reads = Reads::default();
    op.reads(&mut reads);
    !reads.has(Part::Alerts) && !reads.has(Part::Clusters)
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
