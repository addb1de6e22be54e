//! The answers of the inference API: rows, a strict and bounded reader, and a writer straight to bytes.

mod read;
mod scored;
mod write;

use serde::{Deserialize, Serialize};

pub use read::{ReadReplyError, ReplyLimits, read_clusters, read_ranks, read_scores};
pub use scored::{Scored, read_scored};
pub use write::{
    AnswerWriter, Explanation, FeatureNames, Framing, Impact, concat_blocks, concat_framed, explanation_text,
    rounded_latency, write_ranks,
};

/// The answer for one alert of `/score/alerts`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "inference", derive(utoipa::ToSchema))]
pub struct ScoreRow {
    /// The alert.
    pub alert_id: String,
    /// Probability that the alert is confirmed illicit.
    pub score: f64,
    /// Semantic version and digest of the model.
    pub model_version: String,
    /// The request's scoring time divided by its rows.
    pub latency_ms: f64,
    /// Why: JSON text.
    pub explain_json: String,
}

/// The answer for one alert of `/rank/alerts`, best first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "inference", derive(utoipa::ToSchema))]
pub struct RankRow {
    /// The alert.
    pub alert_id: String,
    /// 1 is the most urgent.
    pub rank: u64,
    /// What the rank is by.
    pub score: f64,
}

/// The answer for one cluster of `/score/clusters`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "inference", derive(utoipa::ToSchema))]
pub struct ClusterRow {
    /// The cluster.
    pub cluster_id: String,
    /// Probability that a member is confirmed illicit.
    pub score: f64,
    /// Semantic version and digest of the model.
    pub model_version: String,
    /// The request's scoring time divided by its rows.
    pub latency_ms: f64,
    /// Why: JSON text.
    pub explain_json: String,
}
