//! What a Parquet file says of its columns beside their stored types: durations, JSON, halves, columns without values.
//!
//! A duration is stored as a plain integer; only the Arrow schema that its writer embeds tells. Of that schema nothing
//! else is used, and nothing that it claims decides how much memory or time is taken.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use polars_arrow::array::{Array, BinaryViewArray, FixedSizeBinaryArray, ListArray, NullArray, PrimitiveArray};
use polars_arrow::datatypes::ArrowDataType;
use polars_arrow_format::ipc::planus::ReadAsRoot as _;
use polars_arrow_format::ipc::{FieldRef, MessageHeaderRef, MessageRef, TimeUnit, TypeRef};
use polars_parquet::read::{FileMetadata, PrimitiveConvertedType, PrimitiveLogicalType};

/// The key under which writers embed their Arrow schema.
const ARROW_SCHEMA: &str = "ARROW:schema";
/// Bytes of an embedded schema that is looked into: one of 2,048 columns has less.
const MAX_SCHEMA_BYTES: usize = 1 << 20;

/// What the values of a column are, where their stored type does not tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stated {
    /// There are none: the column has no type.
    Nothing,
    /// Text that is JSON, or one of a list of names.
    Text,
    /// Floats of 16 bits.
    Half,
    /// Lengths of time, with their unit.
    Duration(&'static str),
}

/// The columns of which more is said than their stored type.
pub(crate) fn stated_types(metadata: &FileMetadata) -> BTreeMap<String, Stated> {
    let mut stated = BTreeMap::new();
    for (name, unit) in durations(metadata).unwrap_or_default() {
        stated.insert(name, Stated::Duration(unit));
    }
    for column in metadata.schema().columns() {
        let kind = &column.descriptor.primitive_type;
        let what = match (kind.logical_type, kind.converted_type) {
            (Some(PrimitiveLogicalType::Unknown), _) => Stated::Nothing,
            (Some(PrimitiveLogicalType::Float16), _) => Stated::Half,
            (Some(PrimitiveLogicalType::Json | PrimitiveLogicalType::Enum), _)
            | (None, Some(PrimitiveConvertedType::Json | PrimitiveConvertedType::Enum)) => Stated::Text,
            _ => continue,
        };
        if let Some(root) = column.path_in_schema.first() {
            stated.insert(root.to_string(), what);
        }
    }
    stated
}

/// Columns of durations and their units; `None` where there is no schema that can be read.
fn durations(metadata: &FileMetadata) -> Option<Vec<(String, &'static str)>> {
    let entries = metadata.key_value_metadata().as_ref()?;
    let text = entries.iter().find(|entry| entry.key == ARROW_SCHEMA)?.value.as_ref()?;
    if text.len() > MAX_SCHEMA_BYTES {
        return None;
    }
    let bytes = STANDARD.decode(text.trim()).ok()?;
    // A marker, the length of the message, the message; old writers leave the marker out.
    let message = bytes.strip_prefix(&[0xFF; 4]).unwrap_or(&bytes).get(4..)?;
    let Ok(Some(MessageHeaderRef::Schema(schema))) = MessageRef::read_as_root(message).ok()?.header() else {
        return None;
    };
    let fields = schema.fields().ok()??;
    Some(
        fields
            .into_iter()
            .flatten()
            .filter_map(|field| Some((field.name().ok()??.to_owned(), duration(field)?)))
            .collect(),
    )
}

/// The unit of a duration, or of the durations of a list.
fn duration(field: FieldRef<'_>) -> Option<&'static str> {
    let unit = |field: FieldRef<'_>| match field.type_().ok()?? {
        TypeRef::Duration(duration) => duration.unit().ok().map(unit_name),
        _ => None,
    };
    unit(field).or_else(|| unit(field.children().ok()??.get(0)?.ok()?))
}

pub(crate) fn unit_name(unit: TimeUnit) -> &'static str {
    match unit {
        TimeUnit::Second => "duration[s]",
        TimeUnit::Millisecond => "duration[ms]",
        TimeUnit::Microsecond => "duration[μs]",
        TimeUnit::Nanosecond => "duration[ns]",
    }
}

impl Stated {
    /// `array` with its values as they are meant; `None` where they cannot be that.
    pub(crate) fn apply(&self, array: Box<dyn Array>) -> Option<Box<dyn Array>> {
        if let Some(list) = array.as_any().downcast_ref::<ListArray<i64>>() {
            let items = self.apply(list.values().clone())?;
            let kind = ListArray::<i64>::default_datatype(items.dtype().clone());
            return Some(ListArray::new(kind, list.offsets().clone(), items, list.validity().cloned()).boxed());
        }
        match self {
            Self::Nothing => Some(NullArray::new(ArrowDataType::Null, array.len()).boxed()),
            Self::Text => {
                let bytes = array.as_any().downcast_ref::<BinaryViewArray>()?;
                Some(bytes.to_utf8view().ok()?.boxed())
            }
            Self::Half => {
                let halves = array.as_any().downcast_ref::<FixedSizeBinaryArray>()?;
                let single =
                    |half: &[u8]| half.try_into().map_or(f32::NAN, |bytes| half_to_single(u16::from_le_bytes(bytes)));
                let values = halves.iter().map(|half| half.map(single)).collect::<Vec<Option<f32>>>();
                Some(PrimitiveArray::<f32>::from(values).boxed())
            }
            Self::Duration(_) => Some(array),
        }
    }
}

/// The float of 32 bits that equals one of 16: every one does.
pub(crate) fn half_to_single(half: u16) -> f32 {
    let sign = if half >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (half >> 10 & 0x1F, f32::from(half & 0x3FF));
    match exponent {
        0 => sign * fraction * 2_f32.powi(-24),
        31 if fraction > 0.0 => f32::NAN,
        31 => sign * f32::INFINITY,
        exponent => sign * (1.0 + fraction / 1024.0) * 2_f32.powi(i32::from(exponent) - 15),
    }
}

#[cfg(test)]
mod tests {
    use super::half_to_single;

    #[test]
    fn halves_are_exact() {
        let known = [
            (0x0000, 0.0),
            (0x3C00, 1.0),
            (0xC000, -2.0),
            (0x7BFF, 65_504.0),
            (0x0001, 5.960_464_5e-8),
            (0x3555, 0.333_251_95),
        ];
        for (half, single) in known {
            assert!((half_to_single(half) - single).abs() == 0.0, "{half:#x}");
        }
        assert!(half_to_single(0x7C01).is_nan() && half_to_single(0xFC00).is_infinite());
    }
}
