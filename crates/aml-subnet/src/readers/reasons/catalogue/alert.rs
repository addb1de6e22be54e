//! Codes of the alert itself and of its cluster.

use super::Direction::{Either, Less, More};
use super::Row::{Address, Alert, Cluster};
use super::Unit::{Count, Hours, Name, Share, Times, Usd};
use super::{At, Code, Expression, code};

/// They.
pub(super) const CODES: &[Code] = &[
    code(
        "severity",
        "the detector finds it {}",
        (Name, More, Expression::Column(At(Alert, "severity"))),
        &["severity_encoded", "severity_*"],
    ),
    code(
        "detector_confidence",
        "the detector is {} sure",
        (Share, More, Expression::Column(At(Alert, "alert_confidence_score"))),
        &["alert_confidence_score", "confidence_percentile", "confidence_zscore"],
    ),
    code(
        "alert_volume",
        "the alert is about {}",
        (Usd, Either, Expression::Column(At(Alert, "volume_usd"))),
        &["volume_usd", "volume_per_window_day", "volume_percentile", "volume_zscore"],
    ),
    code(
        "alert_volume_share",
        "the alert is about {} of the money that the address moved",
        (Share, Either, Expression::Ratio(At(Alert, "volume_usd"), At(Address, "total_volume_usd"))),
        &["alert_volume_share"],
    ),
    code(
        "alert_volume_to_largest",
        "the alert is about {} the address's largest transaction",
        (Times, Either, Expression::Ratio(At(Alert, "volume_usd"), At(Address, "max_tx_usd"))),
        &["alert_volume_to_max_tx"],
    ),
    code(
        "typology",
        "the detector suspects {}",
        (Name, Either, Expression::Column(At(Alert, "typology_type"))),
        &["typology_*"],
    ),
    code(
        "pattern",
        "the detector found the pattern {}",
        (Name, More, Expression::Column(At(Alert, "pattern_type"))),
        &["has_pattern", "pattern_*"],
    ),
    code(
        "suspected_type",
        "the address is taken for {}",
        (Name, Either, Expression::Column(At(Alert, "suspected_address_type"))),
        &["has_suspected_type", "suspected_type_*", "suspected_subtype_*"],
    ),
    code(
        "risk_indicators",
        "indicators that were raised: {}",
        (Count, More, Expression::Count(At(Alert, "risk_indicators"))),
        &["risk_indicator_count", "risk_indicator_*"],
    ),
    code(
        "cluster_alerts",
        "alerts of its cluster: {}",
        (Count, More, Expression::Column(At(Cluster, "total_alerts"))),
        &["cluster_total_alerts", "in_cluster", "cluster_alerts_per_address"],
    ),
    code(
        "cluster_volume",
        "its cluster is about {}",
        (Usd, Either, Expression::Column(At(Cluster, "total_volume_usd"))),
        &["cluster_total_volume_usd"],
    ),
    code(
        "cluster_volume_per_alert",
        "its cluster is about {} per alert",
        (Usd, Either, Expression::Ratio(At(Cluster, "total_volume_usd"), At(Cluster, "total_alerts"))),
        &["cluster_volume_per_alert"],
    ),
    code(
        "cluster_span",
        "all alerts of its cluster came within {}",
        (
            Hours,
            Less,
            Expression::Hours(At(Cluster, "latest_alert_timestamp"), At(Cluster, "earliest_alert_timestamp")),
        ),
        &["cluster_span_hours"],
    ),
    code(
        "cluster_severity",
        "the severest alert of its cluster is {}",
        (Name, More, Expression::Column(At(Cluster, "severity_max"))),
        &["cluster_severity_max"],
    ),
    code(
        "cluster_confidence",
        "the detector is {} sure of its cluster's alerts, in the mean",
        (Share, More, Expression::Column(At(Cluster, "confidence_avg"))),
        &["cluster_confidence_avg"],
    ),
    code(
        "cluster_addresses",
        "addresses of its cluster: {}",
        (Count, More, Expression::Count(At(Cluster, "addresses_involved"))),
        &["cluster_address_count"],
    ),
    code(
        "cluster_type",
        "its cluster is held together by {}",
        (Name, Either, Expression::Column(At(Cluster, "cluster_type"))),
        &["cluster_has_pattern", "cluster_type_*"],
    ),
];
