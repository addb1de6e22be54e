//! Timelocked commits: weights encrypted to a future round of drand's quicknet.
//!
//! The scheme is identity-based encryption over BLS12-381 with AES-256-GCM for the body. The library writes two
//! fields without the lengths that the chain expects; they are inserted here. Everything that is opened is checked
//! for its lengths first, because the library's reader trusts them.

use ark_serialize::{CanonicalDeserialize, CanonicalSerialize};
use ark_std::rand::rngs::OsRng;
use parity_scale_codec::{Decode, Encode};
use timelock::block_ciphers::AESGCMBlockCipherProvider;
use timelock::engines::EngineBLS;
use timelock::engines::drand::TinyBLS381;
use timelock::tlock::{TLECiphertext, tld, tle};
use zeroize::Zeroizing;

use super::weights::ChainWeights;
use crate::beacon::{QUICKNET_PUBLIC_KEY, identity};
use crate::wallet::Hotkey;

/// The length that the chain wants before each of the two 32-byte fields.
const FIELD_LENGTH: [u8; 8] = 32_u64.to_le_bytes();
/// Where they go in the library's bytes: after the compressed point, and after the first field.
const POINT: usize = 96;
const FIELD: usize = 32;
/// The pallet's bound on a commit.
pub const MAX_COMMIT_BYTES: usize = 5000;

/// What is encrypted, in SCALE.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct TimelockPayload {
    /// The signer's 32 bytes.
    pub hotkey: Vec<u8>,
    /// Receivers.
    pub uids: Vec<u16>,
    /// Their weights.
    pub values: Vec<u16>,
    /// The version they carry.
    pub version_key: u64,
}

impl TimelockPayload {
    /// The payload of these weights.
    #[must_use]
    pub fn new(hotkey: &Hotkey, weights: &ChainWeights, version_key: u64) -> Self {
        Self {
            hotkey: hotkey.as_bytes().to_vec(),
            uids: weights.uids.clone(),
            values: weights.values.clone(),
            version_key,
        }
    }
}

/// Why nothing was encrypted.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The machine has no randomness.
    #[error("the machine gives no randomness for the timelock's key")]
    Randomness(#[source] getrandom::Error),
    /// The library refused.
    #[error("timelock encryption failed: {0}")]
    Library(String),
    /// The pallet would refuse it.
    #[error("the commit has {0} bytes, the chain takes {MAX_COMMIT_BYTES}")]
    TooLarge(usize),
}

/// Encrypts `payload` so that it opens with the signature of drand's `round`.
///
/// # Errors
/// [`SealError`] without randomness, or when the result is longer than the chain takes.
pub fn seal(payload: &TimelockPayload, round: u64) -> Result<Vec<u8>, SealError> {
    let mut key = Zeroizing::new([0_u8; 32]);
    getrandom::fill(key.as_mut()).map_err(SealError::Randomness)?;
    let library = |what: &dyn std::fmt::Debug| SealError::Library(format!("{what:?}"));
    let public = <TinyBLS381 as EngineBLS>::PublicKeyGroup::deserialize_compressed(&QUICKNET_PUBLIC_KEY[..])
        .map_err(|error| library(&error))?;
    let sealed: TLECiphertext<TinyBLS381> =
        tle::<_, AESGCMBlockCipherProvider, _>(public, *key, &payload.encode(), identity(round), OsRng)
            .map_err(|error| library(&error))?;
    let mut raw = Vec::new();
    sealed.serialize_compressed(&mut raw).map_err(|error| library(&error))?;
    let commit = chain_form(&raw).ok_or_else(|| library(&"a ciphertext of unknown shape"))?;
    if commit.len() > MAX_COMMIT_BYTES {
        return Err(SealError::TooLarge(commit.len()));
    }
    Ok(commit)
}

