//! Every feature that a schema may name: fixed names, and families of names.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use crate::features::formula::Source;
use crate::features::needs::Part;
use crate::features::schema::RowKind;
use crate::features::{address, alert, cluster, cluster_rows, flow, relative};

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

static ALERT_FAMILIES: [Family; 9] = [
    family("typology_", Group::Alert, "1 where the alert's typology is the value, else 0; missing without one."),
    family("pattern_", Group::Alert, "1 where the alert's pattern type is the value, else 0."),
    family("suspected_type_", Group::Alert, "1 where the suspected type of address is the value, else 0."),
    family("suspected_subtype_", Group::Alert, "1 where the suspected subtype of address is the value, else 0."),
    family("risk_indicator_", Group::Alert, "1 where the risk indicators have the value, else 0."),
    family("dominant_asset_in_", Group::Address, "1 where the main asset received is the value; missing without one."),
    family("dominant_asset_out_", Group::Address, "1 where the main asset sent is the value; missing without one."),
    family("cluster_type_", Group::Cluster, "1 where the cluster's type is the value, else 0; missing without one."),
    derived("log_", "ln(1 + x) of the feature named after the prefix, -ln(1 - x) below zero."),
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

/// The features with fixed names on rows of this kind.
#[must_use]
pub fn features(rows: RowKind) -> &'static [Feature] {
    &catalogue(rows).features
}

/// The feature called `name`, if it is a fixed name.
pub(crate) fn find(rows: RowKind, name: &str) -> Option<&'static Feature> {
    let catalogue = catalogue(rows);
    catalogue.positions.get(name).map(|&position| &catalogue.features[position])
}

/// First input over the second; missing where the second is zero.
pub(crate) fn ratio(inputs: &[f64]) -> f64 {
    if inputs[1] == 0.0 { f64::NAN } else { inputs[0] / inputs[1] }
}

struct Catalogue {
    features: Vec<Feature>,
    positions: HashMap<Cow<'static, str>, usize>,
}

impl Catalogue {
    fn new(groups: [Vec<Feature>; 5]) -> Self {
        let features: Vec<Feature> = groups.into_iter().flatten().collect();
        let positions =
            features.iter().enumerate().map(|(position, feature)| (feature.name.clone(), position)).collect();
        Self { features, positions }
    }
}

fn catalogue(rows: RowKind) -> &'static Catalogue {
    static ALERT: LazyLock<Catalogue> = LazyLock::new(|| {
        Catalogue::new([
            alert::features(),
            address::features(),
            cluster::features_of_alerts(),
            flow::features(),
            relative::features(),
        ])
    });
    static CLUSTER: LazyLock<Catalogue> = LazyLock::new(|| {
        Catalogue::new([
            cluster::features_of_clusters(),
            cluster_rows::members::features(),
            cluster_rows::scores::features(),
            Vec::new(),
            Vec::new(),
        ])
    });
    match rows {
        RowKind::Alert => &ALERT,
        RowKind::Cluster => &CLUSTER,
    }
}
