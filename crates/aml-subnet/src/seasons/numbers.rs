//! Lists of numbers as they travel: base64 of 64-bit floating point numbers, the lowest byte first.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A list of numbers. Any number may be in it, those that are none too: who reads the list decides what it takes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Numbers(pub Vec<f64>);

impl Numbers {
    /// A list in which what is not there is not a number.
    pub(super) fn of_options(values: impl IntoIterator<Item = Option<f64>>) -> Self {
        Self(values.into_iter().map(|value| value.unwrap_or(f64::NAN)).collect())
    }
}

impl FromIterator<f64> for Numbers {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

impl Serialize for Numbers {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let bytes: Vec<u8> = self.0.iter().flat_map(|value| value.to_le_bytes()).collect();
        to.serialize_str(&BASE64_STANDARD.encode(bytes))
    }
}

impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(Base64)
    }
}

struct Base64;

impl Visitor<'_> for Base64 {
    type Value = Numbers;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("base64 of 64-bit floating point numbers")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Numbers, E> {
        let bytes = BASE64_STANDARD.decode(text).map_err(|error| E::custom(format!("not base64: {error}")))?;
        let (whole, rest) = bytes.as_chunks::<8>();
        if !rest.is_empty() {
            return Err(E::custom(format!("{} bytes are no whole list of numbers of 8 bytes", bytes.len())));
        }
        Ok(whole.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::Numbers;

    #[test]
    fn numbers_travel_to_the_bit() {
        let given = Numbers(vec![0.1, -0.0, f64::MIN_POSITIVE, f64::INFINITY]);
        let text = serde_json::to_string(&given).expect("text");
        assert_eq!(text, "\"mpmZmZmZuT8AAAAAAAAAgAAAAAAAABAAAAAAAAAA8H8=\"");
        assert_eq!(serde_json::from_str::<Numbers>(&text).expect("the same"), given);
        let nothing: Numbers = serde_json::from_str("\"\"").expect("an empty list");
        assert!(nothing.0.is_empty());
    }

    #[test]
    fn what_is_no_list_is_refused() {
        let wrong = |text: &str| serde_json::from_str::<Numbers>(text).expect_err("refused").to_string();
        assert!(wrong("\"AAAA\"").contains("3 bytes are no whole list"));
        assert!(wrong("\"??\"").contains("not base64"));
        assert!(wrong("[0.5]").contains("base64 of 64-bit"));
    }
}
