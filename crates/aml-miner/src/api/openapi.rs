//! The OpenAPI 3.1 document: routes and answers from their types, request rows from the list of columns.

use std::sync::LazyLock;

use axum::http::header;
use axum::response::IntoResponse;
use serde_json::{Map, Value, json};
use utoipa::OpenApi;

use super::error::{ErrorBody, ErrorCode, ValidationErrorBody};
use crate::data::arrow_stream::MEDIA_TYPE as ARROW;
use crate::http::openapi::ValidationProblem;
use crate::table::spec::words;
use crate::wire::body::TABLES;
use crate::wire::spec::SEVERITIES;
use crate::wire::{ColumnSpec, ColumnType, TableSpec};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "AML Miner API",
        description = "Alert scoring, ranking, and cluster assessment",
        license(name = "MIT", identifier = "MIT"),
    ),
    paths(
        super::alerts::score,
        super::alerts::rank,
        super::clusters::score,
        super::status::health,
        super::status::ready,
        super::status::version,
        super::status::exposition,
        super::reload::reload,
        document,
        super::pages::index,
        super::pages::docs,
    ),
    components(schemas(ErrorBody, ValidationErrorBody, ValidationProblem, ErrorCode, super::query::ExplainText)),
    tags(
        (name = "scoring", description = "Scores, ranks and explanations"),
        (name = "status", description = "Health, versions and metrics"),
        (name = "administration", description = "For the operator"),
        (name = "documentation", description = "This document, and pages for people"),
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
    if let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) {
        for table in TABLES {
            schemas.insert(row_name(table).to_owned(), row(table));
        }
        schemas.insert("AlertBatch".to_owned(), batch("alerts"));
        schemas.insert("ClusterBatch".to_owned(), batch("clusters"));
    }
    for (route, schema, example) in [
        ("~1score~1alerts", "AlertBatch", "alerts"),
        ("~1rank~1alerts", "AlertBatch", "alerts"),
        ("~1score~1clusters", "ClusterBatch", "clusters"),
    ] {
        if let Some(operation) = document.pointer_mut(&format!("/paths/{route}/post")).and_then(Value::as_object_mut) {
            operation.insert("requestBody".to_owned(), request_body(schema, example));
        }
    }
    document
}

fn request_body(schema: &str, required: &str) -> Value {
    let mut example = example();
    if required == "alerts"
        && let Some(tables) = example.as_object_mut()
    {
        tables.remove("clusters");
    }
    let schema = json!({"$ref": format!("#/components/schemas/{schema}")});
    let forms = format!("{ARROW}, application/vnd.apache.parquet, application/octet-stream");
    let binary = |description: &str| json!({"type": "string", "format": "binary", "description": description});
    let parts: Map<_, _> =
        TABLES.iter().map(|table| (table.name.to_owned(), binary("An Arrow stream or Parquet file"))).collect();
    let encoding: Map<_, _> =
        TABLES.iter().map(|table| (table.name.to_owned(), json!({"contentType": forms}))).collect();
    json!({
        "required": true,
        "description": "A batch; compressed with gzip, zstd or br if Content-Encoding says so",
        "content": {
            "application/json": {"schema": schema, "example": example},
            "multipart/form-data": {
                "schema": {
                    "type": "object", "properties": parts, "required": [required], "additionalProperties": false,
                },
                "encoding": encoding,
            },
            ARROW: {"schema": binary(&format!("The table `{required}` alone, as an Arrow IPC stream"))},
        },
    })
}

/// A batch that is accepted as it stands.
#[must_use]
pub fn example() -> Value {
    json!({
        "alerts": [{
            "alert_id": "alert_1", "address": "5F1", "typology_type": "structuring", "severity": "high",
            "alert_confidence_score": 0.82, "volume_usd": "12500.50", "risk_indicators": ["high_volume"],
            "window_days": 7, "processing_date": "2025-10-26",
        }],
        "features": [{"address": "5F1", "degree_in": 12, "degree_out": 3, "total_in_usd": 40210.5, "is_whale": false}],
        "clusters": [{
            "cluster_id": "cluster_1", "cluster_type": "same_entity", "related_alert_ids": ["alert_1"],
            "addresses_involved": ["5F1"], "total_alerts": 1, "severity_max": "high", "confidence_avg": 0.82,
        }],
        "money_flows": [{"from_address": "5F0", "to_address": "5F1", "amount_usd": "310.00", "tx_count": 2}],
    })
}

fn row_name(table: &TableSpec) -> &'static str {
    match table.name {
        "alerts" => "Alert",
        "features" => "AddressFeatures",
        "clusters" => "Cluster",
        _ => "MoneyFlow",
    }
}

