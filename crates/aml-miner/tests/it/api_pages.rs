//! The pages work without the network, behind a path, and without leave to run anything but what they bring.

use serde_json::Value;

use crate::api_kit::TestServer;

#[test]
fn every_link_is_relative() {
    let server = TestServer::start();
    for path in ["/", "/docs", "/docs/start.js"] {
        let page = String::from_utf8(server.get(path).must_succeed().body).expect("text");
        for absolute in ["href=\"/", "src=\"/", "fetch(\"/", "http://", "https://"] {
            assert!(!page.contains(absolute), "{absolute} in {path}");
        }
    }
}

#[test]
fn only_the_page_to_try_runs_a_script_and_only_its_own() {
    let server = TestServer::start();
    let policy =
        |path: &str| server.get(path).must_succeed().header("content-security-policy").expect("given").to_owned();
    assert!(!policy("/").contains("script-src"));
    assert!(policy("/docs").contains("script-src 'self'") && !policy("/docs").contains("unsafe-eval"));
    let page = String::from_utf8(server.get("/docs").must_succeed().body).expect("text");
    for file in page.split("src=\"").skip(1).chain(page.split("stylesheet\" href=\"").skip(1)) {
        let file = file.split('"').next().expect("it ends");
        let asset = server.get(&format!("/{file}")).must_succeed();
        let kind = asset.header("content-type").expect("given").to_owned();
        assert!(
            kind.starts_with(if file.ends_with(".css") { "text/css" } else { "text/javascript" }),
            "{file}: {kind}"
        );
        assert!(asset.body.len() > 100, "{file}");
    }
    server.get("/docs/passwd").must_fail_with(404, "not_found");
}

#[test]
fn the_document_tells_every_operation_and_column_apart() {
    let document = aml_miner::api::openapi::build();
    let mut names: Vec<&str> = Vec::new();
    for operations in document["paths"].as_object().expect("paths").values() {
        names
            .extend(operations.as_object().expect("operations").values().filter_map(|one| one["operationId"].as_str()));
    }
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "each has a name of its own: {names:?}");
    for table in ["Alert", "AddressFeatures", "Cluster", "MoneyFlow"] {
        let columns = document["components"]["schemas"][table]["properties"].as_object().expect("columns");
        for (name, column) in columns {
            let described = column["description"].as_str().is_some_and(|text| text.len() > 10);
            assert!(described && column["x-unit"].is_string(), "{table}.{name}: {column}");
            let mixed = column["enum"].as_array().is_some_and(|values| values.iter().any(|value| !value.is_string()));
            assert!(!mixed, "{table}.{name} has an enumeration of several types, which generators drop");
        }
    }
    assert!(document["components"]["schemas"]["AddressFeatures"]["properties"]["is_whale"] != Value::Null);
}
