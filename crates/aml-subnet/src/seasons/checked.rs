//! What is left of a day's frame once everything in it was looked at: nothing here is asked again later.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::seasons::MAX_KEPT_SCORES;
use crate::seasons::frames::{Day, Given, Outcomes};
use crate::seasons::numbers::Numbers;
use crate::seasons::refusal::Refusal;
use crate::validation::submission::{Rejection, Submission};
use crate::validation::tier2_traps::TrapGroup;

/// Alerts of a batch, at most.
const MAX_ALERTS: usize = 1 << 20;
/// Traps of a round, at most.
const MAX_TRAPS: usize = 1 << 16;
/// Numbers up to this are whole without doubt.
const MAX_WHOLE: f64 = 9_007_199_254_740_992.0;

/// What a day is checked against.
pub(super) trait Known {
    /// Places of miners.
    fn miners(&self) -> usize;
    /// The last day that was played.
    fn last(&self) -> Option<i64>;
    /// Whether an alert of a round has an outcome; `None` when there is no such alert.
    fn has_outcome(&self, day: i64, alert: usize) -> Option<bool>;
    /// Scores that will still be kept when this day has come.
    fn kept_on(&self, day: i64) -> usize;
    /// What the rules take instead of traps: `tier2` or `advantage`.
    fn instead_of_traps(&self) -> &'static str;
}

/// A day that can be played.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) day: i64,
    pub(super) addresses: Vec<u64>,
    /// `None`: not asked.
    pub(super) answers: Vec<Option<Submitted>>,
    pub(super) groups: Vec<TrapGroup>,
    pub(super) outcomes: Vec<Became>,
}

/// What one miner that was asked did.
#[derive(Debug)]
pub(super) struct Submitted {
    pub(super) submission: Option<Whole>,
    pub(super) tier1: f64,
    /// What was told instead of traps.
    pub(super) told: Option<f64>,
}

/// A submission with its traps and without.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) batch: Submission,
    pub(super) with_traps: Submission,
}

/// An outcome that became known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Became {
    /// Of its round.
    pub(super) day: i64,
    /// On which it became known.
    pub(super) known: i64,
    pub(super) alert: usize,
    pub(super) illicit: bool,
    pub(super) relevance: u8,
}

impl Checked {
    pub(super) fn of(frame: &Day, season: &impl Known) -> Result<Self, Refusal> {
        let day = frame.day;
        if let Some(last) = season.last().filter(|last| day <= *last) {
            return Err(Refusal::NotAfter { given: day, last });
        }
        whole("day", 0, day as f64, MAX_WHOLE)?;
        if frame.addresses.0.len() > MAX_ALERTS {
            let problem = format!("{} alerts are more than {MAX_ALERTS}", frame.addresses.0.len());
            return Err(Refusal::Setting { name: "addresses".to_owned(), problem });
        }
        let addresses = frame.addresses.0.iter().enumerate();
        let addresses = addresses.map(|(place, value)| whole("addresses", place, *value, MAX_WHOLE));
        let addresses: Vec<u64> = addresses.collect::<Result<_, _>>()?;
        length("answers", frame.answers.0.len(), season.miners())?;
        let groups = groups(frame, addresses.len())?;
        let traps = groups.iter().map(|group| group.places.len()).sum::<usize>();
        let submitted = frame.answers.0.iter().flatten().filter(|given| given.scores.is_some()).count();
        let given = season.kept_on(day).saturating_add(submitted.saturating_mul(addresses.len()));
        if given > MAX_KEPT_SCORES {
            return Err(Refusal::TooMuch { given, limit: MAX_KEPT_SCORES });
        }
        let ids: Vec<String> = (0..addresses.len() + traps).map(|place| place.to_string()).collect();
        let task = Task { ids: ids.iter().map(String::as_str).collect(), traps, instead: season.instead_of_traps() };
        let answer = |(miner, given): (usize, &Option<Given>)| {
            given.as_ref().map(|given| task.submitted(miner, given)).transpose()
        };
        let answers = frame.answers.0.iter().enumerate().map(answer).collect::<Result<_, _>>()?;
        Ok(Self { day, addresses, answers, groups, outcomes: outcomes(day, &frame.outcomes, season)? })
    }
}

/// The groups of a round's traps, whose alerts follow after those of the batch.
fn groups(frame: &Day, alerts: usize) -> Result<Vec<TrapGroup>, Refusal> {
    let mut at = alerts;
    let mut groups = Vec::with_capacity(frame.traps.0.len());
    for (place, group) in frame.traps.0.iter().enumerate() {
        if group.alerts == 0 || group.alerts > MAX_TRAPS + alerts - at {
            return Err(Refusal::Value {
                what: "traps".to_owned(),
                place,
                value: group.alerts as f64,
                wanted: "a number of alerts from 1",
            });
        }
        let places = (at..at + group.alerts).collect();
        groups.push(TrapGroup { name: place.to_string(), expected: group.expected, places });
        at += group.alerts;
    }
    Ok(groups)
}

