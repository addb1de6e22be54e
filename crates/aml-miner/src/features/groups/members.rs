//! Features of a cluster from the agreement of its alerts.

use crate::features::expressions::{Feature, Group, MemberFigure};

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
