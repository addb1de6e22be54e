//! Whom an address deals with, as names of features say it.

/// Counterparties of an address in one direction; exchanges, who deal with everybody, are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counterparties {
    /// Those it received from.
    Senders,
    /// Those it sent to.
    Recipients,
}

impl Counterparties {
    /// The counterparties and the rest that `name` names, such as `senders_mean_is_new_address`.
    pub(crate) fn split(name: &str) -> Option<(Self, &str)> {
        let senders = name.strip_prefix("senders_").map(|rest| (Self::Senders, rest));
        senders.or_else(|| name.strip_prefix("recipients_").map(|rest| (Self::Recipients, rest)))
    }
}
