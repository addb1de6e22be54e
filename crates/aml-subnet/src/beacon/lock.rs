//! A key of 32 bytes locked to a round: identity-based encryption (Boneh-Franklin, FullIdent) to the round's number.

use ark_serialize::{CanonicalDeserialize as _, CanonicalSerialize as _};
use ark_std::rand::rngs::OsRng;
use timelock::engines::drand::TinyBLS381;
use timelock::ibe::fullident::{Ciphertext, IBESecret, Input};
use zeroize::Zeroizing;

use super::scheme::{self, PublicKey, identity};
use super::{BeaconRound, Pulse};

/// Bytes of a locked key: a point of G2 and two fields of 32 bytes.
pub const LOCKED: usize = 160;
/// Where the first field begins.
const POINT: usize = 96;
/// Where the second one begins.
const SECOND: usize = 128;

/// A locked key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockedKey(pub [u8; LOCKED]);

/// Why a key was not locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// The machine has no randomness.
    #[error("the machine gives no randomness to lock a key with")]
    Randomness(#[source] getrandom::Error),
    /// A defect of ours.
    #[error("the scheme gave no locked key")]
    Scheme,
}

/// Why a key does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnlockError {
    /// Not a point of G2.
    #[error("the locked key has no point of G2")]
    Shape,
    /// Locked to another round, or with another key, or changed.
    #[error("the round's signature does not open the key")]
    Closed,
}

impl LockedKey {
    /// Locks `key` to a round.
    ///
    /// # Errors
    /// Without randomness.
    pub fn lock(key: &[u8; 32], to: BeaconRound) -> Result<Self, LockError> {
        // The library's generator panics where the system has none.
        getrandom::fill(&mut [0; 8]).map_err(LockError::Randomness)?;
        let public = scheme::public_key(&to.beacon.public_key()).ok_or(LockError::Scheme)?;
        let input = Input::<TinyBLS381>::new(*key).map_err(|_| LockError::Scheme)?;
        let Ciphertext { u, v, w } = identity(to.round).encrypt(&input, public, OsRng);
        let mut bytes = [0; LOCKED];
        u.serialize_compressed(&mut bytes[..POINT]).map_err(|_| LockError::Scheme)?;
        bytes[POINT..SECOND].copy_from_slice(&v);
        bytes[SECOND..].copy_from_slice(&w);
        Ok(Self(bytes))
    }

    /// Opens it with the signature of its round.
    ///
    /// # Errors
    /// When the signature is another round's, or the bytes are not a locked key.
    pub fn unlock(&self, with: &Pulse) -> Result<Zeroizing<[u8; 32]>, UnlockError> {
        let u = PublicKey::deserialize_compressed(&self.0[..POINT]).map_err(|_| UnlockError::Shape)?;
        let (mut v, mut w) = ([0; 32], [0; 32]);
        v.copy_from_slice(&self.0[POINT..SECOND]);
        w.copy_from_slice(&self.0[SECOND..]);
        let opened = IBESecret::<TinyBLS381>(with.point()).decrypt(&Ciphertext { u, v, w });
        opened.map(Zeroizing::new).map_err(|_| UnlockError::Closed)
    }
}
