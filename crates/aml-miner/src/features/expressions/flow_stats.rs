//! What the money flows say about one address: the figures that features are made of.

/// What the money flows say about one address.
#[derive(Clone, Debug)]
pub(crate) struct FlowStats {
    /// What it received.
    pub(crate) incoming: Side,
    /// What it sent.
    pub(crate) outgoing: Side,
    /// Different counterparties.
    pub(crate) degree: f64,
    /// Counterparties that both sent and received.
    pub(crate) mutual: f64,
    /// Flagged counterparties.
    pub(crate) flagged: f64,
    /// Counterparties that deal with a flagged address other than this one.
    pub(crate) near_flagged: f64,
    /// Share of the amount received that was sent on within a day.
    pub(crate) passed_on: f64,
    /// Hours from the first to the last flow.
    pub(crate) span_hours: f64,
}

/// Flows of an address in one direction.
#[derive(Clone, Debug, Default)]
pub(crate) struct Side {
    /// Different counterparties.
    pub(crate) degree: f64,
    /// Transactions.
    pub(crate) tx: f64,
    /// USD.
    pub(crate) sum: f64,
    /// Mean USD of an edge.
    pub(crate) mean: f64,
    /// Standard deviation of an edge's USD.
    pub(crate) std: f64,
    /// Largest edge in USD.
    pub(crate) max: f64,
    /// Share of the largest counterparty in the USD.
    pub(crate) top_share: f64,
    /// USD with flagged counterparties.
    pub(crate) flagged: f64,
    /// USD with exchanges.
    pub(crate) exchange: f64,
}
