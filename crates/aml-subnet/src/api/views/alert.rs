//! One alert with all that helps to decide it, and one cluster of them.

use serde::Serialize;
use utoipa::ToSchema;

use super::readers::{CalibrationBrief, SeenBefore};
use crate::outputs::CanonicalRow;
use crate::readers::flows::Picture;

/// What became known of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AlertOutcome {
    /// Whether it was confirmed illicit.
    pub confirmed: bool,
}

/// What one miner with a voice said, and where that puts the alert among all.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Opinion {
    /// Who.
    pub hotkey: String,
    /// Its share of the canonical score.
    pub voice: f64,
    /// Its score.
    pub score: f64,
    /// Share of the round's alerts that it scores lower.
    pub above: f64,
    /// Whether that is within a tenth of the share that has a lower canonical score: then its reasons count.
    pub agrees: bool,
}

/// A value that the batch has, in plain words.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Fact {
    /// Column of the batch.
    pub column: String,
    /// What it means.
    pub meaning: String,
    /// The value.
    pub value: String,
}

/// What the batch says of an alert.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Evidence {
    /// What the detector says, for a person.
    pub description: String,
    /// What it found: of the alert, of its evidence, of its address. Only what the batch has.
    pub alert: Vec<Fact>,
    /// Entries of the detector's own evidence.
    pub details: Vec<Fact>,
    /// Indicators that were raised.
    pub indicators: Vec<String>,
    /// What is known of the address.
    pub address: Vec<Fact>,
    /// Clusters that the alert or its address is in.
    pub clusters: Vec<ClusterLine>,
}

/// A cluster in one line.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ClusterLine {
    /// Its id.
    pub cluster_id: String,
    /// Why its alerts belong together.
    pub kind: String,
    /// Its alerts.
    pub alerts: usize,
    /// Their addresses.
    pub addresses: usize,
    /// Money that they are about; null where the batch does not say.
    pub volume_usd: Option<f64>,
}

/// Another alert of the same address or cluster.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct OtherAlert {
    /// The round that scored it.
    pub round: String,
    /// Its id.
    pub alert_id: String,
    /// Its address.
    pub address: String,
    /// What kind of behaviour.
    pub typology: String,
    /// `low`, `medium`, `high`, `critical`, or empty.
    pub severity: String,
    /// Its canonical score.
    pub score: f64,
    /// Its probability in its own round.
    pub probability: Option<f64>,
    /// Whether it was confirmed; null while that is not known.
    pub confirmed: Option<bool>,
}

/// Other alerts, the newest or most urgent first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct OtherAlerts {
    /// Those that are shown.
    pub alerts: Vec<OtherAlert>,
    /// How many more there are.
    pub more: usize,
}

/// One alert in full.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct AlertDetail {
    /// The round.
    pub round: String,
    /// Day of the batch.
    pub date: String,
    /// The alert with its score, probability, rank and reasons.
    pub alert: CanonicalRow,
    /// Why it has no reasons; null where it has.
    pub no_reasons: Option<String>,
    /// Alerts of the round.
    pub of: usize,
    /// Share of them with a lower rank.
    pub above: f64,
    /// What the probability rests on.
    pub calibration: Option<CalibrationBrief>,
    /// What became known of it; null while nothing is.
    pub outcome: Option<AlertOutcome>,
    /// What is remembered of its address.
    pub seen_before: Option<SeenBefore>,
    /// What each miner with a voice said; null until the round is settled, and where it is not kept.
    pub opinions: Option<Vec<Opinion>>,
    /// What the batch says; null where it is not kept here any more.
    pub evidence: Option<Evidence>,
    /// Whether that is so because the batch was erased; for the page.
    #[serde(skip)]
    pub batch_erased: bool,
    /// The money flow around its address; null where the batch is not kept, or has none.
    pub flows: Option<Picture>,
    /// Alerts of the same address in this round and those of the year before.
    pub same_address: OtherAlerts,
    /// Alerts of the same clusters in this round.
    pub same_clusters: OtherAlerts,
}

/// A member of a cluster.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct MemberLine {
    /// Its address.
    pub address: String,
    /// Its alerts in this round.
    pub alerts: usize,
    /// The highest of their scores.
    pub highest: Option<f64>,
}

/// One cluster in full.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ClusterDetail {
    /// The round.
    pub round: String,
    /// Day of the batch.
    pub date: String,
    /// Its id.
    pub cluster_id: String,
    /// What the batch says of it.
    pub facts: Vec<Fact>,
    /// Its addresses, the most urgent first.
    pub members: Vec<MemberLine>,
    /// How many more there are.
    pub more_members: usize,
    /// Its alerts, the most urgent first.
    pub alerts: OtherAlerts,
    /// The money flow around its addresses; null where the batch has none.
    pub flows: Option<Picture>,
}
