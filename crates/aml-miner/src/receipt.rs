//! Signed receipts: which model turned which request into which answer.
//!
//! A receipt is JSON in base64url (no padding) in the header [`HEADER`]. Its ed25519 signature is over the bytes of
//! [`Receipt::signed_bytes`], shared by [`sign`](ReceiptKey::sign) and [`verify`]; `docs/receipts.md` shows them.
//!
//! Version 2 is signed. Version 1, which does not say how the request was read nor beside which state, is still verified.

mod key;
mod layout;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, VerifyingKey};

use crate::digest::Digest;

pub use key::{KEY_FILE, KeyFileError, ReceiptKey};
pub use layout::{InputForm, Receipt};

/// The response header that carries a receipt.
pub const HEADER: &str = "x-aml-receipt";

/// The version that is signed.
const VERSION: u8 = 2;
/// The version before, which is verified.
const FIRST: u8 = 1;
/// Longest header that is looked at; ours have about 950 bytes.
const MAX_HEADER: usize = 4096;

/// What a receipt says about one answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// SHA-256 of the raw (decoded) request body.
    pub input: Digest,
    /// What the request body was read as.
    pub form: InputForm,
    /// SHA-256 of the raw (uncompressed) answer body.
    pub output: Digest,
    /// Version of the model.
    pub model_version: String,
    /// SHA-256 of the model file.
    pub model: Digest,
    /// Hash of the model's schema.
    pub schema: Digest,
    /// SHA-256 of the state that was read beside the request; `None` without one.
    pub state: Option<Digest>,
    /// When, in milliseconds since the epoch.
    pub timestamp: u64,
}

/// Why a receipt proves nothing.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// The header is not base64url of a receipt's JSON.
    #[error("the receipt cannot be read: {0}")]
    Malformed(String),
    /// The layout is of another version.
    #[error("the receipt has version {0}, only versions {FIRST} and {VERSION} are known")]
    Version(u8),
    /// The request body is not the one that was answered.
    #[error("the request has digest {actual}, the receipt says {expected}")]
    Input {
        /// In the receipt.
        expected: Digest,
        /// Of the body at hand.
        actual: Digest,
    },
    /// The answer is not the one that was given.
    #[error("the answer has digest {actual}, the receipt says {expected}")]
    Output {
        /// In the receipt.
        expected: Digest,
        /// Of the body at hand.
        actual: Digest,
    },
    /// Somebody else signed.
    #[error("the receipt is signed by {actual}, not by the expected key {expected}")]
    Signer {
        /// The key that was asked for.
        expected: Digest,
        /// The key in the receipt.
        actual: Digest,
    },
    /// The signature does not hold.
    #[error("the signature does not hold")]
    Signature,
}

impl Receipt {
    /// The bytes that are signed: a domain that names the version, then what the receipt says, one a line.
    #[must_use]
    pub fn signed_bytes(&self) -> Vec<u8> {
        let Self { v, input_sha256, output_sha256, model_version, model_sha256, schema_sha256, .. } = self;
        let form = self.input_form.map(|form| format!("{}\n", form.name())).unwrap_or_default();
        let state = match (self.v, self.state_sha256) {
            (FIRST, _) => String::new(),
            (_, None) => "-\n".to_owned(),
            (_, Some(state)) => format!("{state}\n"),
        };
        let (timestamp, public_key) = (self.timestamp, self.public_key);
        format!(
            "aml-receipt/{v}\n{input_sha256}\n{form}{output_sha256}\n{model_version}\n{model_sha256}\n{schema_sha256}\n\
             {state}{timestamp}\n{public_key}"
        )
        .into_bytes()
    }

    /// The header's value.
    #[must_use]
    pub fn to_header(&self) -> String {
        let json = serde_json::to_vec(self).expect("a receipt holds only texts and integers");
        URL_SAFE_NO_PAD.encode(json)
    }

    /// Reads a header's value; nothing is proven by that.
    ///
    /// # Errors
    /// When it is not a receipt of a version that is known.
    pub fn from_header(header: &str) -> Result<Self, ReceiptError> {
        if header.len() > MAX_HEADER {
            return Err(ReceiptError::Malformed(format!("longer than {MAX_HEADER} bytes")));
        }
        let json = URL_SAFE_NO_PAD.decode(header).map_err(|error| ReceiptError::Malformed(error.to_string()))?;
        let receipt: Self =
            serde_json::from_slice(&json).map_err(|error| ReceiptError::Malformed(error.to_string()))?;
        if !matches!(receipt.v, FIRST | VERSION) {
            return Err(ReceiptError::Version(receipt.v));
        }
        if receipt.model_version.contains(['\n', '\r']) {
            return Err(ReceiptError::Malformed("a line break in model_version".to_owned()));
        }
        Ok(receipt)
    }

    fn check_signature(&self) -> Result<(), ReceiptError> {
        let key = VerifyingKey::from_bytes(self.public_key.as_bytes()).map_err(|_| ReceiptError::Signature)?;
        if self.signature.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(ReceiptError::Signature);
        }
        let mut signature = [0; 64];
        hex::decode_to_slice(&self.signature, &mut signature).map_err(|_| ReceiptError::Signature)?;
        key.verify_strict(&self.signed_bytes(), &Signature::from_bytes(&signature)).map_err(|_| ReceiptError::Signature)
    }
}

/// Checks that `header` is a receipt for exactly this request and this answer, signed by `signer` if one is named.
///
/// # Errors
/// The first check that fails: shape, signer, signature, request, answer.
pub fn verify(header: &str, request: &[u8], answer: &[u8], signer: Option<&Digest>) -> Result<Receipt, ReceiptError> {
    verify_digests(header, Digest::of(request), Digest::of(answer), signer)
}

/// As [`verify`], for digests of the request and of the answer that are known already.
///
/// # Errors
/// The first check that fails: shape, signer, signature, request, answer.
pub fn verify_digests(
    header: &str,
    input: Digest,
    output: Digest,
    signer: Option<&Digest>,
) -> Result<Receipt, ReceiptError> {
    let receipt = Receipt::from_header(header)?;
    if let Some(&expected) = signer.filter(|expected| **expected != receipt.public_key) {
        return Err(ReceiptError::Signer { expected, actual: receipt.public_key });
    }
    receipt.check_signature()?;
    if receipt.input_sha256 != input {
        return Err(ReceiptError::Input { expected: receipt.input_sha256, actual: input });
    }
    if receipt.output_sha256 != output {
        return Err(ReceiptError::Output { expected: receipt.output_sha256, actual: output });
    }
    Ok(receipt)
}
