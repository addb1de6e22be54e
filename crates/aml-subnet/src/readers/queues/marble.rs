//! Marble: objects of a table, for `PATCH /v1/ingest/{table}/batch`.
//!
//! The table is the reader's own: unknown fields are refused there, so the data model has these, by these types, all but the first
//! two nullable.

use serde_json::{Map, Value, json};

use super::{QueueAlert, storable};

/// Objects that one request takes.
pub const MOST: usize = 100;

/// The fields of an object with their types in the data model.
pub const FIELDS: [(&str, &str); 20] = [
    ("object_id", "String"),
    ("updated_at", "Timestamp"),
    ("round", "String"),
    ("alert_id", "String"),
    ("case_id", "String"),
    ("address", "String"),
    ("typology", "String"),
    ("severity", "String"),
    ("score", "Float"),
    ("deviation", "Float"),
    ("miners", "Int"),
    ("alert_rank", "Int"),
    ("alerts_of_day", "Int"),
    ("probability", "Float"),
    ("probability_low", "Float"),
    ("probability_high", "Float"),
    ("volume_usd", "Float"),
    ("description", "String"),
    ("source", "String"),
    ("is_decision", "Bool"),
];

/// An alert as an object of the table. `is_decision` is false in each: scores rank alerts, and decide nothing.
#[must_use]
pub fn object(alert: &QueueAlert<'_>) -> Map<String, Value> {
    let [probability, low, high] = alert.probability();
    let values = [
        json!(alert.key()),
        json!(alert.published_at),
        json!(alert.round),
        json!(alert.alert_id),
        json!(alert.case_key()),
        json!(alert.address),
        json!(alert.typology),
        json!(alert.severity),
        json!(alert.score),
        json!(alert.deviation),
        json!(alert.miners),
        json!(alert.rank),
        json!(alert.of),
        json!(probability),
        json!(low),
        json!(high),
        json!(alert.volume_usd),
        json!(alert.description),
        json!("aml-subnet"),
        json!(false),
    ];
    FIELDS.iter().zip(values).map(|((name, _), value)| ((*name).to_owned(), storable(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::{FIELDS, object};
    use crate::readers::queues::tests::alert;

    /// What Marble's parser takes for a type (`usecases/payload_parser/payload.go`).
    #[test]
    fn every_field_is_of_its_type_or_null() {
        let mut silent = alert();
        (silent.told, silent.volume_usd) = (None, None);
        for (alert, nulls) in [(alert(), 0), (silent, 4)] {
            let made = object(&alert);
            assert_eq!(made.len(), FIELDS.len());
            for (name, kind) in FIELDS {
                let value = &made[name];
                let fits = match kind {
                    "String" => value.is_string(),
                    "Timestamp" => {
                        value.as_str().is_some_and(|text| chrono::DateTime::parse_from_rfc3339(text).is_ok())
                    }
                    "Float" => value.is_number() || value.is_null(),
                    "Int" => value.is_u64(),
                    "Bool" => value.is_boolean(),
                    other => panic!("{other} is no type of Marble's"),
                };
                assert!(fits, "{name}: {value} is no {kind}");
            }
            assert_eq!(made.values().filter(|value| value.is_null()).count(), nulls);
            assert_eq!(made["is_decision"], false);
        }
    }
}
