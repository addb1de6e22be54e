//! A call, signed: built against the best block's runtime, mortal from a finalised block, with a fresh nonce.

use std::borrow::Cow;

use parity_scale_codec::Encode;
use scale_value::Composite;
use subxt::config::DefaultExtrinsicParamsBuilder;
use subxt::config::substrate::{AccountId32, H256, MultiSignature, SubstrateConfig};
use subxt::tx::DynamicPayload;

use super::snapshot::Snapshot;
use crate::chain::refusal::PALLET;
use crate::wallet::{Scheme, Signer};

/// Blocks in which a transaction may be included, as the SDKs have it.
pub const ERA_BLOCKS: u64 = 128;

/// A call by name, its arguments by name.
pub(super) type Call = DynamicPayload<Composite<()>>;

/// A call of the pallet.
pub(super) fn call(name: &str, args: Vec<(&str, scale_value::Value)>) -> Call {
    subxt::dynamic::transaction(PALLET, name, Composite::named(args))
}

/// The wallet's key as subxt wants a signer.
pub(super) struct ExtrinsicSigner<'a>(pub(super) &'a Signer);

impl subxt::tx::Signer<SubstrateConfig> for ExtrinsicSigner<'_> {
    fn account_id(&self) -> AccountId32 {
        AccountId32(*self.0.hotkey().as_bytes())
    }

    fn sign(&self, payload: &[u8]) -> MultiSignature {
        // A payload beyond 256 bytes is signed by its hash: this is Substrate's rule.
        let message =
            if payload.len() > 256 { Cow::Owned(blake2_256(payload).to_vec()) } else { Cow::Borrowed(payload) };
        let signature = self.0.sign(&message);
        match self.0.scheme() {
            Scheme::Sr25519 => MultiSignature::Sr25519(signature),
            Scheme::Ed25519 => MultiSignature::Ed25519(signature),
        }
    }
}

/// BLAKE2b-256.
pub(super) fn blake2_256(bytes: &[u8]) -> [u8; 32] {
    use blake2::Digest as _;
    blake2::Blake2b::<blake2::digest::consts::U32>::digest(bytes).into()
}

/// A signed call, ready to be sent.
#[derive(Clone, Debug)]
pub(super) struct Signed {
    pub(super) bytes: Vec<u8>,
    pub(super) hash: H256,
    pub(super) nonce: u64,
    pub(super) spec_version: u32,
    /// The finalised block it is mortal from.
    pub(super) born: u64,
}

impl Signed {
    /// The last block that may include it.
    pub(super) const fn dies(&self) -> u64 {
        self.born + ERA_BLOCKS
    }
}

/// A call that does not fit the runtime.
#[derive(Debug, thiserror::Error)]
#[error("the call {call} does not fit the runtime (spec {spec})")]
pub struct BuildError {
    call: String,
    spec: u32,
    source: Box<subxt::error::ExtrinsicError>,
}

/// Signs `call` for the runtime of `best`, mortal from `finalised`.
pub(super) fn build(
    call: &Call,
    signer: &Signer,
    nonce: u64,
    best: &Snapshot,
    finalised: &Snapshot,
) -> Result<Signed, BuildError> {
    let born = finalised.block().0;
    let params = DefaultExtrinsicParamsBuilder::<SubstrateConfig>::new()
        .mortal_from_unchecked(ERA_BLOCKS, born, finalised.at.block_hash())
        .nonce(nonce)
        .build();
    let spec_version = best.at.spec_version();
    let failed =
        |source| BuildError { call: call.call_name().to_owned(), spec: spec_version, source: Box::new(source) };
    let mut unsigned = best.at.tx().create_v4_signable_offline(call, params).map_err(failed)?;
    let signed = unsigned.sign(&ExtrinsicSigner(signer)).map_err(failed)?;
    let hash = signed.hash();
    Ok(Signed { bytes: signed.into_encoded(), hash, nonce, spec_version, born })
}

/// The account as a parameter of runtime APIs.
pub(super) fn account_bytes(signer: &Signer) -> Vec<u8> {
    signer.hotkey().as_bytes().encode()
}
