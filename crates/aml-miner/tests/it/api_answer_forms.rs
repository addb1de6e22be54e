//! Answers hold the same values in every form that `Accept` may ask for.

use std::io::Cursor;

use aml_miner::wire::{ClusterRow, RankRow, ScoreRow};
use polars_arrow::array::{Array, PrimitiveArray, Utf8Array};
use polars_arrow::io::ipc::read::{StreamReader, StreamState, read_stream_metadata};
use polars_arrow::record_batch::RecordBatchT;
use serde_json::Value;

use crate::api_kit::{Answer, TestServer, batch};

const ARROW: &str = "application/vnd.apache.arrow.stream";
const NDJSON: &str = "application/x-ndjson";

fn asked(server: &TestServer, path: &str, accept: &str, alerts: usize) -> Answer {
    let body = batch(alerts).to_string();
    server.connect().post(path, &[&format!("accept: {accept}")], body.as_bytes()).must_succeed()
}

/// Names and the one batch of a stream, read by another reader than ours.
fn must_read(bytes: &[u8]) -> (Vec<String>, RecordBatchT<Box<dyn Array>>) {
    let mut stream = Cursor::new(bytes);
    let metadata = read_stream_metadata(&mut stream).expect("a schema");
    let mut reader = StreamReader::new(stream, metadata, None);
    let names = reader.schema().iter_values().map(|field| field.name.to_string()).collect();
    let Some(Ok(StreamState::Some(found))) = reader.next() else { panic!("one batch") };
    assert!(reader.next().is_none(), "and its end");
    (names, found)
}

fn texts(array: &dyn Array) -> Vec<String> {
    let array = array.as_any().downcast_ref::<Utf8Array<i64>>().expect("large texts");
    array.values_iter().map(str::to_owned).collect()
}

fn doubles(array: &dyn Array) -> Vec<u64> {
    let array = array.as_any().downcast_ref::<PrimitiveArray<f64>>().expect("doubles");
    array.values_iter().map(|value| value.to_bits()).collect()
}

#[test]
fn scores_have_the_same_bits_in_every_form() {
    let server = TestServer::start();
    for (explain, alerts) in [("none", 1), ("top", 3), ("full", 700), ("top", 0), ("share:0.2", 700), ("share:0.2", 0)]
    {
        let path = format!("/score/alerts?explain={explain}");
        let json = asked(&server, &path, "application/json", alerts);
        assert_eq!((json.header("content-type"), json.header("vary")), (Some("application/json"), Some("accept")));
        let rows: Vec<ScoreRow> = serde_json::from_slice(&json.body).expect("rows");

        let lines = asked(&server, &path, NDJSON, alerts);
        assert_eq!(lines.header("content-type"), Some(NDJSON));
        let text = String::from_utf8(lines.body).expect("text");
        assert!(text.is_empty() || text.ends_with('\n'));
        let found: Vec<ScoreRow> = text.lines().map(|line| serde_json::from_str(line).expect("a row")).collect();
        let plain = |row: &ScoreRow| (row.alert_id.clone(), row.score.to_bits(), row.explain_json.clone());
        assert_eq!(found.iter().map(plain).collect::<Vec<_>>(), rows.iter().map(plain).collect::<Vec<_>>());

        let arrow = asked(&server, &path, ARROW, alerts);
        assert_eq!(arrow.header("content-type"), Some(ARROW));
        let (names, found) = must_read(&arrow.body);
        assert_eq!(names, ["alert_id", "score", "model_version", "latency_ms", "explain_json"]);
        let columns = found.arrays();
        assert_eq!(texts(&*columns[0]), rows.iter().map(|row| row.alert_id.clone()).collect::<Vec<_>>());
        assert_eq!(doubles(&*columns[1]), rows.iter().map(|row| row.score.to_bits()).collect::<Vec<_>>());
        assert_eq!(texts(&*columns[2]), rows.iter().map(|row| row.model_version.clone()).collect::<Vec<_>>());
        assert_eq!(texts(&*columns[4]), rows.iter().map(|row| row.explain_json.clone()).collect::<Vec<_>>());
    }
}

#[test]
fn ranks_and_clusters_come_in_every_form() {
    let server = TestServer::start();
    let ranks: Vec<RankRow> = serde_json::from_slice(&asked(&server, "/rank/alerts", "*/*", 40).body).expect("ranks");
    let lines = String::from_utf8(asked(&server, "/rank/alerts", NDJSON, 40).body).expect("text");
    let found: Vec<RankRow> = lines.lines().map(|line| serde_json::from_str(line).expect("a row")).collect();
    assert_eq!(found, ranks);
    let (names, found) = must_read(&asked(&server, "/rank/alerts", ARROW, 40).body);
    assert_eq!(names, ["alert_id", "rank", "score"]);
    assert_eq!(texts(&*found.arrays()[0]), ranks.iter().map(|row| row.alert_id.clone()).collect::<Vec<_>>());
    assert_eq!(doubles(&*found.arrays()[2]), ranks.iter().map(|row| row.score.to_bits()).collect::<Vec<_>>());

    let rows: Vec<ClusterRow> =
        serde_json::from_slice(&asked(&server, "/score/clusters", "", 40).body).expect("clusters");
    let (names, found) = must_read(&asked(&server, "/score/clusters", ARROW, 40).body);
    assert_eq!(names[0], "cluster_id");
    assert_eq!(doubles(&*found.arrays()[1]), rows.iter().map(|row| row.score.to_bits()).collect::<Vec<_>>());
}

#[test]
fn a_receipt_is_over_the_bytes_of_the_form_that_was_sent() {
    let server = TestServer::start();
    for accept in [ARROW, NDJSON] {
        let body = batch(5).to_string();
        let answer = asked(&server, "/score/alerts", accept, 5);
        let receipt = answer.header(aml_miner::receipt::HEADER).expect("a receipt");
        aml_miner::receipt::verify(receipt, body.as_bytes(), &answer.body, None).expect(accept);
    }
}

#[test]
fn errors_are_json_whatever_is_asked_for() {
    let server = TestServer::start();
    let refused = server.connect().post("/score/alerts", &[&format!("accept: {ARROW}")], b"{}");
    let refused: Value = refused.must_fail_with(422, "invalid_request").json();
    assert!(refused["detail"].is_array());
}
