//! Names of stored types, as error messages tell them.

use polars_arrow::datatypes::{ArrowDataType, TimeUnit};

/// A short name of `dtype`: `i64`, `str`, `list[f64]`.
pub(crate) fn type_name(dtype: &ArrowDataType) -> String {
    use ArrowDataType as D;
    let plain = match dtype {
        D::Null => "null",
        D::Boolean => "bool",
        D::Int8 => "i8",
        D::Int16 => "i16",
        D::Int32 => "i32",
        D::Int64 => "i64",
        D::Int128 => "i128",
        D::UInt8 => "u8",
        D::UInt16 => "u16",
        D::UInt32 => "u32",
        D::UInt64 => "u64",
        D::UInt128 => "u128",
        D::Float16 => "f16",
        D::Float32 => "f32",
        D::Float64 => "f64",
        D::Utf8 | D::LargeUtf8 | D::Utf8View => "str",
        D::Binary | D::LargeBinary | D::BinaryView | D::FixedSizeBinary(_) => "binary",
        D::Date32 => "date",
        D::Date64 => "datetime[ms]",
        D::Time32(_) | D::Time64(_) => "time",
        D::Dictionary(..) => "cat",
        D::Timestamp(unit, None) => return format!("datetime[{}]", unit_name(*unit)),
        D::Timestamp(unit, Some(zone)) => {
            let zone = if zone == "+00:00" { "UTC" } else { zone.as_str() };
            return format!("datetime[{}, {zone}]", unit_name(*unit));
        }
        D::Duration(unit) => return format!("duration[{}]", unit_name(*unit)),
        D::Decimal(digits, scale) | D::Decimal256(digits, scale) => return format!("decimal[{digits},{scale}]"),
        D::List(item) | D::LargeList(item) | D::Map(item, _) => return format!("list[{}]", type_name(&item.dtype)),
        D::FixedSizeList(item, size) => return format!("array[{}, {size}]", type_name(&item.dtype)),
        D::Struct(fields) => return format!("struct[{}]", fields.len()),
        other => return format!("{other:?}").to_lowercase(),
    };
    plain.to_owned()
}

fn unit_name(unit: TimeUnit) -> &'static str {
    match unit {
        TimeUnit::Second => "s",
        TimeUnit::Millisecond => "ms",
        TimeUnit::Microsecond => "μs",
        TimeUnit::Nanosecond => "ns",
    }
}
