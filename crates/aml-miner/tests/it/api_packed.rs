//! Tables that become large when they are decompressed count with the body they came in, and with all others.

use serde_json::Value;

use crate::api_hardness::{bytes_held, until};
use crate::api_kit::{Answer, TestServer, request};
use crate::frame_kit::{Frame, texts};

const FORM: [&str; 1] = ["content-type: multipart/form-data; boundary=edge"];
const KIB: usize = 1 << 10;

/// A form of Parquet files, each with so many KiB of text that takes next to nothing as sent.
fn packed(tables: &[(&str, usize)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, kib) in tables {
        let rows: Vec<String> = (0..kib / 4).map(|row| format!("{row:08}")).collect();
        let long: Vec<String> = rows.iter().map(|row| format!("{row}{}", "x".repeat(4 * KIB))).collect();
        let columns = match *name {
            "alerts" => vec![("alert_id", texts(rows)), ("description", texts(long))],
            _ => vec![("from_address", texts(&rows)), ("to_address", texts(&rows)), ("asset", texts(long))],
        };
        let head = format!("--edge\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(&Frame::of(columns).parquet());
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--edge--\r\n");
    body
}

fn send(server: &TestServer, tables: &[(&str, usize)]) -> Answer {
    let body = packed(tables);
    assert!(body.len() < 100 * KIB, "it is small as sent: {}", body.len());
    server.connect().post("/score/alerts", &FORM, &body)
}

fn told(answer: Answer) -> String {
    let answer: Value = answer.must_fail_with(422, "invalid_request").json();
    answer["detail"][0]["msg"].as_str().expect("a message").to_owned()
}

#[test]
fn pages_count_as_decoded_bytes_whatever_table_they_are_of() {
    let server = TestServer::with(&[("API_MAX_BODY_BYTES", "200KiB"), ("API_MAX_DECODED_BYTES", "1MiB")]);
    send(&server, &[("alerts", 600)]).must_succeed();
    assert!(told(send(&server, &[("alerts", 2000)])).contains("the size of all pages is"));
    let together = told(send(&server, &[("alerts", 600), ("money_flows", 600)]));
    assert!(together.contains("money_flows: the size of all pages is"), "{together}");
}

#[test]
fn pages_count_with_the_bodies_of_others() {
    let small =
        [("API_MAX_BODY_BYTES", "900KiB"), ("API_MAX_DECODED_BYTES", "900KiB"), ("API_MAX_BUFFERED_BYTES", "900KiB")];
    let server = TestServer::with(&small);
    let body = format!("{{\"alerts\":[]{}}}", " ".repeat(500 * KIB)).into_bytes();
    let whole = request("/score/alerts", &[], &body);
    let mut first = server.connect();
    first.send(&whole[..whole.len() - 1]);
    until(|| bytes_held(&server) == body.len() - 1);
    send(&server, &[("alerts", 600)]).must_fail_with(429, "overloaded");
    first.send(&whole[whole.len() - 1..]);
    first.answer().expect("an answer").must_succeed();
    until(|| bytes_held(&server) == 0);
    send(&server, &[("alerts", 600)]).must_succeed();
    until(|| bytes_held(&server) == 0);
}
