//! The computation of a feature of either kind of row.

use super::op::Op;
use crate::features::expressions::{Aggregate, MemberFigure, ScoreFigure};

/// The computation of a feature.
#[derive(Clone)]
pub(crate) enum Expression {
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
    /// The logarithm of another one.
    Log(Box<Expression>),
}

impl Expression {
    /// Whether earlier days are asked.
    pub(crate) fn asks_history(&self) -> bool {
        match self {
            Self::Own(op) | Self::OverAlerts(_, _, op) | Self::OverAddresses(_, _, op) => op.asks_history(),
            Self::Log(inner) => inner.asks_history(),
            Self::Members(_) | Self::Scores(_) => false,
        }
    }

    /// Whether it compares rows of the batch.
    pub(crate) fn is_relative(&self) -> bool {
        match self {
            Self::Own(op) | Self::OverAlerts(_, _, op) | Self::OverAddresses(_, _, op) => op.is_relative(),
            Self::Log(inner) => inner.is_relative(),
            Self::Members(_) | Self::Scores(_) => false,
        }
    }
}
