//! The calibrated probability that a cluster has at least one confirmed illicit member.

use super::bundle::ModelKind;
use super::tree_model::{TreeModel, tree_model};

/// Scores clusters, each for itself: a probability.
#[derive(Debug)]
pub struct ClusterScorer(TreeModel);

tree_model!(ClusterScorer, ModelKind::ClusterScorer);
