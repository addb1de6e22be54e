//! What a schema says: the columns by name, how each is stored, and where in a record batch it stands.

use polars_arrow_format::ipc::planus;
use polars_arrow_format::ipc::{DateUnit, Endianness, FieldRef, IntRef, Precision, SchemaRef, TimeUnit, TypeRef};

use super::broken::broken;
use crate::data::limits::FileLimits;
use crate::data::page_guard::at_most;
use crate::data::stated_types::unit_name;
use crate::data::table_error::FileProblem;
use crate::table::excerpt;

/// Columns within columns within columns: lists of text need 2.
const MAX_DEPTH: usize = 8;
/// Bytes of a column's name.
const MAX_NAME: u64 = 256;
/// Digits that a decimal may have.
const MAX_DIGITS: usize = 38;

/// How many parts of a record batch something takes, or stand before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Shape {
    /// Lengths and counts of nulls.
    pub(super) nodes: usize,
    /// Buffers, without those whose number the batch tells.
    pub(super) buffers: usize,
    /// Arrays of views, each with a number of buffers that the batch tells.
    pub(super) views: usize,
}

impl Shape {
    fn and(self, other: Self) -> Self {
        Self { nodes: self.nodes + other.nodes, buffers: self.buffers + other.buffers, views: self.views + other.views }
    }
}

/// A column.
pub(super) struct Field<'a> {
    pub(super) name: &'a str,
    /// What stands before it.
    pub(super) at: Shape,
    pub(super) field: FieldRef<'a>,
}

/// The columns of a stream.
pub(super) struct Layout<'a> {
    pub(super) fields: Vec<Field<'a>>,
    /// All of them.
    pub(super) shape: Shape,
}

impl<'a> Layout<'a> {
    pub(super) fn of(schema: SchemaRef<'a>, limits: &FileLimits) -> Result<Self, FileProblem> {
        if schema.endianness().map_err(unreadable)? != Endianness::Little {
            return Err(broken("its numbers are big-endian; little-endian is accepted"));
        }
        let fields = schema.fields().map_err(unreadable)?.ok_or_else(|| broken("its schema has no columns"))?;
        at_most("the number of columns", fields.len() as u64, limits.columns as u64)?;
        let mut layout = Self { fields: Vec::with_capacity(fields.len()), shape: Shape::default() };
        let mut left = limits.columns;
        for field in fields {
            let field = field.map_err(unreadable)?;
            let name = field.name().map_err(unreadable)?.unwrap_or_default();
            at_most("the length of a column's name", name.len() as u64, MAX_NAME)?;
            if layout.fields.iter().any(|other| other.name == name) {
                return Err(broken(&format!("the column `{}` stands twice", excerpt(name))));
            }
            let shape = shape(field, &mut left, MAX_DEPTH)
                .map_err(|reason| broken(&format!("the column `{}` {reason}; leave it out", excerpt(name))))?;
            layout.fields.push(Field { name, at: layout.shape, field });
            layout.shape = layout.shape.and(shape);
        }
        Ok(layout)
    }
}

fn unreadable(_: planus::Error) -> FileProblem {
    broken("the schema cannot be read")
}

/// What `field` takes of a record batch, whether or not it is read; `left` counts down over all fields.
fn shape(field: FieldRef<'_>, left: &mut usize, depth: usize) -> Result<Shape, &'static str> {
    *left = left.checked_sub(1).ok_or("has too many columns inside")?;
    let unreadable = |_| "has a type that cannot be read";
    let flat = |buffers, views| Ok(Shape { nodes: 1, buffers, views });
    if field.dictionary().map_err(unreadable)?.is_some() {
        return flat(2, 0);
    }
    let own = match field.type_().map_err(unreadable)?.ok_or("has no type")? {
        TypeRef::Null(_) => return flat(0, 0),
        TypeRef::Binary(_) | TypeRef::Utf8(_) | TypeRef::LargeBinary(_) | TypeRef::LargeUtf8(_) => return flat(3, 0),
        TypeRef::BinaryView(_) | TypeRef::Utf8View(_) => return flat(2, 1),
        TypeRef::List(_) | TypeRef::LargeList(_) | TypeRef::Map(_) => 2,
        TypeRef::Struct(_) | TypeRef::FixedSizeList(_) => 1,
        TypeRef::Union(_) => return Err("is a union, which is not accepted"),
        TypeRef::RunEndEncoded(_) => return Err("is run-end encoded, which is not accepted"),
        TypeRef::ListView(_) | TypeRef::LargeListView(_) => return Err("is a list of views, which is not accepted"),
        _ => return flat(2, 0),
    };
    let depth = depth.checked_sub(1).ok_or("is nested too deep")?;
    let mut sum = Shape { nodes: 1, buffers: own, views: 0 };
    for child in field.children().map_err(unreadable)?.into_iter().flatten() {
        sum = sum.and(shape(child.map_err(unreadable)?, left, depth)?);
    }
    Ok(sum)
}

/// How the values of a column are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    Bool,
    /// Bits, and whether there is a sign.
    Int(i32, bool),
    F16,
    F32,
    F64,
    /// Days since the epoch.
    Days,
    /// Units since the epoch.
    Time(TimeUnit),
    /// Bytes, digits, and digits behind the point.
    Decimal(usize, usize, usize),
    /// Offsets of 4 bytes.
    Text,
    /// Offsets of 8 bytes.
    LargeText,
    TextViews,
    /// Offsets of 4 bytes.
    List(Box<Kind>),
    /// Offsets of 8 bytes.
    LargeList(Box<Kind>),
    /// So many items a row.
    FixedList(Box<Kind>, usize),
}

