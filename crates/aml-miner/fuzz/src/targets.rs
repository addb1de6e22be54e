//! What fuzz targets do with files and headers from a stranger: a value within bounds or a reason, never a panic.
//!
//! The fuzz crate and the tests of the crate both take this file, so that the corpus is replayed by the same code.

use aml_miner::data::{FileLimits, Manifest, read_table};
use aml_miner::receipt::{Receipt, ReceiptError, verify};
use aml_miner::wire::body::TABLES;

/// What a target does with an input.
pub(crate) type Run = fn(&[u8]);

/// All of them.
pub(crate) const ALL: [(&str, Run); 3] =
    [("parquet_table", parquet_table), ("receipt", receipt), ("batch_manifest", batch_manifest)];

/// A Parquet file as each of the tables.
pub(crate) fn parquet_table(bytes: &[u8]) {
    let limits = FileLimits { rows: 4096, text_bytes: 1 << 20, values: 1 << 16, ..FileLimits::default() };
    for spec in TABLES {
        match read_table(bytes, spec, spec.name, &limits) {
            Ok(table) => assert!(table.rows() <= limits.rows),
            Err(error) => assert!(error.to_string().starts_with(spec.name), "an error names its file"),
        }
    }
}

/// A receipt's header.
pub(crate) fn receipt(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match Receipt::from_header(&text) {
        Ok(receipt) => {
            // It is read, and written in one way; nobody signed it for these bytes.
            assert_eq!(Receipt::from_header(&receipt.to_header()), Ok(receipt.clone()));
            let (signed, lines) = (receipt.signed_bytes(), if receipt.v == 1 { 8 } else { 10 });
            assert_eq!(signed.split(|byte| *byte == b'\n').count(), lines, "nothing of it makes a line of its own");
        }
        Err(error) => assert!(error.to_string().len() < 1024, "a message is short"),
    }
    let held = verify(&text, bytes, bytes, None);
    assert!(matches!(
        held,
        Err(ReceiptError::Malformed(_)
            | ReceiptError::Version(_)
            | ReceiptError::Signature
            | ReceiptError::Input { .. })
    ));
}

/// The manifest of a batch.
pub(crate) fn batch_manifest(bytes: &[u8]) {
    let Ok(manifest) = Manifest::parse(bytes, 64) else { return };
    let again = Manifest::parse(&manifest.to_json(), 64).expect("what was written is read");
    assert_eq!(again.signed_bytes(), manifest.signed_bytes());
    assert!(manifest.files.keys().all(|name| !name.contains(['/', '\\'])), "a name stays in its folder");
}
