//! From a batch to the matrix of a schema.

mod clusters;
mod default_schema;

use std::sync::Arc;

use crate::features::bind::{Expression, Op, RowsOf, SchemaError, bound, expressions, fill};
use crate::features::custom::{CustomFeature, registered};
use crate::features::view::AlertsView;
use crate::features::vocabulary::{Matrix, Part, Reads, RowKind, Schema};
use crate::history::History;
use crate::wire::{Batch, Needs};
use clusters::ClusterPlan;

/// A column that the schema needs and the batch lacks. A table that was not given lacks all of its columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lacking {
    /// The table.
    pub table: &'static str,
    /// Its column.
    pub column: &'static str,
}

/// A matrix and what was missing for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Built {
    /// One row per alert (or cluster), in the order of the batch.
    pub matrix: Matrix,
    /// Columns that the schema needs and the batch lacks; what depends on them is NaN.
    pub lacking: Vec<Lacking>,
}

/// A batch from which the matrix cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// The schema is for the other kind of row.
    #[error("the model takes {schema} rows, not {asked} rows", schema = schema.name(), asked = asked.name())]
    Rows {
        /// What the schema's rows are.
        schema: RowKind,
        /// What was asked for.
        asked: RowKind,
    },
    /// Columns are lacking and the builder is strict.
    #[error("the batch lacks columns that the model needs: {}", named(.0))]
    Lacking(Vec<Lacking>),
    /// The alert scores do not fit the batch.
    #[error("{found} alert scores were given for {expected} alerts")]
    Scores {
        /// Number of alerts.
        expected: usize,
        /// Number of scores.
        found: usize,
    },
    /// A table is larger than row numbers go.
    #[error("table {table} has {rows} rows; fewer than 4294967295 are allowed")]
    TooLarge {
        /// The table.
        table: &'static str,
        /// Its rows.
        rows: usize,
    },
    /// Nobody waits for it any more.
    #[error("the work was stopped")]
    Stopped,
}

/// How many lacking columns an error names.
const NAMED: usize = 20;

fn named(lacking: &[Lacking]) -> String {
    let name = |lacking: &Lacking| format!("{}.{}", lacking.table, lacking.column);
    let mut names: Vec<_> = lacking.iter().take(NAMED).map(name).collect();
    if lacking.len() > NAMED {
        names.push(format!("and {} more", lacking.len() - NAMED));
    }
    names.join(", ")
}

/// Builds the matrix of one schema from any number of batches.
///
/// Work is spread over the rayon pool that the caller runs in; the result does not depend on it.
#[derive(Clone)]
pub struct FeatureBuilder {
    plan: Plan,
    reads: Reads,
    batch_relative: bool,
    strict: bool,
    history: Option<Arc<History>>,
}

#[derive(Clone)]
enum Plan {
    Alerts(Vec<Op>),
    Clusters(Box<ClusterPlan>),
}

impl FeatureBuilder {
    /// A builder for `schema`.
    ///
    /// # Errors
    /// When a name is unknown or listed twice, or the schema is empty or of another version.
    pub fn new(schema: &Schema) -> Result<Self, SchemaError> {
        Self::with_custom(schema, &[])
    }

    /// A builder that knows features of the caller's own beside the registered ones.
    ///
    /// # Errors
    /// As [`FeatureBuilder::new`]; also when a custom feature has a name that is taken or reads an unknown column.
    pub fn with_custom(schema: &Schema, features: &[Arc<dyn CustomFeature>]) -> Result<Self, SchemaError> {
        let custom: Vec<_> = registered().into_iter().chain(features.iter().cloned()).collect();
        let expressions = expressions(schema, &custom)?;
        let batch_relative = expressions.iter().any(Expression::is_relative);
        let (plan, reads) = match schema.rows {
            RowKind::Alert => alert_plan(expressions),
            RowKind::Cluster => {
                let plan = ClusterPlan::new(expressions);
                let reads = plan.reads().clone();
                (Plan::Clusters(Box::new(plan)), reads)
            }
        };
        Ok(Self { plan, reads, batch_relative, strict: false, history: None })
    }

    /// Whether a batch that lacks a needed column is refused.
    #[must_use]
    pub fn strict(self, strict: bool) -> Self {
        Self { strict, ..self }
    }

    /// The same with what earlier days say of addresses; without it the features that ask for that are missing.
    #[must_use]
    pub fn knowing(self, history: Option<Arc<History>>) -> Self {
        Self { history: history.filter(|_| self.reads.history), ..self }
    }

