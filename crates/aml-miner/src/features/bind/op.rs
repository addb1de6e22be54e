//! The computation of one column of a matrix, with every name already resolved to a position.

use std::sync::Arc;

use crate::features::custom::CustomFeature;
use crate::features::expressions::{Aggregate, Comparison, Counterparties, FlowStats, Formula};
use crate::features::vocabulary::{Part, Reads};
use crate::history::Known;

/// The computation of a column, with columns by position.
#[derive(Clone)]
pub(crate) enum Op {
    /// The number itself.
    Number(Part, usize),
    /// 1 to 4, from a severity's name.
    Severity(Part, usize),
    /// 1 where there is text, else 0.
    HasText(Part, usize),
    /// 1 where the text is `value`, 0 where it is another, `empty` where there is none.
    OneHot { part: Part, column: usize, value: Box<str>, empty: f64 },
    /// 1 where the list has `value`, else 0.
    Lists { part: Part, column: usize, value: Box<str> },
    /// Number of items of a list of text.
    Count(Part, usize),
    /// A figure of a list of numbers.
    OfList(Part, usize, fn(&[f64]) -> f64),
    /// A function of other columns.
    Of(Box<[Op]>, fn(&[f64]) -> f64),
    /// 1 where a cluster names the alert, else 0.
    InCluster,
    /// A figure of the address's money flows.
    Flow(&'static [(Part, &'static str)], fn(&FlowStats) -> f64),
    /// A figure of what earlier days say of the address, and of the USD that it moves now: a column of this number.
    Past(usize, fn(&Known<'_>, f64) -> f64),
    /// A figure of a computation over the address's counterparties.
    Over(Counterparties, Aggregate, Box<Op>),
    /// A comparison within the batch.
    Relative(Comparison),
    /// A feature of the caller's own.
    Custom(Arc<dyn CustomFeature>),
}

/// Position of a column that the catalogue names.
fn position(part: Part, column: &str) -> usize {
    part.spec().position(column).expect("the catalogue names columns of the format; a test resolves all of it")
}

impl Op {
    /// A formula with columns by position.
    pub(crate) fn new(formula: Formula) -> Self {
        match formula {
            Formula::Number(part, column) => Self::Number(part, position(part, column)),
            Formula::Severity(part, column) => Self::Severity(part, position(part, column)),
            Formula::HasText(part, column) => Self::HasText(part, position(part, column)),
            Formula::Count(part, column) => Self::Count(part, position(part, column)),
            Formula::OfList(part, column, figure) => Self::OfList(part, position(part, column), figure),
            Formula::OfNumbers(inputs, function) => {
                let number = |&(part, column): &(Part, &str)| Self::Number(part, position(part, column));
                Self::Of(inputs.iter().map(number).collect(), function)
            }
            Formula::OfCounts(inputs, function) => {
                let count = |&(part, column): &(Part, &str)| Self::Count(part, position(part, column));
                Self::Of(inputs.iter().map(count).collect(), function)
            }
            Formula::InCluster => Self::InCluster,
            Formula::Flow(needs, figure) => Self::Flow(needs, figure),
            Formula::Past(figure) => Self::Past(position(Part::Addresses, "total_volume_usd"), figure),
            Formula::Relative(relative) => Self::Relative(relative),
        }
    }

    /// Adds the columns and aggregations that this computation reads.
    pub(crate) fn reads(&self, reads: &mut Reads) {
        match self {
            Self::Number(part, column)
            | Self::Severity(part, column)
            | Self::HasText(part, column)
            | Self::OneHot { part, column, .. }
            | Self::Lists { part, column, .. }
            | Self::Count(part, column)
            | Self::OfList(part, column, _) => reads.add(*part, *column),
            Self::Of(inputs, _) => inputs.iter().for_each(|input| input.reads(reads)),
            Self::InCluster => reads.add_named(Part::Clusters, "related_alert_ids"),
            Self::Flow(columns, _) => {
                reads.flows = true;
                reads.add_named(Part::Flows, "from_address");
                reads.add_named(Part::Flows, "to_address");
                columns.iter().for_each(|(part, name)| reads.add_named(*part, name));
            }
            Self::Past(volume, _) => {
                reads.history = true;
                reads.add_named(Part::Addresses, "processing_date");
                reads.add(Part::Addresses, *volume);
            }
            Self::Over(_, _, inner) => {
                inner.reads(reads);
                reads.dealings = true;
                reads.add_named(Part::Flows, "from_address");
                reads.add_named(Part::Flows, "to_address");
                reads.add_named(Part::Addresses, "is_exchange_like");
            }
            Self::Relative(relative) => {
                reads.relative = true;
                reads.add_named(Part::Alerts, relative.column());
            }
            Self::Custom(custom) => custom.needs().iter().for_each(|(part, name)| reads.add_named(*part, name)),
        }
    }

    /// Whether earlier days are asked.
    pub(crate) fn asks_history(&self) -> bool {
        let mut reads = Reads::default();
        self.reads(&mut reads);
        reads.history
    }

    /// Whether the value of a row depends on the other rows of the batch.
    pub(crate) fn is_relative(&self) -> bool {
        match self {
            Self::Relative(_) => true,
            Self::Of(inputs, _) => inputs.iter().any(Self::is_relative),
            Self::Custom(custom) => custom.batch_relative(),
            _ => false,
        }
    }
}
