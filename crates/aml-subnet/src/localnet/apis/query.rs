//! What a runtime API may look at, and numbers in its answers.

use parity_scale_codec::Compact;

use crate::localnet::spec::Spec;
use crate::localnet::state::View;

/// What a runtime API may look at.
pub(crate) struct Query<'a> {
    /// Storage after the block.
    pub(crate) db: View<'a>,
    /// The block.
    pub(crate) block: u64,
    /// The runtime of the block.
    pub(crate) spec: Spec,
}

/// A compact number.
pub(super) fn c<T>(value: T) -> Compact<T> {
    Compact(value)
}

/// Compact numbers.
pub(super) fn cs<T: Copy>(values: &[T]) -> Vec<Compact<T>> {
    values.iter().copied().map(Compact).collect()
}
