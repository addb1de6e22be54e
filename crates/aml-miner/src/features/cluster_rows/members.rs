//! Features of a cluster from the agreement of its alerts.

use crate::features::bind::count;
use crate::features::catalogue::{Feature, Group, ratio};
use crate::features::needs::{Needs, Part};
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

/// The features of this group.
pub(crate) fn features() -> Vec<Feature> {
    let feature = |name, doc, figure: MemberFigure| Feature::new(name, Group::Members, doc, figure);
    vec![
        feature("alerts_found", "Number of the cluster's alerts that the batch has.", MemberFigure::Found),
        feature(
            "alerts_found_share",
            "Share of the alerts that the cluster lists which the batch has.",
            MemberFigure::FoundShare,
        ),
        feature(
            "typology_coherence",
            "Share of the commonest typology among the cluster's alerts.",
            MemberFigure::TopShare("typology_type"),
        ),
        feature(
            "typology_count",
            "Number of typologies among the cluster's alerts.",
            MemberFigure::Distinct("typology_type"),
        ),
        feature(
            "pattern_coherence",
            "Share of the commonest pattern among the cluster's alerts that have one.",
            MemberFigure::TopShare("pattern_id"),
        ),
        feature(
            "pattern_count",
            "Number of patterns among the cluster's alerts.",
            MemberFigure::Distinct("pattern_id"),
        ),
        feature(
            "severity_coherence",
            "Share of the commonest severity among the cluster's alerts.",
            MemberFigure::TopShare("severity"),
        ),
        feature(
            "top_address_share",
            "Share of the commonest address among the cluster's alerts.",
            MemberFigure::TopShare("address"),
        ),
        feature(
            "alerted_address_count",
            "Number of addresses among the cluster's alerts.",
            MemberFigure::Distinct("address"),
        ),
    ]
}

impl MemberFigure {
    /// Adds the columns that this figure reads.
    pub(crate) fn needs(self, needs: &mut Needs) {
        if let Self::TopShare(column) | Self::Distinct(column) = self {
            needs.add_named(Part::Alerts, column);
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
