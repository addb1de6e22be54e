//! What a scorer is worth before anything is risked: how stable it is, how like to models that others have, what it adds to them,
//! and the answers that it would give, day by day.
//!
//! What the answers would be paid is the validator's affair: `aml-subnet diagnose` plays them under its rules.

mod page;
mod ranks;
mod stability;
mod submission;

use serde::Serialize;

use crate::models::bundle::ModelKind;
use crate::training::assemble::Range;
use crate::training::compare::{Comparison, OtherRows, Side, compare};
use crate::training::drift::{Deciles, Drift, drift};
use crate::training::evaluation::{Judging, date_text};
use crate::training::samples::Samples;
use crate::training::shelf::Model;
use crate::training::watch::Watch;

pub use page::section;
pub use stability::{Stability, stability};
pub use submission::{SubmitError, SubmittedDay, submitted, write_submission};

/// Features whose drift is listed.
const LISTED: usize = 20;
/// The queue of a day that is compared with that of a public model.
const QUEUE: usize = 100;

/// A model with a name for readers.
#[derive(Clone, Copy)]
pub struct Named<'a> {
    /// Its name.
    pub name: &'a str,
    /// The model.
    pub model: &'a Model,
}

/// Scores of one day.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DayScores {
    /// The day.
    pub date: String,
    /// Alerts scored, with an outcome or without.
    pub alerts: usize,
    /// Their mean score.
    pub mean: f64,
    /// Population stability index against the scores of all days.
    pub psi: f64,
}

/// How like the scores are to those of a model that others have.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Likeness {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Mean over the days of the correlation of ranks.
    pub rank_correlation: Option<f64>,
    /// Mean share of a day's 100 highest scores that both have there.
    pub same_queue: Option<f64>,
}

/// Everything but the figures that every report has.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Diagnosis {
    /// Version of the model.
    pub version: String,
    /// What a reader must know before trusting the figures.
    pub warnings: Vec<String>,
    /// Days on which it has seen outcomes: what is measured there is too good.
    pub seen_days: Vec<String>,
    /// Scores by day.
    pub days: Vec<DayScores>,
    /// Features whose distribution moved most from the first half of the days to the second.
    pub drift: Vec<Drift>,
    /// How like it is to each public model.
    pub likeness: Vec<Likeness>,
    /// The mean of the public models' scores with this one among them, against the mean without it, on days that none of them has
    /// seen; `None` where there are none.
    pub ensemble: Option<Comparison>,
    /// The recipe under other seeds.
    pub stability: Option<Stability>,
}

/// Why a model cannot be diagnosed.
#[derive(Debug, thiserror::Error)]
pub enum DiagnoseError {
    /// Its answers cannot be made.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// The public models' answers are for other rows.
    #[error(transparent)]
    Rows(#[from] OtherRows),
    /// An alert with an outcome that no model has scored: the days hold other batches than the rows came from.
    #[error("alert {id} of {date} has an outcome and no score: the batches changed while they were read")]
    Unscored {
        /// The day.
        date: String,
        /// The alert.
        id: String,
    },
}

/// What is diagnosed.
pub struct Subject<'a> {
    /// The model.
    pub model: &'a Model,
    /// Labelled rows that it has not seen, where there are some.
    pub samples: &'a Samples,
    /// Models that others have too.
    pub public: &'a [Named<'a>],
}

/// Scores every alert of `range`, and looks at what comes of it.
///
/// # Errors
/// When a batch cannot be read or scored.
pub fn diagnose(
    subject: &Subject<'_>,
    range: &Range,
    judging: Judging<'_>,
    watch: &dyn Watch,
) -> Result<(Diagnosis, Vec<SubmittedDay>), DiagnoseError> {
    let models: Vec<&Model> =
        std::iter::once(subject.model).chain(subject.public.iter().map(|one| one.model)).collect();
    let days = submitted(range, &models, watch)?;
    let (ensemble, warning) = ensemble(subject, &days, judging)?;
    let seen = days.iter().filter(|day| subject.model.has_seen(day.date)).map(|day| date_text(day.date));
    let diagnosis = Diagnosis {
        version: subject.model.entry.model_version.clone(),
        warnings: warning.into_iter().collect(),
        seen_days: seen.collect(),
        days: scores_by_day(&days),
        drift: between_halves(subject.samples),
        likeness: subject.public.iter().enumerate().map(|(place, one)| likeness(*one, place + 1, &days)).collect(),
        ensemble,
        stability: None,
    };
    Ok((diagnosis, days))
}

