//! The part of a registration's price that is locked until the miner has earned its release.

/// What a miner has locked in a subnet, in rao of its alpha.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Collateral {
    /// Locked now.
    pub locked: u64,
    /// What the miner keeps locked of its own accord.
    pub floor: u64,
    /// Earned since there is a lock; it is what releases it.
    pub earned: u64,
}
