//! From performance to the shares that are set on chain.
//!
//! A total function: what comes out is finite, non-negative and adds up to one, or it is nothing. An empty or all-zero
//! history emits nothing, never a uniform vector.

use std::collections::BTreeMap;

use crate::wallet::Hotkey;

/// A neuron's share of the incentive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// Where the hotkey is now.
    pub uid: u16,
    /// Whose share it is.
    pub hotkey: Hotkey,
    /// From 0 to 1; all shares add up to 1.
    pub share: f64,
}

/// The shares by ascending uid, in proportion to what was `earned` ([`crate::validation::performance::earned`], in which
/// copies share one reward), among those `registered` at this moment, by uid; hotkeys that are no longer registered drop
/// out.
#[must_use]
pub fn shares(earned: &BTreeMap<Hotkey, f64>, registered: &BTreeMap<u16, Hotkey>) -> Vec<Share> {
    let worth = |(uid, hotkey): (&u16, &Hotkey)| {
        let worth = earned.get(hotkey).copied().filter(|worth| worth.is_finite() && *worth > 0.0)?;
        Some(Share { uid: *uid, hotkey: *hotkey, share: worth })
    };
    let mut shares: Vec<Share> = registered.iter().filter_map(worth).collect();
    let total: f64 = shares.iter().map(|share| share.share).sum();
    if !total.is_finite() {
        return Vec::new();
    }
    shares.iter_mut().for_each(|share| share.share /= total);
    shares
}
