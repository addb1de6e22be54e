//! The arrays of a record batch, made by checking constructors from slices of its body.
//!
//! The buffers of one column may not be larger together than the body: bytes that stand once are used once.

use polars_arrow::array::{Array, BooleanArray, ListArray, NullArray, PrimitiveArray, Utf8Array, Utf8ViewArray, View};
use polars_arrow::bitmap::Bitmap;
use polars_arrow::datatypes::{ArrowDataType, TimeUnit as ArrowTimeUnit};
use polars_arrow::offset::{Offset, OffsetsBuffer};
use polars_arrow::types::NativeType;
use polars_arrow_format::ipc::TimeUnit;
use polars_error::{PolarsError, PolarsResult};

use super::batch::Batch;
use super::layout::{Kind, Shape};
use crate::data::limits::FileLimits;
use crate::data::stated_types::half_to_single;
use crate::table::excerpt;
use crate::table::flaw::{ColumnProblem, Flaw};

/// Takes the parts of one column, one after the other.
pub(super) struct Cursor<'a, 'b> {
    batch: &'b Batch<'a>,
    limits: &'b FileLimits,
    node: usize,
    buffer: usize,
    view: usize,
    /// Bytes of the body that are not used yet.
    left: usize,
}

/// Values of an array, and how many of them are null.
#[derive(Clone, Copy)]
struct Node {
    length: usize,
    nulls: bool,
}

type Boxed = Box<dyn Array>;

impl<'a, 'b> Cursor<'a, 'b> {
    /// A cursor behind `before`.
    pub(super) fn new(batch: &'b Batch<'a>, before: Shape, limits: &'b FileLimits) -> Self {
        let buffer = batch.views.iter().take(before.views).fold(before.buffers, |sum, count| sum + count);
        Self { batch, limits, node: before.nodes, buffer, view: before.views, left: batch.body.len() }
    }

    /// The next array.
    pub(super) fn array(&mut self, kind: &Kind) -> Result<Boxed, Flaw> {
        match kind {
            Kind::Null => self.null(),
            Kind::Bool => self.flags(),
            Kind::Int(bits, signed) => self.integers(*bits, *signed),
            Kind::F16 => self.converted(ArrowDataType::Float32, half_to_single),
            Kind::F32 => self.primitive::<f32>(ArrowDataType::Float32),
            Kind::F64 => self.primitive::<f64>(ArrowDataType::Float64),
            Kind::Days => self.primitive::<i32>(ArrowDataType::Date32),
            Kind::Time(unit) => self.times(*unit),
            Kind::Decimal(bytes, digits, scale) => {
                let dtype = ArrowDataType::Decimal(*digits, *scale);
                match bytes {
                    4 => self.converted(dtype, |digits: i32| i128::from(digits)),
                    8 => self.converted(dtype, |digits: i64| i128::from(digits)),
                    _ => self.primitive::<i128>(dtype),
                }
            }
            Kind::Text => self.texts::<i32>(),
            Kind::LargeText => self.texts::<i64>(),
            Kind::TextViews => self.text_views(),
            Kind::List(item) => self.lists::<i32>(item),
            Kind::LargeList(item) => self.lists::<i64>(item),
            Kind::FixedList(item, size) => self.fixed_lists(item, *size),
        }
    }

    fn integers(&mut self, bits: i32, signed: bool) -> Result<Boxed, Flaw> {
        match (bits, signed) {
            (8, true) => self.primitive::<i8>(ArrowDataType::Int8),
            (8, false) => self.primitive::<u8>(ArrowDataType::UInt8),
            (16, true) => self.primitive::<i16>(ArrowDataType::Int16),
            (16, false) => self.primitive::<u16>(ArrowDataType::UInt16),
            (32, true) => self.primitive::<i32>(ArrowDataType::Int32),
            (32, false) => self.primitive::<u32>(ArrowDataType::UInt32),
            (_, true) => self.primitive::<i64>(ArrowDataType::Int64),
            (_, false) => self.primitive::<u64>(ArrowDataType::UInt64),
        }
    }

    fn times(&mut self, unit: TimeUnit) -> Result<Boxed, Flaw> {
        let unit = match unit {
            // What saturates is far outside of every column's range and is refused there.
            TimeUnit::Second => {
                let dtype = ArrowDataType::Timestamp(ArrowTimeUnit::Millisecond, None);
                return self.converted(dtype, |seconds: i64| seconds.saturating_mul(1000));
            }
            TimeUnit::Millisecond => ArrowTimeUnit::Millisecond,
            TimeUnit::Microsecond => ArrowTimeUnit::Microsecond,
            TimeUnit::Nanosecond => ArrowTimeUnit::Nanosecond,
        };
        self.primitive::<i64>(ArrowDataType::Timestamp(unit, None))
    }

