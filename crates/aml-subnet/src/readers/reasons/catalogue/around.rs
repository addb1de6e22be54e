//! Codes of those that the alert's address deals with: means over their rows of `features`, exchanges left out. New in version 2.

use super::Direction::{Either, More};
use super::Unit::{Number, Share, Usd};
use super::{Code, Dealt, Expression, code};

const fn mean(side: Dealt, column: &'static str) -> Expression {
    Expression::Mean(side, column)
}

/// They.
pub(super) const CODES: &[Code] = &[
    code(
        "senders_new",
        "{} of the addresses that paid it were not seen before the window",
        (Share, More, mean(Dealt::Senders, "is_new_address")),
        &[
            "senders_mean_is_new_address",
            "senders_mean_address_age_days",
            "senders_max_address_age_days",
            "senders_min_address_age_days",
            "senders_mean_activity_days",
            "senders_mean_activity_span_days",
            "senders_mean_counterparty_stability",
        ],
    ),
    code(
        "recipients_new",
        "{} of the addresses that it paid were not seen before the window",
        (Share, More, mean(Dealt::Recipients, "is_new_address")),
        &[
            "recipients_mean_is_new_address",
            "recipients_mean_address_age_days",
            "recipients_max_address_age_days",
            "recipients_min_address_age_days",
            "recipients_mean_activity_days",
            "recipients_mean_activity_span_days",
            "recipients_mean_counterparty_stability",
        ],
    ),
    code(
        "senders_volume",
        "the addresses that paid it moved {} each, in the mean",
        (Usd, Either, mean(Dealt::Senders, "total_volume_usd")),
        &[
            "senders_mean_total_volume_usd",
            "senders_max_total_volume_usd",
            "senders_min_total_volume_usd",
            "senders_mean_total_in_usd",
            "senders_mean_total_out_usd",
            "senders_mean_net_flow_usd",
            "senders_mean_median_tx_in_usd",
            "senders_mean_median_tx_out_usd",
            "senders_mean_max_tx_usd",
            "senders_mean_tx_total_count",
        ],
    ),
    code(
        "recipients_volume",
        "the addresses that it paid moved {} each, in the mean",
        (Usd, Either, mean(Dealt::Recipients, "total_volume_usd")),
        &[
            "recipients_mean_total_volume_usd",
            "recipients_max_total_volume_usd",
            "recipients_min_total_volume_usd",
            "recipients_mean_total_in_usd",
            "recipients_mean_total_out_usd",
            "recipients_mean_net_flow_usd",
            "recipients_mean_median_tx_in_usd",
            "recipients_mean_median_tx_out_usd",
            "recipients_mean_max_tx_usd",
            "recipients_mean_tx_total_count",
        ],
    ),
    code(
        "senders_counterparties",
        "counterparties of the addresses that paid it, in the mean: {}",
        (Number, Either, mean(Dealt::Senders, "degree_total")),
        &[
            "senders_mean_degree_total",
            "senders_max_degree_total",
            "senders_min_degree_total",
            "senders_mean_unique_senders_count",
            "senders_mean_unique_recipients_count",
            "senders_mean_clustering_coefficient",
            "senders_mean_flow_diversity",
        ],
    ),
    code(
        "recipients_counterparties",
        "counterparties of the addresses that it paid, in the mean: {}",
        (Number, Either, mean(Dealt::Recipients, "degree_total")),
        &[
            "recipients_mean_degree_total",
            "recipients_max_degree_total",
            "recipients_min_degree_total",
            "recipients_mean_unique_senders_count",
            "recipients_mean_unique_recipients_count",
            "recipients_mean_clustering_coefficient",
            "recipients_mean_flow_diversity",
        ],
    ),
    code(
        "senders_pattern",
        "the addresses that paid it look like known patterns, in the mean: {}",
        (Number, More, mean(Dealt::Senders, "suspicious_pattern_score")),
        &[
            "senders_mean_suspicious_pattern_score",
            "senders_max_suspicious_pattern_score",
            "senders_min_suspicious_pattern_score",
            "senders_mean_structuring_score",
            "senders_max_structuring_score",
            "senders_min_structuring_score",
            "senders_mean_velocity_score",
            "senders_max_velocity_score",
            "senders_min_velocity_score",
            "senders_mean_behavioral_anomaly_score",
            "senders_mean_flow_burstiness",
            "senders_mean_night_transaction_ratio",
            "senders_mean_regularity_score",
            "senders_mean_small_transaction_ratio",
            "senders_mean_is_mixer_like",
        ],
    ),
    code(
        "recipients_pattern",
        "the addresses that it paid look like known patterns, in the mean: {}",
        (Number, More, mean(Dealt::Recipients, "suspicious_pattern_score")),
        &[
            "recipients_mean_suspicious_pattern_score",
            "recipients_max_suspicious_pattern_score",
            "recipients_min_suspicious_pattern_score",
            "recipients_mean_structuring_score",
            "recipients_max_structuring_score",
            "recipients_min_structuring_score",
            "recipients_mean_velocity_score",
            "recipients_max_velocity_score",
            "recipients_min_velocity_score",
            "recipients_mean_behavioral_anomaly_score",
            "recipients_mean_flow_burstiness",
            "recipients_mean_night_transaction_ratio",
            "recipients_mean_regularity_score",
            "recipients_mean_small_transaction_ratio",
            "recipients_mean_is_mixer_like",
        ],
    ),
];
