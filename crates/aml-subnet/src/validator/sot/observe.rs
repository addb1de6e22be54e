//! What the cache of batches went through, as numbers for whoever watches.

const DAMAGED: &str = "aml_validator_damaged_batches_total";
const HEALED: &str = "aml_validator_healed_batches_total";

/// A cached batch is damaged.
pub(super) fn damaged() {
    metrics::counter!(DAMAGED).increment(1);
}

/// The source had the same bytes again.
pub(super) fn healed() {
    metrics::counter!(HEALED).increment(1);
}
