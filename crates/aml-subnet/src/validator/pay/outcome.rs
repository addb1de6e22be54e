//! What a turn of the payer came to.

use super::due::Due;
use super::worth::Withheld;
use crate::store::records::WeightsState;

/// What a turn came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PayOutcome {
    /// There was nothing to set.
    NotDue(Due),
    /// Weights are due, but none were set.
    Withheld(Withheld),
    /// Weights were submitted; this is how far they came.
    Recorded {
        /// The epoch, by its first block.
        epoch: u64,
        /// How far.
        state: WeightsState,
        /// Neurons with a weight.
        receivers: usize,
    },
}