    fn null(&mut self) -> Result<Boxed, Flaw> {
        let node = self.node()?;
        // Nothing in the body pays for these values.
        if node.length > self.limits.rows {
            return Err(too_large("the number of missing values", node.length as u64, self.limits.rows as u64));
        }
        boxed(NullArray::try_new(ArrowDataType::Null, node.length))
    }

    fn flags(&mut self) -> Result<Boxed, Flaw> {
        let node = self.node()?;
        let validity = self.validity(node)?;
        let bits = self.bits(node.length)?;
        boxed(BooleanArray::try_new(ArrowDataType::Boolean, bits, validity))
    }

    fn primitive<T: NativeType>(&mut self, dtype: ArrowDataType) -> Result<Boxed, Flaw> {
        self.converted(dtype, |value: T| value)
    }

    fn converted<T: NativeType, U: NativeType>(
        &mut self,
        dtype: ArrowDataType,
        convert: impl Fn(T) -> U,
    ) -> Result<Boxed, Flaw> {
        let node = self.node()?;
        let validity = self.validity(node)?;
        let values: Vec<U> = self.values(node.length, convert)?;
        boxed(PrimitiveArray::try_new(dtype, values.into(), validity))
    }

    fn texts<O: Offset>(&mut self) -> Result<Boxed, Flaw> {
        let node = self.node()?;
        let validity = self.validity(node)?;
        let offsets = self.offsets::<O>(node.length)?;
        let end = offsets.last().to_usize();
        let bytes = self.bytes()?.get(..end).ok_or_else(|| damaged("a text reaches past its buffer"))?;
        let dtype = if O::IS_LARGE { ArrowDataType::LargeUtf8 } else { ArrowDataType::Utf8 };
        boxed(Utf8Array::try_new(dtype, offsets, bytes.to_vec().into(), validity))
    }

    fn text_views(&mut self) -> Result<Boxed, Flaw> {
        let node = self.node()?;
        let validity = self.validity(node)?;
        let views: Vec<View> = self.values(node.length, |view: View| view)?;
        // Many views may show the same bytes: what they show together is bounded before any is looked at.
        let shown: u64 = views.iter().map(|view| u64::from(view.length)).sum();
        if shown > self.limits.text_bytes as u64 {
            return Err(too_large("the size of all text", shown, self.limits.text_bytes as u64));
        }
        let count = self.batch.views.get(self.view).copied().unwrap_or(0);
        self.view += 1;
        let buffers = (0..count).map(|_| Ok(self.bytes()?.to_vec().into())).collect::<Result<Vec<_>, Flaw>>()?;
        boxed(Utf8ViewArray::try_new(ArrowDataType::Utf8View, views.into(), buffers.into(), validity))
    }

    fn lists<O: Offset>(&mut self, item: &Kind) -> Result<Boxed, Flaw> {
        let node = self.node()?;
        let validity = self.validity(node)?;
        let offsets = self.offsets::<O>(node.length)?;
        // They are checked to be neither negative nor above i64::MAX.
        let wide: Vec<i64> = offsets.as_slice().iter().map(|offset| offset.to_usize() as i64).collect();
        self.list(item, wide, validity)
    }

    fn fixed_lists(&mut self, item: &Kind, size: usize) -> Result<Boxed, Flaw> {
        let node = self.node()?;
        let validity = self.validity(node)?;
        let end = node.length.checked_mul(size).and_then(|end| i64::try_from(end).ok());
        let end = end.ok_or_else(|| damaged("its lists are larger than memory"))?;
        let step = i64::try_from(size).map_err(|_| damaged("its lists are larger than memory"))?;
        let rows = i64::try_from(node.length).map_err(|_| damaged("its lists are larger than memory"))?;
        // The items are there before a place for every row is taken.
        let items = self.array(item)?;
        if i64::try_from(items.len()).ok() != Some(end) {
            return Err(damaged("its lists do not have the size that the schema says"));
        }
        if size == 0 && node.length > self.limits.rows {
            return Err(too_large("the number of empty lists", node.length as u64, self.limits.rows as u64));
        }
        list_of(items, (0..=rows).map(|row| row * step).collect(), validity)
    }

