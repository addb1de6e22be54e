//! Sealed answers, `amlsealed/1`: a plain answer and its receipt, compressed and encrypted to a round of the beacon.
//!
//! The bytes, integers big endian:
//!
//! | from | bytes | what |
//! |---|---|---|
//! | 0 | 12 | `amlsealed/1` and a newline |
//! | 12 | 32 | the beacon's chain |
//! | 44 | 8 | the round |
//! | 52 | 160 | the key, locked to the round ([`LockedKey`]) |
//! | 212 | 12 | nonce of AES-256-GCM |
//! | 224 | 8 | length of what was compressed |
//! | 232 | rest | AES-256-GCM of the compressed text, and its tag of 16 bytes |
//!
//! Associated data are these 232 bytes, both hotkeys' 32 bytes (miner, validator) and the task's SHA-256, so that a ciphertext
//! opens under nobody else's name and for no other task. What was compressed (one zstd frame) is the receipt's header, a
//! newline, and the plain answer.

use aml_miner::digest::Digest;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::beacon::{BeaconRound, LOCKED, LockError, LockedKey, Pulse, UnlockError};
use crate::wallet::Hotkey;

const MAGIC: &[u8; 12] = b"amlsealed/1\n";
const CHAIN: usize = 12;
const ROUND: usize = 44;
const KEY: usize = 52;
const NONCE: usize = KEY + LOCKED;
const LENGTH: usize = NONCE + 12;
/// Bytes before the ciphertext.
pub const HEAD: usize = LENGTH + 8;
/// Bytes that sealing adds to a compressed answer.
pub const OVERHEAD: usize = HEAD + 16;
/// Fast enough for 50,000 explained alerts in a few dozen milliseconds.
const LEVEL: i32 = 1;
/// Longest receipt.
const MAX_RECEIPT: usize = 4096;

/// Whose answer, to whom, to which task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parties {
    /// The miner.
    pub miner: Hotkey,
    /// The validator.
    pub validator: Hotkey,
    /// SHA-256 of the task.
    pub task: Digest,
}

/// A plain answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plain {
    /// Value of `X-AML-Receipt`; `None` where the API sent none.
    pub receipt: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// Why an answer was not sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The key was not locked.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// Compression or encryption failed.
    #[error("{0}")]
    Failed(&'static str),
    /// The receipt does not fit.
    #[error("the receipt is no single line of at most {MAX_RECEIPT} bytes")]
    Receipt,
}

/// What is wrong with a sealed answer. Each costs its sender only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Spoiled {
    /// Shorter than its own head, or cut off.
    #[error("it ends too early")]
    Truncated,
    /// Another form.
    #[error("it is not of the form amlsealed/1")]
    Form,
    /// Encrypted to another beacon than was signed.
    #[error("it is sealed to another beacon than its signature says")]
    OtherBeacon,
    /// Encrypted to another round than was signed.
    #[error("it is sealed to another round than its signature says")]
    OtherRound,
    /// The locked key does not open.
    #[error("its key does not open with the round's signature")]
    Locked,
    /// The key opens, the text does not: another miner's, for another validator or another task, or changed.
    #[error("it was sealed by somebody else, for somebody else, for another task, or was changed")]
    Swapped,
    /// It says that it unpacks to more than an answer may have, or unpacks to something else than it says.
    #[error("it unpacks to more than an answer may have, or not to what it says")]
    Bomb,
    /// What was sealed has no receipt line.
    #[error("what was sealed is no answer")]
    Content,
    /// Not the plain answer whose digest was signed.
    #[error("it opens to another answer than the one whose digest was signed")]
    OtherPlain,
    /// Sealed to an opening after the round's.
    #[error("it opens later than this round")]
    TooLate,
    /// At no time at which a round of that day can open.
    #[error("it opens at no time at which a round of this day may open")]
    NoOpening,
    /// Its opening had passed when it arrived.
    #[error("it could be read by anybody when it arrived")]
    OpenAlready,
}

impl Spoiled {
    /// A stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Truncated => "truncated",
            Self::Form => "other_form",
            Self::OtherBeacon => "other_beacon",
            Self::OtherRound => "other_round",
            Self::Locked => "locked_otherwise",
            Self::Swapped => "not_its_own",
            Self::Bomb => "bomb",
            Self::Content => "no_answer",
            Self::OtherPlain => "other_plain",
            Self::TooLate => "opens_too_late",
            Self::NoOpening => "no_opening",
            Self::OpenAlready => "open_already",
        }
    }
}

/// A plain answer with its receipt, compressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// Bytes before they were compressed.
    length: u64,
    /// One zstd frame.
    frame: Vec<u8>,
}

impl Packed {
    /// Compresses an answer and its receipt.
    ///
    /// # Errors
    /// When the receipt is none.
    pub fn of(receipt: Option<&str>, body: &[u8]) -> Result<Self, SealError> {
        let receipt = receipt.unwrap_or_default();
        if receipt.len() > MAX_RECEIPT || receipt.contains(['\n', '\r']) {
            return Err(SealError::Receipt);
        }
        let length = receipt.len() as u64 + 1 + body.len() as u64;
        let frame = compressed(receipt, body, length);
        Ok(Self { length, frame: frame.map_err(|_| SealError::Failed("the answer was not compressed"))? })
    }

    /// The frame: what a miner keeps.
    #[must_use]
    pub fn frame(&self) -> &[u8] {
        &self.frame
    }
}

/// What a frame of at most `most` bytes of answer holds.
///
/// # Errors
/// What is wrong with it.
pub fn unpack(frame: &[u8], most: u64) -> Result<Plain, Spoiled> {
    let told = zstd::zstd_safe::get_frame_content_size(frame).ok().flatten().ok_or(Spoiled::Bomb)?;
    unpacked(frame, told, most)
}

