//! How large a model file, and what is in it, may be.

/// Bytes of a model file. Ten times the largest model that trained well here; a bigger file is a mistake or an attack.
pub const MAX_MODEL_BYTES: usize = 64 << 20;
/// Trees of a model: LightGBM's own tuning advice ends far below this.
pub const MAX_TREES: usize = 100_000;
/// Leaves of one tree: LightGBM's own limit of `num_leaves`.
pub const MAX_LEAVES: usize = 131_072;
/// Leaves of all trees of a model: those of CatBoost are written down in 8 bytes each, and take more than that here.
pub const MAX_ALL_LEAVES: usize = 1 << 21;
/// Splits between the root and a leaf. The deepest useful tree is some tens deep; explanations cost its square.
pub const MAX_DEPTH: u32 = 1_024;
/// Classes of a multiclass model.
pub const MAX_CLASSES: usize = 1_000;
/// Features of a model: an index fits 16 bits.
pub const MAX_FEATURES: usize = 65_535;
/// 32-bit words of one categorical split: categories up to 2,097,151.
pub const MAX_CATEGORY_WORDS: usize = 65_536;
/// 32-bit words of all categorical splits of a model that lists categories one by one.
pub const MAX_ALL_CATEGORY_WORDS: usize = 1 << 24;
/// Values of a code book, over all features.
pub const MAX_CODES: usize = 100_000;

/// The largest absolute value of a leaf: no sum over [`MAX_TREES`] trees can overflow.
pub const MAX_LEAF_VALUE: f64 = 1e100;

/// Whether a number is one, and no larger than the largest value of a leaf.
pub(super) fn is_value(number: f64) -> bool {
    number.abs() <= MAX_LEAF_VALUE
}
