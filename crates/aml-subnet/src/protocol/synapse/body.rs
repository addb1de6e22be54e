//! The body of a synapse, checked while it is read and never kept.
//!
//! The inference API takes it as it is (it ignores what it does not know), so all we need is that it is JSON of the
//! right shape, and that it names no other sender than the signed headers. Memory does not grow with the body, only
//! with its longest string; depth is bounded by serde_json's own limit.

use std::fmt;
use std::io::Read;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::INPUTS;
use crate::protocol::Refusal;
use crate::wallet::Hotkey;

/// Why a body is no synapse of ours.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// Not JSON, or a field is missing or of another type. NaN and Infinity are not JSON.
    #[error("body is not an AlertScoring synapse: {0}")]
    Shape(String),
    /// It claims to come from somebody else.
    #[error(transparent)]
    Sender(#[from] Refusal),
}

/// Checks the body that `reader` yields.
///
/// # Errors
/// [`BodyError`]; texts say where, and quote nothing.
pub fn check(reader: impl Read, sender: &Hotkey) -> Result<(), BodyError> {
    let synapse: Synapse = serde_json::from_reader(reader).map_err(|error| {
        let what = if error.is_data() {
            "alerts, features, clusters and money_flows must be there once, as lists"
        } else {
            "invalid JSON"
        };
        BodyError::Shape(format!("{what} (line {} column {})", error.line(), error.column()))
    })?;
    match synapse.sender.map(|text| Hotkey::from_any_network(&text)) {
        None => Ok(()),
        Some(Ok(key)) if key == *sender => Ok(()),
        Some(_) => Err(Refusal::OtherSender.into()),
    }
}

/// What is kept of a body.
struct Synapse {
    sender: Option<String>,
}

impl<'de> Deserialize<'de> for Synapse {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(SynapseVisitor)
    }
}

struct SynapseVisitor;

impl<'de> Visitor<'de> for SynapseVisitor {
    type Value = Synapse;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a synapse")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Synapse, A::Error> {
        let mut found = [false; INPUTS.len()];
        let mut sender = None;
        while let Some(key) = map.next_key::<String>()? {
            if let Some(index) = INPUTS.iter().position(|name| *name == key) {
                if std::mem::replace(&mut found[index], true) {
                    return Err(A::Error::custom("an input is given twice"));
                }
                map.next_value::<List>()?;
            } else if key == "dendrite" {
                let named = map.next_value::<Option<Terminal>>()?.and_then(|terminal| terminal.hotkey);
                // A second one must not hide the first.
                if sender.is_some() && named != sender {
                    return Err(A::Error::custom("dendrite is given twice"));
                }
                sender = named;
            } else {
                map.next_value::<Skip>()?;
            }
        }
        if found == [true; INPUTS.len()] {
            Ok(Synapse { sender })
        } else {
            Err(A::Error::custom("an input is missing"))
        }
    }
}

#[derive(serde::Deserialize)]
struct Terminal {
    #[serde(default)]
    hotkey: Option<String>,
}

/// A list whose rows nobody looks at.
struct List;

impl<'de> Deserialize<'de> for List {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(SkipVisitor)?;
        Ok(Self)
    }
}

/// Any value, validated and dropped piece by piece. (`IgnoredAny` has no limit of depth in serde_json.)
struct Skip;

impl<'de> Deserialize<'de> for Skip {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SkipVisitor)
    }
}

struct SkipVisitor;

impl<'de> Visitor<'de> for SkipVisitor {
    type Value = Skip;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Skip, E> {
        Ok(Skip)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Skip, E> {
        Ok(Skip)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Skip, E> {
        Ok(Skip)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Skip, E> {
        Ok(Skip)
    }

    fn visit_str<E>(self, _: &str) -> Result<Skip, E> {
        Ok(Skip)
    }

    fn visit_unit<E>(self) -> Result<Skip, E> {
        Ok(Skip)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<Skip, A::Error> {
        while rows.next_element::<Skip>()?.is_some() {}
        Ok(Skip)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Skip, A::Error> {
        while map.next_entry::<Skip, Skip>()?.is_some() {}
        Ok(Skip)
    }
}
