//! The features that models take unless told otherwise.
//!
//! Left out on purpose: points in time and a community's number, which mean something else every day; logarithms,
//! which change nothing for trees; and the batch-relative group, so that scoring a part of a batch gives the same bits
//! as scoring all of it. A value of text that is not listed here is 0 in every column of its family.

use crate::features::catalogue::features;
use crate::features::custom::registered;
use crate::features::expressions::{Feature, Group};
use crate::features::vocabulary::{RowKind, Schema};

const TYPOLOGIES: [&str; 10] = [
    "structuring",
    "layering",
    "mixing",
    "rapid_movement",
    "fan_in",
    "fan_out",
    "round_trip",
    "peel_chain",
    "dormant_activation",
    "high_risk_exposure",
];
const PATTERNS: [&str; 5] = ["cycle", "layering_path", "smurfing_network", "motif_fanin", "motif_fanout"];
const SUSPECTED_TYPES: [&str; 5] = ["exchange", "mixer", "bridge", "merchant", "personal_wallet"];
const CLUSTER_TYPES: [&str; 5] = ["same_entity", "pattern", "proximity", "network", "time_proximity"];
/// Fixed names that no shipped model takes.
const LEFT_OUT: [&str; 6] = [
    "window_days",
    "log_volume_usd",
    "community_id",
    "first_activity_timestamp",
    "last_activity_timestamp",
    "address_age_days",
];

/// Features of counterparties that are taken as mean over the senders, and over the recipients.
const OF_COUNTERPARTIES: [&str; 27] = [
    "address_age_days",
    "is_new_address",
    "night_transaction_ratio",
    "structuring_score",
    "suspicious_pattern_score",
    "velocity_score",
    "total_volume_usd",
    "degree_total",
    "activity_days",
    "clustering_coefficient",
    "flow_burstiness",
    "behavioral_anomaly_score",
    "net_flow_usd",
    "total_in_usd",
    "total_out_usd",
    "median_tx_in_usd",
    "median_tx_out_usd",
    "tx_total_count",
    "small_transaction_ratio",
    "counterparty_stability",
    "regularity_score",
    "is_mixer_like",
    "activity_span_days",
    "max_tx_usd",
    "flow_diversity",
    "unique_recipients_count",
    "unique_senders_count",
];
/// Those of them that are taken as largest and smallest value too.
const EXTREMES_OF_COUNTERPARTIES: [&str; 6] = [
    "address_age_days",
    "suspicious_pattern_score",
    "total_volume_usd",
    "structuring_score",
    "velocity_score",
    "degree_total",
];

/// Features of earlier days that are taken of the counterparties too, as mean and largest value.
const HISTORY_OF_COUNTERPARTIES: [&str; 1] = ["history_alerts_30d"];

/// Features of a cluster's alerts that the cluster model takes as mean, maximum, sum and spread.
const OF_ALERTS: [&str; 3] = ["severity_encoded", "alert_confidence_score", "volume_usd"];
/// Features of a cluster's addresses that the cluster model takes as mean, maximum and spread.
const OF_ADDRESSES: [&str; 20] = [
    "total_in_usd",
    "total_out_usd",
    "degree_total",
    "tx_total_count",
    "in_usd_share",
    "burst_factor",
    "structuring_score",
    "velocity_score",
    "night_transaction_ratio",
    "small_transaction_ratio",
    "counterparty_concentration",
    "behavioral_anomaly_score",
    "graph_anomaly_score",
    "neighborhood_anomaly_score",
    "global_anomaly_score",
    "suspicious_pattern_score",
    "is_mixer_like",
    "is_exchange_like",
    "is_new_address",
    "is_dormant_reactivated",
];
/// Figures of the money flows that the cluster model takes as mean and maximum over the addresses.
const OF_FLOWS: [&str; 6] = [
    "flow_in_degree",
    "flow_out_degree",
    "flow_reciprocity",
    "flow_passed_on_1d",
    "flow_flagged_1hop",
    "flow_flagged_2hop_share",
];

impl Schema {
    /// The features that an alert model takes unless told otherwise.
    #[must_use]
    pub fn default_alert() -> Self {
        Self::new(RowKind::Alert, alert())
    }

    /// The features of earlier days that an alert model takes where they are wanted: of the address and of its counterparties.
    #[must_use]
    pub fn alert_history() -> Vec<String> {
        let own = features(RowKind::Alert).iter().filter(|feature| feature.group == Group::History);
        let sides = ["senders_mean_", "senders_max_", "recipients_mean_", "recipients_max_"];
        own.map(|feature| feature.name.to_string()).chain(products(&sides, &HISTORY_OF_COUNTERPARTIES)).collect()
    }

    /// The features of the shipped cluster model.
    #[must_use]
    pub fn default_cluster() -> Self {
        Self::new(RowKind::Cluster, cluster())
    }
}

/// Names of the default alert features, and of the features that this build adds to them.
fn alert() -> Vec<String> {
    let own = registered().into_iter().filter(|feature| !feature.batch_relative());
    let apart = [Group::BatchRelative, Group::History];
    let keep = |feature: &&Feature| !apart.contains(&feature.group) && !LEFT_OUT.contains(&&*feature.name);
    let fixed = features(RowKind::Alert).iter().filter(keep).map(|feature| feature.name.to_string());
    fixed
        .chain(values("typology_", &TYPOLOGIES))
        .chain(values("pattern_", &PATTERNS))
        .chain(values("suspected_type_", &SUSPECTED_TYPES))
        .chain(values("cluster_type_", &CLUSTER_TYPES))
        .chain(products(&["senders_mean_", "recipients_mean_"], &OF_COUNTERPARTIES))
        .chain(products(&["senders_max_", "senders_min_"], &EXTREMES_OF_COUNTERPARTIES))
        .chain(products(&["recipients_max_", "recipients_min_"], &EXTREMES_OF_COUNTERPARTIES))
        .chain(own.map(|feature| feature.name().to_owned()))
        .collect()
}

/// Names of the shipped cluster model.
fn cluster() -> Vec<String> {
    let own = features(RowKind::Cluster).iter().map(|feature| feature.name.to_string());
    own.chain(values("cluster_type_", &CLUSTER_TYPES))
        .chain(products(&["mean_", "max_", "sum_", "std_"], &OF_ALERTS))
        .chain(values("mean_typology_", &TYPOLOGIES))
        .chain(products(&["address_mean_", "address_max_", "address_std_"], &OF_ADDRESSES))
        .chain(products(&["address_mean_", "address_max_"], &OF_FLOWS))
        .collect()
}

fn values<'a>(prefix: &'a str, values: &'a [&str]) -> impl Iterator<Item = String> + 'a {
    values.iter().map(move |value| format!("{prefix}{value}"))
}

fn products<'a>(prefixes: &'a [&str], names: &'a [&str]) -> impl Iterator<Item = String> + 'a {
    prefixes.iter().flat_map(move |prefix| values(prefix, names))
}
