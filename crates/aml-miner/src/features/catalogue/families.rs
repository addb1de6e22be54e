//! Families of names: what follows the prefix is a value of the data or the name of another feature.

use crate::features::expressions::Group;
use crate::features::vocabulary::{Part, RowKind};

/// Features whose names share a prefix; what follows it is a value of the data or the name of another feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Family {
    /// The prefix.
    pub prefix: &'static str,
    /// What its features are about; `None` where they take it from the feature named after the prefix.
    pub group: Option<Group>,
    /// What they measure.
    pub doc: &'static str,
}

const fn family(prefix: &'static str, group: Group, doc: &'static str) -> Family {
    Family { prefix, group: Some(group), doc }
}

const fn derived(prefix: &'static str, doc: &'static str) -> Family {
    Family { prefix, group: None, doc }
}

static ALERT_FAMILIES: [Family; 15] = [
    family("typology_", Group::Alert, "1 where the alert's typology is the value, else 0; missing without one."),
    family("pattern_", Group::Alert, "1 where the alert's pattern type is the value, else 0."),
    family("suspected_type_", Group::Alert, "1 where the suspected type of address is the value, else 0."),
    family("suspected_subtype_", Group::Alert, "1 where the suspected subtype of address is the value, else 0."),
    family("risk_indicator_", Group::Alert, "1 where the risk indicators have the value, else 0."),
    family("dominant_asset_in_", Group::Address, "1 where the main asset received is the value; missing without one."),
    family("dominant_asset_out_", Group::Address, "1 where the main asset sent is the value; missing without one."),
    family("cluster_type_", Group::Cluster, "1 where the cluster's type is the value, else 0; missing without one."),
    derived("log_", "ln(1 + x) of the feature named after the prefix, -ln(1 - x) below zero."),
    derived("senders_mean_", "Mean of an address feature over the addresses that sent, exchanges left out."),
    derived("senders_max_", "Largest value of an address feature over the addresses that sent, exchanges left out."),
    derived("senders_min_", "Smallest value of an address feature over the addresses that sent, exchanges left out."),
    derived("recipients_mean_", "Mean of an address feature over the addresses that received, exchanges left out."),
    derived(
        "recipients_max_",
        "Largest value of an address feature over the addresses that received, exchanges left out.",
    ),
    derived(
        "recipients_min_",
        "Smallest value of an address feature over the addresses that received, exchanges left out.",
    ),
];

static CLUSTER_FAMILIES: [Family; 12] = [
    family("cluster_type_", Group::Cluster, "1 where the cluster's type is the value, else 0; missing without one."),
    derived("log_", "ln(1 + x) of the feature named after the prefix, -ln(1 - x) below zero."),
    derived("mean_", "Mean of an alert feature over the cluster's alerts."),
    derived("max_", "Largest value of an alert feature over the cluster's alerts."),
    derived("min_", "Smallest value of an alert feature over the cluster's alerts."),
    derived("sum_", "Sum of an alert feature over the cluster's alerts."),
    derived("std_", "Standard deviation (of the population) of an alert feature over the cluster's alerts."),
    derived("address_mean_", "Mean of an address or flow feature over the cluster's addresses."),
    derived("address_max_", "Largest value of an address or flow feature over the cluster's addresses."),
    derived("address_min_", "Smallest value of an address or flow feature over the cluster's addresses."),
    derived("address_sum_", "Sum of an address or flow feature over the cluster's addresses."),
    derived("address_std_", "Standard deviation of an address or flow feature over the cluster's addresses."),
];

/// What the values of a one-hot family are compared with, and the value where there is no text.
pub(crate) fn one_hot(prefix: &str) -> Option<(Part, &'static str, f64)> {
    Some(match prefix {
        "typology_" => (Part::Alerts, "typology_type", f64::NAN),
        "pattern_" => (Part::Alerts, "pattern_type", 0.0),
        "suspected_type_" => (Part::Alerts, "suspected_address_type", 0.0),
        "suspected_subtype_" => (Part::Alerts, "suspected_address_subtype", 0.0),
        "dominant_asset_in_" => (Part::Addresses, "dominant_asset_in", f64::NAN),
        "dominant_asset_out_" => (Part::Addresses, "dominant_asset_out", f64::NAN),
        "cluster_type_" => (Part::Clusters, "cluster_type", f64::NAN),
        _ => return None,
    })
}

/// The families of names on rows of this kind.
#[must_use]
pub fn families(rows: RowKind) -> &'static [Family] {
    match rows {
        RowKind::Alert => &ALERT_FAMILIES,
        RowKind::Cluster => &CLUSTER_FAMILIES,
    }
}
