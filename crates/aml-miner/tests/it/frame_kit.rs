//! Tables of any shape for tests: columns by name, read from and written to Parquet files and Arrow streams.

use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use aml_miner::data::{FileLimits, column_from_arrays};
use aml_miner::wire::Column;
use aml_miner::wire::spec::{ColumnSpec, ColumnType};
use polars_arrow::array::{Array, ListArray, MutableBinaryViewArray, PrimitiveArray, Utf8Array, Utf8ViewArray};
use polars_arrow::compute::concatenate::concatenate;
use polars_arrow::datatypes::{ArrowDataType, ArrowSchema, Field};
use polars_arrow::io::ipc::write::{StreamWriter, WriteOptions as StreamOptions};
use polars_arrow::record_batch::RecordBatchT;
use polars_arrow::types::NativeType;
use polars_error::PolarsError;
use polars_parquet::read::{BasicDecompressor, PageReader, column_iter_to_arrays, infer_schema, read_metadata};
use polars_parquet::write::{
    CompressionOptions, Compressor, DynIter, DynStreamingIterator, FallibleStreamingIterator as _, FileWriter,
    StatisticsOptions, Version, WriteOptions, array_to_columns, get_dtype_encoding,
};

/// The values of one column.
pub(crate) type Values = Box<dyn Array>;

/// Columns of one length.
pub(crate) struct Frame {
    columns: Vec<(String, Values)>,
}

/// A column of numbers, none missing.
pub(crate) fn numbers<T: NativeType>(values: impl AsRef<[T]>) -> Values {
    PrimitiveArray::from_slice(values).boxed()
}

/// A column of numbers stored as `kind`.
pub(crate) fn stored<T: NativeType>(kind: ArrowDataType, values: impl IntoIterator<Item = Option<T>>) -> Values {
    let values: Vec<Option<T>> = values.into_iter().collect();
    PrimitiveArray::<T>::from(values).to(kind).boxed()
}

/// A column of texts, none missing.
pub(crate) fn texts<T: AsRef<str>>(values: impl AsRef<[T]>) -> Values {
    Utf8ViewArray::from_slice_values(values).boxed()
}

/// A column of texts.
pub(crate) fn maybe_texts<const N: usize>(values: [Option<&str>; N]) -> Values {
    MutableBinaryViewArray::<str>::from_iterator(values.into_iter()).freeze().boxed()
}

/// A column of lists with one text each.
pub(crate) fn lists_of_one<const N: usize>(values: [&str; N]) -> Values {
    let items = texts(values);
    let ends: Vec<i64> = (0..=N as i64).collect();
    let kind = ListArray::<i64>::default_datatype(items.dtype().clone());
    ListArray::new(kind, ends.try_into().expect("ascending"), items, None).boxed()
}

/// A column of one row: the list of these items.
pub(crate) fn one_list(items: Values) -> Values {
    let kind = ListArray::<i64>::default_datatype(items.dtype().clone());
    let ends = vec![0, items.len() as i64];
    ListArray::new(kind, ends.try_into().expect("ascending"), items, None).boxed()
}

impl Frame {
    pub(crate) fn of(columns: Vec<(&str, Values)>) -> Self {
        let columns: Vec<_> = columns.into_iter().map(|(name, values)| (name.to_owned(), values)).collect();
        assert!(columns.iter().all(|(_, values)| values.len() == columns[0].1.len()), "columns of one length");
        Self { columns }
    }

