//! A batch means the same in every form, and whatever a model does not read may be left out of memory.

use aml_miner::data::write_batch;
use aml_miner::features::{FeatureBuilder, RowKind, Schema};
use aml_miner::synth::{SynthConfig, generate};
use aml_miner::wire::{Batch, InOrder, Needs, Reading, read_body, write_body};
use serde_json::{Value, json};

use crate::api_kit::TestServer;
use crate::batch_kit::options;
use crate::frame_kit::{Frame, Values, lists_of_one, numbers, one_list, texts};

fn day() -> Batch {
    let config = SynthConfig { alerts: 40, addresses: 300, days: 1, ..SynthConfig::default() };
    generate(&config).expect("a valid configuration").next().expect("one day").batch
}

/// The rows without the one field that tells time.
fn timeless(rows: Value) -> Vec<Value> {
    let rows = rows.as_array().expect("a list").clone();
    rows.into_iter()
        .map(|mut row| {
            row.as_object_mut().expect("an object").remove("latency_ms");
            row
        })
        .collect()
}

pub(crate) fn form(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    form_of("", files)
}

/// A form whose parts have these further headers.
fn form_of(headers: &str, files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, bytes) in files {
        let head = format!("--edge\r\ncontent-disposition: form-data; name=\"{name}\"\r\n{headers}\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--edge--\r\n");
    body
}

pub(crate) const FORM: [&str; 1] = ["content-type: multipart/form-data; boundary=edge"];

#[test]
fn parquet_tables_are_scored_as_the_same_json() {
    let server = TestServer::start();
    let batch = day();
    let dir = tempfile::tempdir().expect("a directory");
    let target = dir.path().join("batch");
    write_batch(&target, &batch, None, &options()).expect("written");
    let file = |name: &'static str| (name, std::fs::read(target.join(format!("{name}.parquet"))).expect("there"));
    let files = [file("alerts"), file("features"), file("clusters"), file("money_flows")];
    for path in ["/score/alerts", "/score/clusters"] {
        let from_json = server.post(path, write_body(&batch)).must_succeed().json();
        let from_form = server.connect().post(path, &FORM, &form(&files)).must_succeed().json();
        assert_eq!(timeless(from_form), timeless(from_json));
    }
    let without = server.connect().post("/score/alerts", &FORM, &form(&files[1..]));
    without.must_fail_with(422, "invalid_request");
}

const ARROW: &str = "content-type: application/vnd.apache.arrow.stream";

#[test]
fn arrow_tables_are_scored_as_the_same_json() {
    let server = TestServer::start();
    let batch = day();
    let dir = tempfile::tempdir().expect("a directory");
    let target = dir.path().join("batch");
    write_batch(&target, &batch, None, &options()).expect("written");
    for (newest, headers) in [(true, ""), (false, "Content-Type: application/vnd.apache.arrow.stream\r\n")] {
        let table = |name: &'static str| (name, Frame::read(&target.join(format!("{name}.parquet"))).stream(newest));
        let tables = ["alerts", "features", "clusters", "money_flows"].map(table);
        for path in ["/score/alerts", "/rank/alerts", "/score/clusters"] {
            let from_json = server.post(path, write_body(&batch)).must_succeed().json();
            let from_form = server.connect().post(path, &FORM, &form_of(headers, &tables)).must_succeed().json();
            assert_eq!(timeless(from_form), timeless(from_json));
        }
        let [(_, alerts), _, (_, clusters), _] = &tables;
        let alone = Batch { alerts: batch.alerts.clone(), ..Batch::empty() };
        let from_json = server.post("/score/alerts", write_body(&alone)).must_succeed().json();
        let from_stream = server.connect().post("/score/alerts", &[ARROW], alerts).must_succeed().json();
        assert_eq!(timeless(from_stream), timeless(from_json));
        server.connect().post("/score/clusters", &[ARROW], clusters).must_succeed();
    }
    server.connect().post("/score/alerts", &[ARROW], b"PAR1").must_fail_with(422, "invalid_request");
    server.connect().post("/score/alerts", &[ARROW], b"").must_fail_with(422, "invalid_request");
}

#[test]
fn broken_forms_are_refused_with_a_reason() {
    let server = TestServer::start();
    let refused = |bytes: &[u8]| server.connect().post("/score/alerts", &FORM, bytes);
    refused(&form(&[("alerts", b"PAR1 not really PAR1".to_vec())])).must_fail_with(422, "invalid_request");
    refused(&form(&[("orders", Vec::new())])).must_fail_with(422, "invalid_request");
    refused(&form(&[("alerts", Vec::new()), ("alerts", Vec::new())])).must_fail_with(422, "invalid_request");
    refused(b"no boundary").must_fail_with(400, "malformed_body");
    let unnamed = server.connect().post("/score/alerts", &["content-type: multipart/form-data"], b"");
    unnamed.must_fail_with(400, "malformed_body");
}

