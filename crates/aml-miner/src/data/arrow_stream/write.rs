//! Columns to the bytes of an Arrow IPC stream: a schema and one record batch, the same bytes for the same values.

use polars_arrow_format::ipc::planus::{Builder, WriteAsOffset as _};
use polars_arrow_format::ipc::{
    Buffer, Endianness, Field, FieldNode, FloatingPoint, Int, LargeUtf8, Message, MessageHeader, MetadataVersion,
    Precision, RecordBatch, Schema, Type,
};

use super::MARKER;
use crate::table::TextColumn;

/// Parts of a message begin at multiples of this.
const ALIGNMENT: usize = 8;

/// The values of one column; none is missing.
#[derive(Clone, Copy, Debug)]
pub enum Values<'a> {
    /// `large_utf8`.
    Texts(&'a TextColumn),
    /// `float64`.
    Doubles(&'a [f64]),
    /// `uint32`.
    Counts(&'a [u32]),
}

impl Values<'_> {
    fn len(self) -> usize {
        match self {
            Self::Texts(texts) => texts.len(),
            Self::Doubles(values) => values.len(),
            Self::Counts(values) => values.len(),
        }
    }

    fn kind(self) -> Type {
        match self {
            Self::Texts(_) => Type::LargeUtf8(Box::new(LargeUtf8 {})),
            Self::Doubles(_) => Type::FloatingPoint(Box::new(FloatingPoint { precision: Precision::Double })),
            Self::Counts(_) => Type::Int(Box::new(Int { bit_width: 32, is_signed: false })),
        }
    }

    /// Bytes of each buffer; the first, of what is missing, is empty.
    fn buffers(self) -> Vec<usize> {
        match self {
            Self::Texts(texts) => {
                vec![0, (texts.len() + 1) * size_of::<i64>(), texts.iter().map(str::len).sum()]
            }
            Self::Doubles(values) => vec![0, size_of_val(values)],
            Self::Counts(values) => vec![0, size_of_val(values)],
        }
    }

    fn write(self, out: &mut Vec<u8>) {
        match self {
            Self::Texts(texts) => {
                let mut end = 0_i64;
                out.extend_from_slice(&end.to_le_bytes());
                for text in texts.iter() {
                    end += signed(text.len());
                    out.extend_from_slice(&end.to_le_bytes());
                }
                pad(out);
                texts.iter().for_each(|text| out.extend_from_slice(text.as_bytes()));
            }
            Self::Doubles(values) => values.iter().for_each(|value| out.extend_from_slice(&value.to_le_bytes())),
            Self::Counts(values) => values.iter().for_each(|value| out.extend_from_slice(&value.to_le_bytes())),
        }
        pad(out);
    }
}

/// The stream of these columns, all of one length.
///
/// # Panics
/// When their lengths differ: a caller's mistake.
#[must_use]
pub fn write_stream(columns: &[(&str, Values<'_>)]) -> Vec<u8> {
    let rows = columns.first().map_or(0, |(_, values)| values.len());
    assert!(columns.iter().all(|(_, values)| values.len() == rows), "columns of one length");
    let mut lengths = Lengths::default();
    columns.iter().flat_map(|(_, values)| values.buffers()).for_each(|length| lengths.push(length));
    let nodes = vec![FieldNode { length: signed(rows), null_count: 0 }; columns.len()];
    let fields = columns.iter().map(|(name, values)| Field {
        name: Some((*name).to_owned()),
        nullable: false,
        type_: Some(values.kind()),
        dictionary: None,
        children: Some(Vec::new()),
        custom_metadata: None,
    });
    let mut out = head(fields.collect(), rows, nodes, lengths);
    columns.iter().for_each(|(_, values)| values.write(&mut out));
    end(&mut out);
    out
}

/// Where buffers stand in the body of a record batch.
#[derive(Default)]
struct Lengths {
    buffers: Vec<Buffer>,
    offset: usize,
}

impl Lengths {
    fn push(&mut self, length: usize) {
        self.buffers.push(Buffer { offset: signed(self.offset), length: signed(length) });
        self.offset += length.next_multiple_of(ALIGNMENT);
    }
}

/// A column, or an item of one, laid out.
#[derive(Default)]
pub(super) struct Body {
    nodes: Vec<FieldNode>,
    buffers: Vec<Vec<u8>>,
}

impl Body {
    /// So many values, some of them missing.
    pub(super) fn node(&mut self, length: usize, missing: usize) {
        self.nodes.push(FieldNode { length: signed(length), null_count: signed(missing) });
    }

    /// The next buffer.
    pub(super) fn buffer(&mut self, bytes: Vec<u8>) {
        self.buffers.push(bytes);
    }

    /// What stands behind it.
    pub(super) fn append(&mut self, mut other: Self) {
        self.nodes.append(&mut other.nodes);
        self.buffers.append(&mut other.buffers);
    }
}

/// A column of a stream.
pub(super) struct Part {
    pub(super) field: Field,
    pub(super) body: Body,
}

/// The stream of these columns: their schema and one record batch.
pub(super) fn stream_of(parts: Vec<Part>, rows: usize) -> Vec<u8> {
    let (mut fields, mut all) = (Vec::with_capacity(parts.len()), Body::default());
    for Part { field, body } in parts {
        fields.push(field);
        all.append(body);
    }
    let mut lengths = Lengths::default();
    all.buffers.iter().for_each(|buffer| lengths.push(buffer.len()));
    let mut out = head(fields, rows, all.nodes, lengths);
    for buffer in all.buffers {
        out.extend_from_slice(&buffer);
        pad(&mut out);
    }
    end(&mut out);
    out
}

/// The schema, and the record batch up to its body.
fn head(fields: Vec<Field>, rows: usize, nodes: Vec<FieldNode>, Lengths { buffers, offset }: Lengths) -> Vec<u8> {
    let schema = Schema { endianness: Endianness::Little, fields: Some(fields), custom_metadata: None, features: None };
    let batch = RecordBatch {
        length: signed(rows),
        nodes: Some(nodes),
        buffers: Some(buffers),
        compression: None,
        variadic_buffer_counts: None,
    };
    let mut out = Vec::with_capacity(offset + 4096);
    message(&mut out, MessageHeader::Schema(Box::new(schema)), 0);
    message(&mut out, MessageHeader::RecordBatch(Box::new(batch)), offset);
    out
}

fn end(out: &mut Vec<u8>) {
    out.extend_from_slice(&MARKER);
    out.extend_from_slice(&[0; 4]);
}

/// Appends a message up to its body of so many bytes.
fn message(out: &mut Vec<u8>, header: MessageHeader, body: usize) {
    let message = Message {
        version: MetadataVersion::V5,
        header: Some(header),
        body_length: signed(body),
        custom_metadata: None,
    };
    let mut builder = Builder::new();
    let root = message.prepare(&mut builder);
    let metadata = builder.finish(root, None);
    let size = metadata.len().next_multiple_of(ALIGNMENT);
    out.extend_from_slice(&MARKER);
    out.extend_from_slice(&u32::try_from(size).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(metadata);
    pad(out);
}

fn pad(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(ALIGNMENT), 0);
}

fn signed(length: usize) -> i64 {
    i64::try_from(length).expect("memory is shorter")
}
