//! How the value of a feature is computed, with columns by name.

use super::comparison::Comparison;
use super::flow_stats::FlowStats;
use super::members::MemberFigure;
use super::scores::ScoreFigure;
use crate::features::vocabulary::Part;
use crate::history::Known;

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
    /// A figure of what earlier days say of the address, and of the USD that it moves now.
    Past(fn(&Known<'_>, f64) -> f64),
    /// A comparison within the batch.
    Relative(Comparison),
}
