//! The development beacon: quicknet's scheme with a key that everybody knows, so that a chain on one machine can open
//! answers seconds after they were sealed. It protects nothing, and is refused on every chain that is not for development.

use std::sync::OnceLock;

use ark_serialize::{CanonicalDeserialize as _, CanonicalSerialize as _};
use sha2::{Digest as _, Sha256};
use timelock::engines::drand::TinyBLS381;

use super::pulse::SIGNATURE;
use super::scheme::{Scalar, generator, identity};

/// What the key is made of.
const TEXT: &[u8] = b"aml-subnet development beacon/1: everybody knows this key";

/// The secret key: SHA-256 of the text, little endian, without its two highest bits.
fn secret() -> Scalar {
    let mut bytes: [u8; 32] = Sha256::digest(TEXT).into();
    bytes[31] &= 0x3f;
    Scalar::deserialize_compressed(&bytes[..]).expect("254 bits are below the order of the group")
}

/// The public key.
pub(super) fn public_key() -> [u8; 96] {
    static KEY: OnceLock<[u8; 96]> = OnceLock::new();
    *KEY.get_or_init(|| {
        let mut bytes = [0; 96];
        let point = generator().expect("a constant of the curve") * secret();
        point.serialize_compressed(&mut bytes[..]).expect("a point of G2 has 96 bytes");
        bytes
    })
}

/// The signature of a round.
#[must_use]
pub fn sign(round: u64) -> [u8; SIGNATURE] {
    let mut bytes = [0; SIGNATURE];
    let signed = identity(round).extract::<TinyBLS381>(secret());
    signed.0.serialize_compressed(&mut bytes[..]).expect("a point of G1 has 48 bytes");
    bytes
}