    /// Whether earlier days are asked: [`FeatureBuilder::knowing`] gives what they say.
    #[must_use]
    pub fn needs_history(&self) -> bool {
        self.reads.history
    }

    /// What earlier days say of addresses, where it is given and asked for.
    #[must_use]
    pub fn history(&self) -> Option<&Arc<History>> {
        self.history.as_ref()
    }

    /// Whether an alert's row depends on the batch's other alerts.
    #[must_use]
    pub fn batch_relative(&self) -> bool {
        self.batch_relative
    }

    /// The columns of a batch that are read.
    #[must_use]
    pub fn columns(&self) -> Needs {
        self.reads.names().fold(Needs::keys_only(), |needs, (table, column)| needs.with(table, column))
    }

    /// One row per alert, in the order of the batch.
    ///
    /// # Errors
    /// When the schema is for clusters, or the builder is strict and the batch lacks a column.
    pub fn alerts(&self, batch: &Batch) -> Result<Built, BuildError> {
        self.alerts_while(batch, &|| true)
    }

    /// As [`FeatureBuilder::alerts`], as long as `wanted` says so: it is asked before each column.
    ///
    /// # Errors
    /// As [`FeatureBuilder::alerts`]; also when it is not wanted any more.
    pub fn alerts_while(&self, batch: &Batch, wanted: &dyn Fn() -> bool) -> Result<Built, BuildError> {
        let Plan::Alerts(ops) = &self.plan else {
            return Err(BuildError::Rows { schema: RowKind::Cluster, asked: RowKind::Alert });
        };
        let lacking = self.check(batch)?;
        let view = AlertsView::new(batch, &self.reads, self.history.as_deref());
        let columns = bound(ops, RowsOf::Alerts(&view), wanted).ok_or(BuildError::Stopped)?;
        Ok(Built { matrix: fill(&columns, view.rows()), lacking })
    }

    /// One row per cluster, in the order of the batch. `alert_scores` holds the alert scorer's score of every alert
    /// of the batch; without it the features of scores are NaN.
    ///
    /// # Errors
    /// When the schema is for alerts, there is not one score per alert, or the builder is strict and the batch lacks
    /// a column.
    pub fn clusters(&self, batch: &Batch, alert_scores: Option<&[f64]>) -> Result<Built, BuildError> {
        self.clusters_while(batch, alert_scores, &|| true)
    }

    /// As [`FeatureBuilder::clusters`], as long as `wanted` says so: it is asked before each column.
    ///
    /// # Errors
    /// As [`FeatureBuilder::clusters`]; also when it is not wanted any more.
    pub fn clusters_while(
        &self,
        batch: &Batch,
        alert_scores: Option<&[f64]>,
        wanted: &dyn Fn() -> bool,
    ) -> Result<Built, BuildError> {
        let Plan::Clusters(plan) = &self.plan else {
            return Err(BuildError::Rows { schema: RowKind::Alert, asked: RowKind::Cluster });
        };
        if let Some(scores) = alert_scores
            && scores.len() != batch.alerts.rows()
        {
            return Err(BuildError::Scores { expected: batch.alerts.rows(), found: scores.len() });
        }
        let lacking = self.check(batch)?;
        let history = self.history.as_deref();
        let matrix = plan.matrix((batch, history), alert_scores, wanted).ok_or(BuildError::Stopped)?;
        Ok(Built { matrix, lacking })
    }

    fn check(&self, batch: &Batch) -> Result<Vec<Lacking>, BuildError> {
        for part in [Part::Alerts, Part::Addresses, Part::Clusters, Part::Flows] {
            let rows = part.of(batch).rows();
            if u32::try_from(rows).map_or(true, |rows| rows == u32::MAX) {
                return Err(BuildError::TooLarge { table: part.spec().name, rows });
            }
        }
        let lacking = self.reads.lacking(batch).into_iter().map(|(table, column)| Lacking { table, column });
        let lacking: Vec<_> = lacking.collect();
        if self.strict && !lacking.is_empty() { Err(BuildError::Lacking(lacking)) } else { Ok(lacking) }
    }
}

fn alert_plan(expressions: Vec<Expression>) -> (Plan, Reads) {
    let own = |expression| match expression {
        Expression::Own(op) => Some(op),
        _ => None,
    };
    let ops: Vec<Op> = expressions.into_iter().filter_map(own).collect();
    let mut reads = Reads::default();
    ops.iter().for_each(|op| op.reads(&mut reads));
    reads.add_joins_of_alerts();
    (Plan::Alerts(ops), reads)
}