fn unpacked(frame: &[u8], length: u64, most: u64) -> Result<Plain, Spoiled> {
    let most = most.saturating_add(MAX_RECEIPT as u64 + 1);
    let length = usize::try_from(length).ok().filter(|_| length <= most).ok_or(Spoiled::Bomb)?;
    let mut plain = zstd::bulk::decompress(frame, length).map_err(|_| Spoiled::Bomb)?;
    if plain.len() != length {
        return Err(Spoiled::Bomb);
    }
    let end = plain.iter().take(MAX_RECEIPT + 1).position(|byte| *byte == b'\n').ok_or(Spoiled::Content)?;
    let receipt = plain.get(..end).and_then(|line| std::str::from_utf8(line).ok()).ok_or(Spoiled::Content)?;
    let receipt = (!receipt.is_empty()).then(|| receipt.to_owned());
    plain.drain(..=end);
    Ok(Plain { receipt, body: plain })
}

/// Seals an answer to a round.
///
/// # Errors
/// Without randomness.
pub fn seal(packed: Packed, to: BeaconRound, parties: &Parties) -> Result<Vec<u8>, SealError> {
    let Packed { length, frame: mut text } = packed;
    let mut key = Zeroizing::new([0_u8; 32]);
    let mut nonce = [0_u8; 12];
    let random = |bytes: &mut [u8]| getrandom::fill(bytes).map_err(LockError::Randomness);
    random(key.as_mut())?;
    random(&mut nonce)?;
    let mut head = Vec::with_capacity(HEAD);
    head.extend_from_slice(MAGIC);
    head.extend_from_slice(&to.beacon.chain());
    head.extend_from_slice(&to.round.to_be_bytes());
    head.extend_from_slice(&LockedKey::lock(&key, to)?.0);
    head.extend_from_slice(&nonce);
    head.extend_from_slice(&length.to_be_bytes());
    let failed = |_| SealError::Failed("the answer was not encrypted");
    let key = UnboundKey::new(&AES_256_GCM, key.as_ref()).map(LessSafeKey::new).map_err(failed)?;
    let bound = Aad::from(bound_to(&head, parties));
    let tag = key.seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), bound, &mut text).map_err(failed)?;
    head.reserve_exact(text.len() + 16);
    head.append(&mut text);
    head.extend_from_slice(tag.as_ref());
    Ok(head)
}

/// One frame that says how long it is.
fn compressed(receipt: &str, body: &[u8], length: u64) -> std::io::Result<Vec<u8>> {
    use std::io::Write as _;

    let mut encoder = zstd::stream::Encoder::new(Vec::with_capacity(body.len() / 4 + 256), LEVEL)?;
    encoder.set_pledged_src_size(Some(length))?;
    encoder.include_contentsize(true)?;
    encoder.write_all(receipt.as_bytes())?;
    encoder.write_all(b"\n")?;
    encoder.write_all(body)?;
    encoder.finish()
}

fn bound_to(head: &[u8], parties: &Parties) -> Vec<u8> {
    [head, parties.miner.as_bytes(), parties.validator.as_bytes(), parties.task.as_bytes()].concat()
}

/// A sealed answer, taken apart; nothing of it is believed.
#[derive(Debug)]
pub struct Sealed<'a> {
    head: &'a [u8],
    to: BeaconRound,
    key: LockedKey,
    nonce: [u8; 12],
    length: u64,
    text: &'a [u8],
}

impl<'a> Sealed<'a> {
    /// Takes `bytes` apart, which should be sealed to the round that was signed.
    ///
    /// # Errors
    /// When they are not.
    pub fn read(bytes: &'a [u8], signed: BeaconRound) -> Result<Self, Spoiled> {
        let known = bytes.len().min(MAGIC.len());
        if bytes.get(..known) != MAGIC.get(..known) {
            return Err(Spoiled::Form);
        }
        let (head, text) = bytes.split_at_checked(HEAD).ok_or(Spoiled::Truncated)?;
        if text.len() < 16 {
            return Err(Spoiled::Truncated);
        }
        if head[CHAIN..ROUND] != signed.beacon.chain() {
            return Err(Spoiled::OtherBeacon);
        }
        if number(&head[ROUND..KEY]) != signed.round {
            return Err(Spoiled::OtherRound);
        }
        let (mut key, mut nonce) = ([0; LOCKED], [0; 12]);
        key.copy_from_slice(&head[KEY..NONCE]);
        nonce.copy_from_slice(&head[NONCE..LENGTH]);
        let (key, length) = (LockedKey(key), number(&head[LENGTH..]));
        Ok(Self { head, to: signed, key, nonce, length, text })
    }

    /// Opens it with the pulse of its round. It has at most `most` bytes then, of which so much memory is taken.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn open(&self, pulse: &Pulse, parties: &Parties, most: u64) -> Result<Plain, Spoiled> {
        if pulse.of() != self.to {
            return Err(Spoiled::OtherRound);
        }
        if self.length > most.saturating_add(MAX_RECEIPT as u64 + 1) {
            return Err(Spoiled::Bomb);
        }
        let key = self.key.unlock(pulse).map_err(|error| match error {
            UnlockError::Shape | UnlockError::Closed => Spoiled::Locked,
        })?;
        let key = UnboundKey::new(&AES_256_GCM, key.as_ref()).map(LessSafeKey::new).map_err(|_| Spoiled::Locked)?;
        let bound = Aad::from(bound_to(self.head, parties));
        let mut text = self.text.to_vec();
        let nonce = Nonce::assume_unique_for_key(self.nonce);
        let packed = key.open_in_place(nonce, bound, &mut text).map_err(|_| Spoiled::Swapped)?;
        unpacked(packed, self.length, most)
    }
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}
