//! What makes a message believable: an HMAC as Standard Webhooks has it, and the hotkey's signature.

use std::fmt;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::wallet::Signer;

/// What the hotkey signs begins with this.
const DOMAIN: &[u8] = b"aml-webhook/1\n";
/// How a secret of Standard Webhooks begins; the rest is base64.
const PREFIX: &str = "whsec_";
/// Shorter ones can be guessed.
const LEAST: usize = 16;

/// A shared secret.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// A text that is no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSecret {
    /// It begins like one of Standard Webhooks.
    #[error("what follows whsec_ is no base64")]
    Base64,
    /// It can be guessed.
    #[error("it has fewer than {LEAST} bytes")]
    Short,
}

impl Secret {
    /// The secret that a text names: base64 behind `whsec_`, else its own bytes.
    ///
    /// # Errors
    /// When it is none, or too short.
    pub fn parse(text: &str) -> Result<Self, BadSecret> {
        let text = text.trim();
        let bytes = match text.strip_prefix(PREFIX) {
            Some(rest) => STANDARD.decode(rest).map_err(|_| BadSecret::Base64)?,
            None => text.as_bytes().to_vec(),
        };
        if bytes.len() < LEAST { Err(BadSecret::Short) } else { Ok(Self(Zeroizing::new(bytes))) }
    }

    /// `v1,` and the HMAC-SHA256 of a message.
    pub(super) fn signature(&self, message: &Message<'_>) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        format!("v1,{}", STANDARD.encode(hmac::sign(&key, &message.content())))
    }
}

/// What is signed.
pub(super) struct Message<'a> {
    /// The same each time.
    pub(super) id: &'a str,
    /// When it is sent, in seconds since 1970.
    pub(super) at: u64,
    /// As it is sent.
    pub(super) body: &'a [u8],
}

impl Message<'_> {
    fn content(&self) -> Vec<u8> {
        [format!("{}.{}.", self.id, self.at).as_bytes(), self.body].concat()
    }

    /// The scheme and the hotkey's signature, in hex.
    pub(super) fn signed_by(&self, signer: &Signer) -> String {
        let told = [DOMAIN, &self.content()].concat();
        format!("{},{}", signer.scheme(), hex::encode(signer.sign(&told)))
    }
}

#[cfg(test)]
mod tests {
    use super::{BadSecret, Message, Secret};

    #[test]
    fn the_signature_is_that_of_standard_webhooks() {
        // Made with Python's hmac and base64.
        let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").expect("a secret");
        let message =
            Message { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", at: 1_614_265_330, body: br#"{"test": 2432232314}"# };
        assert_eq!(secret.signature(&message), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(format!("{secret:?}"), "Secret");
    }

    #[test]
    fn what_can_be_guessed_is_no_secret() {
        assert_eq!(Secret::parse("short").err(), Some(BadSecret::Short));
        assert_eq!(Secret::parse("whsec_****").err(), Some(BadSecret::Base64));
        assert!(Secret::parse("sixteen bytes and more").is_ok());
    }
}
