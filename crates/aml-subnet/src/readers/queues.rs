//! Alerts in the forms that case systems take. Pure.
//!
//! | file | system | form |
//! |---|---|---|
//! | [`marble`] | Marble | objects of a table of one's own data model, a hundred at a time |
//! | [`jube`] | Jube | a flat object per alert, read by JSONPath |
//! | [`tazama`] | Tazama's case management system | an alert with its report, transaction and network map |
//!
//! `docs/exports.md` has the mappings and the versions that they were compared with. Texts of the batch go as they are, for programs
//! do not run them; a NUL alone, which databases refuse, becomes `\u{fffd}`. Nothing here says what is to be done about an alert.

pub mod jube;
pub mod marble;
pub mod tazama;

use aml_miner::digest::Digest;
use serde_json::Value;

/// A value that databases take: no text of it has a NUL.
fn storable(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace('\0', "\u{fffd}")),
        Value::Array(items) => items.into_iter().map(storable).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, storable(value))).collect(),
        other => other,
    }
}

/// An alert that waits for review.
#[derive(Clone, Debug, PartialEq)]
pub struct QueueAlert<'a> {
    /// The round that it was scored in.
    pub round: &'a str,
    /// When its scores were published, RFC 3339 in UTC.
    pub published_at: &'a str,
    /// Its id.
    pub alert_id: &'a str,
    /// The address that it is about; empty where the batch names none.
    pub address: &'a str,
    /// What kind of behaviour.
    pub typology: &'a str,
    /// `low`, `medium`, `high`, `critical`, or empty.
    pub severity: &'a str,
    /// Its canonical score.
    pub score: f64,
    /// How far miners are apart.
    pub deviation: f64,
    /// How many contributed.
    pub miners: u32,
    /// 1 is the most urgent.
    pub rank: u32,
    /// Alerts of its day.
    pub of: usize,
    /// Probability and its interval, where one is told.
    pub told: Option<[f64; 3]>,
    /// The most urgent alert of its case: those of one actor share it.
    pub case_id: &'a str,
    /// What the batch says of it; empty where the batch is not kept.
    pub description: &'a str,
    /// Money that it is about.
    pub volume_usd: Option<f64>,
}

impl QueueAlert<'_> {
    /// A name that no other alert has, the same each time: an alert of several rounds has one in each.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}/{}", self.round, self.alert_id)
    }

    /// A name for its case likewise.
    #[must_use]
    pub fn case_key(&self) -> String {
        format!("{}/{}", self.round, self.case_id)
    }

    /// Its probability and the ends of the interval, each `None` where none is told.
    #[must_use]
    pub fn probability(&self) -> [Option<f64>; 3] {
        self.told.map_or([None; 3], |told| told.map(Some))
    }

    /// The same name as a UUID of version 8 (RFC 9562): the first bits of a digest.
    #[must_use]
    pub fn uuid(&self) -> String {
        let digest = Digest::of(format!("aml-alert/1\n{}", self.key()).as_bytes());
        let mut bytes = [0_u8; 16];
        bytes.iter_mut().zip(digest.as_bytes()).for_each(|(to, from)| *to = *from);
        bytes[6] = (bytes[6] & 0x0f) | 0x80;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        let hex = hex::encode(bytes);
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
        format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::QueueAlert;

    pub(in crate::readers) fn alert() -> QueueAlert<'static> {
        QueueAlert {
            round: "1-2026-01-05-30",
            published_at: "2026-01-06T01:50:00Z",
            alert_id: "a\"1",
            address: "5x",
            typology: "peel chain",
            severity: "high",
            score: 0.75,
            deviation: 0.05,
            miners: 7,
            rank: 3,
            of: 240,
            told: Some([0.2, 0.1, 0.3]),
            case_id: "a0",
            description: "=cmd",
            volume_usd: Some(1_234.5),
        }
    }

    #[test]
    fn no_database_is_sent_a_nul() {
        let mut hostile = alert();
        (hostile.alert_id, hostile.address, hostile.typology) = ("a\0b", "\0", "peel\0 chain");
        (hostile.description, hostile.case_id) = ("line\n\0\u{7}\u{1b}[2J", "\0");
        let tenant = "123e4567-e89b-12d3-a456-426614174000";
        let made = [
            serde_json::Value::Object(super::marble::object(&hostile)),
            serde_json::Value::Object(super::jube::body(&hostile)),
            super::tazama::body(&hostile, tenant),
        ];
        for value in made {
            let text = value.to_string();
            assert!(!text.contains("\\u0000") && text.contains("a\u{fffd}b"), "{text}");
            assert!(text.contains("\\n\u{fffd}\\u0007\\u001b[2J"), "the rest goes as it is: {text}");
        }
        assert_ne!(hostile.uuid(), super::QueueAlert { alert_id: "a\u{fffd}b", ..hostile.clone() }.uuid());
    }

    #[test]
    fn names_are_the_same_each_time_and_no_two_alike() {
        let (one, mut other) = (alert(), alert());
        assert_eq!((one.uuid(), one.key().as_str()), (alert().uuid(), "1-2026-01-05-30/a\"1"));
        other.round = "1-2026-01-06-30";
        assert!(one.uuid() != other.uuid() && one.uuid().len() == 36);
        assert_eq!((one.uuid().chars().nth(14), one.uuid().matches('-').count()), (Some('8'), 4));
    }
}
