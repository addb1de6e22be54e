//! Why an alert is scored as it is: what the miners that agree with the canonical score say moved their scores, merged by their
//! voices, as codes of a catalogue, each with its datum of the batch and a sentence.
//!
//! | file | what |
//! |---|---|
//! | [`catalogue`] | the codes: sentence, unit, direction, expression over the batch's columns, names of features |
//! | [`agreeing`] | when a miner agrees with the canonical score |
//! | [`said`] | one miner's answer, down to codes: nothing else of what it wrote is kept |
//! | [`merging`] | many miners' codes to the few of an alert |
//! | [`data`] | what the batch says of a code at an alert |
//! | [`words`] | data as people read them |
//!
//! Texts of miners end in [`said`]. What leaves this folder are codes, shares of voices, and values of the batch.

pub mod agreeing;
pub mod catalogue;
pub mod data;
pub mod merging;
pub mod said;
pub mod words;

mod flows;

use serde::{Deserialize, Serialize};

use catalogue::CodeName;
use data::{Data, Datum};
use merging::Merging;

/// Version of the catalogue, of how reasons are merged, and of the form in which they are kept.
///
/// A version only adds codes: what an earlier one kept is told as it was.
pub const VERSION: u16 = 2;
/// Reasons that are told of an alert.
pub const MOST: usize = 5;

/// Which way a reason moved the scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Up.
    Raises,
    /// Down.
    Lowers,
}

impl Effect {
    /// Its name in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Raises => "raises",
            Self::Lowers => "lowers",
        }
    }
}

/// A reason of an alert as it is kept: without its sentence, which the catalogue has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Found {
    /// Which.
    pub code: CodeName,
    /// Which way it moved the scores.
    pub effect: Effect,
    /// Share of all voices that name it: those that name it this way less those that name it the other way.
    pub support: f64,
    /// What the batch says.
    pub datum: Datum,
}

/// A reason of an alert, as it is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// Code of the catalogue, `docs/reasons.md`.
    pub code: String,
    /// Whether it raises or lowers the scores.
    pub effect: Effect,
    /// Share of all voices that name it, 0.05 to 1.
    pub support: f64,
    /// What the batch says, as a number; null where that is a name.
    pub value: Option<f64>,
    /// What the batch says, as a name; null where that is a number.
    pub name: Option<String>,
    /// The same in plain words.
    pub text: String,
}

impl Found {
    /// With its sentence.
    #[must_use]
    pub fn told(&self) -> Reason {
        let code = self.code.entry();
        let (value, name) = match &self.datum {
            Datum::Number(value) => (Some(*value), None),
            Datum::Name(name) => (None, Some(name.clone())),
        };
        Reason {
            code: code.name.to_owned(),
            effect: self.effect,
            support: self.support,
            value,
            name,
            text: words::sentence(code, &self.datum),
        }
    }
}

/// The reasons of a round, as they are kept with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reasons {
    /// [`VERSION`] of the time.
    pub version: u16,
    /// How many miners with a voice explained anything.
    pub miners: u32,
    /// Their voices together.
    pub voices: f64,
    /// Why there are no reasons at all; null where there may be some.
    pub absent: Option<String>,
    /// Of each alert in the order of the roster, the strongest first.
    pub alerts: Vec<Vec<Found>>,
}

/// An alert, by what reasons are looked up with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// Its id.
    pub alert_id: String,
    /// Its address.
    pub address: String,
}

impl Reasons {
    /// None of any alert, because of `why`.
    #[must_use]
    pub fn absent(alerts: usize, why: &str) -> Self {
        Self {
            version: VERSION,
            miners: 0,
            voices: 0.0,
            absent: Some(why.to_owned()),
            alerts: vec![Vec::new(); alerts],
        }
    }

    /// What was merged, with what the batch says: of each alert the strongest that the batch has a datum for.
    #[must_use]
    pub fn made(merged: &Merging, roster: &[About], data: &mut Data<'_>) -> Self {
        let of_alert = |(place, about): (usize, &About)| {
            let candidates = merged.candidates(place).into_iter();
            let found = candidates.filter_map(|candidate| {
                let datum = data.of(candidate.code.entry().expression, &about.alert_id, &about.address)?;
                Some(Found { code: candidate.code, effect: candidate.effect, support: candidate.support, datum })
            });
            found.take(MOST).collect()
        };
        Self {
            version: VERSION,
            miners: merged.miners(),
            voices: merged.voices(),
            absent: None,
            alerts: roster.iter().enumerate().map(of_alert).collect(),
        }
    }

