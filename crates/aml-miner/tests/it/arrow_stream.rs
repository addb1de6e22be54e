//! An Arrow stream is the same table as the same Parquet file, whatever the writer; any other bytes are an error.

use aml_miner::data::{FileLimits, FileProblem, TableError, read_stream, write_batch};
use aml_miner::wire::spec::{ALERTS, CLUSTERS, FEATURES, MONEY_FLOWS, TableSpec};
use aml_miner::wire::{Batch, Table};
use polars_arrow_format::ipc::{
    BodyCompression, BodyCompressionMethod, Bool, CompressionType, Decimal, DictionaryEncoding, DictionaryKind, Field,
    FixedSizeList, FloatingPoint, Int, List, MessageHeader, Null, Precision, Struct, TimeUnit, Timestamp, Type, Utf8,
    Utf8View,
};
use proptest::prelude::*;

use crate::arrow_kit::{END, Parts, field, le, message, message_stating, schema, stream};
use crate::batch_kit::{Written, any_table, assert_same, options};
use crate::frame_kit::Frame;

fn read(bytes: &[u8], spec: &'static TableSpec) -> Result<Table, TableError> {
    read_stream(bytes, spec, spec.name, &FileLimits::default())
}

fn refusal(bytes: &[u8]) -> String {
    read(bytes, &ALERTS).expect_err("not a table").to_string()
}

fn int(bits: i32) -> Type {
    Type::Int(Box::new(Int { bit_width: bits, is_signed: true }))
}

fn double() -> Type {
    Type::FloatingPoint(Box::new(FloatingPoint { precision: Precision::Double }))
}

fn ids() -> Field {
    field("alert_id", Type::Utf8(Box::new(Utf8 {})), vec![])
}

/// A stream of alerts `a`, `b` and one further column.
fn two_alerts(other: Field, parts: impl FnOnce(Parts) -> Parts) -> Vec<u8> {
    stream(vec![ids(), other], &[parts(Parts::of(2).texts(&["a", "b"]))])
}

fn frame_of(table: Table) -> Frame {
    let root = tempfile::tempdir().expect("a directory");
    let batch = Batch { alerts: table, ..Batch::empty() };
    write_batch(&root.path().join("batch"), &batch, None, &options()).expect("a good batch");
    Frame::read(&root.path().join("batch/alerts.parquet"))
}

