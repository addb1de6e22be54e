//! A batch as one `multipart/form-data` body: an Arrow IPC stream for each table that has rows or must be there.

use super::{MEDIA_TYPE, write_table};
use crate::table::Batch;
use crate::table::spec::ALERTS;

/// The form of `batch` between these boundaries; the same bytes for the same batch. The caller chooses a boundary that
/// nobody who writes into the batch can foresee.
#[must_use]
pub fn write_form(batch: &Batch, boundary: &str) -> Vec<u8> {
    let mut form = Vec::new();
    for table in [&batch.alerts, &batch.features, &batch.clusters, &batch.money_flows] {
        let name = table.spec().name;
        if table.rows() == 0 && name != ALERTS.name {
            continue;
        }
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\nContent-Type: {MEDIA_TYPE}\r\n\r\n"
        );
        form.extend_from_slice(head.as_bytes());
        form.extend_from_slice(&write_table(table));
        form.extend_from_slice(b"\r\n");
    }
    form.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    form
}
