//! Every route answers as a caller of the Python server would expect.

use aml_miner::receipt;
use serde_json::{Value, json};

use crate::api_kit::{Knobs, TestServer, batch, key};

#[test]
fn alerts_are_scored_in_request_order_with_reasons() {
    let server = TestServer::start();
    let answer = server.post_json("/score/alerts", &batch(5)).must_succeed();
    let rows = answer.json();
    let ids: Vec<_> = rows.as_array().expect("a list").iter().map(|row| row["alert_id"].clone()).collect();
    assert_eq!(ids, ["a0", "a1", "a2", "a3", "a4"]);
    for row in rows.as_array().expect("a list") {
        let score = row["score"].as_f64().expect("a number");
        assert!((0.0..=1.0).contains(&score));
        assert_eq!(row["model_version"], "1.0.0");
        assert!(row["latency_ms"].as_f64().expect("a number") >= 0.0);
        let explained: Value = serde_json::from_str(row["explain_json"].as_str().expect("text")).expect("JSON");
        let top = explained["top_features"].as_array().expect("a list");
        let sum: f64 = top.iter().map(|feature| feature["impact"].as_f64().expect("a number")).sum();
        let raw = explained["base_value"].as_f64().expect("a number") + sum;
        assert!((1.0 / (1.0 + (-raw).exp()) - score).abs() < 1e-12);
        assert_eq!(explained["score"], row["score"]);
    }
}

#[test]
fn an_explanation_is_as_long_as_asked_for() {
    let server = TestServer::start();
    let explained = |query: &str| {
        let rows = server.post_json(&format!("/score/alerts{query}"), &batch(1)).must_succeed().json();
        serde_json::from_str::<Value>(rows[0]["explain_json"].as_str().expect("text")).expect("JSON")
    };
    assert_eq!(explained("?explain=none"), json!({}));
    assert_eq!(explained("?explain=full&other=1")["top_features"].as_array().expect("a list").len(), 3);
    assert_eq!(explained(""), explained("?explain=top"));
    let refused =
        server.post_json("/score/alerts?explain=all", &batch(1)).must_fail_with(422, "invalid_request").json();
    assert_eq!(refused["detail"][0]["loc"], json!(["query", "explain"]));
}

#[test]
fn a_share_is_explained_and_what_is_severe() {
    let server = TestServer::start();
    // More severe ones than low ones, and a model that reads no severity.
    let rows = |query: &str, alerts: usize| -> Vec<Value> {
        let rows = server.post_json(&format!("/score/alerts?explain={query}"), &batch(alerts)).must_succeed().json();
        rows.as_array().expect("a list").clone()
    };
    let (all, some) = (rows("top", 200), rows("share:0.05", 200));
    assert_eq!(rows("share%3A0.05", 200)[0]["explain_json"], some[0]["explain_json"]);
    let mut order: Vec<usize> = (0..200).collect();
    let score = |row: usize| all[row]["score"].as_f64().expect("a number");
    let id = |row: usize| all[row]["alert_id"].as_str().expect("a text");
    order.sort_by(|&a, &b| score(b).total_cmp(&score(a)).then_with(|| id(a).cmp(id(b))));
    for (row, (all, some)) in all.iter().zip(&some).enumerate() {
        assert_eq!(some["score"], all["score"], "row {row}");
        let explained = row % 4 >= 2 || order[..10].contains(&row);
        let expected = if explained { all["explain_json"].clone() } else { json!("{}") };
        assert_eq!(some["explain_json"], expected, "row {row}");
    }
    assert!(rows("share:1", 200).iter().zip(&all).all(|(one, other)| one["explain_json"] == other["explain_json"]));
    assert_eq!(rows("share:0.1", 0).len(), 0);
    for bad in ["share:0", "share:1.5", "share:x", "share:"] {
        let path = format!("/score/alerts?explain={bad}");
        let refused = server.post_json(&path, &batch(1)).must_fail_with(422, "invalid_request").json();
        assert!(refused["detail"][0]["msg"].as_str().expect("words").contains("share:0.1"), "{refused}");
    }
}

#[test]
fn alerts_are_ranked_from_one_with_ties_by_id() {
    let server = TestServer::start();
    let tied =
        json!({"alerts": [{"alert_id": "b"}, {"alert_id": "a"}, {"alert_id": "c", "alert_confidence_score": 0.5}]});
    let rows = server.post_json("/rank/alerts", &tied).must_succeed().json();
    let ranked: Vec<_> =
        rows.as_array().expect("a list").iter().map(|row| (row["alert_id"].clone(), row["rank"].clone())).collect();
    assert_eq!(ranked, [(json!("c"), json!(1)), (json!("a"), json!(2)), (json!("b"), json!(3))]);
}