#[test]
fn a_matrix_has_the_same_bits_when_only_the_needed_columns_are_kept() {
    let body = write_body(&day());
    let all = read_body(&body, &Reading::default(), &InOrder).expect("a batch");
    for schema in [Schema::default_alert(), Schema::default_cluster()] {
        let rows = schema.rows;
        let builder = FeatureBuilder::new(&schema).expect("known features");
        let needs = builder.columns();
        assert_ne!(needs, Needs::all());
        let few = read_body(&body, &Reading { needs, ..Reading::default() }, &InOrder).expect("a batch");
        let scores = vec![0.25; all.alerts.rows()];
        let matrix = |batch: &Batch| match rows {
            RowKind::Alert => builder.alerts(batch),
            RowKind::Cluster => builder.clusters(batch, Some(&scores)),
        };
        let bits = |batch: &Batch| {
            matrix(batch).expect("a matrix").matrix.values().iter().map(|value| value.to_bits()).collect::<Vec<_>>()
        };
        assert!(bits(&all) == bits(&few), "{rows:?} rows differ");
    }
}

/// One item more than a list may have.
const TOO_MANY: usize = 100_001;

/// A table with U+0000 in a text or list of `column`, or a key that stands twice, as JSON and as Parquet.
fn broken_tables() -> Vec<(&'static str, &'static str, Value, Frame)> {
    let alert = |column: &'static str, value: Value, values: Values| {
        let rows = json!([{"alert_id": "a", column: value}]);
        ("alerts", column, rows, Frame::of(vec![("alert_id", texts(["a"])), (column, values)]))
    };
    vec![
        alert("address", json!("x\u{0}"), texts(["x\u{0}"])),
        alert("description", json!("\u{0}"), texts(["\u{0}"])),
        alert("risk_indicators", json!(["a\u{0}b"]), lists_of_one(["a\u{0}b"])),
        alert("risk_indicators", json!(vec!["a"; TOO_MANY]), one_list(texts(vec!["a"; TOO_MANY]))),
        alert("alert_confidence_score", json!("1.5"), texts(["1.5"])),
        alert("alert_confidence_score", json!("0,5"), texts(["0,5"])),
        alert("processing_date", json!("2025-02-29"), texts(["2025-02-29"])),
        (
            "features",
            "address",
            json!([{"address": "x", "degree_in": 1}, {"address": "x", "degree_in": 2}]),
            Frame::of(vec![("address", texts(["x", "x"])), ("degree_in", numbers([1_i64, 2]))]),
        ),
        (
            "features",
            "hourly_activity",
            json!([{"address": "x", "hourly_activity": vec![1; TOO_MANY]}]),
            Frame::of(vec![("address", texts(["x"])), ("hourly_activity", one_list(numbers(vec![1_i64; TOO_MANY])))]),
        ),
    ]
}

#[test]
fn a_cell_that_one_form_refuses_is_refused_in_every_form() {
    let server = TestServer::start();
    for (table, column, rows, frame) in broken_tables() {
        let alerts = Frame::of(vec![("alert_id", texts(["a"]))]);
        let mut body = json!({"alerts": [{"alert_id": "a"}]});
        body[table] = rows;
        let refused = server.post_json("/score/alerts", &body).must_fail_with(422, "invalid_request").json();
        let told = refused["detail"][0]["loc"].as_array().expect("a way").clone();
        assert_eq!((&told[1], &told[3]), (&json!(table), &json!(column)), "{refused}");
        for parquet in [true, false] {
            let bytes = |frame: &Frame| if parquet { frame.parquet() } else { frame.stream(true) };
            let mut files = vec![(table, bytes(&frame))];
            if table != "alerts" {
                files.push(("alerts", bytes(&alerts)));
            }
            let refused = server.connect().post("/score/alerts", &FORM, &form(&files));
            let refused = refused.must_fail_with(422, "invalid_request").json();
            let told = refused["detail"][0]["msg"].as_str().expect("a message").to_owned();
            assert!(told.contains(&format!("column `{column}`")), "{told}");
        }
    }
}

#[test]
fn a_number_may_be_written_in_the_same_ways_in_every_form() {
    let server = TestServer::start();
    for text in ["+0.5", ".5", "5.e-1", "0.5", "5E-1"] {
        let body = json!({"alerts": [{"alert_id": "a", "alert_confidence_score": text}]});
        let from_json = server.post_json("/score/alerts", &body).must_succeed().json();
        let frame = Frame::of(vec![("alert_id", texts(["a"])), ("alert_confidence_score", texts([text]))]);
        let from_form = server.connect().post("/score/alerts", &FORM, &form(&[("alerts", frame.parquet())]));
        assert_eq!(timeless(from_form.must_succeed().json()), timeless(from_json), "{text}");
    }
}
