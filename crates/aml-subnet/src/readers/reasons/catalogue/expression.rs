//! What a datum is made of: columns of the batch, figures of money flows, means over those that an address deals with.

use std::fmt;

/// A table of the batch, by the row that belongs to the alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row {
    /// The alert itself.
    Alert,
    /// Its address, in `features`.
    Address,
    /// The first cluster that lists the alert.
    Cluster,
}

impl Row {
    /// Name of the table.
    const fn table(self) -> &'static str {
        match self {
            Self::Alert => "alerts",
            Self::Address => "features",
            Self::Cluster => "clusters",
        }
    }
}

/// A column of the row that belongs to the alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At(pub Row, pub &'static str);

impl fmt::Display for At {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}", self.0.table(), self.1)
    }
}

/// A figure of the money flows of the alert's address. Transfers to oneself are no flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Share of what came in that was sent on within a day, the oldest first, none twice; a flow's time is its `last_seen`.
    PassedOn,
    /// Share of the largest sender in what came in.
    TopSender,
    /// Share of the largest recipient in what went out.
    TopRecipient,
    /// Share of what came in that came from addresses with `is_exchange_like`.
    FromExchanges,
    /// Share of what went out that went to such.
    ToExchanges,
    /// Share of what came in that came from addresses with `is_mixer_like`.
    FromMixers,
    /// Share of what went out that went to such.
    ToMixers,
    /// Counterparties with `is_mixer_like`.
    Mixers,
    /// Counterparties that deal with an address with `is_mixer_like` other than this one.
    MixersBehind,
}

impl Flow {
    /// Its name in the catalogue.
    const fn name(self) -> &'static str {
        match self {
            Self::PassedOn => "passed_on",
            Self::TopSender => "top_sender",
            Self::TopRecipient => "top_recipient",
            Self::FromExchanges => "from_exchanges",
            Self::ToExchanges => "to_exchanges",
            Self::FromMixers => "from_mixers",
            Self::ToMixers => "to_mixers",
            Self::Mixers => "mixers",
            Self::MixersBehind => "mixers_behind",
        }
    }
}

/// Those that an address deals with; addresses with `is_exchange_like`, who deal with everybody, are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dealt {
    /// Those that paid it.
    Senders,
    /// Those that it paid.
    Recipients,
}

impl Dealt {
    /// Its name in the catalogue.
    const fn name(self) -> &'static str {
        match self {
            Self::Senders => "senders",
            Self::Recipients => "recipients",
        }
    }
}

/// How a datum is computed from the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expression {
    /// A column's value.
    Column(At),
    /// How many a list has.
    Count(At),
    /// One over the other; nothing where the other is 0.
    Ratio(At, At),
    /// Days from a time to the day of the batch.
    DaysSince(At),
    /// Hours from the second time to the first.
    Hours(At, At),
    /// A figure of money flows.
    Flow(Flow),
    /// Mean of a column of `features` over those that the address deals with, each once.
    Mean(Dealt, &'static str),
}

impl fmt::Display for Expression {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Column(of) => write!(out, "{of}"),
            Self::Count(of) => write!(out, "count({of})"),
            Self::Ratio(of, over) => write!(out, "{of} / {over}"),
            Self::DaysSince(from) => write!(out, "days(alerts.processing_date - {from})"),
            Self::Hours(to, from) => write!(out, "hours({to} - {from})"),
            Self::Flow(figure) => write!(out, "flow({})", figure.name()),
            Self::Mean(of, column) => write!(out, "mean({}, features.{column})", of.name()),
        }
    }
}
