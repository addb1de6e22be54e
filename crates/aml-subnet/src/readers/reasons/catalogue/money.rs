//! Codes of the money that the alert's address moved: columns of its row of `features`.

use super::Direction::{Either, More};
use super::Unit::{Count, Number, Share, Times, Usd};
use super::{Code, code, column, ratio};

/// They.
pub(super) const CODES: &[Code] = &[
    code("received", "received {}", (Usd, Either, column("total_in_usd")), &["total_in_usd", "flow_in_usd"]),
    code("sent", "sent {}", (Usd, Either, column("total_out_usd")), &["total_out_usd", "flow_out_usd"]),
    code(
        "net_flow",
        "received less sent: {}",
        (Usd, Either, column("net_flow_usd")),
        &["net_flow_usd", "net_flow_share", "flow_net_usd"],
    ),
    code("moved", "received and sent {} in all", (Usd, Either, column("total_volume_usd")), &["total_volume_usd"]),
    code(
        "moved_a_day",
        "moved {} a day, from its first to its last transaction",
        (Usd, Either, ratio("total_volume_usd", "activity_span_days")),
        &["usd_per_span_day"],
    ),
    code(
        "moved_an_active_day",
        "moved {} on an active day",
        (Usd, Either, column("avg_daily_volume_usd")),
        &["avg_daily_volume_usd", "usd_per_active_day"],
    ),
    code(
        "received_to_sent",
        "received {} what it sent",
        (Times, Either, ratio("total_in_usd", "total_out_usd")),
        &["in_out_usd_ratio", "in_usd_share", "flow_in_out_ratio"],
    ),
    code("speed", "passes money on fast: {}", (Number, More, column("velocity_score")), &["velocity_score"]),
    code(
        "usual_in",
        "half of the amounts received are below {}",
        (Usd, Either, column("median_tx_in_usd")),
        &["median_tx_in_usd", "avg_tx_in_usd", "flow_in_mean_usd"],
    ),
    code(
        "usual_out",
        "half of the amounts sent are below {}",
        (Usd, Either, column("median_tx_out_usd")),
        &["median_tx_out_usd", "avg_tx_out_usd", "flow_out_mean_usd"],
    ),
    code(
        "uneven_in",
        "the mean amount received is {} the median",
        (Times, Either, ratio("avg_tx_in_usd", "median_tx_in_usd")),
        &["mean_to_median_in"],
    ),
    code(
        "uneven_out",
        "the mean amount sent is {} the median",
        (Times, Either, ratio("avg_tx_out_usd", "median_tx_out_usd")),
        &["mean_to_median_out"],
    ),
    code(
        "largest",
        "its largest transaction is {}",
        (Usd, Either, column("max_tx_usd")),
        &["max_tx_usd", "flow_in_max_usd", "flow_out_max_usd"],
    ),
    code("smallest", "its smallest transaction is {}", (Usd, Either, column("min_tx_usd")), &["min_tx_usd"]),
    code(
        "amount_spread",
        "amounts vary by {} their mean",
        (Times, Either, column("volume_cv")),
        &["volume_cv", "volume_std", "amount_variance", "flow_in_std_usd", "flow_out_std_usd"],
    ),
    code(
        "amount_skewness",
        "amounts are lopsided: skewness {}",
        (Number, Either, column("amount_skewness")),
        &["amount_skewness"],
    ),
    code(
        "amount_extremes",
        "extremes among its amounts: kurtosis {}",
        (Number, Either, column("amount_kurtosis")),
        &["amount_kurtosis"],
    ),
    code(
        "amounts_alike",
        "its amounts are alike: {}",
        (Number, Either, column("amount_predictability")),
        &["amount_predictability"],
    ),
    code(
        "few_transactions",
        "how much of its money is in few transactions: {}",
        (Number, Either, column("flow_concentration")),
        &["flow_concentration"],
    ),
    code(
        "transactions",
        "transactions: {}",
        (Count, Either, column("tx_total_count")),
        &["tx_total_count", "flow_in_tx", "flow_out_tx"],
    ),
    code(
        "transactions_in",
        "transactions received: {}",
        (Count, Either, column("tx_in_count")),
        &["tx_in_count", "in_tx_share"],
    ),
    code("transactions_out", "transactions sent: {}", (Count, Either, column("tx_out_count")), &["tx_out_count"]),
    code(
        "usd_per_transaction",
        "moved {} per transaction",
        (Usd, Either, ratio("total_volume_usd", "tx_total_count")),
        &["usd_per_tx"],
    ),
    code(
        "outliers",
        "transactions of an unusual amount: {}",
        (Count, More, column("outlier_transactions")),
        &["outlier_transactions", "outlier_share"],
    ),
    code(
        "small_transactions",
        "{} of its transactions are small",
        (Share, More, column("small_transaction_ratio")),
        &["small_transaction_ratio"],
    ),
    code(
        "structuring",
        "amounts look cut to stay below a threshold: {}",
        (Number, More, column("structuring_score")),
        &["structuring_score"],
    ),
];
