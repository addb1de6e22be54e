//! Signed receipts: which model turned which request into which answer.
//!
//! A receipt is JSON in base64url (no padding) in the header [`HEADER`]. Its ed25519 signature is over the bytes of
//! [`Receipt::signed_bytes`], shared by [`sign`](ReceiptKey::sign) and [`verify`]; `docs/receipts.md` shows them.

mod key;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::digest::Digest;

pub use key::{KEY_FILE, KeyFileError, ReceiptKey};

/// The response header that carries a receipt.
pub const HEADER: &str = "x-aml-receipt";

/// Begins the signed bytes, so that the signature means nothing elsewhere.
const DOMAIN: &str = "aml-receipt/1";
/// The only version there is.
const VERSION: u8 = 1;
/// Longest header that is looked at; ours have about 800 bytes.
const MAX_HEADER: usize = 4096;

/// What a receipt says about one answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// SHA-256 of the raw (decoded) request body.
    pub input: Digest,
    /// SHA-256 of the raw (uncompressed) answer body.
    pub output: Digest,
    /// Version of the model.
    pub model_version: String,
    /// SHA-256 of the model file.
    pub model: Digest,
    /// Hash of the model's schema.
    pub schema: Digest,
    /// When, in milliseconds since the epoch.
    pub timestamp: u64,
}

/// A statement and its signature, as they travel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// Version of the layout.
    pub v: u8,
    /// SHA-256 of the raw (decoded) request body.
    pub input_sha256: Digest,
    /// SHA-256 of the raw (uncompressed) answer body.
    pub output_sha256: Digest,
    /// Version of the model.
    pub model_version: String,
    /// SHA-256 of the model file.
    pub model_sha256: Digest,
    /// Hash of the model's schema.
    pub schema_sha256: Digest,
    /// Milliseconds since the epoch.
    pub timestamp: u64,
    /// Who signed: 64 lowercase hex digits.
    pub public_key: Digest,
    /// 128 lowercase hex digits.
    pub signature: String,
}

/// Why a receipt proves nothing.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// The header is not base64url of a receipt's JSON.
    #[error("the receipt cannot be read: {0}")]
    Malformed(String),
    /// The layout is of another version.
    #[error("the receipt has version {0}, only version 1 is known")]
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
    /// The bytes that are signed: domain, digests, version of the model, time and key, one per line.
    #[must_use]
    pub fn signed_bytes(statement: &Statement, public_key: &Digest) -> Vec<u8> {
        let Statement { input, output, model_version, model, schema, timestamp } = statement;
        format!("{DOMAIN}\n{input}\n{output}\n{model_version}\n{model}\n{schema}\n{timestamp}\n{public_key}")
            .into_bytes()
    }

    /// What the receipt says.
    #[must_use]
    pub fn statement(&self) -> Statement {
        Statement {
            input: self.input_sha256,
            output: self.output_sha256,
            model_version: self.model_version.clone(),
            model: self.model_sha256,
            schema: self.schema_sha256,
            timestamp: self.timestamp,
        }
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
    /// When it is not a receipt of version 1.
    pub fn from_header(header: &str) -> Result<Self, ReceiptError> {
        if header.len() > MAX_HEADER {
            return Err(ReceiptError::Malformed(format!("longer than {MAX_HEADER} bytes")));
        }
        let json = URL_SAFE_NO_PAD.decode(header).map_err(|error| ReceiptError::Malformed(error.to_string()))?;
        let receipt: Self =
            serde_json::from_slice(&json).map_err(|error| ReceiptError::Malformed(error.to_string()))?;
        if receipt.v != VERSION {
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
        let message = Self::signed_bytes(&self.statement(), &self.public_key);
        key.verify_strict(&message, &Signature::from_bytes(&signature)).map_err(|_| ReceiptError::Signature)
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