    /// What comes of merging once more, for a place that has the answers and not the batch: which of the codes that were told
    /// enough voices share, which way, in which order, and by how many. Data stay as they are kept.
    #[must_use]
    pub fn merged_again(&self, merged: &Merging) -> Self {
        let of_alert = |(place, told): (usize, &Vec<Found>)| {
            let candidates = merged.candidates(place).into_iter();
            let again = candidates.filter_map(|candidate| {
                let datum = told.iter().find(|found| found.code == candidate.code)?.datum.clone();
                Some(Found { code: candidate.code, effect: candidate.effect, support: candidate.support, datum })
            });
            again.collect()
        };
        let alerts = self.alerts.iter().enumerate().map(of_alert).collect();
        Self { miners: merged.miners(), voices: merged.voices(), alerts, ..self.clone() }
    }

    /// What is wrong with kept reasons; `None` when nothing is.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        if self.version == 0 || self.version > VERSION {
            return Some(format!("version {} of reasons is not known here, 1 to {VERSION} are", self.version));
        }
        let most = self.alerts.iter().map(Vec::len).max().unwrap_or(0);
        (most > MOST).then(|| format!("{most} reasons of one alert are more than {MOST}"))
    }

    /// Why an alert has no reasons, for a person.
    #[must_use]
    pub fn why_none(&self) -> String {
        match &self.absent {
            Some(why) => format!("This round has no reasons: {why}."),
            None if self.miners == 0 => "No miner with a voice explained its scores in this round.".to_owned(),
            None => {
                "Miners explain what the validator asks for: usually the tenth with their highest scores, and severe alerts. Those \
                     that explained this one, if any, and agree with its score named no reason that enough voices share and the \
                     batch can show."
                    .to_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::catalogue::CodeName;
    use super::data::Datum;
    use super::{Effect, Found, MOST, Reasons, VERSION};

    fn found(code: &str, datum: Datum) -> Found {
        Found { code: CodeName::of(code).expect("a code"), effect: Effect::Raises, support: 0.5, datum }
    }

    #[test]
    fn kept_reasons_keep_every_bit() {
        let alerts = vec![
            vec![found("passed_on", Datum::Number(1.0 / 3.0)), found("typology", Datum::Name("mixing".to_owned()))],
            Vec::new(),
        ];
        let kept = Reasons { miners: 3, absent: None, alerts, ..Reasons::absent(0, "") };
        let text = serde_json::to_string(&kept).expect("JSON");
        assert!(
            text.contains(r#"{"code":"passed_on","effect":"raises","support":0.5,"datum":0.3333333333333333}"#),
            "{text}"
        );
        assert_eq!(serde_json::from_str::<Reasons>(&text).expect("reads back"), kept);
        assert_eq!(kept.problem(), None);
    }

    #[test]
    fn what_another_version_kept_is_refused() {
        let newer = Reasons { version: VERSION + 1, ..Reasons::absent(2, "why") };
        assert!(newer.problem().is_some_and(|problem| problem.contains("version 3")));
        let older = Reasons { version: 1, ..Reasons::absent(2, "why") };
        assert_eq!(older.problem(), None, "a version only adds codes");
        let many = vec![vec![found("sent", Datum::Number(1.0)); MOST + 1]];
        assert!(Reasons { alerts: many, ..Reasons::absent(0, "") }.problem().is_some());
        let unknown = r#"{"code":"made_up","effect":"raises","support":0.5,"datum":1.0}"#;
        assert!(serde_json::from_str::<Found>(unknown).is_err());
    }

    #[test]
    fn an_alert_without_reasons_says_why() {
        let none = |miners| Reasons { absent: None, miners, ..Reasons::absent(1, "") }.why_none();
        assert_eq!(none(0), "No miner with a voice explained its scores in this round.");
        assert!(none(3).starts_with("Miners explain what the validator asks for:"));
        assert_eq!(Reasons::absent(1, "the batch is gone").why_none(), "This round has no reasons: the batch is gone.");
    }
}
