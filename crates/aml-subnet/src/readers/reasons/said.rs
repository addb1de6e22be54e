//! One miner's answer, down to codes: which features it says moved the score of an alert, and how much. Names that the catalogue
//! does not have end here.
//!
//! Bounded: rows are read one after another, an explanation has at most 64 KiB, of which the five features with the largest
//! part are looked at, whatever they are called.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};

use super::agreeing::{above, agree};
use super::catalogue::{CATALOGUE, CodeName};

/// Features of an explanation that are looked at: those with the largest part.
const FEATURES: usize = 5;
/// A longer explanation is none.
const LONGEST: usize = 64 << 10;

/// A code that an explanation names.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Named {
    /// Which.
    pub code: CodeName,
    /// Its part in what the looked-at features moved, below zero where it lowers the score.
    pub part: f64,
}

/// What one miner says of a round's alerts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Said {
    /// Codes of alerts at which it agrees with the canonical score, by place in the roster.
    pub(super) named: Vec<(u32, Named)>,
    /// Of each code of the catalogue the share of the alerts that it explains of which it does *not* name it.
    pub(super) choosy: Vec<f64>,
    /// Alerts that it explains.
    pub(super) explained: usize,
}

/// What an answer is read with.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Places in the roster by the ids that the miner was sent.
    pub places: &'a HashMap<&'a str, usize>,
    /// Of each alert of the roster the share of alerts with a lower canonical score, by [`above`](super::agreeing::above) as the miner's own: equal scores
    /// have the same place.
    pub canonical: &'a [f64],
}

impl Said {
    /// What an answer says. One that cannot be read says nothing.
    #[must_use]
    pub fn of(answer: &[u8], asked: Asked<'_>) -> Self {
        let mut rows = Rows { asked, scores: vec![f64::NAN; asked.canonical.len()], named: Vec::new(), explained: 0 };
        let mut reader = serde_json::Deserializer::from_slice(answer);
        if rows.deserialize(&mut reader).is_err() {
            return Self::default();
        }
        let Rows { scores, mut named, explained, .. } = rows;
        let mut times = vec![0_usize; CATALOGUE.len()];
        named.iter().for_each(|(_, of)| times[of.code.place()] += 1);
        let choosy = times.into_iter().map(|times| 1.0 - times as f64 / explained.max(1) as f64).collect();
        let above = above(&scores);
        let agrees = |place: u32| {
            let at = usize::try_from(place).unwrap_or(usize::MAX);
            let both = above.get(at).zip(asked.canonical.get(at));
            both.is_some_and(|(own, canonical)| agree(*own, *canonical))
        };
        named.retain(|(place, _)| agrees(*place));
        Self { named, choosy, explained }
    }
}

/// The rows of an answer, as they come.
struct Rows<'a> {
    asked: Asked<'a>,
    scores: Vec<f64>,
    named: Vec<(u32, Named)>,
    explained: usize,
}

/// A row of an answer, as far as it matters here.
#[derive(Deserialize)]
struct Row<'a> {
    #[serde(borrow)]
    alert_id: Cow<'a, str>,
    score: f64,
    #[serde(borrow, default)]
    explain_json: Cow<'a, str>,
}

impl<'de> DeserializeSeed<'de> for &mut Rows<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for &mut Rows<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(row) = list.next_element::<Row<'de>>()? {
            let Some(&place) = self.asked.places.get(&*row.alert_id) else { continue };
            if let Some(score) = self.scores.get_mut(place) {
                *score = row.score;
            }
            let Some(named) = explanation(&row.explain_json) else { continue };
            self.explained += 1;
            let place = u32::try_from(place).unwrap_or(u32::MAX);
            self.named.extend(named.into_iter().map(|of| (place, of)));
        }
        Ok(())
    }
}

/// One feature of an explanation.
#[derive(Deserialize)]
struct Feature<'a> {
    #[serde(borrow)]
    feature: Cow<'a, str>,
    impact: f64,
}

/// An explanation, as far as it matters here.
#[derive(Deserialize)]
struct Explanation<'a> {
    #[serde(borrow, default)]
    top_features: Largest<'a>,
}

/// The features with the largest part, of a list of any length.
#[derive(Default)]
struct Largest<'a>(Vec<Feature<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for Largest<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Self::default())
    }
}

impl<'de: 'a, 'a> Visitor<'de> for Largest<'a> {
    type Value = Self;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list of features")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Self, A::Error> {
        while let Some(feature) = list.next_element::<Feature<'a>>()? {
            self.0.push(feature);
            // Stable: of equal ones the first stays.
            self.0.sort_by(|one, other| other.impact.abs().total_cmp(&one.impact.abs()));
            self.0.truncate(FEATURES);
        }
        Ok(self)
    }
}

