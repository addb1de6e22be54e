//! The OpenAPI document describes exactly what the server does: every route, and every answer by its schema.

use aml_miner::whole_file::Readers;
use aml_subnet::api::openapi::build;
use aml_subnet::outputs::pack_path;
use axum::http::Method;
use serde_json::{Map, Value};

use crate::api_batch::CLUSTER;
use crate::api_kit::{DAYS, Kit, SETTLED, id, miner, must_publish, task};

/// Those of rounds, miners and weights.
fn ledger_requests() -> Vec<(&'static str, Vec<String>)> {
    let (open, settled, hotkey) = (id(DAYS), id(SETTLED), miner(1));
    let address = task(DAYS).roster[3].address.clone();
    vec![
        ("/rounds", vec!["/rounds".to_owned(), "/rounds?limit=x".to_owned()]),
        (
            "/rounds/{id}",
            vec![
                format!("/rounds/{open}"),
                format!("/rounds/{settled}"),
                "/rounds/1-2020-01-01-1".to_owned(),
                "/rounds/x".to_owned(),
            ],
        ),
        (
            "/rounds/{id}/traps",
            vec![format!("/rounds/{settled}/traps"), format!("/rounds/{open}/traps"), "/rounds/x/traps".to_owned()],
        ),
        (
            "/rounds/{id}/evidence",
            vec![
                format!("/rounds/{settled}/evidence"),
                format!("/rounds/{open}/evidence"),
                "/rounds/x/evidence".to_owned(),
            ],
        ),
        (
            "/alerts/{round}",
            vec![
                format!("/alerts/{open}?limit=5"),
                format!("/alerts/{settled}?q=nobody"),
                "/alerts/1-2020-01-01-1".to_owned(),
                format!("/alerts/{open}?sort=x"),
            ],
        ),
        ("/miners", vec!["/miners".to_owned(), "/miners?limit=x".to_owned()]),
        (
            "/miners/{hotkey}",
            vec![
                format!("/miners/{hotkey}"),
                format!("/miners/{}", miner(11)),
                format!("/miners/{}", miner(99)),
                "/miners/x".to_owned(),
            ],
        ),
        ("/weights", vec!["/weights".to_owned(), "/weights?limit=x".to_owned()]),
        (
            "/risk/address/{address}",
            vec![format!("/risk/address/{address}"), "/risk/address/x".to_owned(), "/risk/address/x?days=x".to_owned()],
        ),
    ]
}

/// Every route with a path that succeeds, and those that fail in each way it can.
fn requests() -> Vec<(&'static str, Vec<String>)> {
    let (open, settled) = (id(DAYS), id(SETTLED));
    let date = open.date;
    let mut all = vec![
        (
            "/canonical/{date}",
            vec![format!("/canonical/{date}"), "/canonical/2020-01-01".to_owned(), "/canonical/x".to_owned()],
        ),
        (
            "/canonical/{date}/manifest",
            vec![format!("/canonical/{date}/manifest"), "/canonical/2020-01-01/manifest".to_owned()],
        ),
        (
            "/canonical/{date}/calibration",
            vec![
                format!("/canonical/{date}/calibration"),
                "/canonical/2026-01-05/calibration".to_owned(),
                "/canonical/x/calibration".to_owned(),
            ],
        ),
        (
            "/alerts/{round}/{id}",
            vec![
                format!("/alerts/{open}/{}", task(DAYS).roster[3].alert_id),
                format!("/alerts/{settled}/{}", task(SETTLED).roster[3].alert_id),
                format!("/alerts/{open}/x"),
                "/alerts/x/x".to_owned(),
            ],
        ),
        (
            "/clusters/{round}/{id}",
            vec![format!("/clusters/{open}/{CLUSTER}"), format!("/clusters/{open}/x"), "/clusters/x/x".to_owned()],
        ),
        (
            "/cases/{date}",
            vec!["/cases/latest".to_owned(), "/cases/2020-01-01".to_owned(), "/cases/latest?by=x".to_owned()],
        ),
        ("/plan", vec!["/plan".to_owned(), "/plan?precision=0.2".to_owned(), "/plan?days=x".to_owned()]),
        (
            "/queues/{system}/{date}",
            vec![
                "/queues/marble/latest".to_owned(),
                "/queues/jube/latest?limit=2".to_owned(),
                "/queues/sheet/latest".to_owned(),
                "/queues/tazama/latest?tenant=123e4567-e89b-12d3-a456-426614174000".to_owned(),
                "/queues/tazama/latest".to_owned(),
                "/queues/other/latest".to_owned(),
                "/queues/marble/latest?limit=101".to_owned(),
            ],
        ),
        ("/drift", vec!["/drift".to_owned(), "/drift?reviews=10&months=1".to_owned(), "/drift?reviews=11".to_owned()]),
    ];
    all.extend(ledger_requests());
    all.extend(page_requests());
    all
}

