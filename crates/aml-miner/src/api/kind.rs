//! What a scoring request can ask for, and what is told of it once it is answered.

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    ScoreAlerts,
    RankAlerts,
    ScoreClusters,
}

impl Kind {
    /// The table that must be there.
    pub(super) fn table(self) -> &'static str {
        if self == Self::ScoreClusters { "clusters" } else { "alerts" }
    }

    /// What the rows of the answer are called by.
    pub(super) fn id_key(self) -> &'static str {
        if self == Self::ScoreClusters { "cluster_id" } else { "alert_id" }
    }

    /// The name of the model that answers.
    pub(super) fn model(self) -> &'static str {
        match self {
            Self::ScoreAlerts => "alert_scorer",
            Self::RankAlerts => "alert_ranker",
            Self::ScoreClusters => "cluster_scorer",
        }
    }
}

/// What a scoring request was about, for log and metrics.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scored {
    pub(super) kind: Kind,
    pub(super) rows: usize,
    pub(super) bytes_in: usize,
    pub(super) warned: Warned,
}

/// How much of what was asked for was not given.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Warned {
    pub(super) unknown_keys: usize,
    pub(super) absent_tables: usize,
    pub(super) absent_columns: usize,
    /// Share of the features.
    pub(super) missing_share: f64,
}
