//! Addresses from which somebody proved who he is, so that places can be kept for them.
//!
//! Bounded: some addresses per caller, the newest staying, and some thousand in all.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::rate::peer_of;
use crate::wallet::Hotkey;

/// Addresses of one caller that are remembered: a validator has one, or a few behind a balancer.
const OF_A_CALLER: usize = 8;
/// Addresses in all: those of 256 validators twice over.
const IN_ALL: usize = 4096;
/// A validator asks every day; whoever was not here for so long is a stranger again.
const REMEMBERED: Duration = Duration::from_secs(7 * 24 * 3600);

/// The addresses.
#[derive(Debug, Default)]
pub struct Known(Mutex<HashMap<IpAddr, Seen>>);

#[derive(Clone, Copy, Debug)]
struct Seen {
    caller: Hotkey,
    at: Duration,
}

impl Known {
    /// `caller` proved itself from `ip`.
    pub fn note(&self, caller: Hotkey, ip: IpAddr, now: Duration) {
        let peer = peer_of(ip);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.contains_key(&peer) {
            forget_oldest(&mut known, OF_A_CALLER, |seen| seen.caller == caller);
            forget_oldest(&mut known, IN_ALL, |_| true);
        }
        known.insert(peer, Seen { caller, at: now });
    }

    /// Whether somebody proved himself from there lately.
    #[must_use]
    pub fn knows(&self, ip: IpAddr, now: Duration) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&peer_of(ip)).is_some_and(|seen| now.saturating_sub(seen.at) <= REMEMBERED)
    }
}

/// Makes room for one more among those that `which` picks.
fn forget_oldest(known: &mut HashMap<IpAddr, Seen>, most: usize, which: impl Fn(&Seen) -> bool) {
    let picked = || known.iter().filter(|(_, seen)| which(seen));
    if picked().count() < most {
        return;
    }
    let oldest = picked().min_by_key(|(ip, seen)| (seen.at, **ip)).map(|(ip, _)| *ip);
    if let Some(ip) = oldest {
        known.remove(&ip);
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::time::Duration;

    use super::{Hotkey, Known, OF_A_CALLER, REMEMBERED};

    const fn ip(last: u8) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(192, 0, 2, last))
    }

    #[test]
    fn a_caller_that_moves_about_pushes_out_its_own_addresses_only() {
        let (known, second) = (Known::default(), Duration::from_secs);
        let (steady, restless) = (Hotkey::from_bytes([1; 32]), Hotkey::from_bytes([2; 32]));
        known.note(steady, ip(0), second(0));
        for at in 1..=u8::try_from(OF_A_CALLER).unwrap() + 1 {
            known.note(restless, ip(at), second(at.into()));
        }
        assert!(known.knows(ip(0), second(60)));
        assert!(!known.knows(ip(1), second(60)) && known.knows(ip(2), second(60)));
        assert!(!known.knows(ip(0), second(1) + REMEMBERED));
    }
}
