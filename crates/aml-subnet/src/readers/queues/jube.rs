//! Jube: a flat object per alert, for `POST /api/Invoke/EntityAnalysisModel/{guid}`.
//!
//! Jube reads whatever its Request XPaths name. Names that its example model has are used for what they mean there (`AccountId`,
//! `TxnId`, `TxnDateTime`, `AmountUSD`); what is not known is left out, since a null is left out there too.

use serde_json::{Map, Value, json};

use super::{QueueAlert, storable};

/// The names of an object with their data types in a Request XPath.
pub const FIELDS: [(&str, &str); 18] = [
    ("TxnId", "String"),
    ("TxnDateTime", "Date"),
    ("AccountId", "String"),
    ("AmountUSD", "Float"),
    ("AlertId", "String"),
    ("CaseId", "String"),
    ("Round", "String"),
    ("Typology", "String"),
    ("Severity", "String"),
    ("CanonicalScore", "Float"),
    ("ScoreDeviation", "Float"),
    ("Miners", "Integer"),
    ("AlertRank", "Integer"),
    ("AlertsOfDay", "Integer"),
    ("Probability", "Float"),
    ("ProbabilityLow", "Float"),
    ("ProbabilityHigh", "Float"),
    ("Description", "String"),
];

/// An alert as the body of a request.
#[must_use]
pub fn body(alert: &QueueAlert<'_>) -> Map<String, Value> {
    let [probability, low, high] = alert.probability();
    let text = |text: &str| if text.is_empty() { Value::Null } else { json!(text) };
    let values = [
        json!(alert.key()),
        json!(alert.published_at),
        text(alert.address),
        json!(alert.volume_usd),
        json!(alert.alert_id),
        json!(alert.case_key()),
        json!(alert.round),
        text(alert.typology),
        text(alert.severity),
        json!(alert.score),
        json!(alert.deviation),
        json!(alert.miners),
        json!(alert.rank),
        json!(alert.of),
        json!(probability),
        json!(low),
        json!(high),
        text(alert.description),
    ];
    let named = FIELDS.iter().zip(values).filter(|(_, value)| !value.is_null());
    named.map(|((name, _), value)| ((*name).to_owned(), storable(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::{FIELDS, body};
    use crate::readers::queues::tests::alert;

    #[test]
    fn what_is_not_known_is_left_out() {
        let whole = body(&alert());
        assert_eq!(whole.len(), FIELDS.len());
        for (name, kind) in FIELDS {
            let value = &whole[name];
            let fits = match kind {
                "String" => value.is_string(),
                "Date" => value.as_str().is_some_and(|text| chrono::DateTime::parse_from_rfc3339(text).is_ok()),
                "Float" => value.is_number(),
                "Integer" => value.is_u64(),
                other => panic!("{other} is no type of Jube's"),
            };
            assert!(fits, "{name}: {value} is no {kind}");
        }
        let mut silent = alert();
        (silent.told, silent.volume_usd, silent.description, silent.address) = (None, None, "", "");
        let made = body(&silent);
        assert!(made.values().all(|value| !value.is_null()) && made.len() == FIELDS.len() - 6, "{made:?}");
    }
}
