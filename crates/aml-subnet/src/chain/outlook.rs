//! How near a neuron is to losing its place to a newcomer.
//!
//! A full subnet gives the place of the neuron with the lowest pruning score to whoever registers next; among equals the one
//! that registered first goes. Who registered lately is immune, unless all are.

use futures_util::future::BoxFuture;

use super::metagraph::SourceError;

/// A neuron, as far as it decides who goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// What the chain prunes by; the lowest goes.
    pub score: u64,
    /// Block of its registration.
    pub registered: u64,
}

/// The outlook of one neuron.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// Places that nobody has: while there are any, nobody loses his.
    pub free: u16,
    /// Blocks for which it is immune still.
    pub immune_blocks: u64,
    /// Neurons that lose their place before it does.
    pub before: u16,
}

/// What the chain knows of a subnet, for the outlook of one of its neurons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The block it was read at.
    pub block: u64,
    /// How long a newcomer is immune, in blocks.
    pub immunity: u64,
    /// Places of the subnet.
    pub places: u16,
    /// Its neurons, by uid.
    pub neurons: Vec<Place>,
}

impl Field {
    /// The outlook of the neuron `uid`; `None` when there is none.
    #[must_use]
    pub fn outlook(&self, uid: u16) -> Option<Outlook> {
        let own = *self.neurons.get(usize::from(uid))?;
        let left = |of: &Place| of.registered.saturating_add(self.immunity).saturating_sub(self.block);
        let immune_blocks = left(&own);
        let goes_before = |(other, of): &(usize, &Place)| {
            let order = |at: usize, of: &Place| (left(of) > 0, of.score, of.registered, at);
            order(*other, of) < order(usize::from(uid), &own)
        };
        let before = self.neurons.iter().enumerate().filter(goes_before).count();
        let neurons = u16::try_from(self.neurons.len()).unwrap_or(u16::MAX);
        Some(Outlook {
            free: self.places.saturating_sub(neurons),
            immune_blocks,
            before: u16::try_from(before).unwrap_or(u16::MAX),
        })
    }
}

/// Reads the outlook of our own neuron.
pub trait OutlookSource: Send + Sync {
    /// The outlook; `None` when our hotkey is not registered.
    fn outlook(&self) -> BoxFuture<'_, Result<Option<Outlook>, SourceError>>;
}

#[cfg(test)]
mod tests {
    use super::{Field, Outlook, Place};

    fn field(neurons: &[(u64, u64)]) -> Field {
        let neurons = neurons.iter().map(|&(score, registered)| Place { score, registered }).collect();
        Field { block: 1000, immunity: 100, places: 5, neurons }
    }

    #[test]
    fn the_lowest_score_goes_first_then_the_oldest_and_newcomers_last() {
        let field = field(&[(5, 10), (5, 20), (9, 10), (0, 950)]);
        let before = |uid| field.outlook(uid).map(|of| (of.before, of.immune_blocks));
        assert_eq!([0, 1, 2, 3].map(before), [Some((0, 0)), Some((1, 0)), Some((2, 0)), Some((3, 50))]);
        assert_eq!(field.outlook(3).map(|of| of.free), Some(1));
        assert_eq!(field.outlook(4), None);
    }

    #[test]
    fn where_all_are_immune_the_lowest_score_goes() {
        let field = field(&[(5, 990), (4, 990)]);
        assert_eq!(field.outlook(1), Some(Outlook { free: 3, immune_blocks: 90, before: 0 }));
    }
}
