//! Months of scores held against each other: how scores are distributed, how well they rank, whether probabilities hold, and the
//! same by slice. Pure.
//!
//! How scores are distributed comes from all rounds of a month, everything about outcomes from its settled rounds alone: outcomes
//! that come early are others than those that come late. A slice falls when a figure is lower than in the month before by more
//! than chance explains. `docs/reading_scores.md` has the formulas.

mod falls;
mod figures;
mod histogram;
mod slices;

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

pub use falls::{FALL, Fall, Z as FALL_ERRORS};
use figures::Measured;
pub use figures::{Figures, LEAST, Measure};
pub use histogram::{ALERTS_A_GROUP, Histogram};
pub use slices::{MOST, OTHERS, Part, Slice};

/// What alerts are sliced by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dimension {
    /// Kind of behaviour.
    Typology,
    /// Network of the batch.
    Network,
    /// Severity.
    Severity,
    /// Days since the address was first seen.
    Age,
    /// Money that the alert is about.
    Volume,
}

impl Dimension {
    /// All of them, in the order in which an alert names its places.
    pub const ALL: [Self; 5] = [Self::Typology, Self::Network, Self::Severity, Self::Age, Self::Volume];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Typology => "typology",
            Self::Network => "network",
            Self::Severity => "severity",
            Self::Age => "age",
            Self::Volume => "volume",
        }
    }
}

/// Bands of the days since an address was first seen.
pub const AGES: [&str; 4] = ["below 7 days", "7 to 30 days", "30 to 180 days", "180 days and more"];
/// Bands of an amount.
pub const VOLUMES: [&str; 5] =
    ["below $1,000", "$1,000 to $10,000", "$10,000 to $100,000", "$100,000 to $1,000,000", "$1,000,000 and more"];

/// The band, by its place in [`AGES`], of an address that was first seen so many days before the day of its alert.
#[must_use]
pub const fn age_band(days: i64) -> u8 {
    match days {
        ..7 => 0,
        7..30 => 1,
        30..180 => 2,
        _ => 3,
    }
}

/// The band of an amount in US dollars, by its place in [`VOLUMES`].
#[must_use]
pub fn volume_band(usd: f64) -> u8 {
    match usd {
        _ if usd < 1e3 => 0,
        _ if usd < 1e4 => 1,
        _ if usd < 1e5 => 2,
        _ if usd < 1e6 => 3,
        _ => 4,
    }
}

/// An alert of a round that counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    /// Its canonical score.
    pub score: f64,
    /// Its probability, where one was told.
    pub probability: Option<f64>,
    /// 1 is the most urgent of its day.
    pub rank: u32,
    /// Its address, by number.
    pub address: u32,
    /// Whether it was confirmed; `None` where that is not known, or its round is not settled.
    pub illicit: Option<bool>,
    /// Its name in each dimension, by number; `None` where that is not known.
    pub parts: [Option<u32>; 5],
}

/// The alerts of a month.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MonthSeen {
    /// As in `2026-01`.
    pub month: String,
    /// Rounds that count.
    pub rounds: usize,
    /// Settled ones among them.
    pub settled: usize,
    /// Their alerts.
    pub alerts: Vec<Seen>,
    /// Names of slices, by number.
    pub names: Vec<String>,
}

/// What is kept of a month.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    month: String,
    rounds: usize,
    settled: usize,
    figures: Measured,
    scores: Histogram,
    slices: BTreeMap<(Dimension, Part), Measured>,
}

/// How a month's alerts are made up in a dimension, against the month before.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Mix {
    /// `typology`, `network`, `severity`, `age` or `volume`.
    pub by: &'static str,
    /// Alerts of which it is known.
    pub known: u64,
    /// Population stability index against the month before; null without one, or with too few alerts in one of them.
    pub psi: Option<f64>,
}

