//! Codes of when the alert's address was active, and with whom: columns of its row of `features`.

use super::Direction::{Either, Less, More};
use super::Unit::{Count, Days, Flag, Hour, Number, Share, Times, Usd};
use super::{Code, code, column, ratio, since};

/// They.
pub(super) const CODES: &[Code] = &[
    code(
        "active_days",
        "days on which it was active: {}",
        (Count, Either, column("activity_days")),
        &["activity_days", "active_day_share"],
    ),
    code(
        "active_span",
        "days from its first to its last transaction: {}",
        (Count, Either, column("activity_span_days")),
        &["activity_span_days", "flow_span_hours"],
    ),
    code(
        "transactions_a_day",
        "{} transactions on an active day",
        (Number, Either, ratio("tx_total_count", "activity_days")),
        &["tx_per_active_day"],
    ),
    code("busiest_hour", "most of its transactions are at {} UTC", (Hour, Either, column("peak_hour")), &["peak_hour"]),
    code(
        "busiest_money_hour",
        "most of its money moves at {} UTC",
        (Hour, Either, column("peak_activity_hour")),
        &["peak_activity_hour"],
    ),
    code(
        "hours_used",
        "spread over the hours of the day: entropy {}",
        (Number, Either, column("hourly_entropy")),
        &["hourly_entropy", "hourly_activity_entropy", "hourly_activity_max_share", "hourly_activity_used_share"],
    ),
    code(
        "busiest_day",
        "most of its transactions are on day {} of the week",
        (Number, Either, column("peak_day")),
        &["peak_day"],
    ),
    code(
        "busiest_money_day",
        "most of its money moves on day {} of the week",
        (Number, Either, column("peak_activity_day")),
        &["peak_activity_day"],
    ),
    code(
        "days_used",
        "spread over the days of the week: entropy {}",
        (Number, Either, column("daily_entropy")),
        &["daily_entropy", "daily_activity_entropy", "daily_activity_max_share", "daily_activity_used_share"],
    ),
    code(
        "at_night",
        "{} of its transactions are at night",
        (Share, More, column("night_transaction_ratio")),
        &["night_transaction_ratio", "hourly_activity_night_share"],
    ),
    code(
        "on_weekends",
        "{} of its transactions are on weekends",
        (Share, Either, column("weekend_transaction_ratio")),
        &["weekend_transaction_ratio"],
    ),
    code(
        "regularity",
        "transactions are evenly spread over time: {}",
        (Number, Either, column("regularity_score")),
        &["regularity_score"],
    ),
    code(
        "even_times",
        "the times between its transactions are even: {}",
        (Number, Either, column("transaction_regularity")),
        &["transaction_regularity"],
    ),
    code("days_alike", "its days are alike: {}", (Number, Either, column("consistency_score")), &["consistency_score"]),
    code("burst", "its busiest period has {} the mean", (Times, More, column("burst_factor")), &["burst_factor"]),
    code(
        "flow_bursts",
        "its money comes in bursts: {}",
        (Number, More, column("flow_burstiness")),
        &["flow_burstiness"],
    ),
    code(
        "first_seen",
        "first seen {}",
        (Days, Less, since("first_activity_timestamp")),
        &["days_since_first_activity", "first_activity_timestamp"],
    ),
    code(
        "last_seen",
        "last seen {}",
        (Days, Either, since("last_activity_timestamp")),
        &["days_since_last_activity", "last_activity_timestamp"],
    ),
    code("new_address", "not seen before the window: {}", (Flag, More, column("is_new_address")), &["is_new_address"]),
    code(
        "reactivated",
        "active again after a long silence: {}",
        (Flag, More, column("is_dormant_reactivated")),
        &["is_dormant_reactivated"],
    ),
    code(
        "counterparties",
        "counterparties: {}",
        (Count, Either, column("unique_counterparties")),
        &["unique_counterparties", "degree_total", "flow_degree"],
    ),
    code(
        "senders",
        "addresses that paid it: {}",
        (Count, Either, column("unique_senders_count")),
        &["unique_senders_count", "degree_in", "in_degree_share", "flow_in_degree"],
    ),
    code(
        "recipients",
        "addresses that it paid: {}",
        (Count, Either, column("unique_recipients_count")),
        &["unique_recipients_count", "degree_out", "flow_out_degree"],
    ),
    code(
        "usd_per_counterparty",
        "moved {} per counterparty",
        (Usd, Either, ratio("total_volume_usd", "unique_counterparties")),
        &["usd_per_counterparty", "flow_in_per_sender_usd", "flow_out_per_recipient_usd"],
    ),
    code(
        "transactions_per_counterparty",
        "{} transactions per counterparty",
        (Number, Either, ratio("tx_total_count", "unique_counterparties")),
        &["tx_per_counterparty"],
    ),
    code(
        "largest_counterparty",
        "share of its largest counterparty: {}",
        (Number, Either, column("concentration_ratio")),
        &["concentration_ratio"],
    ),
    code(
        "few_counterparties",
        "how much of its money goes to few counterparties: {}",
        (Number, Either, column("counterparty_concentration")),
        &["counterparty_concentration"],
    ),
    code(
        "money_spread",
        "its money is evenly spread over counterparties: {}",
        (Number, Either, column("flow_diversity")),
        &["flow_diversity"],
    ),
    code(
        "two_way",
        "counterparties that both paid it and were paid: share {}",
        (Number, Either, column("reciprocity_ratio")),
        &["reciprocity_ratio", "flow_reciprocity"],
    ),
    code(
        "two_way_evenness",
        "evenness of the money that flows back: entropy {}",
        (Number, Either, column("flow_reciprocity_entropy")),
        &["flow_reciprocity_entropy"],
    ),
    code(
        "known_counterparties",
        "counterparties that were known before: share {}",
        (Number, Less, column("counterparty_stability")),
        &["counterparty_stability"],
    ),
    code(
        "assets_in",
        "assets received: {}",
        (Count, Either, column("unique_assets_in")),
        &["unique_assets_in", "dominant_asset_in_*"],
    ),
    code(
        "assets_out",
        "assets sent: {}",
        (Count, Either, column("unique_assets_out")),
        &["unique_assets_out", "dominant_asset_out_*"],
    ),
    code(
        "assets_evenly",
        "uses assets evenly: {}",
        (Number, Either, column("asset_diversity_score")),
        &["asset_diversity_score"],
    ),
];
