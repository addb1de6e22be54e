//! Reads the header of every page before anything is decompressed, so that a small file cannot claim gigabytes.
//!
//! The decoder allocates what a page header states; the footer's sums are not binding. This walk adds up the headers.

use polars_parquet_format::thrift::protocol::TCompactInputProtocol;
use polars_parquet_format::{PageHeader, PageType};

use crate::data::limits::FileLimits;
use crate::data::table_error::FileProblem;

/// Bytes of one page header at most: statistics of a page hold two values.
const MAX_HEADER_BYTES: usize = 4 << 20;

/// Where one column chunk lies, as the footer says.
pub(crate) struct Chunk {
    /// Offset of its first page.
    pub(crate) start: u64,
    /// Bytes of all its pages.
    pub(crate) length: u64,
    /// Values of all its pages.
    pub(crate) values: u64,
}

/// Sums over the pages of a file.
pub(crate) struct PageGuard<'a> {
    file: &'a [u8],
    limits: &'a FileLimits,
    decompressed: u64,
}

impl<'a> PageGuard<'a> {
    pub(crate) fn new(file: &'a [u8], limits: &'a FileLimits) -> Self {
        Self { file, limits, decompressed: 0 }
    }

    /// Bytes of the pages walked so far, after decompression.
    pub(crate) fn decompressed(&self) -> u64 {
        self.decompressed
    }

    /// Walks the pages of one column chunk.
    pub(crate) fn check(&mut self, chunk: &Chunk) -> Result<(), FileProblem> {
        at_most("the number of values of a column", chunk.values, self.limits.values)?;
        let mut pages = self.slice(chunk)?;
        let mut values = 0_u64;
        while values < chunk.values {
            let header = read_header(&mut pages)?;
            let stored = size(header.compressed_page_size)?;
            let decompressed = size(header.uncompressed_page_size)?;
            at_most("the size of a page", decompressed, self.limits.one_page_bytes)?;
            self.decompressed += decompressed;
            at_most("the size of all pages", self.decompressed, self.limits.page_bytes)?;
            values += values_of(&header)?;
            let stored = usize::try_from(stored).map_err(|_| broken("a page is larger than memory"))?;
            pages = pages.get(stored..).ok_or_else(|| broken("a page reaches past its column"))?;
        }
        if values == chunk.values { Ok(()) } else { Err(broken("the pages hold more values than the footer says")) }
    }

    fn slice(&self, chunk: &Chunk) -> Result<&'a [u8], FileProblem> {
        let bounds = chunk.start.checked_add(chunk.length).and_then(|end| {
            let end = usize::try_from(end).ok()?;
            Some(usize::try_from(chunk.start).ok()?..end)
        });
        bounds.and_then(|bounds| self.file.get(bounds)).ok_or_else(|| broken("a column lies outside the file"))
    }
}

/// Refuses `found` above `limit`.
pub(crate) fn at_most(what: &'static str, found: u64, limit: u64) -> Result<(), FileProblem> {
    if found > limit { Err(FileProblem::TooLarge { what, found, limit }) } else { Ok(()) }
}

fn read_header(pages: &mut &[u8]) -> Result<PageHeader, FileProblem> {
    let mut protocol = TCompactInputProtocol::new(pages, MAX_HEADER_BYTES);
    PageHeader::read_from_in_protocol(&mut protocol).map_err(|_| broken("a page header cannot be read"))
}

fn values_of(header: &PageHeader) -> Result<u64, FileProblem> {
    let count = match header.type_ {
        PageType::DATA_PAGE => header.data_page_header.as_ref().map(|page| page.num_values),
        PageType::DATA_PAGE_V2 => header.data_page_header_v2.as_ref().map(|page| page.num_values),
        PageType::DICTIONARY_PAGE => {
            // The decoder reserves this many bytes; a dictionary entry takes at least a bit of its page.
            let entries = header.dictionary_page_header.as_ref().map_or(0, |page| page.num_values);
            if i64::from(entries) > i64::from(header.uncompressed_page_size) * 8 {
                return Err(broken("a dictionary states more entries than its page can hold"));
            }
            return size(entries).map(|_| 0);
        }
        _ => Some(0),
    };
    size(count.ok_or_else(|| broken("a page has no header of its type"))?)
}

fn size(claimed: i32) -> Result<u64, FileProblem> {
    u64::try_from(claimed).map_err(|_| broken("a page states a negative size"))
}

fn broken(reason: &str) -> FileProblem {
    FileProblem::Broken(reason.to_owned())
}
