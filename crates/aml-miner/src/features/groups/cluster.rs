//! Features of the cluster that an alert belongs to, and of a cluster itself.
//!
//! An alert that several clusters name belongs to the first of them in the order of the table. All but `in_cluster`
//! are missing for an alert without a cluster.

use crate::features::expressions::{Feature, Formula, Group};
use crate::features::vocabulary::Part::{self, Clusters};
use crate::features::vocabulary::ratio;

const SPAN: &[(Part, &str)] = &[(Clusters, "latest_alert_timestamp"), (Clusters, "earliest_alert_timestamp")];
const HOUR_MS: f64 = 3_600_000.0;

/// Name on alert rows, name on cluster rows, what it is, how it is computed.
type Figure = (&'static str, &'static str, &'static str, Formula);

static FIGURES: [Figure; 9] = [
    (
        "cluster_total_alerts",
        "total_alerts",
        "Number of alerts that the cluster says it has.",
        Formula::Number(Clusters, "total_alerts"),
    ),
    (
        "cluster_total_volume_usd",
        "total_volume_usd",
        "Volume of the cluster in USD.",
        Formula::Number(Clusters, "total_volume_usd"),
    ),
    (
        "cluster_severity_max",
        "severity_max",
        "Highest severity in the cluster as 1 (low) to 4 (critical).",
        Formula::Severity(Clusters, "severity_max"),
    ),
    (
        "cluster_confidence_avg",
        "confidence_avg",
        "Mean confidence of the cluster's alerts as the cluster says it.",
        Formula::Number(Clusters, "confidence_avg"),
    ),
    (
        "cluster_address_count",
        "address_count",
        "Number of addresses that the cluster lists.",
        Formula::Count(Clusters, "addresses_involved"),
    ),
    (
        "cluster_span_hours",
        "span_hours",
        "Hours from the cluster's earliest to its latest alert.",
        Formula::OfNumbers(SPAN, |inputs| (inputs[0] - inputs[1]) / HOUR_MS),
    ),
    (
        "cluster_has_pattern",
        "has_pattern",
        "1 where the cluster names a pattern, else 0.",
        Formula::HasText(Clusters, "pattern_id"),
    ),
    (
        "cluster_volume_per_alert",
        "volume_per_alert",
        "Volume of the cluster in USD per alert that it says it has.",
        Formula::OfNumbers(&[(Clusters, "total_volume_usd"), (Clusters, "total_alerts")], ratio),
    ),
    (
        "cluster_alerts_per_address",
        "alerts_per_address",
        "Alerts that the cluster lists per address that it lists.",
        Formula::OfCounts([(Clusters, "related_alert_ids"), (Clusters, "addresses_involved")], ratio),
    ),
];

/// The features on alert rows.
pub(crate) fn features_of_alerts() -> Vec<Feature> {
    let member =
        Feature::new("in_cluster", Group::Cluster, "1 where a cluster names the alert, else 0.", Formula::InCluster);
    let figures = FIGURES.iter().map(|(name, _, doc, formula)| Feature::new(*name, Group::Cluster, *doc, *formula));
    std::iter::once(member).chain(figures).collect()
}

/// The features on cluster rows.
pub(crate) fn features_of_clusters() -> Vec<Feature> {
    FIGURES.iter().map(|(_, name, doc, formula)| Feature::new(*name, Group::Cluster, *doc, *formula)).collect()
}