/// A month.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Month {
    /// As in `2026-01`.
    pub month: String,
    /// Rounds that count.
    pub rounds: usize,
    /// Settled ones among them: outcomes are those of them alone.
    pub settled: usize,
    /// All alerts together.
    pub figures: Figures,
    /// Alerts by score, in ten bins from 0 to 1.
    pub scores: Vec<u64>,
    /// Scores below which a tenth, a half, nine tenths and 99 % of the alerts are.
    pub quantiles: Vec<f64>,
    /// Population stability index of the scores against the month before; null without one, or with too few alerts in one of them.
    pub psi: Option<f64>,
    /// What the alerts are made of.
    pub mix: Vec<Mix>,
    /// By slice, the largest of each dimension first.
    pub slices: Vec<Slice>,
    /// How many figures of slices could be held against the month before.
    pub compared: usize,
    /// Those that are lower by more than chance explains.
    pub falls: Vec<Fall>,
}

/// What there is to keep of a month, for every number of reviews a day that may be asked for.
#[must_use]
pub fn summary(seen: &MonthSeen) -> Summary {
    Summary {
        month: seen.month.clone(),
        rounds: seen.rounds,
        settled: seen.settled,
        figures: Measured::of(seen.alerts.iter()),
        scores: Histogram::of(seen.alerts.iter().map(|alert| alert.score)),
        slices: slices::figures(seen),
    }
}

/// Months as they are told, in the given order: each is held against the calendar month before it, where that is among them. Precision
/// is that of the `reviews` most urgent alerts of each day, one of [`BUDGETS`](super::plan::BUDGETS).
#[must_use]
pub fn months<'a>(summaries: &[&'a Summary], reviews: usize) -> Vec<Month> {
    let before = |of: &Summary| -> Option<&'a Summary> {
        let wanted = month_before(&of.month)?;
        summaries.iter().copied().find(|other| other.month == wanted)
    };
    summaries.iter().map(|of| month(of, before(of), reviews)).collect()
}

fn month(of: &Summary, before: Option<&Summary>, reviews: usize) -> Month {
    let (compared, falls) = before.map(|before| falls::falls(of, before, reviews)).unwrap_or_default();
    Month {
        month: of.month.clone(),
        rounds: of.rounds,
        settled: of.settled,
        figures: of.figures.told(reviews),
        scores: of.scores.tenths(),
        quantiles: [0.1, 0.5, 0.9, 0.99].iter().filter_map(|share| of.scores.quantile(*share)).collect(),
        psi: before.and_then(|before| of.scores.psi(&before.scores)),
        mix: slices::mix(of, before),
        slices: slices::told(of, before, reviews),
        compared,
        falls,
    }
}

