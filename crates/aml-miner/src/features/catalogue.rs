//! Every feature that a schema may name: fixed names, and families of names.

mod families;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use crate::features::expressions::Feature;
use crate::features::groups::{address, alert, cluster, flow, history, members, relative, scores};
use crate::features::vocabulary::RowKind;

pub use families::{Family, families};

pub(crate) use families::one_hot;

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

struct Catalogue {
    features: Vec<Feature>,
    positions: HashMap<Cow<'static, str>, usize>,
}

impl Catalogue {
    fn new<const GROUPS: usize>(groups: [Vec<Feature>; GROUPS]) -> Self {
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
            history::features(),
            relative::features(),
        ])
    });
    static CLUSTER: LazyLock<Catalogue> =
        LazyLock::new(|| Catalogue::new([cluster::features_of_clusters(), members::features(), scores::features()]));
    match rows {
        RowKind::Alert => &ALERT,
        RowKind::Cluster => &CLUSTER,
    }
}
