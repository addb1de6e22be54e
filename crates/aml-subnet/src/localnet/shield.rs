//! The shield of the newest runtime: a transaction within a transaction, encrypted until a block carries it out.
//!
//! A client encrypts to the key that the chain announces in `MevShield.NextKey` (ML-KEM-768, then XChaCha20-Poly1305), and sends
//! the result in `submit_encrypted`. The block that has the carrier has what it carried right after it. One process makes every
//! block here, so one key serves as long as it runs, and nothing is hidden from whoever runs it.

use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::kem::{Ciphertext, DecapsulationKey, ML_KEM_768};
use parity_scale_codec::Encode as _;
use sp_crypto_hashing::twox_128;

use super::exec::{Exec, Fault, Origin};
use super::extrinsic::{Signed, blake2_256};
use super::items::shield::NEXT_KEY;
use super::mirror::node_subtensor_runtime::{RuntimeCall, RuntimeEvent};
use super::mirror::pallet_shield::pallet::{Call, Event};
use super::mirror::{BoundedVec, frame_system};

/// Longest ciphertext, as in the original.
const MAX_SEALED: usize = 8192;

/// The key to what is encrypted.
pub(crate) struct Shield {
    key: DecapsulationKey,
    public: Vec<u8>,
}

impl Shield {
    /// A new key; `None` where the machine gives none, and then the chain has no shield.
    pub(crate) fn new() -> Option<Self> {
        let key = DecapsulationKey::generate(&ML_KEM_768).ok()?;
        let public = key.encapsulation_key().ok()?.key_bytes().ok()?.as_ref().to_vec();
        Some(Self { key, public })
    }

    /// Tells everybody the key, where the runtime has a shield.
    pub(crate) fn announce(&self, exec: &mut Exec<'_>) {
        let known = |key: BoundedVec<u8>| key.0 == self.public;
        if exec.spec.has_shield() && !NEXT_KEY.find(&exec.db, ()).is_some_and(known) {
            NEXT_KEY.put(&mut exec.db, (), &BoundedVec(self.public.clone()));
        }
    }

    /// The transaction that a call carries, and its bytes; `None` of what is none.
    pub(crate) fn carried(&self, call: &RuntimeCall) -> Option<(Signed, Vec<u8>)> {
        let RuntimeCall::MevShield(Call::submit_encrypted { ciphertext }) = call else { return None };
        let opened = self.open(&ciphertext.0)?;
        // With its length in front of it, or without.
        [opened.encode(), opened].into_iter().find_map(|bytes| Some((Signed::read(&bytes).ok()?, bytes)))
    }

    /// Digest of the key, length of what it encapsulates, that, a nonce, the encrypted bytes.
    fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let (key_digest, rest) = sealed.split_first_chunk::<16>()?;
        let (length, rest) = rest.split_first_chunk::<2>()?;
        let (encapsulated, rest) = rest.split_at_checked(u16::from_le_bytes(*length).into())?;
        let (nonce, body) = rest.split_first_chunk::<24>()?;
        if *key_digest != twox_128(&self.public) {
            return None;
        }
        let secret = self.key.decapsulate(Ciphertext::from(encapsulated)).ok()?;
        open_xchacha(secret.as_ref().first_chunk()?, nonce, body)
    }
}

/// XChaCha20-Poly1305: ChaCha20-Poly1305 under a key that HChaCha20 makes from the first 16 bytes of the nonce.
fn open_xchacha(key: &[u8; 32], nonce: &[u8; 24], body: &[u8]) -> Option<Vec<u8>> {
    let (first, last) = nonce.split_first_chunk::<16>()?;
    let mut short = [0; 12];
    short[4..].copy_from_slice(last);
    let key = LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &hchacha20(key, first)).ok()?);
    let mut bytes = body.to_vec();
    let opened = key.open_in_place(Nonce::assume_unique_for_key(short), Aad::empty(), &mut bytes).ok()?.len();
    bytes.truncate(opened);
    Some(bytes)
}