#[expect(clippy::cast_precision_loss, reason = "numbers of alerts are far below 2^53")]
fn scores_by_day(days: &[SubmittedDay]) -> Vec<DayScores> {
    let own = |day: &SubmittedDay| day.scores.first().cloned().unwrap_or_default();
    // Sorted once for all days.
    let all = Deciles::of(&days.iter().flat_map(own).collect::<Vec<f64>>());
    let of_day = |day: &SubmittedDay| {
        let scores = own(day);
        let mean = scores.iter().sum::<f64>() / scores.len().max(1) as f64;
        DayScores { date: date_text(day.date), alerts: scores.len(), mean, psi: all.psi(&scores) }
    };
    days.iter().map(of_day).collect()
}

fn between_halves(samples: &Samples) -> Vec<Drift> {
    let middle = samples.days.len() / 2;
    if middle == 0 {
        return Vec::new();
    }
    let (first, second) = samples.days.split_at(middle);
    let mut moved = drift(&samples.with_days(first.to_vec()), &samples.with_days(second.to_vec()));
    moved.truncate(LISTED);
    moved
}

fn likeness(one: Named<'_>, place: usize, days: &[SubmittedDay]) -> Likeness {
    let pairs = || days.iter().filter_map(|day| Some((day.scores.first()?, day.scores.get(place)?)));
    Likeness {
        name: one.name.to_owned(),
        version: one.model.entry.model_version.clone(),
        rank_correlation: mean(pairs().filter_map(|(own, other)| ranks::correlation(own, other))),
        same_queue: mean(pairs().filter_map(|(own, other)| ranks::same_highest(own, other, QUEUE))),
    }
}

/// The public models' mean with this model among them, against their mean without it, on the labelled rows of days that no public
/// model has seen, and what is to be said of these days.
fn ensemble(
    subject: &Subject<'_>,
    days: &[SubmittedDay],
    judging: Judging<'_>,
) -> Result<(Option<Comparison>, Option<String>), DiagnoseError> {
    if subject.public.is_empty() || subject.samples.is_empty() {
        return Ok((None, None));
    }
    let all = &subject.samples.days;
    let unseen = all.iter().filter(|day| !subject.public.iter().any(|one| one.model.has_seen(day.date)));
    let samples = subject.samples.with_days(unseen.cloned().collect());
    if samples.is_empty() {
        let warning =
            "a public model has learnt from every day that could be measured: what this one adds to them is not told";
        return Ok((None, Some(warning.to_owned())));
    }
    let fewer = (samples.days.len() < all.len()).then(|| {
        format!(
            "public models have learnt from some days: beside them it is measured on {} of {}",
            samples.days.len(),
            all.len()
        )
    });
    let (mut with, mut without) = (Vec::with_capacity(samples.len()), Vec::with_capacity(samples.len()));
    for labelled in &samples.days {
        let day = days.iter().find(|day| day.date == labelled.date);
        let places = day.map(SubmittedDay::places).unwrap_or_default();
        for row in &labelled.rows {
            let told = day.zip(places.get(row.id.as_str())).map(|(day, &place)| day.of(place)).unwrap_or_default();
            let means = mean(told.iter().copied()).zip(mean(told.iter().skip(1).copied()));
            let (one, other) =
                means.ok_or_else(|| DiagnoseError::Unscored { date: date_text(labelled.date), id: row.id.clone() })?;
            with.push(one);
            without.push(other);
        }
    }
    let side = |name: &str, answers| Side { name: name.to_owned(), samples: &samples, answers };
    let sides = [side("the public models with this one", with), side("the public models alone", without)];
    Ok((Some(compare(ModelKind::AlertScorer, sides, judging)?), fewer))
}

/// The mean, where there is anything.
#[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0_usize), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / count as f64)
}
