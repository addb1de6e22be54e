//! Features that the alert itself carries.

use crate::features::expressions::{Feature, Formula, Group, Kind};
use crate::features::vocabulary::Part::Alerts;
use crate::features::vocabulary::ratio;

/// The features of this group.
pub(crate) fn features() -> Vec<Feature> {
    let feature = |name, doc, formula| Feature::new(name, Group::Alert, doc, formula);
    vec![
        feature("severity_encoded", "Severity as 1 (low) to 4 (critical).", Formula::Severity(Alerts, "severity")),
        feature(
            "alert_confidence_score",
            "The detector's own confidence, 0 to 1.",
            Formula::Number(Alerts, "alert_confidence_score"),
        ),
        feature("volume_usd", "Volume of the alert in USD.", Formula::Number(Alerts, "volume_usd")),
        feature(
            "log_volume_usd",
            "ln(1 + volume of the alert in USD).",
            Formula::OfNumbers(&[(Alerts, "volume_usd")], |inputs| inputs[0].ln_1p()),
        ),
        feature("risk_indicator_count", "Number of risk indicators.", Formula::Count(Alerts, "risk_indicators")),
        feature("has_pattern", "1 where the alert names a pattern, else 0.", Formula::HasText(Alerts, "pattern_id")),
        feature("window_days", "Days that the batch looks back.", Formula::Number(Alerts, "window_days"))
            .with_kind(Kind::Numeric),
        feature(
            "has_suspected_type",
            "1 where the detector suspects a type of address, else 0.",
            Formula::HasText(Alerts, "suspected_address_type"),
        ),
        feature(
            "volume_per_window_day",
            "Volume of the alert in USD per day of the window.",
            Formula::OfNumbers(&[(Alerts, "volume_usd"), (Alerts, "window_days")], ratio),
        ),
    ]
}
