//! The rows of a batch as JSON, written once, and bodies with more rows in between.

use aml_miner::wire::body::{Rows, TABLES, write_rows};
use aml_miner::wire::{Batch, Table};
use bytes::Bytes;

use crate::validator::traps::Forged;

/// Shorter pieces are copied into the next one: each piece of a body costs a write of its own.
const LEAST_PIECE: usize = 4096;

/// The rows of the four tables, in the order of a body.
#[derive(Debug)]
pub(super) struct Shared {
    tables: [Written; 4],
}

/// A table as JSON that bodies share.
#[derive(Debug)]
struct Written {
    json: Bytes,
    rows: Rows,
}

impl Shared {
    pub(super) fn of(batch: &Batch) -> Self {
        Self { tables: [&batch.alerts, &batch.features, &batch.clusters, &batch.money_flows].map(Written::of) }
    }

    /// The body of the batch with `traps` in between, in pieces that share the batch's rows: together the bytes that
    /// writing the merged batch would give.
    pub(super) fn body(&self, traps: Option<&Forged>) -> Vec<Bytes> {
        let mut body = Pieces::default();
        let added = traps.map(|traps| {
            let rows = [&traps.rows.alerts, &traps.rows.features, &traps.rows.clusters, &traps.rows.money_flows];
            (rows.map(Written::of), &traps.places)
        });
        for (index, (own, spec)) in self.tables.iter().zip(TABLES).enumerate() {
            body.copy(if index == 0 { b"{\"" } else { b",\"" });
            body.copy(spec.name.as_bytes());
            body.copy(b"\":[");
            match &added {
                Some((tables, places)) => own.spliced(&mut body, &tables[index], &places[index]),
                None => body.share(own.json.clone()),
            }
            body.copy(b"]");
        }
        body.copy(b"}");
        body.done()
    }
}

impl Written {
    fn of(table: &Table) -> Self {
        let mut rows = write_rows(table);
        Self { json: Bytes::from(rows.take_bytes()), rows }
    }

    fn get(&self, rows: std::ops::Range<usize>) -> Bytes {
        self.json.slice(self.rows.span(rows))
    }

    /// Writes its rows with those of `added` at `places`, which are ascending.
    fn spliced(&self, body: &mut Pieces, added: &Self, places: &[usize]) {
        let mut first = true;
        let mut put = |rows: Bytes| {
            if !rows.is_empty() {
                if !std::mem::take(&mut first) {
                    body.copy(b",");
                }
                body.share(rows);
            }
        };
        let mut next = 0;
        for (index, &place) in places.iter().enumerate() {
            // So many traps stand before this place; the rest of what is before it are own rows.
            let until = place - index;
            put(self.get(next..until));
            put(added.get(index..index + 1));
            next = until;
        }
        put(self.get(next..self.rows.len()));
    }
}

/// A body in the making.
#[derive(Default)]
struct Pieces {
    done: Vec<Bytes>,
    open: Vec<u8>,
}

impl Pieces {
    fn copy(&mut self, bytes: &[u8]) {
        self.open.extend_from_slice(bytes);
    }

    fn share(&mut self, bytes: Bytes) {
        if bytes.len() < LEAST_PIECE {
            self.copy(&bytes);
            return;
        }
        self.close();
        self.done.push(bytes);
    }

    fn close(&mut self) {
        if !self.open.is_empty() {
            self.done.push(Bytes::from(std::mem::take(&mut self.open)));
        }
    }

    fn done(mut self) -> Vec<Bytes> {
        self.close();
        self.done
    }
}