    pub(crate) fn rows(&self) -> usize {
        self.columns[0].1.len()
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|(name, _)| name.as_str())
    }

    /// Replaces the column `name`, or adds it.
    pub(crate) fn put(&mut self, name: &str, values: Values) {
        assert_eq!(values.len(), self.rows(), "a column of the right length");
        match self.columns.iter_mut().find(|(known, _)| known == name) {
            Some(column) => column.1 = values,
            None => self.columns.push((name.to_owned(), values)),
        }
    }

    pub(crate) fn rename(&mut self, from: &str, to: &str) {
        let column = self.columns.iter_mut().find(|(name, _)| name == from);
        to.clone_into(&mut column.expect("a column of the frame").0);
    }

    pub(crate) fn reverse(&mut self) {
        self.columns.reverse();
    }

    /// The numbers of the column `name`, whatever their type; NaN where missing.
    pub(crate) fn numbers(&self, name: &str) -> Vec<f64> {
        let (_, values) = self.columns.iter().find(|(known, _)| known == name).expect("the column");
        let about = ColumnSpec {
            name: "values",
            alias: None,
            kind: ColumnType::F64,
            required: false,
            min: f64::MIN,
            max: f64::MAX,
        };
        match column_from_arrays(std::slice::from_ref(values), &about, &FileLimits::default()).expect("numbers") {
            Column::Numbers(numbers) => numbers,
            other => panic!("{other:?} are no numbers"),
        }
    }

    pub(crate) fn read(path: &Path) -> Self {
        let bytes = fs::read(path).expect("a file");
        let metadata = read_metadata(&mut Cursor::new(&bytes)).expect("a Parquet file");
        let schema = infer_schema(&metadata).expect("a schema");
        let column = |field: &Field| {
            let chunks = metadata.row_groups.iter().flat_map(|group| {
                let chunks = group.columns_under_root_iter(&field.name).expect("its column");
                let (columns, types) = chunks
                    .map(|chunk| {
                        let range = chunk.byte_range();
                        let [start, end] = [range.start, range.end].map(|at| usize::try_from(at).expect("small"));
                        let pages = bytes[start..end].to_vec();
                        let pages = PageReader::new(Cursor::new(pages.into()), chunk, Vec::new(), usize::MAX);
                        let kind = &chunk.descriptor().descriptor.primitive_type;
                        (BasicDecompressor::new(pages, Vec::new()), kind)
                    })
                    .unzip();
                column_iter_to_arrays(columns, types, field.clone(), None).expect("readable pages").0
            });
            let chunks: Vec<Values> = chunks.collect();
            let chunks: Vec<&dyn Array> = chunks.iter().map(|chunk| chunk.as_ref()).collect();
            (field.name.to_string(), concatenate(&chunks).expect("chunks of one type"))
        };
        Self { columns: schema.iter_values().map(column).collect() }
    }

    fn schema(&self) -> ArrowSchema {
        let field = |(name, values): &(String, Values)| Field::new(name.as_str().into(), values.dtype().clone(), true);
        self.columns.iter().map(field).map(|field| (field.name.clone(), field)).collect()
    }

    /// A Parquet file.
    pub(crate) fn parquet(&self) -> Vec<u8> {
        let options = WriteOptions {
            statistics: StatisticsOptions::empty(),
            version: Version::V1,
            compression: CompressionOptions::Zstd(None),
            data_page_size: None,
        };
        let mut bytes = Vec::new();
        let mut writer = FileWriter::try_new(&mut bytes, self.schema(), options).expect("a schema");
        let types = writer.parquet_schema().fields().to_vec();
        let chunks = self.columns.iter().zip(types).flat_map(|((_, values), kind)| {
            let leaves = array_to_columns(values.as_ref(), kind, options, &get_dtype_encoding(values.dtype()));
            leaves.expect("values that can be written").into_iter().map(move |pages| {
                let pages = pages.map(|page| Ok(page.expect("a page")));
                let pages = Compressor::new_from_vec(pages, options.compression, Vec::new());
                Ok(DynStreamingIterator::new(pages.map_err(PolarsError::from)))
            })
        });
        let chunks: Vec<_> = chunks.collect();
        writer.write(self.rows() as u64, DynIter::new(chunks.into_iter())).expect("a row group");
        writer.end(None).expect("a footer");
        bytes
    }

    /// An Arrow stream: texts as views (newest) or with offsets of 8 bytes (oldest).
    pub(crate) fn stream(&self, newest: bool) -> Vec<u8> {
        let form = |values: &Values| if newest { values.clone() } else { with_offsets(values.as_ref()) };
        let columns = self.columns.iter().map(|(name, values)| (name.clone(), form(values)));
        let frame = Self { columns: columns.collect() };
        let mut bytes = Vec::new();
        let mut writer = StreamWriter::new(&mut bytes, StreamOptions { compression: None });
        let schema = Arc::new(frame.schema());
        writer.start(&schema, None).expect("a schema");
        let arrays = frame.columns.iter().map(|(_, values)| values.clone()).collect();
        writer.write(&RecordBatchT::new(frame.rows(), schema, arrays), None).expect("a record batch");
        writer.finish().expect("an end");
        bytes
    }
}

/// Texts, alone or in lists, with offsets; other values as they are.
fn with_offsets(values: &dyn Array) -> Values {
    if let Some(views) = values.as_any().downcast_ref::<Utf8ViewArray>() {
        return views.iter().collect::<Utf8Array<i64>>().boxed();
    }
    if let Some(lists) = values.as_any().downcast_ref::<ListArray<i64>>() {
        let items = with_offsets(lists.values().as_ref());
        let kind = ListArray::<i64>::default_datatype(items.dtype().clone());
        return ListArray::new(kind, lists.offsets().clone(), items, lists.validity().cloned()).boxed();
    }
    values.to_boxed()
}
