//! Transactions: their bytes, and whether the signature covers them.

use blake2::{Blake2b, Digest as _, digest::consts::U32};
use parity_scale_codec::{Compact, Decode, DecodeAll, DecodeLimit, Encode};

use super::mirror::frame_metadata_hash_extension::Mode;
use super::mirror::node_subtensor_runtime::RuntimeCall;
use super::mirror::sp_runtime::generic::era::Era;
use super::mirror::sp_runtime::{MultiSignature, multiaddress::MultiAddress};
use super::mirror::{AccountId32, H256};
use super::spec::TRANSACTION_VERSION;

/// Longest transaction, in bytes: weights of 4096 uids take 16 KiB, a commit 5 KiB; the rest is room for remarks.
pub(crate) const MAX_BYTES: usize = 256 * 1024;
/// Calls within calls.
const MAX_DEPTH: u32 = 8;
/// Version 4, signed.
const SIGNED: u8 = 0x84;
/// Version 4, without signature.
const BARE: u8 = 0x04;
/// Context of sr25519 signatures.
const CONTEXT: &[u8] = b"substrate";

/// A digest of 32 bytes, as the chain names blocks and transactions.
pub(crate) fn blake2_256(bytes: &[u8]) -> H256 {
    H256(Blake2b::<U32>::digest(bytes).into())
}

/// A signed transaction.
#[derive(Clone, Debug)]
pub(crate) struct Signed {
    /// Who signed.
    pub(crate) signer: AccountId32,
    /// With what.
    pub(crate) signature: MultiSignature,
    /// How long it lives.
    pub(crate) era: Era,
    /// The signer's count of transactions before this one.
    pub(crate) nonce: u32,
    /// What the signer adds to the fee, in rao.
    pub(crate) tip: u64,
    /// Whether it commits to a hash of the metadata.
    pub(crate) mode: Mode,
    /// What it asks for.
    pub(crate) call: RuntimeCall,
    /// The same, as it was sent.
    call_bytes: Vec<u8>,
}

/// Bytes that are no transaction.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotATransaction {
    #[error("transaction has {0} bytes, more than {MAX_BYTES}")]
    TooLong(usize),
    #[error("cannot decode the transaction: {0}")]
    Malformed(String),
    #[error("transaction version byte is {0:#04x}; signed transactions of version 4 (0x84) are taken")]
    Version(u8),
    #[error("the signer is not named by its account id")]
    Address,
}

impl Signed {
    /// Reads a transaction, with its length before it as on the wire.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, NotATransaction> {
        if bytes.len() > MAX_BYTES {
            return Err(NotATransaction::TooLong(bytes.len()));
        }
        let malformed = |error: parity_scale_codec::Error| NotATransaction::Malformed(error.to_string());
        let body = Vec::<u8>::decode_all(&mut &*bytes).map_err(malformed)?;
        let (version, mut rest) = body.split_first().ok_or_else(|| NotATransaction::Malformed("empty".into()))?;
        if *version != SIGNED {
            return Err(NotATransaction::Version(*version));
        }
        let (address, signature, era) = <(MultiAddress, MultiSignature, Era)>::decode(&mut rest).map_err(malformed)?;
        let (nonce, tip) = <(Compact<u32>, Compact<u64>)>::decode(&mut rest).map_err(malformed)?;
        let mode = Mode::decode(&mut rest).map_err(malformed)?;
        let call_bytes = rest.to_vec();
        let call = RuntimeCall::decode_all_with_depth_limit(MAX_DEPTH, &mut rest).map_err(malformed)?;
        let signer = address.account().ok_or(NotATransaction::Address)?;
        Ok(Self { signer, signature, era, nonce: nonce.0, tip: tip.0, mode, call, call_bytes })
    }

    /// Whether the signature covers the call and what the chain adds to it.
    pub(crate) fn is_genuine(&self, spec_version: u32, genesis: H256, birth: H256) -> bool {
        if self.mode != Mode::Disabled {
            return false;
        }
        let mut message = self.call_bytes.clone();
        (self.era, Compact(self.nonce), Compact(self.tip), self.mode).encode_to(&mut message);
        (spec_version, TRANSACTION_VERSION, genesis, birth, Option::<[u8; 32]>::None).encode_to(&mut message);
        if message.len() > 256 {
            message = blake2_256(&message).0.to_vec();
        }
        verifies(&self.signature, &message, &self.signer.0)
    }
}

fn verifies(signature: &MultiSignature, message: &[u8], signer: &[u8; 32]) -> bool {
    match signature {
        MultiSignature::Sr25519(raw) => {
            let key = schnorrkel::PublicKey::from_bytes(signer);
            let signature = schnorrkel::Signature::from_bytes(raw);
            matches!((key, signature), (Ok(key), Ok(signature)) if key.verify_simple(CONTEXT, message, &signature).is_ok())
        }
        MultiSignature::Ed25519(raw) => ed25519_dalek::VerifyingKey::from_bytes(signer)
            .is_ok_and(|key| key.verify_strict(message, &ed25519_dalek::Signature::from_bytes(raw)).is_ok()),
        MultiSignature::Ecdsa(_) => false,
    }
}

/// A transaction without signature, as the chain itself puts into blocks.
pub(crate) fn bare(call: &RuntimeCall) -> Vec<u8> {
    let mut body = vec![BARE];
    call.encode_to(&mut body);
    body.encode()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_era_is_born_and_dies_as_in_substrate() {
        let era = Era::Mortal { period: 64, phase: 42 };
        assert_eq!((era.birth(42), era.birth(105), era.birth(106)), (42, 42, 106));
        assert_eq!(era.death(50), 106);
        // 64 blocks from block 20 000 on: the textbook bytes.
        let phase = 20_000 % 64;
        assert_eq!(Era::Mortal { period: 64, phase }.encode(), [5 + ((phase as u8 & 0x0f) << 4), (phase >> 4) as u8]);
    }

    proptest! {
        #[test]
        fn an_era_survives_its_bytes(exponent in 2_u32..=16, seed in any::<u64>()) {
            let period = 1_u64 << exponent;
            let quantum = (period >> 12).max(1);
            let phase = seed % period / quantum * quantum;
            let era = Era::Mortal { period, phase };
            prop_assert_eq!(Era::decode(&mut &era.encode()[..]), Ok(era));
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Signed::read(&bytes);
            let _ = Signed::read(&bytes.encode());
            let mut signed = vec![SIGNED, 0];
            signed.extend(&bytes);
            let _ = Signed::read(&signed.encode());
        }
    }
}
