//! An answer says what its request did not give: in a header, in metrics, and with `strict` as a refusal.

use serde_json::{Value, json};

use crate::api_kit::TestServer;

fn warnings(server: &TestServer, path: &str, body: &Value) -> Option<Value> {
    let answer = server.post_json(path, body).must_succeed();
    answer.header("x-aml-warnings").map(|text| serde_json::from_str(text).expect("JSON"))
}

fn complete() -> Value {
    json!({
        "alerts": [{"alert_id": "a", "address": "x", "severity": "low", "alert_confidence_score": 0.5}],
        "features": [{"address": "x", "degree_in": 3}],
    })
}

#[test]
fn a_complete_body_has_no_warnings() {
    let server = TestServer::start();
    assert_eq!(warnings(&server, "/score/alerts", &complete()), None);
    server.post_json("/score/alerts?strict=true", &complete()).must_succeed();
}

#[test]
fn unknown_keys_come_back_with_the_names_that_look_alike() {
    let server = TestServer::start();
    let mut body = complete();
    body["alerts"][0]["adress"] = "x".into();
    body["alerts"][0]["volum_usd"] = 4.into();
    body["alerts"][0]["zzz"] = 1.into();
    body["feature"] = json!([]);
    let told = warnings(&server, "/score/alerts", &body).expect("warnings");
    let keys = told["unknown_keys"].as_array().expect("a list");
    for (table, key, meant) in [
        (json!(null), "feature", json!("features")),
        (json!("alerts"), "adress", json!("address")),
        (json!("alerts"), "volum_usd", json!("volume_usd")),
        (json!("alerts"), "zzz", json!(null)),
    ] {
        let found = keys.iter().find(|found| found["key"] == key).unwrap_or_else(|| panic!("{key} in {told}"));
        assert_eq!((&found["table"], &found["did_you_mean"]), (&table, &meant), "{told}");
    }
    let refused = server.post_json("/score/alerts?strict=true", &body).must_fail_with(422, "invalid_request").json();
    let problems = refused["detail"].as_array().expect("a list");
    assert_eq!(problems.len(), 4);
    let adress = problems.iter().find(|problem| problem["loc"] == json!(["body", "alerts", "adress"])).expect("told");
    assert_eq!(adress["type"], "extra_forbidden");
    assert!(adress["msg"].as_str().expect("text").contains("'address'"));
}

#[test]
fn absent_tables_and_columns_and_how_much_is_missing_come_back() {
    let server = TestServer::start();
    let told = warnings(&server, "/score/alerts", &json!({"alerts": [{"alert_id": "a"}]})).expect("warnings");
    assert_eq!(told["absent_tables"], json!(["features"]));
    assert!(told["absent_columns"].as_array().expect("a list").contains(&json!("alerts.severity")), "{told}");
    assert_eq!(told["missing_share"], 1.0);
    let refused = server.post_json("/score/alerts?strict=1", &json!({"alerts": [{"alert_id": "a"}]}));
    let refused = refused.must_fail_with(422, "invalid_request").json();
    let places: Vec<_> = refused["detail"].as_array().expect("a list").iter().map(|problem| &problem["loc"]).collect();
    assert!(places.contains(&&json!(["body", "features"])), "{places:?}");
    server.post_json("/score/alerts?strict=perhaps", &complete()).must_fail_with(422, "invalid_request");
    let metrics = String::from_utf8(server.get("/metrics").must_succeed().body).expect("text");
    assert!(metrics.contains("aml_request_warnings_total{what=\"absent_tables\"} 1"), "{metrics}");
    assert!(metrics.contains("aml_missing_share{model=\"alert_scorer\"} 1"), "{metrics}");
}

#[test]
fn the_header_is_ascii_and_bounded_whatever_the_keys_are() {
    let server = TestServer::start();
    let mut body = complete();
    for index in 0..60 {
        body["alerts"][0][format!("ключ\n{index}")] = index.into();
    }
    let answer = server.post_json("/score/alerts", &body).must_succeed();
    let text = answer.header("x-aml-warnings").expect("warnings");
    assert!(text.len() <= 4096 && text.is_ascii());
    let told: Value = serde_json::from_str(text).expect("JSON");
    let kept = told["unknown_keys"].as_array().expect("a list");
    assert!(kept[0]["key"].as_str().expect("text").starts_with("ключ\n"), "{told}");
    assert_eq!(kept.len() as u64 + told["cut"].as_u64().unwrap_or(0), 60);
}
