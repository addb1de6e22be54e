//! A feature with a fixed name, as the groups declare it.

use std::borrow::Cow;

use super::formula::Source;

/// What a feature is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// The alert itself.
    Alert,
    /// The alert's address.
    Address,
    /// The alert's cluster; on cluster rows, the cluster itself.
    Cluster,
    /// The money flows of the alert's address.
    Flow,
    /// What earlier days say of the alert's address.
    History,
    /// Comparison with the batch's other alerts.
    BatchRelative,
    /// Members and agreement of a cluster's alerts.
    Members,
    /// The alert scorer's scores of a cluster's alerts.
    Scores,
    /// A feature of the caller's own.
    Custom,
}

/// How a trainer should treat the values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Ordered.
    Numeric,
    /// Names without order, such as an hour of the day or a community's number.
    Categorical,
}

/// A feature with a fixed name.
#[derive(Clone)]
pub struct Feature {
    /// Its name in a schema.
    pub name: Cow<'static, str>,
    /// What it is about.
    pub group: Group,
    /// How a trainer should treat its values.
    pub kind: Kind,
    /// What it measures.
    pub doc: Cow<'static, str>,
    pub(crate) source: Source,
}

impl Feature {
    /// A numeric feature.
    pub(crate) fn new(
        name: impl Into<Cow<'static, str>>,
        group: Group,
        doc: impl Into<Cow<'static, str>>,
        source: impl Into<Source>,
    ) -> Self {
        Self { name: name.into(), group, kind: Kind::Numeric, doc: doc.into(), source: source.into() }
    }

    /// The same feature with values of another kind.
    pub(crate) fn with_kind(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }
}