/// How `field` is stored; else what it is, for a message. A list has no lists inside.
pub(super) fn kind(field: FieldRef<'_>, may_be_list: bool) -> Result<Kind, String> {
    let unreadable = |_| "unreadable".to_owned();
    if field.dictionary().map_err(unreadable)?.is_some() {
        return Err("dictionary-encoded (a category): write its values as they are".to_owned());
    }
    Ok(match field.type_().map_err(unreadable)?.ok_or_else(|| "missing".to_owned())? {
        TypeRef::Null(_) => Kind::Null,
        TypeRef::Bool(_) => Kind::Bool,
        TypeRef::Int(int) => integer(int)?,
        TypeRef::FloatingPoint(float) => match float.precision().map_err(unreadable)? {
            Precision::Half => Kind::F16,
            Precision::Single => Kind::F32,
            Precision::Double => Kind::F64,
        },
        TypeRef::Date(date) => match date.unit().map_err(unreadable)? {
            DateUnit::Day => Kind::Days,
            DateUnit::Millisecond => Kind::Time(TimeUnit::Millisecond),
        },
        TypeRef::Timestamp(time) => Kind::Time(time.unit().map_err(unreadable)?),
        TypeRef::Decimal(decimal) => {
            let part = |value: planus::Result<i32>| {
                value.map_err(unreadable).and_then(|value| usize::try_from(value).map_err(|_| "negative".to_owned()))
            };
            let (bits, digits, scale) =
                (part(decimal.bit_width())?, part(decimal.precision())?, part(decimal.scale())?);
            if !matches!(bits, 32 | 64 | 128) || digits == 0 || digits > MAX_DIGITS || scale > digits {
                return Err(format!("a decimal of {bits} bits with {digits} digits, {scale} of them behind the point"));
            }
            Kind::Decimal(bits / 8, digits, scale)
        }
        TypeRef::Duration(length) => return Err(unit_name(length.unit().map_err(unreadable)?).to_owned()),
        TypeRef::Utf8(_) => Kind::Text,
        TypeRef::LargeUtf8(_) => Kind::LargeText,
        TypeRef::Utf8View(_) => Kind::TextViews,
        TypeRef::List(_) if may_be_list => Kind::List(item(field)?),
        TypeRef::LargeList(_) if may_be_list => Kind::LargeList(item(field)?),
        TypeRef::FixedSizeList(list) if may_be_list => {
            let size = usize::try_from(list.list_size().map_err(unreadable)?).map_err(|_| "a list of negative size")?;
            Kind::FixedList(item(field)?, size)
        }
        _ => return Err("of another kind".to_owned()),
    })
}

fn integer(int: IntRef<'_>) -> Result<Kind, String> {
    match (int.bit_width(), int.is_signed()) {
        (Ok(bits @ (8 | 16 | 32 | 64)), Ok(signed)) => Ok(Kind::Int(bits, signed)),
        (Ok(bits), Ok(_)) => Err(format!("an integer of {bits} bits")),
        _ => Err("unreadable".to_owned()),
    }
}

fn item(field: FieldRef<'_>) -> Result<Box<Kind>, String> {
    let children = field.children().ok().flatten().filter(|children| children.len() == 1);
    let child = children.and_then(|children| children.get(0)).and_then(Result::ok);
    kind(child.ok_or_else(|| "a list without its items".to_owned())?, false).map(Box::new)
}
