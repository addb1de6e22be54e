//! What a batch says, as facts in plain words: what is missing is left out, what is long is cut.

use aml_miner::wire::spec::words;
use aml_miner::wire::{Column, ColumnType, Table};
use serde_json::Value;

use super::Dossier;
use crate::api::views::alert::{ClusterLine, Evidence, Fact};
use crate::calendar::{date_of, rfc3339};
pub(in crate::api) use crate::readers::reasons::words::usd;

/// Characters of one value.
const LONGEST: usize = 400;
/// Characters of a description.
const LONGEST_TEXT: usize = 2_000;
/// Entries of the detector's evidence, and indicators.
const MOST: usize = 40;
/// Bytes of evidence that are read at all.
const MOST_BYTES: usize = 64 << 10;

/// What an alert's page tells of the alert itself.
const OF_ALERT: [&str; 6] = [
    "volume_usd",
    "alert_confidence_score",
    "pattern_type",
    "pattern_id",
    "suspected_address_type",
    "suspected_address_subtype",
];
/// What it tells of the address.
const OF_ADDRESS: [&str; 20] = [
    "total_in_usd",
    "total_out_usd",
    "tx_in_count",
    "tx_out_count",
    "max_tx_usd",
    "unique_senders_count",
    "unique_recipients_count",
    "first_activity_timestamp",
    "last_activity_timestamp",
    "activity_days",
    "velocity_score",
    "structuring_score",
    "small_transaction_ratio",
    "night_transaction_ratio",
    "concentration_ratio",
    "is_mixer_like",
    "is_exchange_like",
    "is_new_address",
    "is_dormant_reactivated",
    "is_hub_address",
];
/// What a cluster's page tells.
const OF_CLUSTER: [&str; 10] = [
    "cluster_type",
    "pattern_id",
    "primary_address",
    "primary_alert_id",
    "total_alerts",
    "total_volume_usd",
    "severity_max",
    "confidence_avg",
    "earliest_alert_timestamp",
    "latest_alert_timestamp",
];

impl Dossier {
    /// What the batch says of an alert.
    pub(in crate::api) fn evidence(&self, alert_id: &str, address: &str) -> Option<Evidence> {
        let row = self.alert(alert_id)?;
        let text = |name: &str| self.alerts.texts(name).map(|texts| texts.get(row)).unwrap_or_default();
        let indicators = self.alerts.text_lists("risk_indicators");
        let indicators = indicators.into_iter().flat_map(|lists| lists.get(row)).take(MOST);
        let of_address = self.feature(address).map(|row| facts(&self.features, row, &OF_ADDRESS));
        Some(Evidence {
            description: cut(text("description"), LONGEST_TEXT),
            alert: facts(&self.alerts, row, &OF_ALERT),
            details: details(text("evidence_json")),
            indicators: indicators.map(|name| cut(name, LONGEST)).collect(),
            address: of_address.unwrap_or_default(),
            clusters: self.clusters_of(alert_id, address).into_iter().take(MOST).map(|row| self.line(row)).collect(),
        })
    }

    /// What the batch says of a cluster.
    pub(in crate::api) fn cluster_facts(&self, row: usize) -> Vec<Fact> {
        facts(&self.clusters, row, &OF_CLUSTER)
    }

    fn line(&self, row: usize) -> ClusterLine {
        let text = |name: &str| self.clusters.texts(name).map(|texts| texts.get(row).to_owned()).unwrap_or_default();
        let count = |name: &str| self.clusters.text_lists(name).map_or(0, |lists| lists.count(row));
        let volume = self.clusters.numbers("total_volume_usd").map(|volumes| volumes[row]);
        ClusterLine {
            cluster_id: text("cluster_id"),
            kind: text("cluster_type"),
            alerts: count("related_alert_ids"),
            addresses: count("addresses_involved"),
            volume_usd: volume.filter(|volume| volume.is_finite()),
        }
    }
}

