//! Lists whose length is bounded while they are read, and a file's outermost keys: what all JSON models share.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Keys that a file's outermost object is asked for at most.
const MAX_KEYS: usize = 64;
/// Places that are made ahead of their elements.
const AHEAD: usize = 4_096;

/// At most `N` elements: more end the reading, before they take memory.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Capped<T, const N: usize>(pub(super) Vec<T>);

impl<T, const N: usize> Default for Capped<T, N> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>, const N: usize> Deserialize<'de> for Capped<T, N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(CappedVisitor::<T, N>(PhantomData))
    }
}

struct CappedVisitor<T, const N: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const N: usize> Visitor<'de> for CappedVisitor<T, N> {
    type Value = Capped<T, N>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of at most {N}")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut values = Vec::with_capacity(list.size_hint().unwrap_or(0).min(AHEAD).min(N));
        while let Some(value) = list.next_element()? {
            if values.len() == N {
                return Err(A::Error::custom(format_args!("a list has more than {N} elements")));
            }
            values.push(value);
        }
        Ok(Capped(values))
    }
}

/// `true` or `false`, or 1 or 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flag(pub(super) bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FlagVisitor)
    }
}

struct FlagVisitor;

impl Visitor<'_> for FlagVisitor {
    type Value = Flag;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("true, false, 1 or 0")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Flag, E> {
        Ok(Flag(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Flag, E> {
        match value {
            0 | 1 => Ok(Flag(value == 1)),
            other => Err(E::custom(format_args!("{other} is neither 1 nor 0"))),
        }
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Flag, E> {
        u64::try_from(value)
            .map_err(|_| E::custom("a negative number is neither 1 nor 0"))
            .and_then(|v| self.visit_u64(v))
    }
}

/// The text with `null` in the place of `NaN` and infinities, which XGBoost writes and JSON does not have.
pub(super) fn without_wild_numbers(text: &[u8]) -> Cow<'_, [u8]> {
    const WILD: [&[u8]; 3] = [b"NaN", b"Infinity", b"-Infinity"];
    let (mut changed, mut kept, mut at) = (Vec::new(), 0, 0);
    while let Some(next) = text.get(at..).and_then(|rest| memchr::memchr3(b'"', b'N', b'I', rest)) {
        at += next;
        if text[at] == b'"' {
            at = end_of_text(text, at + 1);
            continue;
        }
        // A minus sign belongs to the word behind it.
        let start = at - usize::from(text[..at].ends_with(b"-"));
        match WILD.iter().find(|word| text[start..].starts_with(word)) {
            Some(word) => {
                changed.extend_from_slice(&text[kept..start]);
                changed.extend_from_slice(b"null");
                at = start + word.len();
                kept = at;
            }
            None => at += 1,
        }
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    changed.extend_from_slice(&text[kept..]);
    Cow::Owned(changed)
}

/// Where the text ends whose opening quote is before `at`.
fn end_of_text(text: &[u8], mut at: usize) -> usize {
    while let Some(next) = text.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += next;
        if text[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    text.len()
}

/// The first keys of a JSON object; those before the first that cannot be read.
pub(super) fn keys(text: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let mut reader = serde_json::Deserializer::from_slice(text);
    // What is wrong further on is told by the reader that takes the file.
    let _ = reader.deserialize_map(KeysVisitor(&mut found));
    found
}

struct KeysVisitor<'a>(&'a mut Vec<String>);

impl<'de> Visitor<'de> for KeysVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            self.0.push(key);
            if self.0.len() == MAX_KEYS {
                break;
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::without_wild_numbers;

    #[test]
    fn wild_numbers_become_null_outside_of_texts() {
        let text = br#"{"NaN\"Infinity":[NaN,-Infinity,Infinity,1.5],"I":"N-I\\","a":-1}"#;
        let expected = br#"{"NaN\"Infinity":[null,null,null,1.5],"I":"N-I\\","a":-1}"#;
        assert_eq!(without_wild_numbers(text).as_ref(), expected);
        for same in [&b"[1,2]"[..], b"", b"\"", b"N", b"\"\\"] {
            assert_eq!(without_wild_numbers(same).as_ref(), same);
        }
    }
}
