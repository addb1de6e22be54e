//! What a feature is: its name, what it is about, and the expression that gives its value, with columns by name.
//! Knows the vocabulary; no table is read here.

mod aggregate;
mod comparison;
mod counterparties;
mod feature;
mod flow_stats;
mod formula;
mod members;
mod scores;

pub use feature::{Feature, Group, Kind};

pub(crate) use aggregate::Aggregate;
pub(crate) use comparison::{Comparison, Measure};
pub(crate) use counterparties::Counterparties;
pub(crate) use flow_stats::{FlowStats, Side};
pub(crate) use formula::{Formula, MAX_INPUTS, Source};
pub(crate) use members::MemberFigure;
pub(crate) use scores::ScoreFigure;
