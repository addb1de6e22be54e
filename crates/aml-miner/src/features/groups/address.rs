//! Features of the alert's address: every number of its row, ratios of them, and figures of its activity lists.

use crate::features::expressions::{Feature, Formula, Group, Kind};
use crate::features::vocabulary::Part::{self, Addresses, Alerts};
use crate::features::vocabulary::{count, ratio};
use crate::table::cells::DAY_MS;
use crate::wire::spec::FEATURES;

/// Columns of the table that say which row it is, not what the address is like.
const KEYS: [&str; 3] = ["window_days", "processing_date", "address"];
/// Columns whose numbers are names.
const CATEGORICAL: [&str; 5] = ["peak_hour", "peak_day", "peak_activity_hour", "peak_activity_day", "community_id"];
const HOURS: usize = 24;
/// Hours of a day before this one are night.
const NIGHT_ENDS: usize = 6;

type Inputs = &'static [(Part, &'static str)];

static RATIOS: [(&str, &str, Inputs); 18] = [
    ("in_out_usd_ratio", "USD received over USD sent.", &[(Addresses, "total_in_usd"), (Addresses, "total_out_usd")]),
    (
        "in_usd_share",
        "USD received over all USD moved.",
        &[(Addresses, "total_in_usd"), (Addresses, "total_volume_usd")],
    ),
    ("net_flow_share", "Net flow over all USD moved.", &[(Addresses, "net_flow_usd"), (Addresses, "total_volume_usd")]),
    ("in_degree_share", "In-degree over degree.", &[(Addresses, "degree_in"), (Addresses, "degree_total")]),
    ("in_tx_share", "Transactions received over all.", &[(Addresses, "tx_in_count"), (Addresses, "tx_total_count")]),
    ("usd_per_tx", "USD moved per transaction.", &[(Addresses, "total_volume_usd"), (Addresses, "tx_total_count")]),
    (
        "usd_per_active_day",
        "USD moved per active day.",
        &[(Addresses, "total_volume_usd"), (Addresses, "activity_days")],
    ),
    (
        "usd_per_span_day",
        "USD moved per day of the span.",
        &[(Addresses, "total_volume_usd"), (Addresses, "activity_span_days")],
    ),
    (
        "tx_per_active_day",
        "Transactions per active day.",
        &[(Addresses, "tx_total_count"), (Addresses, "activity_days")],
    ),
    (
        "active_day_share",
        "Active days over days of the span.",
        &[(Addresses, "activity_days"), (Addresses, "activity_span_days")],
    ),
    (
        "usd_per_counterparty",
        "USD moved per counterparty.",
        &[(Addresses, "total_volume_usd"), (Addresses, "unique_counterparties")],
    ),
    (
        "tx_per_counterparty",
        "Transactions per counterparty.",
        &[(Addresses, "tx_total_count"), (Addresses, "unique_counterparties")],
    ),
    (
        "mean_to_median_in",
        "Mean over median amount received.",
        &[(Addresses, "avg_tx_in_usd"), (Addresses, "median_tx_in_usd")],
    ),
    (
        "mean_to_median_out",
        "Mean over median amount sent.",
        &[(Addresses, "avg_tx_out_usd"), (Addresses, "median_tx_out_usd")],
    ),
    (
        "outlier_share",
        "Outlying transactions over all.",
        &[(Addresses, "outlier_transactions"), (Addresses, "tx_total_count")],
    ),
    (
        "khop2_growth",
        "Addresses at two hops over those at one.",
        &[(Addresses, "khop2_count"), (Addresses, "khop1_count")],
    ),
    (
        "alert_volume_share",
        "Volume of the alert over all USD the address moved.",
        &[(Alerts, "volume_usd"), (Addresses, "total_volume_usd")],
    ),
    (
        "alert_volume_to_max_tx",
        "Volume of the alert over the address's largest transaction.",
        &[(Alerts, "volume_usd"), (Addresses, "max_tx_usd")],
    ),
];

/// The features of this group.
pub(crate) fn features() -> Vec<Feature> {
    let own = FEATURES.columns.iter().filter(|column| column.kind.is_number() && !KEYS.contains(&column.name));
    let own = own.map(|column| {
        let kind = if CATEGORICAL.contains(&column.name) { Kind::Categorical } else { Kind::Numeric };
        let doc = format!("`{}` of the alert's address.", column.name);
        Feature::new(column.name, Group::Address, doc, Formula::Number(Addresses, column.name)).with_kind(kind)
    });
    let ratios = RATIOS
        .iter()
        .map(|(name, doc, inputs)| Feature::new(*name, Group::Address, *doc, Formula::OfNumbers(inputs, ratio)));
    own.chain(ratios).chain(ages()).chain(activity()).collect()
}

fn ages() -> [Feature; 3] {
    let feature = |name, doc, inputs| {
        let days = |inputs: &[f64]| inputs[0] - inputs[1] / DAY_MS;
        Feature::new(name, Group::Address, doc, Formula::OfNumbers(inputs, days))
    };
    [
        feature(
            "days_since_first_activity",
            "Days from the address's first activity to the processing date.",
            &[(Alerts, "processing_date"), (Addresses, "first_activity_timestamp")],
        ),
        feature(
            "days_since_last_activity",
            "Days from the address's last activity to the processing date; below zero when it was later that day.",
            &[(Alerts, "processing_date"), (Addresses, "last_activity_timestamp")],
        ),
        feature(
            "address_age_days",
            "The same as `days_since_first_activity`, from the row of `features` alone: of counterparties too.",
            &[(Addresses, "processing_date"), (Addresses, "first_activity_timestamp")],
        ),
    ]
}

fn activity() -> [Feature; 7] {
    let feature =
        |name, doc, column, figure| Feature::new(name, Group::Address, doc, Formula::OfList(Addresses, column, figure));
    [
        feature("hourly_activity_max_share", "Share of the busiest hour of the day.", "hourly_activity", max_share),
        feature("hourly_activity_entropy", "Evenness over the hours: 0 one, 1 all alike.", "hourly_activity", entropy),
        feature("hourly_activity_used_share", "Share of the hours with activity.", "hourly_activity", used_share),
        feature("hourly_activity_night_share", "Share of the activity from 0 to 6 h.", "hourly_activity", night_share),
        feature("daily_activity_max_share", "Share of the busiest day of the week.", "daily_activity", max_share),
        feature("daily_activity_entropy", "Evenness over the weekdays: 0 one, 1 all alike.", "daily_activity", entropy),
        feature("daily_activity_used_share", "Share of the weekdays with activity.", "daily_activity", used_share),
    ]
}

/// The sum of a list of non-negative numbers; NaN where it is not one, or all are zero.
fn total(values: &[f64]) -> f64 {
    let total: f64 = values.iter().sum();
    if total > 0.0 && values.iter().all(|value| *value >= 0.0) { total } else { f64::NAN }
}

fn max_share(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NAN, f64::max) / total(values)
}

fn entropy(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return f64::NAN;
    }
    let total = total(values);
    let part = |value: &f64| {
        if *value > 0.0 { -(value / total) * (value / total).ln() } else { 0.0 }
    };
    if total.is_nan() { total } else { values.iter().map(part).sum::<f64>() / count(values.len()).ln() }
}

fn used_share(values: &[f64]) -> f64 {
    let used = values.iter().filter(|value| **value > 0.0).count();
    if total(values).is_nan() { f64::NAN } else { count(used) / count(values.len()) }
}

fn night_share(values: &[f64]) -> f64 {
    if values.len() == HOURS { values[..NIGHT_ENDS].iter().sum::<f64>() / total(values) } else { f64::NAN }
}
