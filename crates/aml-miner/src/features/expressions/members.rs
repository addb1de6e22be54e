//! Figures of the agreement of a cluster's alerts.

use crate::features::vocabulary::{Part, Reads, count, ratio};
use crate::wire::Table;

/// A figure of the alerts that a cluster lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MemberFigure {
    /// How many of them the batch has.
    Found,
    /// Their share of those listed.
    FoundShare,
    /// Share of the commonest text of a column, among those that have text.
    TopShare(&'static str),
    /// Number of different texts of a column.
    Distinct(&'static str),
}

impl MemberFigure {
    /// Adds the columns that this figure reads.
    pub(crate) fn reads(self, reads: &mut Reads) {
        if let Self::TopShare(column) | Self::Distinct(column) = self {
            reads.add_named(Part::Alerts, column);
        }
    }

    /// The figure over the given rows of `alerts`, of `listed` different ones that the cluster names.
    pub(crate) fn value(self, alerts: &Table, rows: &[u32], listed: impl FnOnce() -> usize) -> f64 {
        match self {
            Self::Found => count(rows.len()),
            Self::FoundShare => ratio(&[count(rows.len()), count(listed())]),
            Self::TopShare(column) => runs(alerts, column, rows).map_or(f64::NAN, |runs| {
                let most = runs.iter().max().copied().unwrap_or(0);
                count(most) / count(runs.iter().sum())
            }),
            Self::Distinct(column) => runs(alerts, column, rows).map_or(f64::NAN, |runs| count(runs.len())),
        }
    }
}

/// How often each text occurs, without the missing ones; `None` where the column is lacking.
fn runs(alerts: &Table, column: &str, rows: &[u32]) -> Option<Vec<usize>> {
    let texts = alerts.texts(column)?;
    let mut present: Vec<&str> =
        rows.iter().map(|&row| texts.get(row as usize)).filter(|text| !text.is_empty()).collect();
    present.sort_unstable();
    Some(present.chunk_by(|one, other| one == other).map(<[&str]>::len).collect())
}
