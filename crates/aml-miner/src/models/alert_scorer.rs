//! The calibrated probability that an alert is confirmed illicit.

use super::bundle::ModelKind;
use super::tree_model::{TreeModel, tree_model};

/// Scores alerts, each for itself: a probability.
#[derive(Debug)]
pub struct AlertScorer(TreeModel);

tree_model!(AlertScorer, ModelKind::AlertScorer);
