//! The journal as a file: one JSON object per line, chained by hashes, each line signed.

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::data::canonical::Canonical;
use crate::digest::Digest;

/// First bytes of what is signed, so that the signature means nothing elsewhere.
pub const DOMAIN: &[u8] = b"aml-labels-journal/1\n";
/// Outcomes of one entry: more than a day has alerts.
const MAX_OUTCOMES: usize = 1_000_000;

/// What an entry does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// The source states these outcomes; of an alert that it spoke of before, this one counts from now on.
    Add,
    /// The source takes back what it said of these alerts.
    Withdraw,
}

/// What a source says of an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// The alert.
    pub alert_id: String,
    /// Whether it was confirmed; `None` where it is withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_illicit: Option<bool>,
    /// 2 confirmed illicit, 1 suspicious, 0 clean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relevance: Option<u8>,
    /// When it became known, milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<i64>,
}

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// 1 for the first.
    pub sequence: u64,
    /// SHA-256 of the line before, without its line feed; zeros for the first.
    pub previous: Digest,
    /// When it was written, RFC 3339.
    pub at: String,
    /// What it does.
    pub action: Action,
    /// Who says so.
    pub source: String,
    /// Why, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Of which alerts.
    pub outcomes: Vec<Outcome>,
    /// The writer's ed25519 public key, 64 hex digits.
    pub public_key: String,
    /// The writer's signature, 128 hex digits; empty while it is made.
    pub signature: String,
}

/// A journal that is not whole.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct JournalError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
}

/// All entries, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Journal {
    entries: Vec<Entry>,
    bytes: Vec<u8>,
    head: Option<Digest>,
}

/// What is to be written down.
#[derive(Clone, Debug)]
pub struct Statement {
    /// What to do.
    pub action: Action,
    /// Who says so.
    pub source: String,
    /// Why.
    pub reason: Option<String>,
    /// Of which alerts.
    pub outcomes: Vec<Outcome>,
    /// When, RFC 3339.
    pub at: String,
}

impl Journal {
    /// Reads a journal and checks its chain and signatures.
    ///
    /// # Errors
    /// The first line that is not what it should be.
    pub fn parse(bytes: &[u8]) -> Result<Self, JournalError> {
        let mut journal = Self::default();
        let text = std::str::from_utf8(bytes).map_err(|_| wrong(1, "not UTF-8"))?;
        if !text.is_empty() && !text.ends_with('\n') {
            return Err(wrong(text.lines().count(), "the line is cut"));
        }
        for (index, line) in text.lines().enumerate() {
            let told = |what: &str| wrong(index + 1, what);
            let entry: Entry = serde_json::from_str(line).map_err(|error| told(&error.to_string()))?;
            if entry.sequence != index as u64 + 1 {
                return Err(told("its sequence number is not the line's: a line was taken out or put in"));
            }
            if entry.previous != journal.head.unwrap_or(Digest::from_bytes([0; 32])) {
                return Err(told("it does not follow the line before: one of them was changed"));
            }
            if entry.outcomes.len() > MAX_OUTCOMES {
                return Err(told("more outcomes than an entry may have"));
            }
            entry.verify().map_err(told)?;
            journal.push(entry, line.as_bytes());
        }
        Ok(journal)
    }

    /// The entries, oldest first.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The file's bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// SHA-256 of the last line: names the whole journal.
    #[must_use]
    pub fn head(&self) -> Option<Digest> {
        self.head
    }

    /// Adds an entry, signed with `key`.
    pub fn append(&mut self, statement: Statement, key: &SigningKey) {
        let mut entry = Entry {
            sequence: self.entries.len() as u64 + 1,
            previous: self.head.unwrap_or(Digest::from_bytes([0; 32])),
            at: statement.at,
            action: statement.action,
            source: statement.source,
            reason: statement.reason,
            outcomes: statement.outcomes,
            public_key: hex::encode(key.verifying_key().as_bytes()),
            signature: String::new(),
        };
        entry.signature = hex::encode(key.sign(&entry.signed_bytes()).to_bytes());
        let line = canonical(&entry).bytes();
        self.push(entry, &line);
    }

    fn push(&mut self, entry: Entry, line: &[u8]) {
        self.head = Some(Digest::of(line));
        self.bytes.extend_from_slice(line);
        self.bytes.push(b'\n');
        self.entries.push(entry);
    }
}

impl Entry {
    /// [`DOMAIN`] and the canonical JSON of everything but the signature.
    #[must_use]
    pub fn signed_bytes(&self) -> Vec<u8> {
        let unsigned = Self { signature: String::new(), ..self.clone() };
        let mut value = canonical(&unsigned);
        if let Canonical::Object(entries) = &mut value {
            entries.remove("signature");
        }
        [DOMAIN, &value.bytes()].concat()
    }

    fn verify(&self) -> Result<(), &'static str> {
        let (mut key, mut signature) = ([0_u8; 32], [0_u8; 64]);
        hex::decode_to_slice(&self.public_key, &mut key).map_err(|_| "its public key is not 64 hex digits")?;
        hex::decode_to_slice(&self.signature, &mut signature).map_err(|_| "its signature is not 128 hex digits")?;
        let key = VerifyingKey::from_bytes(&key).map_err(|_| "its public key is not a point")?;
        key.verify_strict(&self.signed_bytes(), &Signature::from_bytes(&signature))
            .map_err(|_| "its signature does not fit: the line was changed")
    }
}

fn canonical(entry: &Entry) -> Canonical {
    let json = serde_json::to_vec(entry).expect("an entry has only text keys");
    serde_json::from_slice(&json).expect("just written, with integers only")
}

fn wrong(line: usize, what: &str) -> JournalError {
    JournalError { line, what: what.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal() -> Journal {
        let key = SigningKey::from_bytes(&[7; 32]);
        let mut journal = Journal::default();
        for (action, illicit) in [(Action::Add, Some(true)), (Action::Withdraw, None)] {
            let relevance = illicit.map(|_| 2);
            let outcome = Outcome { alert_id: "a".into(), confirmed_illicit: illicit, relevance, confirmed_at: None };
            let at = "2025-11-09T00:00:00Z".to_owned();
            journal
                .append(Statement { action, source: "team".into(), reason: None, outcomes: vec![outcome], at }, &key);
        }
        journal
    }

    #[test]
    fn what_is_written_is_read_and_any_changed_byte_is_found() {
        let journal = journal();
        assert_eq!(Journal::parse(journal.bytes()).expect("whole"), journal);
        for at in (0..journal.bytes().len()).step_by(3) {
            let mut changed = journal.bytes().to_vec();
            changed[at] ^= 1;
            assert!(Journal::parse(&changed).is_err(), "byte {at}");
        }
    }

    #[test]
    fn a_line_that_was_taken_out_is_missed() {
        let text = String::from_utf8(journal().bytes().to_vec()).expect("text");
        let second = text.lines().nth(1).expect("two lines").to_owned() + "\n";
        assert!(Journal::parse(second.as_bytes()).is_err());
        assert!(Journal::parse(&text.as_bytes()[..text.len() - 1]).is_err());
    }
}