fn batch(required: &str) -> Value {
    let list = |table: &&TableSpec| {
        let rows = json!({"type": "array", "items": {"$ref": format!("#/components/schemas/{}", row_name(table))}});
        let schema = if table.name == required { rows } else { json!({"anyOf": [rows, {"type": "null"}]}) };
        (table.name.to_owned(), schema)
    };
    let properties: Map<_, _> = TABLES.iter().map(list).collect();
    json!({"type": "object", "properties": properties, "required": [required]})
}

fn row(table: &TableSpec) -> Value {
    let columns = table.columns.iter();
    let properties: Map<_, _> = columns.clone().map(|about| (about.name.to_owned(), cell(table, about))).collect();
    let mut row = json!({"type": "object", "properties": properties});
    let required: Vec<_> = columns.clone().filter(|about| about.required).collect();
    let aliased: Vec<_> = columns.filter_map(|about| Some((about, about.alias?))).collect();
    if aliased.is_empty() {
        row["required"] = required.iter().map(|about| about.name).collect();
        return row;
    }
    // A column is given under its name or its older name, not under both.
    for (about, alias) in &aliased {
        row["properties"][alias] = cell(table, about);
    }
    let one_name = |(about, alias): &(&ColumnSpec, &str)| {
        let either = [json!({"required": [about.name]}), json!({"required": [alias]})];
        let neither = json!({"not": {"anyOf": either}});
        let [name, alias] = either;
        if about.required { json!({"oneOf": [name, alias]}) } else { json!({"oneOf": [name, alias, neither]}) }
    };
    row["allOf"] = aliased.iter().map(one_name).collect();
    row
}

const NUMERIC_TEXT: &str = r"^-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,18})?$";
const WHOLE_TEXT: &str = "^(0|[1-9][0-9]{0,1})$";

/// The schema of a column, with what it means and its unit.
fn cell(table: &TableSpec, about: &ColumnSpec) -> Value {
    let mut schema = value(about);
    if let (Some(words), Some(fields)) = (words::of(table.name, about.name), schema.as_object_mut()) {
        fields.insert("description".to_owned(), Value::from(words.sentence()));
        fields.insert("x-unit".to_owned(), Value::from(words.unit));
    }
    schema
}

fn value(about: &ColumnSpec) -> Value {
    let value = match about.kind {
        ColumnType::Text if about.required => {
            return json!({"type": "string", "minLength": 1, "pattern": r"^[^\x00]+$"});
        }
        ColumnType::Text => json!({"type": "string"}),
        ColumnType::Severity => {
            let names = json!({"type": "string", "enum": SEVERITIES});
            return json!({"anyOf": [names, {"type": "string", "maxLength": 0}, {"type": "null"}]});
        }
        ColumnType::Date => json!({"type": "string", "format": "date"}),
        ColumnType::Bool => {
            let number = json!({"type": "integer", "minimum": 0, "maximum": 1});
            let text = json!({"type": "string", "pattern": "^([Tt]rue|[Ff]alse|0|1)$"});
            return json!({"anyOf": [{"type": "boolean"}, number, text, {"type": "null"}]});
        }
        ColumnType::TextList => json!({"type": "array", "items": {"type": "string"}}),
        ColumnType::NumberList => {
            json!({"type": "array", "items": {"anyOf": [{"type": "number"}, {"type": "string", "pattern": NUMERIC_TEXT}, {"type": "null"}]}})
        }
        _ => return number(about),
    };
    json!({"anyOf": [value, {"type": "null"}]})
}

fn number(about: &ColumnSpec) -> Value {
    let whole = !matches!(about.kind, ColumnType::F32 | ColumnType::F64 | ColumnType::Decimal);
    let mut number = json!({"type": if whole { "integer" } else { "number" }});
    if about.min > f64::MIN {
        number["minimum"] = bound(about.min);
    }
    if about.max < f64::MAX {
        number["maximum"] = bound(about.max);
    }
    let pattern = match (whole, about.min < 0.0) {
        (true, _) => WHOLE_TEXT,
        (false, true) => NUMERIC_TEXT,
        (false, false) if about.max <= 1.0 => r"^(0(\.[0-9]{1,18})?|1(\.0{1,18})?)$",
        (false, false) => r"^(0|[1-9][0-9]{0,14})(\.[0-9]{1,18})?$",
    };
    let text = json!({"type": "string", "pattern": pattern, "description": "The same as text"});
    json!({"anyOf": [number, text, {"type": "null"}]})
}

/// A bound, written as an integer where it is one.
fn bound(value: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "bounds of whole columns are integers up to 2^53")]
    let whole = value as i64;
    if value.fract().abs() > 0.0 { Value::from(value) } else { Value::from(whole) }
}
