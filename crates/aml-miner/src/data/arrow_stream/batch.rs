//! A record batch: how many values, in which buffers, and its bytes.

use polars_arrow_format::ipc::planus::Vector;
use polars_arrow_format::ipc::{BufferRef, FieldNodeRef, RecordBatchRef};

use super::broken::broken;
use super::layout::Shape;
use crate::data::table_error::FileProblem;

/// A record batch with as many parts as its schema says.
pub(super) struct Batch<'a> {
    pub(super) rows: u64,
    pub(super) nodes: Vector<'a, FieldNodeRef<'a>>,
    pub(super) buffers: Vector<'a, BufferRef<'a>>,
    /// Buffers of each array of views.
    pub(super) views: Vec<usize>,
    pub(super) body: &'a [u8],
}

impl<'a> Batch<'a> {
    pub(super) fn of(header: RecordBatchRef<'a>, body: &'a [u8], shape: Shape) -> Result<Self, FileProblem> {
        let unreadable = |_| broken("a record batch cannot be read");
        if header.compression().map_err(unreadable)?.is_some() {
            let advice = "its record batches are compressed; write them without compression (the whole request may be \
                          sent with Content-Encoding: zstd)";
            return Err(broken(advice));
        }
        let rows = u64::try_from(header.length().map_err(unreadable)?)
            .map_err(|_| broken("a record batch states a negative number of rows"))?;
        let nodes = header.nodes().map_err(unreadable)?.unwrap_or_else(Vector::new_empty);
        let buffers = header.buffers().map_err(unreadable)?.unwrap_or_else(Vector::new_empty);
        let counts = header.variadic_buffer_counts().map_err(unreadable)?.unwrap_or_else(Vector::new_empty);
        let views: Option<Vec<usize>> =
            counts.iter().map(|count| usize::try_from(count).ok().filter(|&count| count <= buffers.len())).collect();
        let views = views.ok_or_else(|| broken("an array of views states more buffers than there are"))?;
        let expected = views.iter().fold(shape.buffers, |sum, count| sum.saturating_add(*count));
        if nodes.len() != shape.nodes || views.len() != shape.views || buffers.len() != expected {
            return Err(broken("a record batch does not have the parts that the schema says"));
        }
        Ok(Self { rows, nodes, buffers, views, body })
    }
}
