//! What an answer must be: one row per id, scores in range, ranks without gaps, explanations that agree with the score.

use std::collections::HashSet;

use serde_json::Value;

use crate::wire::TextColumn;
use crate::wire::reply::{ReplyLimits, read_clusters, read_ranks, read_scores};

/// One row of any answer, without its latency.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) score: u64,
    pub(super) rank: Option<u64>,
    pub(super) model_version: Option<String>,
    pub(super) explanation: Option<String>,
}

/// The three kinds of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Scores,
    Ranks,
    Clusters,
}

impl Kind {
    pub(super) const ALL: [Self; 3] = [Self::Scores, Self::Ranks, Self::Clusters];

    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Scores => "/score/alerts",
            Self::Ranks => "/rank/alerts",
            Self::Clusters => "/score/clusters",
        }
    }

    /// The key under which `/version` tells the model's version.
    pub(super) fn version_key(self) -> &'static str {
        match self {
            Self::Scores => "alert_scorer_version",
            Self::Ranks => "alert_ranker_version",
            Self::Clusters => "cluster_scorer_version",
        }
    }

    /// The table of offline answers of this kind.
    pub(super) fn table(self) -> &'static str {
        match self {
            Self::Scores => "scores",
            Self::Ranks => "rankings",
            Self::Clusters => "cluster_scores",
        }
    }
}

/// The rows of an answer to `ids`, when it is as it must be.
pub(super) fn accept(kind: Kind, body: &[u8], ids: &TextColumn) -> Result<Vec<Row>, String> {
    let limits = ReplyLimits { rows: ids.len(), ..ReplyLimits::default() };
    let scored = |id, score: f64, version, explanation| Row {
        id,
        score: score.to_bits(),
        rank: None,
        model_version: Some(version),
        explanation: Some(explanation),
    };
    let rows: Vec<Row> = match kind {
        Kind::Scores => read_scores(body, &limits)
            .map_err(|error| error.to_string())?
            .into_iter()
            .map(|row| scored(row.alert_id, row.score, row.model_version, row.explain_json))
            .collect(),
        Kind::Clusters => read_clusters(body, &limits)
            .map_err(|error| error.to_string())?
            .into_iter()
            .map(|row| scored(row.cluster_id, row.score, row.model_version, row.explain_json))
            .collect(),
        Kind::Ranks => read_ranks(body, &limits)
            .map_err(|error| error.to_string())?
            .into_iter()
            .map(|row| Row {
                id: row.alert_id,
                score: row.score.to_bits(),
                rank: Some(row.rank),
                model_version: None,
                explanation: None,
            })
            .collect(),
    };
    if rows.len() != ids.len() {
        return Err(format!("{} rows for {} ids", rows.len(), ids.len()));
    }
    if kind == Kind::Ranks {
        check_ranks(&rows, ids)?
    } else {
        check_scores(&rows, ids)?
    }
    Ok(rows)
}

fn check_scores(rows: &[Row], ids: &TextColumn) -> Result<(), String> {
    for (place, (row, id)) in rows.iter().zip(ids.iter()).enumerate() {
        if row.id != id {
            return Err(format!("row {place} is for `{}`, the request has `{id}` there", row.id));
        }
        let score = f64::from_bits(row.score);
        if !(0.0..=1.0).contains(&score) {
            return Err(format!("row {place}: the score {score} is not between 0 and 1"));
        }
        if row.model_version != rows[0].model_version || row.model_version.as_deref() == Some("") {
            return Err(format!("row {place}: the model version differs from row 0, or is empty"));
        }
        let text = row.explanation.as_deref().unwrap_or_default();
        check_explanation(text, score).map_err(|wrong| format!("row {place}: explain_json {wrong}"))?;
    }
    Ok(())
}

fn check_explanation(text: &str, score: f64) -> Result<(), String> {
    let value: Value = serde_json::from_str(text).map_err(|error| format!("is not JSON: {error}"))?;
    if !value.is_object() {
        return Err("is not an object".to_owned());
    }
    match value.get("score").map(Value::as_f64) {
        Some(Some(stated)) if stated.to_bits() == score.to_bits() => Ok(()),
        Some(stated) => Err(format!("says score {stated:?}, the row says {score}")),
        // A model of one's own may explain itself in another way.
        None => Ok(()),
    }
}

fn check_ranks(rows: &[Row], ids: &TextColumn) -> Result<(), String> {
    let known: HashSet<&str> = ids.iter().collect();
    let mut seen = HashSet::new();
    for (place, row) in rows.iter().enumerate() {
        if !known.contains(row.id.as_str()) || !seen.insert(row.id.as_str()) {
            return Err(format!("row {place}: `{}` is unknown or stands twice", row.id));
        }
        if row.rank != Some(place as u64 + 1) {
            return Err(format!("row {place} has rank {:?}, ranks run from 1 in order", row.rank));
        }
        if !f64::from_bits(row.score).is_finite() {
            return Err(format!("row {place}: the score is not finite"));
        }
        if let Some(before) = place.checked_sub(1).map(|before| &rows[before]) {
            let (higher, lower) = (f64::from_bits(before.score), f64::from_bits(row.score));
            if higher < lower || (higher <= lower && before.id > row.id) {
                return Err(format!("row {place}: more urgent than the row before it, or an equal score out of order"));
            }
        }
    }
    Ok(())
}
