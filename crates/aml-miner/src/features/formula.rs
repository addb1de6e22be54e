//! How one column of a matrix is computed, with every name already resolved to a position.

use std::sync::Arc;

use crate::features::cluster_rows::members::MemberFigure;
use crate::features::cluster_rows::scores::ScoreFigure;
use crate::features::custom::CustomFeature;
use crate::features::flow::FlowStats;
use crate::features::needs::{Needs, Part};
use crate::features::relative::Relative;

/// Most inputs that a derived feature may have.
pub(crate) const MAX_INPUTS: usize = 4;

/// Where the value of a feature of the catalogue comes from.
#[derive(Clone, Copy)]
pub(crate) enum Source {
    /// The row.
    Row(Formula),
    /// The agreement of a cluster's alerts.
    Members(MemberFigure),
    /// The scores of a cluster's alerts.
    Scores(ScoreFigure),
}

impl From<Formula> for Source {
    fn from(formula: Formula) -> Self {
        Self::Row(formula)
    }
}

impl From<MemberFigure> for Source {
    fn from(figure: MemberFigure) -> Self {
        Self::Members(figure)
    }
}

impl From<ScoreFigure> for Source {
    fn from(figure: ScoreFigure) -> Self {
        Self::Scores(figure)
    }
}

/// The computation of a feature, as the catalogue declares it: columns by name.
#[derive(Clone, Copy)]
pub(crate) enum Formula {
    /// The number itself.
    Number(Part, &'static str),
    /// 1 to 4, from a severity's name.
    Severity(Part, &'static str),
    /// 1 where there is text, else 0.
    HasText(Part, &'static str),
    /// Number of items of a list of text.
    Count(Part, &'static str),
    /// A figure of a list of numbers.
    OfList(Part, &'static str, fn(&[f64]) -> f64),
    /// A function of up to [`MAX_INPUTS`] numbers of the row.
    OfNumbers(&'static [(Part, &'static str)], fn(&[f64]) -> f64),
    /// A function of two counts of lists.
    OfCounts([(Part, &'static str); 2], fn(&[f64]) -> f64),
    /// 1 where a cluster names the alert, else 0.
    InCluster,
    /// A figure of the address's money flows, and the columns it needs beside the two addresses.
    Flow(&'static [(Part, &'static str)], fn(&FlowStats) -> f64),
    /// A comparison within the batch.
    Relative(Relative),
}

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
    /// A comparison within the batch.
    Relative(Relative),
    /// A feature of the caller's own.
    Custom(Arc<dyn CustomFeature>),
}

/// Position of a column that the catalogue names.
fn position(part: Part, column: &str) -> usize {
    part.spec().position(column).expect("the catalogue names columns of the format; a test resolves all of it")
}

impl Formula {
    /// The computation with columns by position.
    pub(crate) fn op(&self) -> Op {
        match *self {
            Self::Number(part, column) => Op::Number(part, position(part, column)),
            Self::Severity(part, column) => Op::Severity(part, position(part, column)),
            Self::HasText(part, column) => Op::HasText(part, position(part, column)),
            Self::Count(part, column) => Op::Count(part, position(part, column)),
            Self::OfList(part, column, figure) => Op::OfList(part, position(part, column), figure),
            Self::OfNumbers(inputs, function) => {
                let number = |&(part, column): &(Part, &str)| Op::Number(part, position(part, column));
                Op::Of(inputs.iter().map(number).collect(), function)
            }
            Self::OfCounts(inputs, function) => {
                let count = |&(part, column): &(Part, &str)| Op::Count(part, position(part, column));
                Op::Of(inputs.iter().map(count).collect(), function)
            }
            Self::InCluster => Op::InCluster,
            Self::Flow(needs, figure) => Op::Flow(needs, figure),
            Self::Relative(relative) => Op::Relative(relative),
        }
    }
}

impl Op {
    /// Adds the columns and aggregations that this computation reads.
    pub(crate) fn needs(&self, needs: &mut Needs) {
        match self {
            Self::Number(part, column)
            | Self::Severity(part, column)
            | Self::HasText(part, column)
            | Self::OneHot { part, column, .. }
            | Self::Lists { part, column, .. }
            | Self::Count(part, column)
            | Self::OfList(part, column, _) => needs.add(*part, *column),
            Self::Of(inputs, _) => inputs.iter().for_each(|input| input.needs(needs)),
            Self::InCluster => needs.add_named(Part::Clusters, "related_alert_ids"),
            Self::Flow(columns, _) => {
                needs.flows = true;
                needs.add_named(Part::Flows, "from_address");
                needs.add_named(Part::Flows, "to_address");
                columns.iter().for_each(|(part, name)| needs.add_named(*part, name));
            }
            Self::Relative(relative) => {
                needs.relative = true;
                needs.add_named(Part::Alerts, relative.column());
            }
            Self::Custom(custom) => custom.needs().iter().for_each(|(part, name)| needs.add_named(*part, name)),
        }
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