/// The codes that an explanation names; `None` where there is none.
fn explanation(text: &str) -> Option<Vec<Named>> {
    if text.len() > LONGEST {
        return None;
    }
    let Explanation { top_features: Largest(features) } = serde_json::from_str(text).ok()?;
    // Divided first, so that no sum is too large for a double.
    let largest = features.first()?.impact.abs();
    if largest <= 0.0 {
        return None;
    }
    let all: f64 = features.iter().map(|feature| feature.impact.abs() / largest).sum();
    let mut named: Vec<Named> = Vec::with_capacity(features.len());
    for feature in &features {
        let Some(code) = CodeName::of_feature(&feature.feature) else { continue };
        let part = feature.impact / largest / all;
        match named.iter_mut().find(|of| of.code == code) {
            Some(of) => of.part += part,
            None => named.push(Named { code, part }),
        }
    }
    named.retain(|of| of.part != 0.0);
    Some(named)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde_json::json;

    use super::{Asked, Said, above, explanation};
    use crate::readers::reasons::catalogue::{CATALOGUE, CodeName};

    fn named(text: &str) -> Option<Vec<(&'static str, f64)>> {
        let found = explanation(text)?;
        Some(found.into_iter().map(|of| (of.code.entry().name, of.part)).collect())
    }

    fn text(features: &[(&str, f64)]) -> String {
        let features: Vec<_> =
            features.iter().map(|of| json!({"feature": of.0, "value": 1.0, "impact": of.1})).collect();
        json!({"score": 0.5, "base_value": 0.0, "top_features": features}).to_string()
    }

    #[test]
    fn features_become_codes_and_what_nobody_knows_becomes_nothing() {
        let found = named(&text(&[("flow_passed_on_1d", 3.0), ("my own <b>name</b>", -4.0), ("min_tx_usd", -1.0)]));
        assert_eq!(found, Some(vec![("passed_on", 0.375), ("smallest", -0.125)]));
        let twice = named(&text(&[("total_in_usd", 1.0), ("log_total_in_usd", 2.0), ("typology_mixing", 1.0)]));
        assert_eq!(twice, Some(vec![("received", 0.75), ("typology", 0.25)]));
        assert_eq!(named(&text(&[("only mine", 1.0)])), Some(Vec::new()), "it explains, in words of its own");
    }

    #[test]
    fn what_is_no_explanation_says_nothing() {
        let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
        let long = text(&[("min_tx_usd", 1.0), (&"x".repeat(70_000), 1.0)]);
        for bad in [
            "",
            "{}",
            "null",
            "[]",
            "\u{0}",
            &deep,
            &long,
            r#"{"top_features":[]}"#,
            r#"{"top_features":{"min_tx_usd":1}}"#,
            r#"{"top_features":[{"feature":"min_tx_usd","impact":0.0}]}"#,
            r#"{"top_features":[{"feature":"min_tx_usd","impact":"1"}]}"#,
            r#"{"top_features":[{"feature":"min_tx_usd"}]}"#,
            r#"{"top_features":[{"feature":"min_tx_usd","impact":1e999}]}"#,
            r#"{"top_features":[],"top_features":[{"feature":"min_tx_usd","impact":1.0}]}"#,
        ] {
            assert_eq!(named(bad), None, "{}", &bad[..bad.len().min(80)]);
        }
        let huge = named(&text(&[("min_tx_usd", f64::MAX), ("max_tx_usd", -f64::MAX)]));
        assert_eq!(huge, Some(vec![("smallest", 0.5), ("largest", -0.5)]));
    }

    #[test]
    fn of_thousands_of_features_the_five_largest_are_looked_at() {
        let mut features: Vec<(String, f64)> = (0..1_200).map(|at| (format!("f{at}"), 0.001)).collect();
        features.extend([("min_tx_usd".to_owned(), 1.0), ("max_tx_usd".to_owned(), 0.0005)]);
        let features: Vec<(&str, f64)> = features.iter().map(|of| (of.0.as_str(), of.1)).collect();
        let found = named(&text(&features)).expect("it explains");
        assert_eq!(found.len(), 1);
        assert!((found[0].1 - 1.0 / 1.004).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn who_puts_an_alert_elsewhere_says_nothing_of_it() {
        let ids: Vec<String> = (0..20).map(|at| format!("a{at}")).collect();
        let places: HashMap<&str, usize> = ids.iter().enumerate().map(|(at, id)| (id.as_str(), at)).collect();
        let canonical = above(&(0..20).map(f64::from).collect::<Vec<_>>());
        let row = |(at, id): (usize, &String)| {
            let score = if at == 0 { 0.99 } else { at as f64 / 20.0 };
            json!({"alert_id": id, "score": score, "explain_json": text(&[("min_tx_usd", 1.0)])})
        };
        let answer = json!(ids.iter().enumerate().map(row).collect::<Vec<_>>()).to_string();
        let said = Said::of(answer.as_bytes(), Asked { places: &places, canonical: &canonical });
        let code = CodeName::of("smallest").expect("a code");
        assert_eq!((said.explained, said.named.len()), (20, 19));
        assert!(said.named.iter().all(|(place, of)| *place > 0 && of.code == code));
        assert_eq!((said.choosy[code.place()], said.choosy.len()), (0.0, CATALOGUE.len()));
        let nothing = Said::of(b"[{]", Asked { places: &places, canonical: &canonical });
        assert_eq!(nothing, Said::default());
    }
}