    fn list(&mut self, item: &Kind, offsets: Vec<i64>, validity: Option<Bitmap>) -> Result<Boxed, Flaw> {
        let items = self.array(item)?;
        list_of(items, offsets, validity)
    }

    fn node(&mut self) -> Result<Node, Flaw> {
        let node = self.batch.nodes.get(self.node).ok_or_else(|| damaged("it has no length"))?;
        self.node += 1;
        let length = u64::try_from(node.length()).map_err(|_| damaged("it states a negative length"))?;
        if length > self.limits.values {
            return Err(too_large("the number of values of a column", length, self.limits.values));
        }
        let length = usize::try_from(length).map_err(|_| damaged("it is larger than memory"))?;
        Ok(Node { length, nulls: node.null_count() != 0 })
    }

    /// The next buffer.
    fn bytes(&mut self) -> Result<&'a [u8], Flaw> {
        let buffer = self.batch.buffers.get(self.buffer).ok_or_else(|| damaged("a buffer is missing"))?;
        self.buffer += 1;
        let range = usize::try_from(buffer.offset()).ok().zip(usize::try_from(buffer.length()).ok());
        let range = range.and_then(|(start, length)| Some(start..start.checked_add(length)?));
        let bytes = range.and_then(|range| self.batch.body.get(range));
        let bytes = bytes.ok_or_else(|| damaged("a buffer lies outside of its record batch"))?;
        self.left = self.left.checked_sub(bytes.len()).ok_or_else(|| damaged("its buffers overlap"))?;
        Ok(bytes)
    }

    fn validity(&mut self, node: Node) -> Result<Option<Bitmap>, Flaw> {
        if node.nulls {
            return self.bits(node.length).map(Some);
        }
        self.bytes().map(|_| None)
    }

    fn bits(&mut self, length: usize) -> Result<Bitmap, Flaw> {
        let bytes = self.bytes()?.get(..length.div_ceil(8)).ok_or_else(too_short)?;
        Bitmap::try_new(bytes.to_vec(), length).map_err(refused)
    }

    fn values<T: NativeType, U>(&mut self, length: usize, convert: impl Fn(T) -> U) -> Result<Vec<U>, Flaw> {
        let (bytes, size) = (self.bytes()?, size_of::<T>());
        let bytes = length.checked_mul(size).and_then(|wanted| bytes.get(..wanted)).ok_or_else(too_short)?;
        let value = |bytes: &[u8]| T::Bytes::try_from(bytes).map_or_else(|_| T::default(), T::from_le_bytes);
        Ok(bytes.chunks_exact(size).map(|bytes| convert(value(bytes))).collect())
    }

    /// Offsets of `length` items: from 0 upwards and never down. No items may do without any.
    fn offsets<O: Offset>(&mut self, length: usize) -> Result<OffsetsBuffer<O>, Flaw> {
        let (bytes, size) = (self.bytes()?, size_of::<O>());
        if length == 0 {
            return Ok(OffsetsBuffer::default());
        }
        let wanted = length.checked_add(1).and_then(|count| count.checked_mul(size));
        let bytes = wanted.and_then(|wanted| bytes.get(..wanted)).ok_or_else(too_short)?;
        let value = |bytes: &[u8]| O::Bytes::try_from(bytes).map_or_else(|_| O::default(), O::from_le_bytes);
        let offsets: Vec<O> = bytes.chunks_exact(size).map(value).collect();
        OffsetsBuffer::try_from(offsets).map_err(refused)
    }
}

fn list_of(items: Boxed, offsets: Vec<i64>, validity: Option<Bitmap>) -> Result<Boxed, Flaw> {
    let offsets = OffsetsBuffer::try_from(offsets).map_err(refused)?;
    let dtype = ListArray::<i64>::default_datatype(items.dtype().clone());
    boxed(ListArray::try_new(dtype, offsets, items, validity))
}

fn boxed<A: Array>(array: PolarsResult<A>) -> Result<Boxed, Flaw> {
    array.map(|array| Box::new(array) as Boxed).map_err(refused)
}

fn too_large(what: &'static str, found: u64, limit: u64) -> Flaw {
    Flaw::Column(ColumnProblem::TooLarge { what, found, limit })
}

fn too_short() -> Flaw {
    damaged("a buffer is shorter than its values")
}

fn damaged(reason: &str) -> Flaw {
    Flaw::Column(ColumnProblem::Broken(reason.to_owned()))
}

fn refused(error: PolarsError) -> Flaw {
    Flaw::Column(ColumnProblem::Broken(excerpt(&error.to_string())))
}
