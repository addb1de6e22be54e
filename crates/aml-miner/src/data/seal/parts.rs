//! A table that lies in a directory as `NAME-000.parquet`, `NAME-001.parquet` and so on: it is sealed where it lies, file by
//! file, and never held whole.

use std::path::Path;

use super::{ENDINGS, SealError, SealOptions, byte_limit};
use crate::data::limits::FileLimits;
use crate::data::manifest::FileEntry;
use crate::data::parquet::ParquetFile;
use crate::data::parts::{PARTED, TableParts, part_name};
use crate::data::walk::{Keeping, Walk};
use crate::digest::Digest;
use crate::table::spec::TableSpec;
use crate::whole_file;
use crate::wire::InOrder;

/// A table in parts, as the manifest will have it.
pub(super) struct SealedParts {
    pub(super) name: &'static str,
    pub(super) files: Vec<(String, FileEntry)>,
    pub(super) parts: TableParts,
}

/// The parts of `spec` in `directory`: from the number 0 on, as far as they go.
pub(super) fn parts_in(directory: &Path, spec: &'static TableSpec) -> Vec<String> {
    if !PARTED.iter().any(|parted| parted.name == spec.name) {
        return Vec::new();
    }
    (0..).map(|index| part_name(spec, index)).take_while(|name| directory.join(name).is_file()).collect()
}

/// Checks the parts `names` of a table and describes them.
pub(super) fn seal_parts(
    directory: &Path,
    names: Vec<String>,
    spec: &'static TableSpec,
    options: &SealOptions<'_>,
    most: usize,
) -> Result<SealedParts, SealError> {
    let whole = ENDINGS.iter().map(|(ending, _)| format!("{}.{ending}", spec.name));
    if let Some(whole) = whole.into_iter().find(|name| directory.join(name).is_file()) {
        return Err(SealError::Both(whole, names[0].clone()));
    }
    let refused = |why| SealError::Parts { table: spec.name, part: names[0].clone(), why };
    if options.output.is_some() {
        return Err(refused("parts are sealed where they lie, without --out"));
    }
    if options.names.get(spec.name).is_some_and(|names| !names.is_empty()) {
        return Err(refused("columns of parts are not renamed, since that would change your files"));
    }
    let limits = FileLimits::default();
    let mut walk = Walk::new(spec, &limits, most)
        .of_batch(options.about.processing_date, options.about.window_days)
        .with_content();
    let mut files = Vec::new();
    for name in &names {
        let path = directory.join(name);
        let bytes = whole_file::read(&path, byte_limit(&limits)).map_err(|source| SealError::Read { path, source })?;
        let one = |problem| SealError::Tables(vec![problem]);
        let file = ParquetFile::open(&bytes, name, &limits).map_err(one)?;
        let before = walk.rows();
        walk.file(&file, &Keeping::nothing(), &InOrder, &mut |_| ()).map_err(SealError::Tables)?;
        let rows = walk.rows() - before;
        files.push((name.clone(), FileEntry { sha256: Digest::of(&bytes), bytes: bytes.len() as u64, rows }));
    }
    let rows = walk.rows();
    let content_sha256 = walk.content().unwrap_or_else(|| Digest::of(&[]));
    Ok(SealedParts { name: spec.name, files, parts: TableParts { content_sha256, parts: names, rows } })
}
