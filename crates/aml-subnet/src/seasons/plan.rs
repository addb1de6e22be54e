//! How a season is played: which rules, and what of them is changed for an experiment.

use std::collections::BTreeMap;

use serde_json::{Number, Value, json};

use crate::seasons::MAX_MINERS;
use crate::seasons::frames::{Begin, Version};
use crate::seasons::refusal::Refusal;
use crate::validation::v2::Constants;

/// Days that a setting may look back.
const MAX_DAYS: i64 = 400;
/// Rounds that a constant may count.
const MAX_ROUNDS: usize = 400;

/// How a season is played.
#[derive(Debug)]
pub(super) enum Began {
    V1 { miners: usize, grace: i64 },
    V2(Plan),
}

/// A season under rules v2.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) miners: usize,
    pub(super) grace: i64,
    pub(super) constants: Constants,
    pub(super) learned: bool,
    pub(super) once: bool,
    pub(super) details: bool,
}

impl Began {
    pub(super) fn of(begin: &Begin) -> Result<Self, Refusal> {
        let setting = |name: &str, problem: &str| Refusal::Setting { name: name.into(), problem: problem.into() };
        let &Begin { miners, grace, learned, once, details, .. } = begin;
        if miners > MAX_MINERS {
            return Err(setting("miners", &format!("{miners} are more than {MAX_MINERS}")));
        }
        if !(0..=MAX_DAYS).contains(&grace) {
            return Err(setting("grace", &format!("{grace} days are not from 0 to {MAX_DAYS}")));
        }
        if begin.rules == Version::V2 {
            let constants = constants(&begin.constants.0)?;
            return Ok(Self::V2(Plan { miners, grace, constants, learned, once, details }));
        }
        let own = [
            ("learned", !learned),
            ("once", !once),
            ("details", details),
            ("constants", !begin.constants.0.is_empty()),
        ];
        match own.iter().find(|(_, given)| *given) {
            Some((name, _)) => Err(setting(name, "belongs to rules v2")),
            None => Ok(Self::V1 { miners, grace }),
        }
    }

    /// What the answer says.
    pub(super) fn said(&self) -> Value {
        match self {
            Self::V1 { miners, grace } => json!({ "rules": "v1", "miners": miners, "grace": grace }),
            Self::V2(Plan { miners, grace, constants, learned, once, details }) => json!({
                "rules": "v2", "miners": miners, "grace": grace, "constants": constants, "learned": learned, "once": once,
                "details": details,
            }),
        }
    }
}

/// The constants of v2 with some others; refused where the formulas would leave their range.
fn constants(others: &BTreeMap<String, Number>) -> Result<Constants, Refusal> {
    let setting = |name: &str, problem: String| Refusal::Setting { name: name.to_owned(), problem };
    let mut all = json!(Constants::V2);
    for (name, value) in others {
        let known = all.get_mut(name).ok_or_else(|| setting(name, "no constant of rules v2".to_owned()))?;
        *known = Value::Number(value.clone());
    }
    let k: Constants = serde_json::from_value(all).map_err(|error| setting("constants", error.to_string()))?;
    let days = |value: i64| (1..=MAX_DAYS).contains(&value);
    let (part, above) = (|value: f64| (0.0..=1.0).contains(&value), |value: f64| value > 0.0 && value <= 1e6);
    let count = |value: usize| value <= MAX_ROUNDS;
    let ranges = [
        ("days", days(k.days)),
        ("earliest", (0..=MAX_DAYS).contains(&k.earliest)),
        ("latest", days(k.latest)),
        ("least", (0.0..=1e12).contains(&k.least)),
        ("z", (0.0..=1e3).contains(&k.z)),
        ("h", above(k.h)),
        ("h_reference", above(k.h_reference)),
        ("knee", above(k.knee)),
        ("tail", part(k.tail)),
        ("alike", (-1.0..1.0).contains(&k.alike)),
        ("turns", k.turns <= 20),
        ("gamma", (0.0..=10.0).contains(&k.gamma)),
        ("tier1", part(k.tier1)),
        ("traps", part(k.traps)),
        ("calibration", part(k.calibration)),
        ("lately", count(k.lately)),
        ("alive", part(k.alive)),
        ("worthy", part(k.worthy)),
        ("steady", (-1.0..=1.0).contains(&k.steady)),
        ("level", (1.0..=1e6).contains(&k.level)),
        ("newcomer", part(k.newcomer)),
        ("newcomers", part(k.newcomers)),
        ("few", count(k.few)),
    ];
    match ranges.iter().find(|(_, fine)| !fine) {
        Some((name, _)) => Err(setting(name, "out of range".to_owned())),
        None => Ok(k),
    }
}