/// The first and last row of ChaCha20's state after its rounds.
fn hchacha20(key: &[u8; 32], nonce: &[u8; 16]) -> [u8; 32] {
    let mut state = [0_u32; 16];
    let input = [b"expand 32-byte k".as_slice(), key, nonce].concat();
    for (word, bytes) in state.iter_mut().zip(input.as_chunks().0) {
        *word = u32::from_le_bytes(*bytes);
    }
    for _ in 0..10 {
        for column in 0..4 {
            quarter(&mut state, [column, column + 4, column + 8, column + 12]);
        }
        for column in 0..4 {
            quarter(&mut state, [column, 4 + (column + 1) % 4, 8 + (column + 2) % 4, 12 + (column + 3) % 4]);
        }
    }
    let mut out = [0; 32];
    for (bytes, word) in out.as_chunks_mut().0.iter_mut().zip(state[..4].iter().chain(&state[12..])) {
        *bytes = word.to_le_bytes();
    }
    out
}

fn quarter(state: &mut [u32; 16], [a, b, c, d]: [usize; 4]) {
    for (by_d, by_b) in [(16, 12), (8, 7)] {
        state[a] = state[a].wrapping_add(state[b]);
        state[d] = (state[d] ^ state[a]).rotate_left(by_d);
        state[c] = state[c].wrapping_add(state[d]);
        state[b] = (state[b] ^ state[c]).rotate_left(by_b);
    }
}

/// `submit_encrypted`: nothing but a note; what it carries is a transaction of its own.
pub(crate) fn submit(exec: &mut Exec<'_>, origin: Origin, call: &Call) -> Result<(), Fault> {
    let (who, Call::submit_encrypted { ciphertext }) = (origin.signer()?, call);
    if ciphertext.0.is_empty() || ciphertext.0.len() > MAX_SEALED {
        return Err(Fault::System(frame_system::pallet::Error::CallFiltered));
    }
    let id = blake2_256(&(who, ciphertext).encode());
    exec.emit(RuntimeEvent::MevShield(Event::EncryptedSubmitted { id, who }));
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sealed(shield: &Shield, text: &[u8]) -> Vec<u8> {
        let (encapsulated, secret) = shield.key.encapsulation_key().unwrap().encapsulate().unwrap();
        let nonce: [u8; 24] = std::array::from_fn(|at| u8::try_from(at).unwrap());
        let own = hchacha20(secret.as_ref().first_chunk().unwrap(), nonce.first_chunk().unwrap());
        let key = LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &own).unwrap());
        let mut body = text.to_vec();
        let short = [[0; 4].as_slice(), &nonce[16..]].concat().try_into().unwrap();
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(short), Aad::empty(), &mut body).unwrap();
        let length = u16::try_from(encapsulated.as_ref().len()).unwrap().to_le_bytes();
        [twox_128(&shield.public).as_slice(), &length, encapsulated.as_ref(), &nonce, &body].concat()
    }

    #[test]
    fn the_inner_key_is_that_of_the_specification() {
        let key: [u8; 32] = std::array::from_fn(|at| u8::try_from(at).unwrap());
        let nonce = hex::decode("000000090000004a0000000031415927").unwrap().try_into().unwrap();
        let made = "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc";
        assert_eq!(hex::encode(hchacha20(&key, &nonce)), made);
    }

    #[test]
    fn what_was_encrypted_to_the_key_opens_and_nothing_else_does() {
        let (ours, theirs) = (Shield::new().unwrap(), Shield::new().unwrap());
        let good = sealed(&ours, b"a transaction");
        assert_eq!(ours.open(&good).as_deref(), Some(b"a transaction".as_slice()));
        assert_eq!(theirs.open(&good), None);
        for place in [0, 17, 30, good.len() - 30, good.len() - 1] {
            let mut bad = good.clone();
            bad[place] ^= 1;
            assert_eq!(ours.open(&bad), None, "byte {place}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..1400)) {
            let shield = Shield::new().unwrap();
            prop_assert_eq!(shield.open(&bytes), None);
            let after_the_key = [twox_128(&shield.public).as_slice(), &bytes].concat();
            prop_assert_eq!(shield.open(&after_the_key), None);
        }
    }
}