#[test]
fn a_stream_is_the_table_that_parquet_is() {
    let written = Written::small();
    let batch = written.must_load().batch;
    let tables = [
        (&ALERTS, &batch.alerts),
        (&FEATURES, &batch.features),
        (&CLUSTERS, &batch.clusters),
        (&MONEY_FLOWS, &batch.money_flows),
    ];
    for (spec, table) in tables {
        let frame = Frame::read(&written.path().join(format!("{}.parquet", spec.name)));
        for newest in [true, false] {
            assert_same(&read(&frame.stream(newest), spec).expect("a table"), table);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_table_survives(table in any_table(&ALERTS), newest: bool) {
        let stream = frame_of(table.clone()).stream(newest);
        assert_same(&read(&stream, &ALERTS).expect("a table"), &table);
    }
}

/// Streams that pyarrow wrote, in record batches of two rows.
#[test]
fn streams_of_another_writer_are_read() {
    let texts =
        |table: &Table, name: &str| table.texts(name).expect("texts").iter().map(str::to_owned).collect::<Vec<_>>();
    let table = read(include_bytes!("../../fuzz/corpus/arrow_stream/offsets"), &ALERTS).expect("a table");
    assert_eq!(texts(&table, "alert_id"), ["a", "b", "c"]);
    assert_eq!(texts(&table, "severity"), ["low", "", "high"]);
    let volumes = table.numbers("volume_usd").expect("numbers");
    assert_eq!((volumes[0], volumes[1].is_nan(), volumes[2]), (1.5, true, 2.0));
    assert_eq!(table.numbers("processing_date"), Some([20_387.0; 3].as_slice()));
    let indicators = table.text_lists("risk_indicators").expect("lists");
    assert_eq!((0..3).map(|row| indicators.get(row).count()).collect::<Vec<_>>(), [1, 0, 0]);
    let table = read(include_bytes!("../../fuzz/corpus/arrow_stream/views"), &ALERTS).expect("a table");
    assert_eq!(texts(&table, "description"), ["a text that is longer than twelve bytes"; 3]);
    let table = read(include_bytes!("../../fuzz/corpus/arrow_stream/flows"), &MONEY_FLOWS).expect("a table");
    assert_eq!(table.numbers("first_seen"), Some([1000.0].as_slice()));
    assert_eq!(table.unknown_columns(), ["more"]);
    assert!(refusal(include_bytes!("../../fuzz/corpus/arrow_stream/categories")).contains("dictionary-encoded"));
    assert!(refusal(include_bytes!("../../fuzz/corpus/arrow_stream/compressed")).contains("compressed"));
}

#[test]
fn every_number_type_is_read() {
    let column = |kind, bytes: Vec<u8>| {
        let other = field("volume_usd", kind, vec![]);
        let stream = two_alerts(other, |parts| parts.node(2, 0).buffer([]).buffer(bytes));
        read(&stream, &ALERTS).expect("a table").numbers("volume_usd").expect("numbers").to_vec()
    };
    let decimal = |bit_width, scale| Type::Decimal(Box::new(Decimal { precision: 9, scale, bit_width }));
    assert_eq!(column(int(8), vec![1, 2]), [1.0, 2.0]);
    assert_eq!(column(int(64), le([1_i64, 2].map(i64::to_le_bytes))), [1.0, 2.0]);
    assert_eq!(column(double(), le([0.1_f64, 2e9].map(f64::to_le_bytes))), [0.1, 2e9]);
    assert_eq!(column(decimal(32, 2), le([125_i32, 1].map(i32::to_le_bytes))), [1.25, 0.01]);
    assert_eq!(column(decimal(64, 3), le([125_i64, 1].map(i64::to_le_bytes))), [0.125, 0.001]);
    assert_eq!(column(decimal(128, 0), le([125_i128, 1].map(i128::to_le_bytes))), [125.0, 1.0]);
}

#[test]
fn seconds_are_times_and_absurd_ones_are_refused() {
    let column = |seconds: [i64; 2]| {
        let kind = Type::Timestamp(Box::new(Timestamp { unit: TimeUnit::Second, timezone: Some("UTC".into()) }));
        let ids = field("cluster_id", Type::Utf8(Box::new(Utf8 {})), vec![]);
        let other = field("latest_alert_timestamp", kind, vec![]);
        let parts = Parts::of(2).texts(&["a", "b"]).node(2, 0).buffer([]).buffer(le(seconds.map(i64::to_le_bytes)));
        read(&stream(vec![ids, other], &[parts]), &CLUSTERS)
    };
    let table = column([0, 1_761_436_800]).expect("a table");
    assert_eq!(table.numbers("latest_alert_timestamp"), Some([0.0, 1_761_436_800_000.0].as_slice()));
    assert!(column([0, i64::MAX]).is_err());
}

#[test]
fn lists_of_a_fixed_size_are_lists() {
    let kind = Type::FixedSizeList(Box::new(FixedSizeList { list_size: 2 }));
    let item = || field("item", Type::Utf8(Box::new(Utf8 {})), vec![]);
    let of = |items: &[&str]| {
        let other = field("risk_indicators", kind.clone(), vec![item()]);
        read(&two_alerts(other, |parts| parts.node(2, 0).buffer([]).texts(items)), &ALERTS)
    };
    let table = of(&["p", "q", "r", "s"]).expect("a table");
    let lists = table.text_lists("risk_indicators").expect("lists");
    assert_eq!(lists.get(1).collect::<Vec<_>>(), ["r", "s"]);
    assert!(of(&["p", "q", "r"]).expect_err("too few").to_string().contains("the size that the schema says"));
}

#[test]
fn batches_follow_one_another_and_unknown_columns_are_passed_over() {
    let point = field("point", Type::Struct(Box::new(Struct {})), vec![field("x", int(64), vec![])]);
    let batch = |texts: [&str; 2]| {
        let parts = Parts::of(2).node(2, 0).buffer([]).node(2, 0).buffer([]).buffer([0; 16]);
        parts.texts(&texts)
    };
    let bytes = stream(
        vec![point, ids()],
        &[
            batch(["a", "b"]),
            Parts::of(0).node(0, 0).buffer([]).node(0, 0).buffer([]).buffer([]).texts(&[]),
            batch(["c", "d"]),
        ],
    );
    let table = read(&bytes, &ALERTS).expect("a table");
    assert_eq!(table.texts("alert_id").expect("ids").iter().collect::<Vec<_>>(), ["a", "b", "c", "d"]);
    assert_eq!(table.unknown_columns(), ["point"]);
    let twice = stream(vec![ids(), ids()], &[]);
    assert!(refusal(&twice).contains("`alert_id` stands twice"), "{}", refusal(&twice));
}

#[test]
fn what_is_not_accepted_is_told_with_what_to_do() {
    let mut category = field("severity", Type::Utf8(Box::new(Utf8 {})), vec![]);
    let index = Box::new(Int { bit_width: 32, is_signed: true });
    category.dictionary = Some(Box::new(DictionaryEncoding {
        id: 0,
        index_type: Some(index),
        is_ordered: false,
        dictionary_kind: DictionaryKind::DenseArray,
    }));
    let told = refusal(&two_alerts(category, |parts| parts.node(2, 0).buffer([]).buffer([0; 8])));
    assert!(told.contains("`severity`") && told.contains("dictionary-encoded"), "{told}");

    let parts = Parts::of(1).texts(&["a"]);
    let mut header = parts.header();
    header.compression =
        Some(Box::new(BodyCompression { codec: CompressionType::Zstd, method: BodyCompressionMethod::Buffer }));
    let batch = message(MessageHeader::RecordBatch(Box::new(header)), &parts.body);
    let told = refusal(&[message(schema(vec![ids()]), &[]), batch, END.to_vec()].concat());
    assert!(told.contains("compressed") && told.contains("Content-Encoding"), "{told}");

    assert!(refusal(b"ARROW1\0\0 and the rest of a file").contains("write it as a stream"));
    let told = refusal(&two_alerts(field("severity", double(), vec![]), |p| p.node(2, 0).buffer([]).buffer([0; 16])));
    assert!(told.contains("`severity`: the stored type is f64, wanted is text"), "{told}");
}

/// A change of a good record batch.
type Edit<'a> = &'a dyn Fn(&mut Parts);

#[test]
fn lengths_that_do_not_hold_are_refused() {
    let volume = || field("volume_usd", double(), vec![]);
    let of = |parts: Parts| refusal(&stream(vec![ids(), volume()], &[parts]));
    let good = || Parts::of(2).texts(&["a", "b"]).node(2, 0).buffer([]).buffer([0; 16]);
    let edited = |edit: Edit<'_>| {
        let mut parts = good();
        edit(&mut parts);
        of(parts)
    };
    assert!(read(&stream(vec![ids(), volume()], &[good()]), &ALERTS).is_ok());
    let cases: [(Edit<'_>, &str); 12] = [
        (&|parts| parts.rows = -1, "negative number of rows"),
        (&|parts| parts.rows = i64::MAX, "the number of rows is 9223372036854775807"),
        (&|parts| parts.rows = 3, "holds 2 rows, the file says 3"),
        (&|parts| parts.nodes[1].0 = i64::MAX, "the number of values of a column is"),
        (&|parts| parts.nodes[1].0 = -2, "negative length"),
        (&|parts| parts.nodes[1].0 = 99_999_999, "shorter than its values"),
        (&|parts| parts.buffers[4].1 = i64::MAX, "outside of its record batch"),
        (&|parts| parts.buffers[4].0 = -8, "outside of its record batch"),
        (&|parts| parts.buffers[1].1 = 4, "shorter than its values"),
        (&|parts| parts.nodes[1].1 = 1, "shorter than its values"),
        (&|parts| parts.views.push(0), "the parts that the schema says"),
        (&|parts| parts.nodes.truncate(1), "the parts that the schema says"),
    ];
    for (edit, expected) in cases {
        let told = edited(edit);
        assert!(told.contains(expected), "{told}\n  wanted: {expected}");
    }
    let header = || MessageHeader::RecordBatch(Box::new(good().header()));
    for stated in [-1, i64::MAX, 1 << 40] {
        let batch = message_stating(header(), &good().body, stated);
        let told = refusal(&[message(schema(vec![ids(), volume()]), &[]), batch, END.to_vec()].concat());
        assert!(told.contains("message"), "{told}");
    }
}

#[test]
fn offsets_and_views_stay_within_their_buffers() {
    let offsets = |offsets: [i32; 3]| {
        let parts = Parts::of(2).node(2, 0).buffer([]).buffer(le(offsets.map(i32::to_le_bytes))).buffer("ab");
        refusal(&stream(vec![ids()], &[parts]))
    };
    assert!(offsets([0, 1, 3]).contains("reaches past its buffer"));
    assert!(offsets([0, 2, 1]).contains("monotonically"));
    assert!(offsets([-1, 0, 2]).contains("cannot be decoded"));
    let view = |length: u32, buffer: u32, offset: u32| {
        let view = [length.to_le_bytes(), *b"text", buffer.to_le_bytes(), offset.to_le_bytes()].concat();
        let other = field("description", Type::Utf8View(Box::new(Utf8View {})), vec![]);
        two_alerts(other, |mut parts| {
            parts.views = vec![1];
            parts.node(2, 0).buffer([]).buffer([view.clone(), view].concat()).buffer("text of some length")
        })
    };
    assert!(read(&view(19, 0, 0), &ALERTS).is_ok());
    assert!(refusal(&view(19, 1, 0)).contains("out of bounds"));
    assert!(refusal(&view(19, 0, 1)).contains("out of bounds"));
    assert!(refusal(&view(u32::MAX, 0, 0)).contains("the size of all text is 8589934590"));
}

#[test]
fn few_bytes_cannot_claim_much_memory() {
    // Bytes that stand once are used once.
    let list = field(
        "risk_indicators",
        Type::List(Box::new(List {})),
        vec![field("item", Type::Utf8(Box::new(Utf8 {})), vec![])],
    );
    let told = refusal(&two_alerts(list, |parts| {
        let offsets = le([0_i32, 1, 1].map(i32::to_le_bytes));
        let mut parts = parts.node(2, 0).buffer([]).buffer(offsets).texts(&[&"x".repeat(4096)]);
        let all = (0, parts.body.len() as i64);
        parts.buffers[4] = all;
        parts.buffers[6] = all;
        parts
    }));
    assert!(told.contains("overlap"), "{told}");
    // Missing values take no bytes at all.
    let list = field(
        "risk_indicators",
        Type::List(Box::new(List {})),
        vec![field("item", Type::Null(Box::new(Null {})), vec![])],
    );
    let many = two_alerts(list, |parts| {
        parts.node(2, 0).buffer([]).buffer(le([0_i32, 0, 90_000_000].map(i32::to_le_bytes))).node(90_000_000, 0)
    });
    let told = read_stream(&many, &ALERTS, "alerts", &FileLimits { rows: 5000, ..FileLimits::default() })
        .expect_err("too many");
    assert!(told.to_string().contains("the number of missing values is 90000000, at most 5000"), "{told}");
    let empty = stream(vec![], &[Parts::of(1 << 40)]);
    assert!(refusal(&empty).contains("the number of rows is"), "{}", refusal(&empty));
}

#[test]
fn deep_and_wide_schemas_are_refused() {
    let mut nested = field("deep", Type::Bool(Box::new(Bool {})), vec![]);
    for _ in 0..50 {
        nested = field("deep", Type::List(Box::new(List {})), vec![nested]);
    }
    assert!(refusal(&stream(vec![nested], &[])).contains("nested too deep"));
    let wide: Vec<Field> = (0..3000).map(|index| field(&index.to_string(), int(8), vec![])).collect();
    assert!(refusal(&stream(wide.clone(), &[])).contains("the number of columns is 3000"));
    let inside = field("wide", Type::Struct(Box::new(Struct {})), wide);
    assert!(refusal(&stream(vec![inside], &[])).contains("too many columns inside"));
}

#[test]
fn a_cut_stream_is_refused() {
    let bytes = Frame::read(&Written::small().path().join("alerts.parquet")).stream(true);
    for length in 0..bytes.len() {
        assert!(read(&bytes[..length], &ALERTS).is_err(), "cut at {length} of {}", bytes.len());
    }
    assert!(refusal(&[&bytes[..], b"!"].concat()).contains("bytes follow its end"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn bytes_of_any_kind_end_in_a_table_or_an_error(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        newest: bool,
        within_metadata: bool,
    ) {
        let mut bytes = good_stream(newest).clone();
        let length = if within_metadata { bytes.len() / 2 } else { bytes.len() };
        for (index, byte) in edits {
            bytes[index.index(length)] = byte;
        }
        if let Err(TableError::File { problem: FileProblem::TooLarge { found, limit, .. }, .. }) = read(&bytes, &ALERTS) {
            prop_assert!(found > limit);
        }
    }
}

fn good_stream(newest: bool) -> &'static Vec<u8> {
    static STREAMS: std::sync::OnceLock<[Vec<u8>; 2]> = std::sync::OnceLock::new();
    let streams = STREAMS.get_or_init(|| {
        let frame = Frame::read(&Written::small().path().join("alerts.parquet"));
        [frame.stream(false), frame.stream(true)]
    });
    &streams[usize::from(newest)]
}
