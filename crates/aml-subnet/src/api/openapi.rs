//! The OpenAPI 3.1 document: routes and answers from their types.

use std::sync::LazyLock;

use aml_miner::http::openapi::ValidationProblem;
use axum::http::header;
use axum::response::IntoResponse;
use serde_json::{Value, json};
use utoipa::OpenApi;

use super::error::{ErrorBody, ErrorCode, ValidationErrorBody};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "AML validator API",
        description = "Canonical scores, rounds, miners and weights of one validator. Read only. Every route but those of pages and `/llms.txt` also \
                       stands under the prefix `/api/1`.",
        license(name = "MIT", identifier = "MIT"),
    ),
    paths(
        super::canonical::scores,
        super::canonical::manifest,
        super::canonical::calibration,
        super::alerts::one,
        super::search::of_round,
        super::cases::of_day,
        super::clusters::one,
        super::rounds::list,
        super::rounds::one,
        super::rounds::traps,
        super::evidence::pack,
        super::miners::list,
        super::miners::one,
        super::weights::show,
        super::plan::show,
        super::queues::of_day,
        super::drift::show,
        super::risk::of_address,
        super::status::health,
        super::status::ready,
        super::status::exposition,
        document,
        super::llms::guide,
        super::pages::alert,
        super::pages::alerts::alerts_of_round,
        super::pages::cases::cases_of_day,
        super::pages::cluster,
        super::pages::home,
        super::pages::leaderboard,
        super::pages::miner,
        super::pages::rounds,
        super::pages::round,
        super::pages::weights,
        super::pages::risk,
        super::pages::plan,
        super::pages::drift,
    ),
    components(schemas(ErrorBody, ValidationErrorBody, ValidationProblem, ErrorCode)),
    tags(
        (name = "scores", description = "What the subnet is for"),
        (name = "rounds", description = "How the scores came about"),
        (name = "miners", description = "Who contributed, and how well"),
        (name = "weights", description = "What is paid"),
        (name = "status", description = "Health and metrics"),
        (name = "pages", description = "The same for people"),
        (name = "documentation", description = "This document"),
    )
)]
struct Document;

static DOCUMENT: LazyLock<Vec<u8>> = LazyLock::new(|| serde_json::to_vec(&build()).unwrap_or_default());

/// OpenAPI document
#[utoipa::path(
    get, path = "/openapi.json", tag = "documentation",
    responses((status = 200, description = "This document", body = Object, content_type = "application/json"))
)]
pub(super) async fn document() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT.as_slice())
}

/// The document as JSON.
#[must_use]
pub fn build() -> Value {
    let mut document = serde_json::to_value(Document::openapi()).unwrap_or_default();
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    for (route, item) in paths.into_iter().flatten() {
        if let Some(get) = item.get_mut("get").and_then(Value::as_object_mut) {
            get.insert("operationId".to_owned(), Value::from(operation(route)));
        }
        if let Some(get) = item.get_mut("get").filter(|_| !PROBES.contains(&route.as_str())) {
            guard(get, super::pages::is_page(route));
        }
    }
    if let Some(components) = document.get_mut("components").and_then(Value::as_object_mut) {
        let description = "Where the validator wants one (`validator.readers`); also the password of HTTP Basic.";
        let bearer = json!({"type": "http", "scheme": "bearer", "description": description});
        components.insert("securitySchemes".to_owned(), json!({"token": bearer}));
    }
    document
}

/// What a program calls a route: a name that no other route has, as OpenAPI asks for. Clients that are made of the document have methods of
/// these names.
fn operation(route: &str) -> String {
    let known = OPERATIONS.iter().find(|(known, _)| *known == route).map(|(_, name)| (*name).to_owned());
    known.unwrap_or_else(|| {
        let parts = route.split('/').filter(|part| !part.is_empty());
        let names: Vec<String> = parts.map(|part| part.replace(['{', '}'], "").replace('.', "_")).collect();
        if names.is_empty() { "page_home".to_owned() } else { names.join("_") }
    })
}

/// Names of the routes for programs; those of pages are made of their paths.
const OPERATIONS: [(&str, &str); 22] = [
    ("/canonical/{date}", "canonical_scores"),
    ("/canonical/{date}/manifest", "canonical_manifest"),
    ("/canonical/{date}/calibration", "canonical_calibration"),
    ("/alerts/{round}", "alerts"),
    ("/alerts/{round}/{id}", "alert"),
    ("/cases/{date}", "cases"),
    ("/clusters/{round}/{id}", "cluster"),
    ("/rounds", "rounds"),
    ("/rounds/{id}", "round"),
    ("/rounds/{id}/traps", "traps"),
    ("/rounds/{id}/evidence", "evidence"),
    ("/miners", "miners"),
    ("/miners/{hotkey}", "miner"),
    ("/weights", "weights"),
    ("/plan", "plan"),
    ("/queues/{system}/{date}", "queue"),
    ("/drift", "drift"),
    ("/risk/address/{address}", "address_risk"),
    ("/health", "health"),
    ("/ready", "ready"),
    ("/metrics", "metrics"),
    ("/llms.txt", "guide"),
];

/// Routes that are always answered.
const PROBES: [&str; 2] = ["/health", "/ready"];

/// What every other route may say before it is asked.
fn guard(get: &mut Value, page: bool) {
    let error = json!({"schema": {"$ref": "#/components/schemas/ErrorBody"}});
    let text = json!({"schema": {"type": "string"}});
    let content = if page { json!({"text/html": text}) } else { json!({"application/json": error}) };
    let wait = json!({"Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer"}}});
    let ask = json!({"WWW-Authenticate": {"description": "How to give the token", "schema": {"type": "string"}}});
    if let Some(responses) = get.get_mut("responses").and_then(Value::as_object_mut) {
        let needs =
            json!({"description": "The validator wants a token, and this is none", "headers": ask, "content": content});
        let too_many = json!({"description": "This client asks too often", "headers": wait, "content": content});
        responses.insert("401".to_owned(), needs);
        responses.insert("429".to_owned(), too_many);
    }
    if let Some(get) = get.as_object_mut() {
        get.insert("security".to_owned(), json!([{}, {"token": []}]));
    }
}
