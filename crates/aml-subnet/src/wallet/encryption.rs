//! Encrypted key files, in the three forms that the public tools have written over the years.
//!
//! All of them cost seconds (and the newest one 512 MiB) by intent: unlock once, off the async threads.

use std::num::NonZeroU32;

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::{cipher, hmac, pbkdf2};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use crypto_secretbox::aead::{Aead as _, KeyInit as _};
use crypto_secretbox::{Nonce, XSalsa20Poly1305};
use zeroize::{Zeroize as _, Zeroizing};

const NACL: &[u8] = b"$NACL";
const VAULT: &[u8] = b"$ANSIBLE_VAULT";
const VAULT_HEADER: &str = "$ANSIBLE_VAULT;1.1;AES256";
const FERNET: &[u8] = b"gAAAAA";

/// Salt that the SDKs use for every NaCl file.
const NACL_SALT: [u8; 16] =
    [0x13, 0x71, 0x83, 0xdf, 0xf1, 0x5a, 0x09, 0xbc, 0x9c, 0x90, 0xb5, 0x51, 0x87, 0x39, 0xe9, 0xb1];
/// Memory of NaCl's "sensitive" profile, in KiB; 8 passes, one lane.
const NACL_MEMORY_KIB: u32 = 512 * 1024;
const FERNET_SALT: &[u8] = b"Iguesscyborgslikemyselfhaveatendencytobeparanoidaboutourorigins";
const FERNET_ROUNDS: NonZeroU32 = NonZeroU32::new(10_000_000).expect("not zero");
const VAULT_ROUNDS: NonZeroU32 = NonZeroU32::new(10_000).expect("not zero");

/// How a key file is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// `$NACL`: Argon2i and a secretbox; what both SDKs write.
    Nacl,
    /// `$ANSIBLE_VAULT;1.1;AES256`.
    AnsibleVault,
    /// A Fernet token, from the first releases.
    Fernet,
}

impl Encryption {
    /// Tells by the first bytes; `None` for a plain file.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let forms = [(NACL, Self::Nacl), (VAULT, Self::AnsibleVault), (FERNET, Self::Fernet)];
        forms.into_iter().find(|(prefix, _)| bytes.starts_with(prefix)).map(|(_, form)| form)
    }

    /// Decrypts a whole file.
    ///
    /// # Errors
    /// When the password is wrong or the file was damaged: the two cannot be told apart.
    pub fn open(self, bytes: &[u8], password: &str) -> Result<Zeroizing<Vec<u8>>, DecryptError> {
        match self {
            Self::Nacl => open_nacl(bytes, password),
            Self::AnsibleVault => open_vault(bytes, password),
            Self::Fernet => open_fernet(bytes, password),
        }
    }
}

/// Why a file could not be decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecryptError {
    /// Truncated, or not what its first bytes promise.
    #[error("the encrypted data is malformed")]
    Malformed,
    /// The authentication tag does not match.
    #[error("wrong password, or the file was damaged")]
    WrongPassword,
    /// Argon2 needs 512 MiB.
    #[error("cannot derive the key: 512 MiB of memory are needed for it")]
    Memory,
}

fn open_nacl(bytes: &[u8], password: &str) -> Result<Zeroizing<Vec<u8>>, DecryptError> {
    let sealed = bytes.strip_prefix(NACL).ok_or(DecryptError::Malformed)?;
    let (nonce, sealed) = sealed.split_at_checked(24).ok_or(DecryptError::Malformed)?;
    let params = Params::new(NACL_MEMORY_KIB, 8, 1, Some(32)).map_err(|_| DecryptError::Memory)?;
    let mut key = Zeroizing::new([0_u8; 32]);
    Argon2::new(Algorithm::Argon2i, Version::V0x13, params)
        .hash_password_into(password.as_bytes(), &NACL_SALT, &mut *key)
        .map_err(|_| DecryptError::Memory)?;
    let secretbox = XSalsa20Poly1305::new((&*key).into());
    secretbox.decrypt(Nonce::from_slice(nonce), sealed).map(Zeroizing::new).map_err(|_| DecryptError::WrongPassword)
}

/// Hex of `hex(salt) \n hex(mac) \n hex(ciphertext)`, wrapped at 80 columns.
fn open_vault(bytes: &[u8], password: &str) -> Result<Zeroizing<Vec<u8>>, DecryptError> {
    let text = std::str::from_utf8(bytes).map_err(|_| DecryptError::Malformed)?;
    let (header, body) = text.split_once('\n').ok_or(DecryptError::Malformed)?;
    if header.trim_end() != VAULT_HEADER {
        return Err(DecryptError::Malformed);
    }
    let joined: String = body.split_ascii_whitespace().collect();
    let inner = hex::decode(joined).map_err(|_| DecryptError::Malformed)?;
    let parts: Vec<Vec<u8>> = inner
        .split(|byte| *byte == b'\n')
        .map(hex::decode)
        .collect::<Result<_, _>>()
        .map_err(|_| DecryptError::Malformed)?;
    let [salt, mac, sealed] = <[Vec<u8>; 3]>::try_from(parts).map_err(|_| DecryptError::Malformed)?;
    let mut keys = Zeroizing::new([0_u8; 80]);
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, VAULT_ROUNDS, &salt, password.as_bytes(), &mut *keys);
    hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, &keys[32..64]), &sealed, &mac)
        .map_err(|_| DecryptError::WrongPassword)?;
    let mut plain = Zeroizing::new(sealed);
    let iv = <[u8; 16]>::try_from(&keys[64..]).map_err(|_| DecryptError::Malformed)?;
    decrypt_ctr(&keys[..32], iv, &mut plain)?;
    strip_pkcs7(&mut plain)?;
    Ok(plain)
}

fn decrypt_ctr(key: &[u8], iv: [u8; 16], data: &mut [u8]) -> Result<(), DecryptError> {
    let key = cipher::UnboundCipherKey::new(&cipher::AES_256, key).map_err(|_| DecryptError::Malformed)?;
    let key = cipher::DecryptingKey::ctr(key).map_err(|_| DecryptError::Malformed)?;
    key.decrypt(data, cipher::DecryptionContext::Iv128(iv.into())).map_err(|_| DecryptError::Malformed)?;
    Ok(())
}

fn strip_pkcs7(plain: &mut Vec<u8>) -> Result<(), DecryptError> {
    let padding = usize::from(*plain.last().ok_or(DecryptError::Malformed)?);
    let kept = plain.len().checked_sub(padding).ok_or(DecryptError::Malformed)?;
    if !(1..=16).contains(&padding) || plain[kept..].iter().any(|byte| usize::from(*byte) != padding) {
        return Err(DecryptError::Malformed);
    }
    plain[kept..].zeroize();
    plain.truncate(kept);
    Ok(())
}

fn open_fernet(bytes: &[u8], password: &str) -> Result<Zeroizing<Vec<u8>>, DecryptError> {
    let token = std::str::from_utf8(bytes).map_err(|_| DecryptError::Malformed)?.trim();
    let mut key = Zeroizing::new([0_u8; 32]);
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, FERNET_ROUNDS, FERNET_SALT, password.as_bytes(), &mut *key);
    let key = Zeroizing::new(URL_SAFE.encode(*key));
    let fernet = fernet::Fernet::new(&key).ok_or(DecryptError::Malformed)?;
    fernet.decrypt(token).map(Zeroizing::new).map_err(|_| DecryptError::WrongPassword)
}
