//! UBJSON as XGBoost writes it: typed arrays with a count, objects without, keys without a marker, big-endian numbers.
//!
//! Nothing is copied before it is asked for, nesting is bounded, and a count never exceeds the bytes that are left.

use std::fmt;

use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};

/// Arrays and objects within each other; XGBoost's have eight.
const MAX_NESTING: u32 = 32;

/// Reads one value.
pub(super) struct Reader<'de> {
    bytes: &'de [u8],
    at: usize,
    nesting: u32,
    /// The type of the next value, where an array has told it for all.
    told: Option<u8>,
}

/// Where and why reading ended.
#[derive(Debug)]
pub(super) struct Broken(String);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Broken {}

impl de::Error for Broken {
    fn custom<T: fmt::Display>(what: T) -> Self {
        Self(what.to_string())
    }
}

impl<'de> Reader<'de> {
    pub(super) fn new(bytes: &'de [u8]) -> Self {
        Self { bytes, at: 0, nesting: 0, told: None }
    }

    /// Nothing may follow.
    pub(super) fn finish(&self) -> Result<(), Broken> {
        if self.at == self.bytes.len() { Ok(()) } else { Err(self.broken("something follows the model")) }
    }

    fn broken(&self, what: &str) -> Broken {
        Broken(format!("UBJSON, byte {}: {what}", self.at))
    }

    fn take(&mut self, count: usize) -> Result<&'de [u8], Broken> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let Some(taken) = rest.get(..count) else {
            return Err(self.broken("the file ends in the middle; copy it again"));
        };
        self.at += count;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Broken> {
        let taken = self.take(N)?;
        taken.try_into().map_err(|_| self.broken("the file ends in the middle"))
    }

    fn byte(&mut self) -> Result<u8, Broken> {
        Ok(self.array::<1>()?[0])
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn integer(&mut self, kind: u8) -> Result<i64, Broken> {
        Ok(match kind {
            b'i' => i64::from(i8::from_be_bytes(self.array()?)),
            b'U' => i64::from(self.byte()?),
            b'I' => i64::from(i16::from_be_bytes(self.array()?)),
            b'l' => i64::from(i32::from_be_bytes(self.array()?)),
            b'L' => i64::from_be_bytes(self.array()?),
            _ => return Err(self.broken("an integer belongs here")),
        })
    }

    /// A count of something of which each takes a byte at least.
    fn length(&mut self) -> Result<usize, Broken> {
        let kind = self.byte()?;
        let length = usize::try_from(self.integer(kind)?).ok();
        let left = self.bytes.len() - self.at;
        length
            .filter(|length| *length <= left)
            .ok_or_else(|| self.broken("a length is more than what is left of the file"))
    }

    fn text(&mut self) -> Result<&'de str, Broken> {
        let length = self.length()?;
        let bytes = self.take(length)?;
        str::from_utf8(bytes).map_err(|_| self.broken("a text is not UTF-8"))
    }

    fn enter(&mut self) -> Result<(), Broken> {
        self.nesting += 1;
        if self.nesting > MAX_NESTING {
            Err(self.broken("too many arrays and objects within each other"))
        } else {
            Ok(())
        }
    }

    /// What stands between an array's bracket and its first element.
    fn open_array(&mut self) -> Result<Array, Broken> {
        self.enter()?;
        let mut array = Array { kind: None, left: None };
        if self.peek() == Some(b'$') {
            self.at += 1;
            let kind = self.byte()?;
            if !b"iUIlLdD".contains(&kind) {
                return Err(self.broken("an array of that type is not what XGBoost writes"));
            }
            array.kind = Some(kind);
        }
        if self.peek() == Some(b'#') {
            self.at += 1;
            array.left = Some(self.length()?);
        } else if array.kind.is_some() {
            return Err(self.broken("an array with a type needs a count"));
        }
        Ok(array)
    }
}

/// What an array has said of its elements.
struct Array {
    kind: Option<u8>,
    left: Option<usize>,
}

struct Elements<'a, 'de> {
    reader: &'a mut Reader<'de>,
    array: Array,
}

impl<'de> SeqAccess<'de> for Elements<'_, 'de> {
    type Error = Broken;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Broken> {
        match &mut self.array.left {
            Some(0) => return Ok(None),
            Some(left) => *left -= 1,
            None if self.reader.peek() == Some(b']') => {
                self.reader.at += 1;
                self.array.left = Some(0);
                return Ok(None);
            }
            None => {}
        }
        self.reader.told = self.array.kind;
        seed.deserialize(&mut *self.reader).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        self.array.left
    }
}

struct Fields<'a, 'de>(&'a mut Reader<'de>);

impl<'de> MapAccess<'de> for Fields<'_, 'de> {
    type Error = Broken;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Broken> {
        if self.0.peek() == Some(b'}') {
            self.0.at += 1;
            return Ok(None);
        }
        let key = self.0.text()?;
        seed.deserialize(de::value::BorrowedStrDeserializer::new(key)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Broken> {
        seed.deserialize(&mut *self.0)
    }
}

impl<'de> de::Deserializer<'de> for &mut Reader<'de> {
    type Error = Broken;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Broken> {
        let kind = match self.told.take() {
            Some(kind) => kind,
            None => self.byte()?,
        };
        match kind {
            b'Z' => visitor.visit_unit(),
            b'T' => visitor.visit_bool(true),
            b'F' => visitor.visit_bool(false),
            b'd' => visitor.visit_f32(f32::from_be_bytes(self.array()?)),
            b'D' => visitor.visit_f64(f64::from_be_bytes(self.array()?)),
            b'C' => visitor.visit_u64(u64::from(self.byte()?)),
            b'S' => visitor.visit_borrowed_str(self.text()?),
            b'[' => {
                let array = self.open_array()?;
                let mut elements = Elements { reader: self, array };
                let value = visitor.visit_seq(&mut elements)?;
                self.nesting -= 1;
                Ok(value)
            }
            b'{' => {
                self.enter()?;
                if matches!(self.peek(), Some(b'$' | b'#')) {
                    return Err(self.broken("an object with a type or a count is not what XGBoost writes"));
                }
                let value = visitor.visit_map(Fields(self))?;
                self.nesting -= 1;
                Ok(value)
            }
            kind => visitor.visit_i64(self.integer(kind)?),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Broken> {
        if self.told.is_none() && self.peek() == Some(b'Z') {
            self.at += 1;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct newtype_struct seq
        tuple tuple_struct map struct enum identifier ignored_any
    }
}