/// The values of a row that are there, in the order of `names`.
fn facts(table: &Table, row: usize, names: &[&str]) -> Vec<Fact> {
    let fact = |name: &&str| {
        let position = table.spec().position(name)?;
        let kind = table.spec().columns.get(position)?.kind;
        let words = words::of(table.spec().name, name)?;
        let value = match table.column(position)? {
            Column::Texts(texts) => Some(cut(texts.get(row), LONGEST)).filter(|text| !text.is_empty())?,
            Column::Numbers(numbers) => number(numbers[row], kind, words.unit)?,
            Column::TextLists(_) | Column::NumberLists(_) => return None,
        };
        Some(Fact { column: (*name).to_owned(), meaning: words.meaning.to_owned(), value })
    };
    names.iter().filter_map(fact).collect()
}

/// A number with its unit; `None` where it is missing.
fn number(value: f64, kind: ColumnType, unit: &str) -> Option<String> {
    if !value.is_finite() {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "`as` saturates, and the table holds whole numbers within 2^53"
    )]
    let whole = value as i64;
    Some(match kind {
        ColumnType::Bool => if value > 0.5 { "yes" } else { "no" }.to_owned(),
        ColumnType::TimestampMs => rfc3339(whole),
        ColumnType::Date => date_of(whole).to_string(),
        _ if unit == "USD" => usd(value),
        ColumnType::U8 | ColumnType::U16 | ColumnType::U32 | ColumnType::U64 => format!("{whole}"),
        _ => short_number(value),
    })
}

/// Four digits that matter.
fn short_number(value: f64) -> String {
    if value.abs() >= 1_000.0 || value.fract().abs() < f64::EPSILON {
        return format!("{value:.0}");
    }
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The entries of a detector's evidence; as one text where it is no JSON object.
fn details(json: &str) -> Vec<Fact> {
    if json.is_empty() {
        return Vec::new();
    }
    let told = |column: String, value: String| Fact { meaning: column.replace('_', " "), column, value };
    let parsed = (json.len() <= MOST_BYTES).then(|| serde_json::from_str::<Value>(json).ok()).flatten();
    match parsed {
        Some(Value::Object(entries)) => {
            let entry = |(name, value): (String, Value)| told(cut(&name, 80), cut(&plain(&value), LONGEST));
            entries.into_iter().take(MOST).map(entry).collect()
        }
        _ => vec![told("evidence".to_owned(), cut(json, LONGEST))],
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(|item| !item.is_object() && !item.is_array()) => {
            items.iter().take(MOST).map(plain).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

fn cut(text: &str, most: usize) -> String {
    if text.chars().nth(most).is_none() {
        return text.to_owned();
    }
    text.chars().take(most).chain(std::iter::once('…')).collect()
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, details};

    #[test]
    fn evidence_is_bounded_whatever_it_is() {
        let found = details(r#"{"fan_in": 12, "note": "a\nb", "list": ["x", 2]}"#);
        let found: Vec<(&str, &str)> = found.iter().map(|fact| (fact.meaning.as_str(), fact.value.as_str())).collect();
        assert_eq!(found, [("fan in", "12"), ("list", "x, 2"), ("note", "a\nb")]);
        assert_eq!(details("").len(), 0);
        let long = details(&format!("[\"{}\"]", "x".repeat(60_000)));
        assert_eq!((long.len(), long[0].value.chars().count()), (1, LONGEST + 1));
        let many: String = (0..1_000).map(|at| format!("\"k{at}\":{at},")).collect();
        assert_eq!(details(&format!("{{{}}}", many.trim_end_matches(','))).len(), 40);
        let deep = format!("{}1{}", "[".repeat(20_000), "]".repeat(20_000));
        assert_eq!(details(&deep).len(), 1, "no deeper than a parser goes");
        assert_eq!(details(&"x".repeat(1 << 20))[0].value.chars().count(), LONGEST + 1);
    }
}
