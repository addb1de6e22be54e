//! Codes of the money flows of the alert's address.

use super::Direction::{Either, More};
use super::Unit::{Count, Share};
use super::{Code, Expression, Flow, code};

/// They.
pub(super) const CODES: &[Code] = &[
    code(
        "passed_on",
        "sent on {} of what came in, within a day",
        (Share, More, Expression::Flow(Flow::PassedOn)),
        &["flow_passed_on_1d"],
    ),
    code(
        "top_sender",
        "{} of what came in came from one address",
        (Share, Either, Expression::Flow(Flow::TopSender)),
        &["flow_in_top_share"],
    ),
    code(
        "top_recipient",
        "{} of what went out went to one address",
        (Share, Either, Expression::Flow(Flow::TopRecipient)),
        &["flow_out_top_share"],
    ),
    code(
        "from_exchanges",
        "{} of what came in came from exchanges",
        (Share, Either, Expression::Flow(Flow::FromExchanges)),
        &["flow_in_exchange_share"],
    ),
    code(
        "to_exchanges",
        "{} of what went out went to exchanges",
        (Share, More, Expression::Flow(Flow::ToExchanges)),
        &["flow_out_exchange_share"],
    ),
    code(
        "from_mixers",
        "{} of what came in came from mixers",
        (Share, More, Expression::Flow(Flow::FromMixers)),
        &["flow_in_flagged_share"],
    ),
    code(
        "to_mixers",
        "{} of what went out went to mixers",
        (Share, More, Expression::Flow(Flow::ToMixers)),
        &["flow_out_flagged_share"],
    ),
    code(
        "mixers_near",
        "counterparties that look like mixers: {}",
        (Count, More, Expression::Flow(Flow::Mixers)),
        &["flow_flagged_1hop"],
    ),
    code(
        "mixers_behind",
        "counterparties that deal with another address that looks like a mixer: {}",
        (Count, More, Expression::Flow(Flow::MixersBehind)),
        &["flow_flagged_2hop", "flow_flagged_2hop_share"],
    ),
];
