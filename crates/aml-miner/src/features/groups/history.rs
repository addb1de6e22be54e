//! Features of earlier days: what the batches of the last 30 days say of an alert's address.
//!
//! They come from a state ([`History`](crate::history::History)) that ends before the alert's day. An address that the state does not
//! know is missing in all of them, and so is every address while there is no state: unknown is not new. No default schema has them.

use crate::features::expressions::{Feature, Formula, Group};
use crate::features::vocabulary::ratio;
use crate::history::{Known, SHORT_DAYS};

/// The features of this group.
pub(crate) fn features() -> Vec<Feature> {
    let feature =
        |name, doc, figure: fn(&Known<'_>, f64) -> f64| Feature::new(name, Group::History, doc, Formula::Past(figure));
    vec![
        feature("history_alerts_7d", "Alerts of the address in the 7 days before.", |known, _| {
            known.alerts_within(SHORT_DAYS)
        }),
        feature("history_alerts_30d", "Alerts of the address in the 30 days before.", |known, _| known.alerts()),
        feature(
            "history_days_since_alert",
            "Days since the address's last alert of the 30 days before; missing without one.",
            |known, _| known.days_since_alert(),
        ),
        feature(
            "history_days_since_first_alert",
            "Days since the address's first alert of the 30 days before; missing without one.",
            |known, _| known.days_since_first_alert(),
        ),
        feature(
            "history_worst_severity",
            "Worst severity of these alerts as 1 (low) to 4 (critical), 0 without one.",
            |known, _| known.worst_severity(),
        ),
        feature(
            "history_days_since_first_seen",
            "Days since the address first had an alert or a row of `features` in the 30 days before.",
            |known, _| known.days_since_first_seen(),
        ),
        feature(
            "history_days_seen",
            "Days of the 30 before on which the address had a row of `features`.",
            |known, _| known.days_seen(),
        ),
        feature(
            "history_volume_ratio",
            "`total_volume_usd` over its mean on the days of the 30 before on which it is known.",
            |known, now| ratio(&[now, known.mean_volume_usd()]),
        ),
    ]
}
