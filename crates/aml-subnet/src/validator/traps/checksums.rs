//! Addresses that carry a checksum: a fresh one must carry a valid one, or anybody can tell it from a real one.

use sha3::{Digest as _, Keccak256};

use super::draw::Draw;
use crate::wallet::Hotkey;

/// A random address of the kind of `example`; `None` when that is of no kind with a checksum.
pub(super) fn fresh_address(example: &str, draw: &mut Draw) -> Option<String> {
    if example.parse::<Hotkey>().is_ok() {
        return Some(Hotkey::from_bytes(bytes(draw)).to_string());
    }
    let digits = example.strip_prefix("0x")?;
    if digits == digits.to_ascii_lowercase() || mixed_case(&digits.to_ascii_lowercase())? != digits {
        return None;
    }
    let fresh: [u8; 20] = bytes(draw);
    mixed_case(&hex::encode(fresh)).map(|digits| format!("0x{digits}"))
}

fn bytes<const N: usize>(draw: &mut Draw) -> [u8; N] {
    std::array::from_fn(|_| draw.number().to_le_bytes()[0])
}

/// Ethereum's checksum (EIP-55): a letter is upper-case where the digest of the address has a digit above 7.
fn mixed_case(lower: &str) -> Option<String> {
    if lower.len() != 40 || !lower.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let digest = hex::encode(Keccak256::digest(lower.as_bytes()));
    let raise = |(letter, digit): (char, char)| if digit > '7' { letter.to_ascii_uppercase() } else { letter };
    Some(lower.chars().zip(digest.chars()).map(raise).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fresh_addresses_of_ethereum_carry_a_valid_checksum() {
        // The example of EIP-55.
        let example = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
        let fresh = fresh_address(example, &mut Draw::new(&[b"test"])).expect("of that kind");
        assert_ne!(fresh, example);
        assert_eq!(mixed_case(&fresh[2..].to_ascii_lowercase()).as_deref(), Some(&fresh[2..]));
        assert!(fresh_address(&example.to_ascii_lowercase(), &mut Draw::new(&[b"test"])).is_none());
    }

    #[test]
    fn fresh_addresses_of_substrate_can_be_read_back() {
        let example = Hotkey::from_bytes([7; 32]).to_string();
        let fresh = fresh_address(&example, &mut Draw::new(&[b"test"])).expect("of that kind");
        assert!(fresh.parse::<Hotkey>().is_ok());
    }
}
