//! Arrow IPC streams for tests, put together part by part to be wrong.

use polars_arrow_format::ipc::planus::{Builder, WriteAsOffset};
use polars_arrow_format::ipc::{
    Buffer, Endianness, Field, FieldNode, Message, MessageHeader, MetadataVersion, RecordBatch, Schema, Type,
};

/// A column with a name and a type.
pub(crate) fn field(name: &str, kind: Type, children: Vec<Field>) -> Field {
    Field {
        name: Some(name.to_owned()),
        nullable: true,
        type_: Some(kind),
        dictionary: None,
        children: Some(children),
        custom_metadata: None,
    }
}

pub(crate) fn schema(fields: Vec<Field>) -> MessageHeader {
    let schema = Schema { endianness: Endianness::Little, fields: Some(fields), custom_metadata: None, features: None };
    MessageHeader::Schema(Box::new(schema))
}

/// A record batch in the making: its parts follow one another in its body.
#[derive(Clone, Default)]
pub(crate) struct Parts {
    pub(crate) rows: i64,
    pub(crate) nodes: Vec<(i64, i64)>,
    pub(crate) buffers: Vec<(i64, i64)>,
    pub(crate) views: Vec<i64>,
    pub(crate) body: Vec<u8>,
}

impl Parts {
    pub(crate) fn of(rows: i64) -> Self {
        Self { rows, ..Self::default() }
    }

    pub(crate) fn node(mut self, length: i64, nulls: i64) -> Self {
        self.nodes.push((length, nulls));
        self
    }

    pub(crate) fn buffer(mut self, bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref();
        self.buffers.push((self.body.len() as i64, bytes.len() as i64));
        self.body.extend_from_slice(bytes);
        self.body.resize(self.body.len().next_multiple_of(8), 0);
        self
    }

    /// Texts with offsets of 4 bytes, without nulls.
    pub(crate) fn texts(self, texts: &[&str]) -> Self {
        let ends = texts.iter().scan(0_i32, |end, text| {
            *end += i32::try_from(text.len()).expect("short");
            Some(*end)
        });
        let offsets = le(std::iter::once(0).chain(ends).map(i32::to_le_bytes));
        self.node(texts.len() as i64, 0).buffer([]).buffer(offsets).buffer(texts.concat())
    }

    pub(crate) fn header(&self) -> RecordBatch {
        let nodes = self.nodes.iter().map(|&(length, null_count)| FieldNode { length, null_count });
        let buffers = self.buffers.iter().map(|&(offset, length)| Buffer { offset, length });
        RecordBatch {
            length: self.rows,
            nodes: Some(nodes.collect()),
            buffers: Some(buffers.collect()),
            compression: None,
            variadic_buffer_counts: Some(self.views.clone()),
        }
    }

    pub(crate) fn message(&self) -> Vec<u8> {
        message(MessageHeader::RecordBatch(Box::new(self.header())), &self.body)
    }
}

/// The bytes of numbers in a row.
pub(crate) fn le<const N: usize>(numbers: impl IntoIterator<Item = [u8; N]>) -> Vec<u8> {
    numbers.into_iter().flatten().collect()
}

/// One message that states the length its body has.
pub(crate) fn message(header: MessageHeader, body: &[u8]) -> Vec<u8> {
    message_stating(header, body, body.len() as i64)
}

pub(crate) fn message_stating(header: MessageHeader, body: &[u8], body_length: i64) -> Vec<u8> {
    let message = Message { version: MetadataVersion::V5, header: Some(header), body_length, custom_metadata: None };
    let mut builder = Builder::new();
    let offset = message.prepare(&mut builder);
    let mut metadata = builder.finish(offset, None).to_vec();
    metadata.resize(metadata.len().next_multiple_of(8), 0);
    let size = u32::try_from(metadata.len()).expect("small").to_le_bytes();
    [&[0xFF; 4], &size[..], &metadata, body].concat()
}

/// The end of a stream.
pub(crate) const END: [u8; 8] = [0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0];

/// A stream of these columns with these record batches.
pub(crate) fn stream(fields: Vec<Field>, batches: &[Parts]) -> Vec<u8> {
    let mut bytes = message(schema(fields), &[]);
    batches.iter().for_each(|batch| bytes.extend(batch.message()));
    bytes.extend(END);
    bytes
}
