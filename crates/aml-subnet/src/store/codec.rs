//! Records as JSON, large ones compressed, and bodies by their digest. Floats keep their bits.
//!
//! What is encoded is decoded again before it is written, so that nothing is recorded that would not read back.

use std::io::Read as _;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::error::StorageError;

/// Level of zstd: fast, for bodies arrive while others are awaited.
const LEVEL: i32 = 3;
/// Largest record or body after decompression. A task of 50,000 alerts is about 10 MB, an answer the same.
pub(super) const LARGEST: u64 = 1 << 29;

/// A record as JSON.
pub(super) fn text<T>(what: &'static str, value: &T) -> Result<String, StorageError>
where
    T: Serialize + DeserializeOwned + PartialEq,
{
    let unrecordable = |why: String| StorageError::Unrecordable { what, why };
    let text = serde_json::to_string(value).map_err(|error| unrecordable(error.to_string()))?;
    match serde_json::from_str::<T>(&text) {
        Ok(read) if read == *value => Ok(text),
        Ok(_) => Err(unrecordable("it holds a number that is not finite".to_owned())),
        Err(error) => Err(unrecordable(error.to_string())),
    }
}

/// A record from JSON.
pub(super) fn from_text<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, StorageError> {
    serde_json::from_str(text).map_err(|error| StorageError::Malformed { what, why: error.to_string() })
}

/// A record as compressed JSON.
pub(super) fn pack<T>(what: &'static str, value: &T) -> Result<Vec<u8>, StorageError>
where
    T: Serialize + DeserializeOwned + PartialEq,
{
    compress(what, text(what, value)?.as_bytes())
}

/// A record from compressed JSON.
pub(super) fn unpack<T: DeserializeOwned>(what: &'static str, packed: &[u8]) -> Result<T, StorageError> {
    let json = decompress(what, packed, LARGEST)?;
    serde_json::from_slice(&json).map_err(|error| StorageError::Malformed { what, why: error.to_string() })
}

/// Compresses.
pub(super) fn compress(what: &'static str, bytes: &[u8]) -> Result<Vec<u8>, StorageError> {
    if bytes.len() as u64 > LARGEST {
        let why = format!("{} bytes are more than {LARGEST}", bytes.len());
        return Err(StorageError::Unrecordable { what, why });
    }
    zstd::bulk::compress(bytes, LEVEL).map_err(|error| StorageError::Unrecordable { what, why: error.to_string() })
}

/// Decompresses at most `limit` bytes.
pub(super) fn decompress(what: &'static str, packed: &[u8], limit: u64) -> Result<Vec<u8>, StorageError> {
    let malformed = |why: String| StorageError::Malformed { what, why };
    // What says how long it is, as all that we compress, is written to its place at once.
    if let Some(length) = declared_length(packed).filter(|length| *length as u64 <= limit) {
        return zstd::bulk::decompress(packed, length).map_err(|error| malformed(error.to_string()));
    }
    let decoder = zstd::stream::read::Decoder::with_buffer(packed).map_err(|error| malformed(error.to_string()))?;
    let mut bytes = Vec::new();
    let read = decoder.take(limit + 1).read_to_end(&mut bytes).map_err(|error| malformed(error.to_string()))?;
    if read as u64 > limit { Err(malformed(format!("more than {limit} bytes"))) } else { Ok(bytes) }
}

fn declared_length(packed: &[u8]) -> Option<usize> {
    usize::try_from(zstd::zstd_safe::get_frame_content_size(packed).ok()??).ok()
}

/// An unsigned number as the databases keep it.
pub(super) fn to_i64(what: &'static str, value: u64) -> Result<i64, StorageError> {
    i64::try_from(value).map_err(|_| StorageError::Unrecordable { what, why: format!("{value} is too large") })
}

/// A column that must be there.
pub(super) fn column<'r, T>(what: &'static str, row: &'r AnyRow, name: &str) -> Result<T, StorageError>
where
    T: sqlx::Decode<'r, sqlx::Any> + sqlx::Type<sqlx::Any>,
{
    row.try_get(name).map_err(|error| StorageError::Malformed { what, why: error.to_string() })
}

/// A number of a narrower type.
pub(super) fn narrow<T: TryFrom<i64>>(what: &'static str, row: &AnyRow, name: &str) -> Result<T, StorageError> {
    let wide: i64 = column(what, row, name)?;
    T::try_from(wide).map_err(|_| StorageError::Malformed { what, why: format!("{name} is {wide}") })
}

/// A text that names something.
pub(super) fn parsed<T>(what: &'static str, row: &AnyRow, name: &str) -> Result<T, StorageError>
where
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    let text: &str = column(what, row, name)?;
    text.parse().map_err(|error: T::Err| StorageError::Malformed { what, why: error.to_string() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::{compress, decompress, from_text, pack, text, unpack};
    use crate::store::StorageError;

    proptest! {
        #[test]
        fn floats_keep_their_bits(bits in any::<u64>()) {
            let value = f64::from_bits(bits);
            if value.is_finite() {
                let read: f64 = from_text("x", &text("x", &value).unwrap()).unwrap();
                prop_assert_eq!(read.to_bits(), bits);
                let read: f64 = unpack("x", &pack("x", &value).unwrap()).unwrap();
                prop_assert_eq!(read.to_bits(), bits);
            }
        }
    }

    #[test]
    fn a_number_that_json_cannot_hold_is_not_recorded() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(matches!(text("x", &value), Err(StorageError::Unrecordable { .. })));
            assert!(matches!(pack("x", &Some(value)), Err(StorageError::Unrecordable { .. })));
        }
    }

    #[test]
    fn decompression_stops_at_its_limit() {
        let bomb = compress("x", &vec![0; 1 << 20]).unwrap();
        assert!(bomb.len() < 1000);
        assert!(decompress("x", &bomb, 1 << 20).is_ok());
        assert!(matches!(decompress("x", &bomb, (1 << 20) - 1), Err(StorageError::Malformed { .. })));
        assert!(decompress("x", b"no zstd", 10).is_err());
    }

    #[test]
    fn what_does_not_say_how_long_it_is_reads_the_same() {
        let text = b"as another program may have compressed it".repeat(100);
        let streamed = zstd::stream::encode_all(&text[..], 3).unwrap();
        let at_once = compress("x", &text).unwrap();
        assert_ne!(streamed, at_once);
        for packed in [streamed, at_once] {
            assert_eq!(decompress("x", &packed, 1 << 20).unwrap(), text);
            assert!(decompress("x", &packed[..packed.len() - 1], 1 << 20).is_err(), "cut short");
        }
    }
}