/// Those of pages, and of what says how the server is.
fn page_requests() -> Vec<(&'static str, Vec<String>)> {
    let (open, hotkey) = (id(DAYS), miner(1));
    let address = task(DAYS).roster[3].address.clone();
    vec![
        ("/health", vec!["/health".to_owned()]),
        ("/ready", vec!["/ready".to_owned()]),
        ("/metrics", vec!["/metrics".to_owned()]),
        ("/openapi.json", vec!["/openapi.json".to_owned()]),
        ("/llms.txt", vec!["/llms.txt".to_owned()]),
        ("/", vec!["/".to_owned()]),
        ("/page/miners", vec!["/page/miners".to_owned()]),
        ("/page/plan", vec!["/page/plan".to_owned(), "/page/plan?reviews=x".to_owned()]),
        ("/page/drift", vec!["/page/drift".to_owned(), "/page/drift?reviews=x".to_owned()]),
        (
            "/page/alerts/{round}/{id}",
            vec![format!("/page/alerts/{open}/{}", task(DAYS).roster[3].alert_id), format!("/page/alerts/{open}/x")],
        ),
        (
            "/page/alerts/{round}",
            vec![
                format!("/page/alerts/{open}"),
                "/page/alerts/1-2020-01-01-1".to_owned(),
                format!("/page/alerts/{open}?sort=x"),
            ],
        ),
        (
            "/page/cases",
            vec!["/page/cases".to_owned(), "/page/cases?date=2020-01-01".to_owned(), "/page/cases?by=x".to_owned()],
        ),
        (
            "/page/clusters/{round}/{id}",
            vec![format!("/page/clusters/{open}/{CLUSTER}"), format!("/page/clusters/{open}/x")],
        ),
        ("/page/rounds", vec!["/page/rounds".to_owned()]),
        ("/page/rounds/{id}", vec![format!("/page/rounds/{open}"), "/page/rounds/1-2020-01-01-1".to_owned()]),
        ("/page/miners/{hotkey}", vec![format!("/page/miners/{hotkey}"), format!("/page/miners/{}", miner(99))]),
        ("/page/weights", vec!["/page/weights".to_owned()]),
        ("/page/risk", vec!["/page/risk".to_owned(), format!("/page/risk?address={address}")]),
    ]
}

#[tokio::test]
async fn every_route_answers_as_described() {
    let kit = Kit::season().await;
    let root = kit.folder.path().join("published");
    must_publish(&root, DAYS);
    let pack = pack_path(&root, &id(SETTLED));
    aml_miner::whole_file::write(&pack, b"a pack", Readers::Everyone).expect("written");
    let document = kit.get("/openapi.json").await.must_succeed().json();
    let mut described: Vec<&String> = document["paths"].as_object().expect("paths").keys().collect();
    let mut asked: Vec<&str> = requests().into_iter().map(|(route, _)| route).collect();
    described.sort();
    asked.sort_unstable();
    assert_eq!(described, asked, "every route is asked here, and no other is described");
    for (route, paths) in requests() {
        for path in paths {
            let answer = kit.get(&path).await;
            let responses = &document["paths"][route]["get"]["responses"];
            let told = &responses[answer.status.as_str()];
            assert!(told.is_object(), "{path} answers {}, of which the document knows nothing", answer.status);
            let full = answer.header("content-type").expect("a type");
            let media = full.split(';').next().expect("a type").to_owned();
            let schema = &told["content"][&media]["schema"];
            assert!(schema.is_object(), "{path} answers {media}, the document says {}", told["content"]);
            if media == "application/json" {
                let mut faults = Vec::new();
                check(&document, schema, &answer.json(), ("$", &mut faults));
                assert!(faults.is_empty(), "{path}: {}", faults.join("\n"));
            }
        }
    }
}

#[tokio::test]
async fn every_other_form_and_status_that_is_described_comes_about() {
    let kit = Kit::season().await;
    let path = format!("/canonical/{}", id(DAYS).date);
    for media in ["application/json", "text/csv", "application/vnd.apache.parquet"] {
        let answer = kit.send(Method::GET, &path, &[("accept", media)]).await.must_succeed();
        assert_eq!(answer.header("content-type"), Some(media));
        assert!(build()["paths"]["/canonical/{date}"]["get"]["responses"]["200"]["content"][media].is_object());
    }
    kit.send(Method::GET, &path, &[("accept", "image/png")]).await.must_fail_with(406, "not_acceptable");
    let empty = Kit::empty().await;
    assert_eq!(empty.get("/ready").await.status.as_u16(), 503);
}

