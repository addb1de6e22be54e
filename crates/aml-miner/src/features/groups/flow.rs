//! Features of the money flows of an alert's address.
//!
//! An address that no edge names has no counterparties: its counts and sums are 0 and its means missing. A transfer
//! to oneself is no flow. "Flagged" is what the batch's `features` call `is_mixer_like`, never what has an alert, so
//! an alert's row does not depend on which other alerts are scored.

use crate::features::expressions::{Feature, FlowStats, Formula, Group};
use crate::features::vocabulary::Part::{self, Addresses, Flows};
use crate::features::vocabulary::ratio;

type Columns = &'static [(Part, &'static str)];
type Figure = (&'static str, &'static str, Columns, fn(&FlowStats) -> f64);

const AMOUNT: Columns = &[(Flows, "amount_usd")];
const COUNT: Columns = &[(Flows, "tx_count")];
const TIMES: Columns = &[(Flows, "first_seen"), (Flows, "last_seen")];
const AMOUNT_AND_TIME: Columns = &[(Flows, "amount_usd"), (Flows, "last_seen")];
const FLAGGED: Columns = &[(Addresses, "is_mixer_like")];
const AMOUNT_OF_FLAGGED: Columns = &[(Flows, "amount_usd"), (Addresses, "is_mixer_like")];
const AMOUNT_OF_EXCHANGE: Columns = &[(Flows, "amount_usd"), (Addresses, "is_exchange_like")];

static OF_AMOUNTS: [Figure; 15] = [
    ("flow_in_usd", "USD received.", AMOUNT, |flow| flow.incoming.sum),
    ("flow_out_usd", "USD sent.", AMOUNT, |flow| flow.outgoing.sum),
    ("flow_net_usd", "USD received less USD sent.", AMOUNT, |flow| flow.incoming.sum - flow.outgoing.sum),
    ("flow_in_out_ratio", "USD received over USD sent.", AMOUNT, |flow| ratio(&[flow.incoming.sum, flow.outgoing.sum])),
    ("flow_in_mean_usd", "Mean USD of an incoming edge.", AMOUNT, |flow| flow.incoming.mean),
    ("flow_out_mean_usd", "Mean USD of an outgoing edge.", AMOUNT, |flow| flow.outgoing.mean),
    ("flow_in_std_usd", "Standard deviation of the USD of incoming edges.", AMOUNT, |flow| flow.incoming.std),
    ("flow_out_std_usd", "Standard deviation of the USD of outgoing edges.", AMOUNT, |flow| flow.outgoing.std),
    ("flow_in_max_usd", "Largest incoming edge in USD.", AMOUNT, |flow| flow.incoming.max),
    ("flow_out_max_usd", "Largest outgoing edge in USD.", AMOUNT, |flow| flow.outgoing.max),
    ("flow_in_per_sender_usd", "USD received per sender.", AMOUNT, |flow| {
        ratio(&[flow.incoming.sum, flow.incoming.degree])
    }),
    ("flow_out_per_recipient_usd", "USD sent per recipient.", AMOUNT, |flow| {
        ratio(&[flow.outgoing.sum, flow.outgoing.degree])
    }),
    ("flow_in_top_share", "Share of the largest sender in the USD received.", AMOUNT, |flow| flow.incoming.top_share),
    ("flow_out_top_share", "Share of the largest recipient in the USD sent.", AMOUNT, |flow| flow.outgoing.top_share),
    ("flow_passed_on_1d", "Share of the USD received that was sent on within a day.", AMOUNT_AND_TIME, |flow| {
        flow.passed_on
    }),
];

static OF_LINKS: [Figure; 14] = [
    ("flow_in_degree", "Number of senders.", &[], |flow| flow.incoming.degree),
    ("flow_out_degree", "Number of recipients.", &[], |flow| flow.outgoing.degree),
    ("flow_degree", "Number of counterparties.", &[], |flow| flow.degree),
    ("flow_reciprocity", "Share of the counterparties that both sent and received.", &[], |flow| {
        ratio(&[flow.mutual, flow.degree])
    }),
    ("flow_in_tx", "Transactions received.", COUNT, |flow| flow.incoming.tx),
    ("flow_out_tx", "Transactions sent.", COUNT, |flow| flow.outgoing.tx),
    ("flow_span_hours", "Hours from the first to the last flow.", TIMES, |flow| flow.span_hours),
    ("flow_flagged_1hop", "Number of flagged counterparties.", FLAGGED, |flow| flow.flagged),
    ("flow_flagged_2hop", "Number of counterparties that deal with another flagged address.", FLAGGED, |flow| {
        flow.near_flagged
    }),
    (
        "flow_flagged_2hop_share",
        "Share of the counterparties that deal with another flagged address.",
        FLAGGED,
        |flow| ratio(&[flow.near_flagged, flow.degree]),
    ),
    (
        "flow_in_flagged_share",
        "Share of the USD received that came from flagged addresses.",
        AMOUNT_OF_FLAGGED,
        |flow| ratio(&[flow.incoming.flagged, flow.incoming.sum]),
    ),
    ("flow_out_flagged_share", "Share of the USD sent that went to flagged addresses.", AMOUNT_OF_FLAGGED, |flow| {
        ratio(&[flow.outgoing.flagged, flow.outgoing.sum])
    }),
    ("flow_in_exchange_share", "Share of the USD received that came from exchanges.", AMOUNT_OF_EXCHANGE, |flow| {
        ratio(&[flow.incoming.exchange, flow.incoming.sum])
    }),
    ("flow_out_exchange_share", "Share of the USD sent that went to exchanges.", AMOUNT_OF_EXCHANGE, |flow| {
        ratio(&[flow.outgoing.exchange, flow.outgoing.sum])
    }),
];

/// The features of this group.
pub(crate) fn features() -> Vec<Feature> {
    let feature =
        |(name, doc, needs, figure): &Figure| Feature::new(*name, Group::Flow, *doc, Formula::Flow(needs, *figure));
    OF_LINKS.iter().chain(&OF_AMOUNTS).map(feature).collect()
}
