//! What the model that is kept learns from, beside the split that judges it.

use serde::{Deserialize, Serialize};

use super::section::{Section, any, share_or_none};

/// Whether the model is fitted once more after it was judged, and on which rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refit {
    /// On all rows whose outcome was known when the last day that was read was over.
    Known,
    /// On all rows, whenever their outcome became known.
    All,
    /// Not at all: the model of the split is kept.
    None,
}

/// What becomes of the rows of an address that comes again, where they are learnt from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Returning {
    /// All rows count the same.
    Keep,
    /// Those of its last day alone are learnt from.
    Last,
    /// All rows of an address together weigh as much as one row of another address.
    Weight,
}

/// How the model that is kept is made.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TrainingConfig {
    /// Whether it is fitted once more on everything known.
    pub refit: Refit,
    /// What becomes of addresses that come again.
    pub returning_addresses: Returning,
    /// Whether fewer features are tried, and taken where they do better on the validation period.
    pub select: bool,
    /// Share of the rows learnt from whose features of earlier days are made missing: the model then does as well on addresses
    /// that nobody knows, and does not take them for new ones.
    pub history_masked: f64,
}

impl Default for TrainingConfig {
    fn default() -> Self {
        Self { refit: Refit::Known, returning_addresses: Returning::Keep, select: false, history_masked: 0.5 }
    }
}

impl TrainingConfig {
    pub(super) fn read(&mut self, mut section: Section<'_>) {
        section.read("refit", &mut self.refit, any);
        section.read("returning_addresses", &mut self.returning_addresses, any);
        section.read("select", &mut self.select, any);
        section.read("history_masked", &mut self.history_masked, share_or_none);
        section.finish();
    }
}