#[test]
fn every_reference_leads_somewhere_and_everything_is_explained() {
    let document = build();
    assert!(document["openapi"].as_str().expect("text").starts_with("3.1"));
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().expect("ends");
        assert!(document.pointer(pointer).is_some(), "{pointer} is not there");
    }
    for (name, schema) in document["components"]["schemas"].as_object().expect("schemas") {
        for (property, about) in schema["properties"].as_object().unwrap_or(&Map::new()) {
            let parts = about["oneOf"].as_array().into_iter().flatten();
            let explained = std::iter::once(about).chain(parts).any(|part| part["description"].is_string());
            assert!(explained, "{name}.{property}");
        }
    }
}

#[test]
fn every_operation_has_a_name_of_its_own() {
    let document = build();
    let mut names = std::collections::BTreeSet::new();
    for (route, item) in document["paths"].as_object().expect("paths") {
        let name = item["get"]["operationId"].as_str().unwrap_or_else(|| panic!("{route} has no name"));
        assert!(names.insert(name), "{route}: another route is called {name} too");
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{route}: {name}");
    }
}

/// `AML_WRITE_OPENAPI=1` writes the file anew; `scripts/validator_client.py` then makes the Python module of it.
#[test]
fn the_document_that_the_python_module_is_made_of_is_this_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    let text = format!("{}\n", serde_json::to_string_pretty(&build()).expect("JSON"));
    if std::env::var_os("AML_WRITE_OPENAPI").is_some() {
        std::fs::write(path, &text).expect("writable");
    }
    let kept = std::fs::read_to_string(path).expect("the document that is kept");
    assert!(
        kept == text,
        "{path} is another document: write it anew (AML_WRITE_OPENAPI=1), then scripts/validator_client.py"
    );
}

/// What of `value` is not as `schema` says. Knows what the document uses; an object may have no other keys.
fn check(document: &Value, schema: &Value, value: &Value, (at, faults): (&str, &mut Vec<String>)) {
    if let Some(pointer) = schema["$ref"].as_str() {
        let target = document.pointer(pointer.trim_start_matches('#')).expect("it leads somewhere");
        return check(document, target, value, (at, faults));
    }
    if let Some(any) = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array()) {
        let fits = any.iter().any(|one| {
            let mut inner = Vec::new();
            check(document, one, value, (at, &mut inner));
            inner.is_empty()
        });
        if !fits {
            faults.push(format!("{at}: {value} fits none of {}", schema));
        }
        return;
    }
    if schema["allOf"].is_array() || schema["properties"].is_object() {
        return object(document, schema, value, (at, faults));
    }
    if let Some(known) = schema["enum"].as_array()
        && !known.contains(value)
    {
        faults.push(format!("{at}: {value} is none of {known:?}"));
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    };
    if !types.is_empty() && !types.iter().any(|kind| is(kind, value)) {
        faults.push(format!("{at}: {value} is no {types:?}"));
    }
    for (place, item) in value.as_array().into_iter().flatten().enumerate() {
        if schema["items"].is_object() {
            check(document, &schema["items"], item, (&format!("{at}[{place}]"), faults));
        }
    }
    for (key, item) in value.as_object().into_iter().flatten() {
        if schema["additionalProperties"].is_object() {
            check(document, &schema["additionalProperties"], item, (&format!("{at}.{key}"), faults));
        }
    }
}

fn object(document: &Value, schema: &Value, value: &Value, (at, faults): (&str, &mut Vec<String>)) {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    collect(document, schema, (&mut properties, &mut required));
    let Some(given) = value.as_object() else {
        // `null` where that is allowed beside an object.
        if !(value.is_null() && schema["type"].as_array().is_some_and(|types| types.contains(&Value::from("null")))) {
            faults.push(format!("{at}: {value} is no object"));
        }
        return;
    };
    for name in &required {
        if !given.contains_key(name) {
            faults.push(format!("{at}: {name} is missing"));
        }
    }
    for (key, item) in given {
        match properties.get(key) {
            Some(about) => check(document, about, item, (&format!("{at}.{key}"), faults)),
            None => faults.push(format!("{at}: {key} is not described")),
        }
    }
}

fn collect(document: &Value, schema: &Value, (properties, required): (&mut Map<String, Value>, &mut Vec<String>)) {
    if let Some(pointer) = schema["$ref"].as_str() {
        let target = document.pointer(pointer.trim_start_matches('#')).expect("it leads somewhere");
        return collect(document, target, (properties, required));
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        collect(document, part, (&mut *properties, &mut *required));
    }
    properties.extend(schema["properties"].as_object().cloned().unwrap_or_default());
    let names = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    required.extend(names.map(str::to_owned));
}

fn is(kind: &str, value: &Value) -> bool {
    match kind {
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        _ => false,
    }
}