/// The calendar month before one; `None` where the text names none.
fn month_before(month: &str) -> Option<String> {
    let (year, number) = month.split_once('-')?;
    let (year, number): (i32, u32) = (year.parse().ok()?, number.parse().ok()?);
    match number {
        1 => Some(format!("{:04}-12", year - 1)),
        2..=12 => Some(format!("{year:04}-{:02}", number - 1)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{AGES, Dimension, MonthSeen, Seen, VOLUMES, age_band, month_before, months, summary, volume_band};

    /// A month in which outcomes of the first name are ranked well, and those of the second as well as `skill` says.
    fn month(name: &str, skill: f64, days: u32) -> MonthSeen {
        let alert = |at: u32| {
            let (day, place) = (at / 100, at % 100);
            let illicit = place % 10 < 3;
            let slice = place % 2;
            // A pattern without a trend: the share of pairs in the wrong order grows with what `skill` leaves.
            let luck = f64::from((at.wrapping_mul(2_654_435_761)) % 1_000) / 1_000.0;
            let knows = slice == 0 || luck < skill;
            let score = match (knows, illicit) {
                (true, true) => 0.6 + 0.3 * luck,
                (true, false) => 0.3 * luck,
                (false, _) => luck,
            };
            let parts = [Some(slice), None, Some(2), None, None];
            Seen {
                score,
                probability: Some(score),
                rank: place + 1,
                address: day * 100 + place,
                illicit: Some(illicit),
                parts,
            }
        };
        let names = ["peel chain", "mixing", "high"].map(str::to_owned).to_vec();
        let rounds = days as usize;
        MonthSeen {
            month: name.to_owned(),
            rounds,
            settled: rounds,
            alerts: (0..days * 100).map(alert).collect(),
            names,
        }
    }

    #[test]
    fn a_slice_that_falls_is_named_and_no_other() {
        let (good, bad) = (summary(&month("2025-12", 1.0, 20)), summary(&month("2026-01", 0.2, 20)));
        let told = months(&[&bad, &good], 50);
        let falls: Vec<(&str, &str, &str)> =
            told[0].falls.iter().map(|fall| (fall.by, fall.name.as_str(), fall.figure)).collect();
        assert_eq!(falls, [("typology", "mixing", "auc"), ("severity", "high", "auc")], "{:?}", told[0].falls);
        let fall = &told[0].falls[0];
        assert!(fall.before > 0.99 && fall.now < 0.75 && fall.before - fall.now > fall.chance, "{fall:?}");
        assert_eq!((told[0].compared, told[1].compared), (6, 0), "three slices, two figures each");
        assert_eq!(told[1].falls, []);
    }

    #[test]
    fn chance_is_no_fall() {
        // The same skill on other days: 40 pairs of months, none of which may alarm.
        for at in 0..40 {
            let (mut one, mut other) = (month("2025-12", 0.5, 20), month("2026-01", 0.5, 20));
            one.alerts.rotate_left(at);
            other.alerts.drain(..at * 7);
            let (one, other) = (summary(&one), summary(&other));
            assert_eq!(months(&[&other, &one], 50)[0].falls, [], "pair {at}");
        }
    }

    #[test]
    fn few_outcomes_say_nothing_and_a_month_alone_neither() {
        let mut few = month("2026-01", 0.0, 1);
        few.alerts.truncate(18);
        let (few, many) = (summary(&few), summary(&month("2025-12", 1.0, 20)));
        let told = months(&[&few, &many], 50);
        assert_eq!((told[0].compared, told[0].falls.len()), (0, 0));
        assert_eq!((told[0].psi, told[1].psi), (None, None), "18 alerts, and no month before");
        assert!(told[0].mix.iter().all(|mix| mix.psi.is_none()), "{:?}", told[0].mix);
        let whole = summary(&month("2026-01", 0.0, 20));
        assert!(months(&[&whole, &many], 50)[0].psi.is_some_and(|psi| psi > 0.1));
        let gap = summary(&month("2025-11", 1.0, 20));
        assert_eq!(months(&[&whole, &gap], 50)[0].psi, None, "the month before is not there");
    }

    #[test]
    fn what_is_not_settled_has_scores_and_no_outcomes() {
        let mut open = month("2026-01", 1.0, 3);
        open.settled = 0;
        open.alerts.iter_mut().for_each(|alert| alert.illicit = None);
        let told = months(&[&summary(&open)], 50);
        let of = &told[0].figures;
        assert_eq!(
            (of.alerts, of.outcomes, &of.auc, &of.precision, of.calibration_error),
            (300, 0, &None, &None, None)
        );
        assert_eq!(told[0].scores.iter().sum::<u64>(), 300);
        let network = told[0].mix.iter().find(|mix| mix.by == "network").expect("named");
        assert_eq!((network.known, network.psi), (0, None), "no batch is kept");
    }

    #[test]
    fn bands_and_months_have_no_gaps() {
        assert_eq!([-3, 6, 7, 29, 30, 179, 180, 9_000].map(age_band), [0, 0, 1, 1, 2, 2, 3, 3]);
        assert_eq!([0.0, 999.99, 1e3, 1e4, 1e5, 1e6, 1e12].map(volume_band), [0, 0, 1, 2, 3, 4, 4]);
        assert_eq!((AGES.len(), VOLUMES.len()), (4, 5));
        assert_eq!(month_before("2026-01").as_deref(), Some("2025-12"));
        assert_eq!((month_before("2026-10").as_deref(), month_before("x")), (Some("2026-09"), None));
        assert_eq!(Dimension::ALL.map(Dimension::name).join(" "), "typology network severity age volume");
    }
}
