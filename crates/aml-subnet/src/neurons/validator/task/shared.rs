//! The rows of a batch as JSON, written once, and bodies with more rows in between.

use aml_miner::wire::Batch;
use aml_miner::wire::body::{Rows, TABLES, write_rows};
use bytes::Bytes;

use crate::neurons::validator::traps::Forged;

/// The rows of the four tables, in the order of a body.
#[derive(Debug)]
pub(super) struct Shared {
    rows: [Rows; 4],
}

impl Shared {
    pub(super) fn of(batch: &Batch) -> Self {
        Self { rows: rows_of(batch) }
    }

    /// The body of the batch with `traps` in between: the bytes that writing the merged batch would give.
    pub(super) fn body(&self, traps: Option<&Forged>) -> Bytes {
        let added = traps.map(|traps| (rows_of(&traps.rows), &traps.places));
        let length = |rows: &[Rows; 4]| rows.iter().map(|rows| rows.bytes().len()).sum::<usize>();
        // Table names and brackets take less than 64 bytes, and a comma is added for each table with traps.
        let capacity = length(&self.rows)
            + added.as_ref().map_or(0, |(rows, places)| length(rows) + places.iter().map(Vec::len).sum::<usize>());
        let mut body = Vec::with_capacity(capacity + 64);
        for (index, (own, spec)) in self.rows.iter().zip(TABLES).enumerate() {
            body.extend_from_slice(if index == 0 { b"{\"" } else { b",\"" });
            body.extend_from_slice(spec.name.as_bytes());
            body.extend_from_slice(b"\":[");
            match &added {
                Some((rows, places)) => splice(&mut body, own, &rows[index], &places[index]),
                None => body.extend_from_slice(own.bytes()),
            }
            body.push(b']');
        }
        body.push(b'}');
        Bytes::from(body)
    }
}

fn rows_of(batch: &Batch) -> [Rows; 4] {
    [&batch.alerts, &batch.features, &batch.clusters, &batch.money_flows].map(write_rows)
}

/// Writes the rows of `own` with those of `added` at `places`, which are ascending.
fn splice(out: &mut Vec<u8>, own: &Rows, added: &Rows, places: &[usize]) {
    let start = out.len();
    let mut put = |rows: &[u8]| {
        if !rows.is_empty() {
            if out.len() > start {
                out.push(b',');
            }
            out.extend_from_slice(rows);
        }
    };
    let mut next = 0;
    for (index, &place) in places.iter().enumerate() {
        // So many traps stand before this place; the rest of what is before it are own rows.
        let until = place - index;
        put(own.get(next..until));
        put(added.get(index..index + 1));
        next = until;
    }
    put(own.get(next..own.len()));
}