/// What a submission has to be.
struct Task<'a> {
    ids: Vec<&'a str>,
    traps: usize,
    instead: &'static str,
}

impl Task<'_> {
    fn submitted(&self, miner: usize, given: &Given) -> Result<Submitted, Refusal> {
        let what = |name: &str| format!("answers[{miner}].{name}");
        let other = [("tier2", given.tier2), ("advantage", given.advantage)];
        for (name, value) in other {
            if value.is_some() && (name != self.instead || self.traps > 0) {
                let problem = format!(
                    "is told instead of traps, and here are {}",
                    if self.traps > 0 { "some" } else { "other rules" }
                );
                return Err(Refusal::Setting { name: what(name), problem });
            }
        }
        let told = given.tier2.or(given.advantage);
        let tier1 = given.tier1.unwrap_or(1.0);
        for (name, value) in [("tier1", tier1), (self.instead, told.unwrap_or(0.0))] {
            if !(0.0..=1.0).contains(&value) {
                return Err(Refusal::Value { what: what(name), place: 0, value, wanted: "a share from 0 to 1" });
            }
        }
        let Some(scores) = &given.scores else {
            length(&what("traps"), given.traps.0.len(), 0)?;
            return Ok(Submitted { submission: None, tier1, told: None });
        };
        length(&what("scores"), scores.0.len(), self.ids.len() - self.traps)?;
        length(&what("traps"), given.traps.0.len(), self.traps)?;
        let all = || scores.0.iter().chain(&given.traps.0).copied();
        let rows: Vec<(Cow<'_, str>, f64)> = self.ids.iter().map(|id| Cow::Borrowed(*id)).zip(all()).collect();
        let accept = |count: usize| Submission::accept_scores(&self.ids[..count], &rows[..count]);
        let refused = |rejection: Rejection| {
            let place = all().position(|value| !(0.0..=1.0).contains(&value)).unwrap_or(0);
            let value = if let Rejection::NotAProbability { value, .. } = rejection { value } else { f64::NAN };
            Refusal::Value { what: what("scores and traps"), place, value, wanted: "a probability" }
        };
        let with_traps = accept(self.ids.len()).map_err(refused)?;
        let batch = accept(scores.0.len()).map_err(refused)?;
        Ok(Submitted { submission: Some(Whole { batch, with_traps }), tier1, told })
    }
}

fn outcomes(today: i64, frame: &Outcomes, season: &impl Known) -> Result<Vec<Became>, Refusal> {
    let count = frame.day.0.len();
    let (zero, relevance) = (Numbers::default(), frame.relevance.as_ref());
    let lists = [("place", &frame.place), ("illicit", &frame.illicit), ("relevance", relevance.unwrap_or(&zero))];
    for (name, list) in &lists[..if relevance.is_some() { 3 } else { 2 }] {
        length(&format!("outcomes.{name}"), list.0.len(), count)?;
    }
    let mut seen = HashSet::new();
    let mut became = Vec::with_capacity(count);
    for place in 0..count {
        let day = whole("outcomes.day", place, frame.day.0[place], MAX_WHOLE)?;
        let alert = whole("outcomes.place", place, frame.place.0[place], MAX_ALERTS as f64)?;
        let illicit = whole("outcomes.illicit", place, frame.illicit.0[place], 1.0)? == 1;
        let relevance = relevance.map(|list| whole("outcomes.relevance", place, list.0[place], 2.0)).transpose()?;
        let (day, alert) = (i64::try_from(day).unwrap_or(i64::MAX), usize::try_from(alert).unwrap_or(usize::MAX));
        match season.has_outcome(day, alert) {
            None => return Err(Refusal::UnknownAlert { place, day, alert }),
            Some(known) if known || !seen.insert((day, alert)) => return Err(Refusal::Twice { place, day, alert }),
            Some(_) => {}
        }
        let relevance = relevance.map_or(if illicit { 2 } else { 0 }, |value| u8::try_from(value).unwrap_or(2));
        became.push(Became { day, known: today, alert, illicit, relevance });
    }
    Ok(became)
}

fn length(what: &str, given: usize, wanted: usize) -> Result<(), Refusal> {
    if given == wanted { Ok(()) } else { Err(Refusal::Length { what: what.to_owned(), given, wanted }) }
}

/// A whole number from 0 to `most`.
fn whole(what: &str, place: usize, value: f64, most: f64) -> Result<u64, Refusal> {
    if value.fract().abs() > 0.0 || !(0.0..=most).contains(&value) {
        return Err(Refusal::Value { what: what.to_owned(), place, value, wanted: "a whole number in range" });
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole, and in range")]
    let value = value as u64;
    Ok(value)
}
