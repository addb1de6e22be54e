//! Features of your own: implement [`CustomFeature`], and let your program `register` it before it does anything else.
//!
//! From then on its name is valid in every schema of the process and part of the default one of alerts, in training and in
//! serving alike. `docs/customization.md` shows one from end to end.

use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::features::view::AlertsView;
use crate::features::vocabulary::Part;

/// What the program registered. A model names features, not code: all of a process must mean the same by a name.
static REGISTERED: OnceLock<Vec<Arc<dyn CustomFeature>>> = OnceLock::new();

/// The value of a feature for a row of the alerts.
pub type PerAlert<'a> = Box<dyn Fn(usize) -> f64 + Send + Sync + 'a>;

/// A feature of an alert that the catalogue does not have.
pub trait CustomFeature: Send + Sync {
    /// Its name in a schema: lowercase letters, digits and `_`; not one that the catalogue knows.
    fn name(&self) -> &'static str;

    /// What it measures, in one sentence.
    fn doc(&self) -> &'static str;

    /// The columns it reads. Reading one of the addresses' or clusters' joins those tables to the alerts; a batch
    /// that lacks a column is reported.
    fn needs(&self) -> &'static [(Part, &'static str)];

    /// Whether an alert's value depends on the batch's other alerts. Then scoring a part of a batch gives other
    /// scores than scoring all of it, and the bundle says so.
    fn batch_relative(&self) -> bool {
        false
    }

    /// Looks up the columns once and returns the function that gives an alert's value: NaN where it is missing.
    fn bind<'a>(&self, alerts: &'a AlertsView<'a>) -> PerAlert<'a>;
}

impl fmt::Debug for dyn CustomFeature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The features of this process beside the catalogue's. From the first look on there are no others.
pub(crate) fn registered() -> Vec<Arc<dyn CustomFeature>> {
    REGISTERED.get_or_init(Vec::new).clone()
}

/// Takes them; says whether it was not too late.
pub(crate) fn take(features: Vec<Arc<dyn CustomFeature>>) -> bool {
    REGISTERED.set(features).is_ok()
}
