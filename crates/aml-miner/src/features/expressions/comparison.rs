//! Comparisons of an alert with the other alerts of its batch.

/// A comparison within the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    /// Share of the batch's values below, counting equal ones half.
    Percentile(Measure),
    /// Distance from the batch's mean in standard deviations.
    ZScore(Measure),
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measure {
    /// The alert's volume.
    Volume,
    /// The alert's confidence.
    Confidence,
}

impl Comparison {
    /// The column of the alerts that is compared.
    pub(crate) fn column(self) -> &'static str {
        match self {
            Self::Percentile(Measure::Volume) | Self::ZScore(Measure::Volume) => "volume_usd",
            Self::Percentile(Measure::Confidence) | Self::ZScore(Measure::Confidence) => "alert_confidence_score",
        }
    }
}
