//! The conformance package: every stored vector is what the code says, case by case, and every refusal has a name.
//!
//! `conformance/README.md` tells what the files hold; `conformance/check.py` reads them without a line of this program.
//! Signatures of sr25519 are random, so those of the package are made with randomness that follows from the message.

mod answers;
mod btauth;
mod evidence;
mod receipts;
mod references;
mod scoring_v1;
mod scoring_v2;
mod sealed;
mod synapse;

use aml_miner::digest::Digest;
use aml_subnet::protocol::Refusal;
use aml_subnet::wallet::{Hotkey, Scheme, Signer};
use ark_std::rand::{CryptoRng, Error, RngCore};
use http::{HeaderMap, HeaderName, HeaderValue};
use schnorrkel::context::attach_rng;
use schnorrkel::{ExpansionMode, MiniSecretKey};
use serde_json::{Value, json};

/// The time of all cases, in nanoseconds since 1970.
const NOW: u64 = 1_795_000_000_000_000_000;
const SECOND: u64 = 1_000_000_000;

/// A key whose seed everybody knows.
#[derive(Clone, Copy)]
struct Key {
    name: &'static str,
    seed: [u8; 32],
    scheme: Scheme,
}

/// The development key of the name, which public tools know too.
const ALICE: Key = Key {
    name: "alice",
    seed: [
        0xe5, 0xbe, 0x9a, 0x50, 0x92, 0xb8, 0x1b, 0xca, 0x64, 0xbe, 0x81, 0xd2, 0x12, 0xe7, 0xf2, 0xf9, 0xeb, 0xa1,
        0x83, 0xbb, 0x7a, 0x90, 0x95, 0x4f, 0x7b, 0x76, 0x36, 0x1f, 0x6e, 0xdb, 0x5c, 0x0a,
    ],
    scheme: Scheme::Sr25519,
};
const BOB: Key = Key { name: "bob", seed: [8; 32], scheme: Scheme::Sr25519 };
const EDDIE: Key = Key { name: "eddie", seed: [7; 32], scheme: Scheme::Ed25519 };

impl Key {
    fn signer(&self) -> Signer {
        Signer::from_seed(&self.seed, self.scheme)
    }

    fn hotkey(&self) -> Hotkey {
        self.signer().hotkey()
    }

    /// The same signature each time.
    fn sign(&self, message: &[u8]) -> [u8; 64] {
        match self.scheme {
            Scheme::Ed25519 => self.signer().sign(message),
            Scheme::Sr25519 => {
                let mini = MiniSecretKey::from_bytes(&self.seed).expect("any 32 bytes are a mini secret");
                let pair = mini.expand_to_keypair(ExpansionMode::Ed25519);
                let text = schnorrkel::signing_context(b"substrate").bytes(message);
                pair.sign(attach_rng(text, Repeated(Digest::of(message)))).to_bytes()
            }
        }
    }

    fn json(&self) -> Value {
        let hotkey = self.hotkey();
        json!({ "name": self.name, "scheme": self.scheme.name(), "seed": hex::encode(self.seed),
            "public": hex::encode(hotkey.as_bytes()), "address": hotkey.to_string() })
    }
}

fn keys() -> Value {
    Value::Array([ALICE, BOB, EDDIE].iter().map(Key::json).collect())
}

/// Randomness that is none: digests of digests.
struct Repeated(Digest);

impl RngCore for Repeated {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.fill_bytes(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.fill_bytes(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn fill_bytes(&mut self, to: &mut [u8]) {
        for part in to.chunks_mut(32) {
            self.0 = Digest::of(self.0.as_bytes());
            part.copy_from_slice(&self.0.as_bytes()[..part.len()]);
        }
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Error> {
        self.fill_bytes(to);
        Ok(())
    }
}

impl CryptoRng for Repeated {}

/// Headers as a list of names and values, so that one may stand there twice.
type Headers = Vec<(String, String)>;

/// Headers as signed, with the signature that is the same each time.
fn listed(headers: &HeaderMap, signature: (&str, [u8; 64])) -> Headers {
    let value = |name: &HeaderName, value: &HeaderValue| {
        if name.as_str() == signature.0 {
            format!("0x{}", hex::encode(signature.1))
        } else {
            value.to_str().expect("ASCII").to_owned()
        }
    };
    let mut listed: Headers =
        headers.iter().map(|(name, given)| (name.as_str().to_owned(), value(name, given))).collect();
    listed.sort();
    listed
}

fn headers_of(listed: &Headers) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in listed {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a header name");
        headers.append(name, HeaderValue::from_str(value).expect("a header value"));
    }
    headers
}

/// The value of a header, to be changed.
fn value<'a>(headers: &'a mut Headers, name: &str) -> &'a mut String {
    &mut headers.iter_mut().find(|(known, _)| known == name).unwrap_or_else(|| panic!("no header {name}")).1
}

fn without(headers: &mut Headers, name: &str) {
    let before = headers.len();
    headers.retain(|(known, _)| known != name);
    assert_ne!(headers.len(), before, "no header {name}");
}

fn again(headers: &mut Headers, name: &str) {
    let value = value(headers, name).clone();
    headers.push((name.to_owned(), value));
}

/// One bit of a signature in hex.
fn flip(signature: &mut String) {
    let last = signature.pop().expect("digits");
    signature.push(if last == '0' { '1' } else { '0' });
}

/// What is expected of a case that may be refused by the protocol.
fn judged<T>(result: Result<T, Refusal>, accepted: impl FnOnce(T) -> Value) -> Value {
    match result {
        Ok(value) => accepted(value),
        Err(refusal) => json!({ "refused": refusal.code(), "says": refusal.to_string() }),
    }
}

#[test]
fn the_development_key_of_the_package_is_the_public_one() {
    assert_eq!(ALICE.hotkey().to_string(), "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY");
    for key in [ALICE, BOB, EDDIE] {
        let signature = key.sign(b"message");
        assert_eq!(key.sign(b"message"), signature);
        assert!(aml_subnet::wallet::verify(key.scheme, &key.hotkey(), b"message", &signature));
    }
}
