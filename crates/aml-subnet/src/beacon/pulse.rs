//! What the beacon says of a round. A [`Pulse`] is checked against the pinned key, whoever brought it.

use super::scheme::{self, Signature};
use super::{Beacon, BeaconRound};

/// Bytes of a signature: a compressed point of G1.
pub const SIGNATURE: usize = 48;

/// The beacon's signature of a round; only [`Pulse::checked`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pulse {
    of: BeaconRound,
    signature: [u8; SIGNATURE],
    point: Signature,
}

/// A signature that is not the beacon's of that round.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPulse {
    /// No point of G1.
    #[error("the signature of round {0} is not {SIGNATURE} bytes of a point")]
    Shape(BeaconRound),
    /// Of another round, or another key.
    #[error("this is not the beacon's signature of round {0}")]
    Signature(BeaconRound),
}

impl Pulse {
    /// Checks `signature`: one check of two pairings.
    ///
    /// # Errors
    /// When it is not that of the round.
    pub fn checked(of: BeaconRound, signature: &[u8]) -> Result<Self, BadPulse> {
        let bytes = <[u8; SIGNATURE]>::try_from(signature).map_err(|_| BadPulse::Shape(of))?;
        let point = scheme::signature(&bytes).ok_or(BadPulse::Shape(of))?;
        let public = scheme::public_key(&of.beacon.public_key()).ok_or(BadPulse::Signature(of))?;
        let holds = scheme::signs(public, of.round, point);
        if holds { Ok(Self { of, signature: bytes, point }) } else { Err(BadPulse::Signature(of)) }
    }

    /// Of the development beacon, whose key everybody knows.
    #[must_use]
    pub fn of_development(round: u64) -> Option<Self> {
        let of = BeaconRound { beacon: Beacon::Development, round };
        Self::checked(of, &super::sign_for_development(round)).ok()
    }

    /// Which round.
    #[must_use]
    pub const fn of(&self) -> BeaconRound {
        self.of
    }

    /// The signature.
    #[must_use]
    pub const fn signature(&self) -> &[u8; SIGNATURE] {
        &self.signature
    }

    pub(super) const fn point(&self) -> Signature {
        self.point
    }
}