/// The library's bytes with the two lengths that the chain expects.
#[must_use]
pub fn chain_form(raw: &[u8]) -> Option<Vec<u8>> {
    let (point, rest) = raw.split_at_checked(POINT)?;
    let (first, rest) = rest.split_at_checked(FIELD)?;
    Some([point, &FIELD_LENGTH, first, &FIELD_LENGTH, rest].concat())
}

/// Why a commit does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenTimelockError {
    /// Not laid out as a timelocked commit.
    #[error("not a timelocked commit: {0}")]
    Layout(&'static str),
    /// The signature is no point of G1.
    #[error("the round's signature is not 48 bytes of a point")]
    Signature,
    /// Another round's signature, or a damaged commit.
    #[error("the signature does not open this commit")]
    Closed,
    /// Opened, but not weights.
    #[error("the opened bytes are no weights")]
    Payload(#[source] parity_scale_codec::Error),
}

/// Opens a commit with the signature of its round, as the chain does at the reveal.
///
/// # Errors
/// [`OpenTimelockError`]; no input makes it panic or allocate more than the input's own length.
pub fn open(commit: &[u8], signature: &[u8]) -> Result<TimelockPayload, OpenTimelockError> {
    let raw = library_form(commit)?;
    let signature = <TinyBLS381 as EngineBLS>::SignatureGroup::deserialize_compressed(signature)
        .map_err(|_| OpenTimelockError::Signature)?;
    let sealed: TLECiphertext<TinyBLS381> = TLECiphertext::deserialize_compressed(&raw[..])
        .map_err(|_| OpenTimelockError::Layout("its point is none of G2"))?;
    let plain =
        tld::<TinyBLS381, AESGCMBlockCipherProvider>(sealed, signature).map_err(|_| OpenTimelockError::Closed)?;
    TimelockPayload::decode(&mut &plain[..]).map_err(OpenTimelockError::Payload)
}

/// Whether this is the beacon's signature of a round: what was encrypted to the round opens with it, and with no other.
///
/// # Errors
/// [`SealError`] when the machine has no randomness to try it with.
pub fn is_signature_of(round: u64, signature: &[u8]) -> Result<bool, SealError> {
    let probe = TimelockPayload { hotkey: vec![0; 32], uids: Vec::new(), values: Vec::new(), version_key: 0 };
    Ok(open(&seal(&probe, round)?, signature).is_ok_and(|opened| opened == probe))
}

/// Undoes [`chain_form`], after every length has been held against the bytes that are there.
fn library_form(commit: &[u8]) -> Result<Vec<u8>, OpenTimelockError> {
    if commit.len() > MAX_COMMIT_BYTES {
        return Err(OpenTimelockError::Layout("longer than the chain takes"));
    }
    let mut rest = commit;
    let point = take(&mut rest, POINT)?;
    let first = counted(&mut rest, Some(FIELD))?;
    let second = counted(&mut rest, Some(FIELD))?;
    let tail = rest;
    let mut body = counted(&mut rest, None)?;
    let _cipher_suite = counted(&mut rest, Some(8))?;
    let _ciphertext = counted(&mut body, None)?;
    let _nonce = counted(&mut body, Some(12))?;
    if !rest.is_empty() || !body.is_empty() {
        return Err(OpenTimelockError::Layout("bytes are left over"));
    }
    Ok([point, first, second, tail].concat())
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], OpenTimelockError> {
    let (head, tail) = rest.split_at_checked(length).ok_or(OpenTimelockError::Layout("it ends too early"))?;
    *rest = tail;
    Ok(head)
}

/// A field behind its length of eight bytes, which must be `expected` where one is.
fn counted<'a>(rest: &mut &'a [u8], expected: Option<usize>) -> Result<&'a [u8], OpenTimelockError> {
    let mut length = [0; 8];
    length.copy_from_slice(take(rest, 8)?);
    let length =
        usize::try_from(u64::from_le_bytes(length)).map_err(|_| OpenTimelockError::Layout("an absurd length"))?;
    if expected.is_some_and(|expected| expected != length) {
        return Err(OpenTimelockError::Layout("a field of the wrong length"));
    }
    take(rest, length)
}
