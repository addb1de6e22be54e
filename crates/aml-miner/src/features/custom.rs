//! Features of your own: implement [`CustomFeature`] and list it in [`registered`].
//!
//! From then on its name is valid in every schema and part of the default one of alerts, in training and in serving
//! alike. `docs/customization.md` shows one from end to end.

use std::fmt;
use std::sync::Arc;

use crate::features::view::AlertsView;
use crate::features::vocabulary::Part;

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

/// The features of this build beside the catalogue's. Add yours here.
pub(crate) fn registered() -> Vec<Arc<dyn CustomFeature>> {
    Vec::new()
}
