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

/// A day's pay among those `registered` at this moment, by ascending uid. Shares of hotkeys that are not registered any
/// more are divided among the others; what nobody earned, or all of it when nobody who earned something is registered, goes
/// to the uid `to`. `None` when there is something to leave and nobody to leave it to. Never a uniform vector.
#[must_use]
pub fn divided(
    paid: &BTreeMap<Hotkey, f64>,
    unearned: f64,
    registered: &BTreeMap<u16, Hotkey>,
    to: Option<u16>,
) -> Option<Vec<Share>> {
    let share = |hotkey: &Hotkey| paid.get(hotkey).copied().filter(|share| share.is_finite() && *share > 0.0);
    let all: f64 = paid.values().filter(|share| share.is_finite() && **share > 0.0).sum();
    let mut shares: BTreeMap<u16, f64> =
        registered.iter().filter_map(|(uid, hotkey)| Some((*uid, share(hotkey)?))).collect();
    let here: f64 = shares.values().sum();
    let unearned = if here > 0.0 { unearned.max(0.0) } else { 1.0 };
    shares.values_mut().for_each(|share| *share *= all / here);
    if unearned > 0.0 {
        let to = to.filter(|uid| registered.contains_key(uid))?;
        *shares.entry(to).or_default() += unearned;
    }
    let named = |(uid, share): (u16, f64)| Some(Share { uid, hotkey: *registered.get(&uid)?, share });
    Some(shares.into_iter().filter_map(named).collect())
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
