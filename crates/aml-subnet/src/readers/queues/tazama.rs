//! Tazama: an alert as its case management system ingests one (`IngestAlertDto`: message, report, transaction, network map).
//!
//! The report is an `Alert` of `frms-coe-lib`: one typology result with the canonical score, no rule results, for miners' rules
//! are their own. Its threshold is 0, so that every alert that is exported is shown; nothing is ever interdicted by it.

use serde_json::{Value, json};

use super::{QueueAlert, storable};

/// Type of the "transaction": an alert about an address is none of ISO 20022's messages.
pub const TX_TYPE: &str = "aml.alert.001";
/// Characters of `alerts.message`.
const MESSAGE: usize = 100;
/// The version of this form.
const CFG: &str = "aml-subnet@1.0.0";

/// An alert as the body of a request, for the tenant with this UUID.
#[must_use]
pub fn body(alert: &QueueAlert<'_>, tenant: &str) -> Value {
    let typology = if alert.typology.is_empty() { "none" } else { alert.typology };
    let message = format!("Rank {} of {} on {}: {typology}", alert.rank, alert.of, alert.round);
    let told = alert.told.map(|[value, low, high]| json!({"value": value, "low": low, "high": high}));
    storable(json!({
        "message": message.chars().take(MESSAGE).collect::<String>(),
        "report": {
            "evaluationID": alert.uuid(),
            "status": "ALRT",
            "timestamp": alert.published_at,
            "tadpResult": {
                "id": "aml-subnet",
                "cfg": CFG,
                "typologyResult": [{
                    "id": typology,
                    "cfg": CFG,
                    "result": alert.score,
                    "review": true,
                    "ruleResults": [],
                    "workflow": {"alertThreshold": 0},
                }],
            },
        },
        "transaction": {
            "TenantId": tenant,
            "TxTp": TX_TYPE,
            "AlertId": alert.alert_id,
            "CaseId": alert.case_key(),
            "Round": alert.round,
            "Address": alert.address,
            "Severity": alert.severity,
            "Score": alert.score,
            "Deviation": alert.deviation,
            "Rank": alert.rank,
            "Probability": told,
            "VolumeUsd": alert.volume_usd,
            "Description": alert.description,
        },
        "networkMap": {
            "active": true,
            "cfg": CFG,
            "tenantId": tenant,
            "messages": [{
                "id": TX_TYPE,
                "cfg": CFG,
                "txTp": TX_TYPE,
                "typologies": [{"id": typology, "cfg": CFG, "rules": []}],
            }],
        },
    }))
}

/// Whether a text is a UUID as a tenant has one.
#[must_use]
pub fn is_uuid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let hex = |part: &&str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12]) && parts.iter().all(hex)
}

#[cfg(test)]
mod tests {
    use super::{body, is_uuid};
    use crate::readers::queues::tests::alert;

    const TENANT: &str = "123e4567-e89b-12d3-a456-426614174000";

    #[test]
    fn it_is_what_the_case_management_system_takes() {
        let long = "x".repeat(5_000);
        let mut hostile = alert();
        hostile.typology = &long;
        for alert in [alert(), hostile] {
            let made = body(&alert, TENANT);
            // IngestAlertDto.
            assert!(made["message"].as_str().is_some_and(|text| text.chars().count() <= 100), "{}", made["message"]);
            for object in ["report", "transaction", "networkMap"] {
                assert!(made[object].is_object());
            }
            // TransactionDTO, and the columns that it goes into.
            assert!(made["transaction"]["TxTp"].as_str().is_some_and(|text| text.len() <= 50));
            assert_eq!(made["transaction"]["TenantId"], TENANT);
            // Alert, TADPResult, TypologyResult: an alert whose result reaches its threshold is an alerted typology.
            let result = &made["report"]["tadpResult"]["typologyResult"][0];
            assert!(result["result"].as_f64() >= result["workflow"]["alertThreshold"].as_f64());
            assert!(result["workflow"]["interdictionThreshold"].is_null(), "nothing is interdicted");
            assert!(result["ruleResults"].as_array().is_some_and(Vec::is_empty));
            assert!(is_uuid(made["report"]["evaluationID"].as_str().expect("text")));
        }
    }

    #[test]
    fn a_tenant_is_a_uuid() {
        assert!(is_uuid(TENANT) && is_uuid(&TENANT.to_uppercase()));
        for wrong in ["", "DEFAULT", "123e4567e89b12d3a456426614174000", "123e4567-e89b-12d3-a456-42661417400g"] {
            assert!(!is_uuid(wrong), "{wrong}");
        }
    }
}
