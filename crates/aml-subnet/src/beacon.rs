//! The beacon that answers are sealed to: drand's quicknet, or a development chain's own.
//!
//! Every few seconds the beacon publishes a signature of the round's number. What is locked to a round opens with the
//! round's signature and with nothing else, so nobody can read it before. Keys are locked with the scheme, and the crate,
//! that lock weights on the chain. Nothing here touches a socket or a clock.

mod development;
mod lock;
mod opening;
mod pulse;
mod scheme;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub use development::sign as sign_for_development;
pub use lock::{LOCKED, LockError, LockedKey, UnlockError};
pub use opening::OpeningRule;
pub use pulse::{BadPulse, Pulse, SIGNATURE};
pub(crate) use scheme::{QUICKNET_PUBLIC_KEY, identity};

/// Which beacon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Beacon {
    /// drand's quicknet: a round every three seconds, signed by a threshold of the League of Entropy.
    #[default]
    Quicknet,
    /// A development chain's: a round every second, signed with a key that everybody knows.
    Development,
}

/// A text that names no beacon.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected quicknet or development")]
pub struct NotABeacon;

/// The hash that drand's HTTP API knows quicknet by.
const QUICKNET_CHAIN: [u8; 32] = [
    0x52, 0xdb, 0x9b, 0xa7, 0x0e, 0x0c, 0xc0, 0xf6, 0xea, 0xf7, 0x80, 0x3d, 0xd0, 0x74, 0x47, 0xa1, 0xf5, 0x47, 0x77,
    0x35, 0xfd, 0x3f, 0x66, 0x17, 0x92, 0xba, 0x94, 0x60, 0x0c, 0x84, 0xe9, 0x71,
];

impl Beacon {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Quicknet => "quicknet",
            Self::Development => "development",
        }
    }

    /// What it is known by: drand's chain hash; of the development beacon SHA-256 of its public key.
    #[must_use]
    pub fn chain(self) -> [u8; 32] {
        match self {
            Self::Quicknet => QUICKNET_CHAIN,
            Self::Development => Sha256::digest(development::public_key()).into(),
        }
    }

    /// Its public key, a compressed point of G2.
    #[must_use]
    pub fn public_key(self) -> [u8; 96] {
        match self {
            Self::Quicknet => QUICKNET_PUBLIC_KEY,
            Self::Development => development::public_key(),
        }
    }

    /// Seconds between two rounds.
    #[must_use]
    pub const fn period_s(self) -> u64 {
        match self {
            Self::Quicknet => 3,
            Self::Development => 1,
        }
    }

    /// When its first round was, in seconds since 1970.
    #[must_use]
    pub const fn genesis_s(self) -> u64 {
        match self {
            Self::Quicknet => 1_692_803_367,
            Self::Development => 0,
        }
    }

    /// The first round that is not before `time_s`, in seconds since 1970.
    #[must_use]
    pub const fn round_from(self, time_s: u64) -> u64 {
        time_s.saturating_sub(self.genesis_s()).div_ceil(self.period_s()).saturating_add(1)
    }

    /// When `round` is due, in seconds since 1970.
    #[must_use]
    pub const fn time_of(self, round: u64) -> u64 {
        self.genesis_s().saturating_add(round.saturating_sub(1).saturating_mul(self.period_s()))
    }
}

impl fmt::Display for Beacon {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

impl FromStr for Beacon {
    type Err = NotABeacon;

    fn from_str(text: &str) -> Result<Self, NotABeacon> {
        [Self::Quicknet, Self::Development].into_iter().find(|beacon| beacon.name() == text).ok_or(NotABeacon)
    }
}

/// A round of a beacon, written `BEACON:ROUND`, as in `quicknet:29000000`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BeaconRound {
    /// Whose.
    pub beacon: Beacon,
    /// Which; the first is 1.
    pub round: u64,
}

impl BeaconRound {
    /// The round that an answer opens with whose opening is at `time_s`.
    #[must_use]
    pub const fn opening_at(beacon: Beacon, time_s: u64) -> Self {
        Self { beacon, round: beacon.round_from(time_s) }
    }

    /// When it is due, in seconds since 1970.
    #[must_use]
    pub const fn time_s(self) -> u64 {
        self.beacon.time_of(self.round)
    }
}

impl fmt::Display for BeaconRound {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.beacon, self.round)
    }
}

impl FromStr for BeaconRound {
    type Err = NotABeacon;

    fn from_str(text: &str) -> Result<Self, NotABeacon> {
        let (beacon, round) = text.split_once(':').ok_or(NotABeacon)?;
        let round: u64 = round.parse().map_err(|_| NotABeacon)?;
        let read = Self { beacon: beacon.parse()?, round };
        // One text a round.
        if round > 0 && read.to_string() == text { Ok(read) } else { Err(NotABeacon) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Beacon, BeaconRound};

    #[test]
    fn a_round_is_the_first_that_is_not_before_its_opening() {
        let quicknet = Beacon::Quicknet;
        assert_eq!(quicknet.round_from(0), 1);
        assert_eq!(quicknet.round_from(1_692_803_367), 1);
        assert_eq!(quicknet.round_from(1_692_803_368), 2);
        assert_eq!(quicknet.round_from(1_692_803_370), 2);
        for time in 1_700_000_000..1_700_000_020 {
            let round = quicknet.round_from(time);
            assert!(quicknet.time_of(round) >= time && quicknet.time_of(round - 1) < time);
        }
        assert_eq!(quicknet.time_of(1000), 1_692_803_367 + 999 * 3);
        assert_eq!(Beacon::Development.time_of(Beacon::Development.round_from(77)), 77);
        assert_eq!(quicknet.time_of(u64::MAX), u64::MAX);
    }

    #[test]
    fn a_round_has_one_text() {
        let round: BeaconRound = "quicknet:1000".parse().unwrap();
        assert_eq!(round, BeaconRound { beacon: Beacon::Quicknet, round: 1000 });
        assert_eq!(round.to_string(), "quicknet:1000");
        for text in ["", "quicknet", "quicknet:", "quicknet:0", "quicknet:01", "quicknet:+1", "other:1", "quicknet:1 "]
        {
            assert!(text.parse::<BeaconRound>().is_err(), "{text}");
        }
    }
}
