//! Hash commit-reveal: the digest that is committed, and what must be kept until it is revealed.
//!
//! The commit binds hotkey, subnet, weights, salt and version; whoever loses the salt cannot reveal, so a
//! [`PendingReveal`] is to be stored before the commit is sent.

use blake2::digest::consts::U32;
use blake2::{Blake2b, Digest as _};
use parity_scale_codec::Encode;
use serde::{Deserialize, Serialize};

use super::weights::ChainWeights;
use crate::entropy::{Entropy, NoEntropy};
use crate::wallet::Hotkey;

/// Words of a salt: 128 bits.
const SALT_WORDS: usize = 8;
/// Mechanisms share the key space of subnets in steps of this.
const MECHANISM_STEP: u16 = 4096;

/// The number under which a mechanism of a subnet keeps its weights; the subnet's own for mechanism 0.
#[must_use]
pub const fn storage_index(netuid: u16, mechanism: u8) -> u16 {
    // A netuid is below 4096 and a mechanism below 16 wherever there are mechanisms.
    netuid.wrapping_add((mechanism as u16).wrapping_mul(MECHANISM_STEP))
}

/// A mechanism of a subnet: what has weights of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mechanism {
    /// The subnet.
    pub netuid: u16,
    /// Its number; 0 where there is but one.
    pub number: u8,
}

impl Mechanism {
    /// The number under which its weights are kept.
    #[must_use]
    pub const fn index(self) -> u16 {
        storage_index(self.netuid, self.number)
    }
}

/// Everything that a later reveal must repeat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingReveal {
    /// The subnet.
    pub netuid: u16,
    /// Its mechanism.
    pub mechanism: u8,
    /// The committed weights.
    pub weights: ChainWeights,
    /// The secret.
    pub salt: Vec<u16>,
    /// The version they carry.
    pub version_key: u64,
}

/// A fresh salt.
///
/// # Errors
/// [`NoEntropy`] when there is none: a guessable salt would reveal the weights.
pub fn fresh_salt(entropy: &dyn Entropy) -> Result<Vec<u16>, NoEntropy> {
    let mut bytes = [0; SALT_WORDS * 2];
    entropy.fill(&mut bytes)?;
    Ok(bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect())
}

impl PendingReveal {
    /// What the weights are for.
    #[must_use]
    pub const fn target(&self) -> Mechanism {
        Mechanism { netuid: self.netuid, number: self.mechanism }
    }

    /// The digest to commit: BLAKE2b-256 of the SCALE encoding of all parts.
    #[must_use]
    pub fn hash(&self, hotkey: &Hotkey) -> [u8; 32] {
        let index = self.target().index();
        let ChainWeights { uids, values } = &self.weights;
        let preimage = (hotkey.as_bytes(), index, uids, values, &self.salt, self.version_key).encode();
        Blake2b::<U32>::digest(preimage).into()
    }
}