#[test]
fn clusters_are_scored_from_their_alerts_scores() {
    let server = TestServer::start();
    let alerts = server.post_json("/score/alerts", &batch(6)).must_succeed().json();
    let rows = server.post_json("/score/clusters?explain=full", &batch(6)).must_succeed().json();
    assert_eq!(rows.as_array().expect("a list").len(), 3);
    for (index, row) in rows.as_array().expect("a list").iter().enumerate() {
        assert_eq!(row["cluster_id"], format!("c{index}"));
        let explained: Value = serde_json::from_str(row["explain_json"].as_str().expect("text")).expect("JSON");
        let features = explained["top_features"].as_array().expect("a list");
        let highest = features.iter().find(|feature| feature["feature"] == "score_max").expect("it is a feature");
        let of = |alert: usize| alerts[alert]["score"].as_f64().expect("a number");
        let expected = of(2 * index).max(of(2 * index + 1));
        assert_eq!(highest["value"].as_f64().expect("a number").to_bits(), expected.to_bits());
    }
}

#[test]
fn an_empty_list_is_answered_with_an_empty_list() {
    let server = TestServer::start();
    assert_eq!(server.post("/score/alerts", r#"{"alerts":[]}"#).must_succeed().body, b"[]");
    assert_eq!(server.post("/rank/alerts", r#"{"alerts":[]}"#).must_succeed().body, b"[]");
    assert_eq!(server.post("/score/clusters", r#"{"clusters":[]}"#).must_succeed().body, b"[]");
    server.post("/score/clusters", r#"{"alerts":[]}"#).must_fail_with(422, "invalid_request");
}

#[test]
fn a_score_has_the_same_bits_in_any_batch_and_with_any_number_of_threads() {
    let scores = |threads: &str, of: &Value| {
        let server = TestServer::with(&[("API_THREADS", threads)]);
        let rows = server.post_json("/score/alerts", of).must_succeed().json();
        let rows = rows.as_array().expect("a list").clone();
        rows.into_iter()
            .map(|mut row| {
                row["latency_ms"] = json!(0);
                row
            })
            .collect::<Vec<_>>()
    };
    let whole = batch(2_000);
    let mut part = whole.clone();
    part["alerts"] = json!(whole["alerts"].as_array().expect("a list")[500..600]);
    let answers = scores("1", &whole);
    assert_eq!(scores("3", &whole), answers);
    assert_eq!(scores("2", &part), answers[500..600]);
}

#[test]
fn every_scoring_answer_carries_a_receipt_that_holds() {
    let server = TestServer::start();
    for path in ["/score/alerts", "/rank/alerts", "/score/clusters"] {
        let body = batch(4).to_string();
        let answer = server.post(path, &body).must_succeed();
        let header = answer.header(receipt::HEADER).expect("a receipt");
        let receipt =
            receipt::verify(header, body.as_bytes(), &answer.body, Some(&key().public_key())).expect("it holds");
        assert_eq!(receipt.model_version, "1.0.0");
        assert_eq!(receipt.timestamp, 1_761_436_800_000);
        assert_eq!((receipt.v, receipt.input_form, receipt.state_sha256), (2, Some(receipt::InputForm::Json), None));
    }
}

#[test]
fn status_routes_tell_what_is_served() {
    let server = TestServer::start();
    let health = server.get("/health").must_succeed().json();
    assert_eq!(health["status"], "healthy");
    assert_eq!(health["models_loaded"], json!({"alert_scorer": true, "alert_ranker": true, "cluster_scorer": true}));
    server.get("/ready").must_succeed();
    let version = server.get("/version").must_succeed().json();
    assert_eq!(version["alert_scorer_version"], "1.0.0");
    assert_eq!(version["models"]["alert_scorer"]["schema_sha256"].as_str().expect("text").len(), 64);
    server.post_json("/score/alerts", &batch(3)).must_succeed();
    let metrics = String::from_utf8(server.get("/metrics").must_succeed().body).expect("text");
    for line in [
        "aml_requests_total{route=\"/score/alerts\",status=\"200\"} 1",
        "aml_rows_scored_total{model=\"alert_scorer\"} 3",
        "aml_build_info",
        "aml_request_seconds_bucket",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
}

#[test]
fn pages_load_nothing_from_elsewhere() {
    let server = TestServer::start();
    for path in ["/", "/docs"] {
        let page = server.get(path).must_succeed();
        assert!(page.header("content-type").expect("given").starts_with("text/html"));
        let html = String::from_utf8(page.body).expect("text");
        assert!(!html.contains("//cdn") && !html.contains("https://") && !html.contains("src=\"http"), "{path}");
    }
}

#[test]
fn errors_have_the_shape_that_fastapi_callers_know() {
    let server = TestServer::start();
    let missing = server.get("/nowhere").must_fail_with(404, "not_found");
    assert_eq!(missing.json()["detail"], "Not Found");
    let method = server.get("/score/alerts").must_fail_with(405, "method_not_allowed");
    assert_eq!(method.header("allow"), Some("POST"));
    let broken = server.post("/score/alerts", "{\"alerts\":\n[}").must_fail_with(400, "malformed_json");
    assert!(broken.json()["detail"].as_str().expect("text").contains("line 2, column 2"));
    let invalid = server.post("/score/alerts", r#"{"alerts":[{"alert_id":"a","severity":"odd"}]}"#);
    let problem = invalid.must_fail_with(422, "invalid_request").json()["detail"][0].clone();
    assert_eq!(problem["loc"], json!(["body", "alerts", 0, "severity"]));
    assert_eq!((&problem["type"], &problem["input"]), (&json!("literal_error"), &json!("odd")));
    let mut client = server.connect();
    client.post("/score/alerts", &["content-type: text/csv"], b"a,b").must_fail_with(415, "unsupported_media_type");
    client.post("/score/alerts", &["content-encoding: lzma"], b"{}").must_fail_with(415, "unsupported_media_type");
}

#[test]
fn a_callers_request_id_is_kept_and_a_bad_one_replaced() {
    let server = TestServer::start();
    let ask = |id: &str| {
        let answer = server.connect().ask(&format!("GET /health HTTP/1.1\r\nhost: t\r\nx-request-id: {id}\r\n\r\n"));
        answer.header("x-request-id").expect("an id").to_owned()
    };
    assert_eq!(ask("run-7.a_b"), "run-7.a_b");
    assert_ne!(ask("a b"), "a b");
    assert_ne!(ask(&"x".repeat(65)), "x".repeat(65));
}

#[test]
fn without_models_it_lives_but_is_not_ready() {
    let knobs = Knobs::default();
    knobs.broken.store(true, std::sync::atomic::Ordering::SeqCst);
    let server = TestServer::with_knobs(&[], knobs);
    assert_eq!(server.get("/health").must_succeed().json()["status"], "degraded");
    server.get("/ready").must_fail_with(503, "no_model");
    server.post_json("/score/alerts", &batch(1)).must_fail_with(503, "no_model");
    server.knobs.broken.store(false, std::sync::atomic::Ordering::SeqCst);
    server.post("/admin/reload", "").must_succeed();
    server.get("/ready").must_succeed();
    server.post_json("/score/alerts", &batch(1)).must_succeed();
}

#[test]
fn a_bad_reload_leaves_the_old_models_serving() {
    let server = TestServer::start();
    server.knobs.broken.store(true, std::sync::atomic::Ordering::SeqCst);
    server.post("/admin/reload", "").must_fail_with(409, "reload_failed");
    assert_eq!(server.get("/version").must_succeed().json()["alert_scorer_version"], "1.0.0");
    server.get("/ready").must_succeed();
    server.knobs.broken.store(false, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(server.post("/admin/reload", "").must_succeed().json()["alert_scorer_version"], "1.0.1");
    let mut page = server.connect();
    page.post("/admin/reload", &["origin: http://evil.test"], b"").must_fail_with(403, "forbidden");
}

#[test]
fn the_openapi_document_describes_these_routes() {
    let server = TestServer::start();
    let document = server.get("/openapi.json").must_succeed().json();
    assert!(document["openapi"].as_str().expect("text").starts_with("3.1"));
    let paths: Vec<_> = document["paths"].as_object().expect("paths").keys().cloned().collect();
    let routes = [
        "/",
        "/admin/reload",
        "/docs",
        "/health",
        "/metrics",
        "/openapi.json",
        "/rank/alerts",
        "/ready",
        "/score/alerts",
        "/score/clusters",
        "/version",
    ];
    assert_eq!(
        {
            let mut sorted = paths;
            sorted.sort();
            sorted
        },
        routes
    );
    for path in ["/score/alerts", "/rank/alerts", "/score/clusters"] {
        let example = &document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["example"];
        server.post_json(path, example).must_succeed();
    }
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().expect("ends");
        assert!(document.pointer(pointer).is_some(), "{pointer} is not there");
    }
}
