//! Past days run as rounds, each as if it were its day: a rehearsal for a new validator, and how a ledger gets a history.
//!
//! Everything is real but the date: miners are asked over HTTP, answers are judged, merged and settled with the outcomes
//! that were known on that day. The clock shows noon of the batch's day when its round begins and goes on as fast as
//! any; requests are signed with the time of the machine, for miners look at that. Days go forward, from first to last.

use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use aml_miner::clock::Clock;
use chrono::{Days, NaiveDate};
use tokio_util::sync::CancellationToken;

use super::run::{Pass, Validator};
use super::sot::{Found, Sot, SotError};
use crate::calendar::{date_from, start_ms};
use crate::store::StorageError;
use crate::store::records::{Round, RoundId, Step};

/// After the beginning of a day.
const NOON: Duration = Duration::from_secs(12 * 3600);
/// More days are no rehearsal but a mistake in a date.
const MOST_DAYS: i64 = 3_660;

/// The days of a rehearsal, both ends included. Written `FROM..TO`, as in `2026-01-05..2026-02-10`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastDays {
    first: NaiveDate,
    last: NaiveDate,
}

/// A text that names no days.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotDays {
    /// Another form.
    #[error("`{0}` names no days; expected FROM..TO, as in 2026-01-05..2026-02-10")]
    Form(String),
    /// The last day comes first.
    #[error("{last} is before {first}: the earlier day comes first")]
    Backwards {
        /// The first day.
        first: NaiveDate,
        /// The last day.
        last: NaiveDate,
    },
    /// Ten years are more than anybody has batches of.
    #[error("{0} days are more than {MOST_DAYS}")]
    TooMany(i64),
}

impl PastDays {
    /// The days from `first` to `last`.
    ///
    /// # Errors
    /// When there are none, or too many.
    pub fn new(first: NaiveDate, last: NaiveDate) -> Result<Self, NotDays> {
        let count = (last - first).num_days() + 1;
        match count {
            ..1 => Err(NotDays::Backwards { first, last }),
            1..=MOST_DAYS => Ok(Self { first, last }),
            _ => Err(NotDays::TooMany(count)),
        }
    }

    /// The first of them.
    #[must_use]
    pub const fn first(self) -> NaiveDate {
        self.first
    }

    /// The last of them.
    #[must_use]
    pub const fn last(self) -> NaiveDate {
        self.last
    }

    /// All of them, the earliest first.
    pub fn each(self) -> impl Iterator<Item = NaiveDate> {
        (0..)
            .map_while(move |days| self.first.checked_add_days(Days::new(days)))
            .take_while(move |day| *day <= self.last)
    }
}

impl FromStr for PastDays {
    type Err = NotDays;

    fn from_str(text: &str) -> Result<Self, NotDays> {
        let days = text.split_once("..").and_then(|(first, last)| Some((date_from(first)?, date_from(last)?)));
        let (first, last) = days.ok_or_else(|| NotDays::Form(text.to_owned()))?;
        Self::new(first, last)
    }
}

impl fmt::Display for PastDays {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}..{}", self.first, self.last)
    }
}

/// A clock that shows a day of the past, and goes on from its noon.
#[derive(Debug)]
pub struct PastClock {
    since: Mutex<(Duration, Instant)>,
}

impl PastClock {
    /// It is noon of `day`.
    #[must_use]
    pub fn new(day: NaiveDate) -> Self {
        Self { since: Mutex::new((noon(day), Instant::now())) }
    }

    /// It is noon of `day`, or later on that day where it is that day already.
    pub fn turn_to(&self, day: NaiveDate) {
        if self.now() < noon(day) {
            *self.since.lock().unwrap_or_else(PoisonError::into_inner) = (noon(day), Instant::now());
        }
    }
}

impl Clock for PastClock {
    fn now(&self) -> Duration {
        let (noon, at) = *self.since.lock().unwrap_or_else(PoisonError::into_inner);
        noon + at.elapsed()
    }
}

fn noon(day: NaiveDate) -> Duration {
    Duration::from_millis(u64::try_from(start_ms(day)).unwrap_or(0)) + NOON
}

/// A rehearsal in the making.
pub struct Rehearsal<'a> {
    /// Does the work; it sets no weights.
    pub validator: &'a Validator,
    /// Where the batches are.
    pub sot: &'a Sot,
    /// The validator's clock.
    pub clock: &'a PastClock,
}

/// What came of one day.
#[derive(Debug)]
pub struct PastDay {
    /// The day.
    pub date: NaiveDate,
    /// What came of its batch.
    pub came: Came,
    /// How long it took.
    pub took: Duration,
}

/// What came of the batch of a day.
#[derive(Debug)]
pub enum Came {
    /// The source has none.
    NoBatch,
    /// The ledger has its round from before.
    Before,
    /// The round was run.
    Ran(Box<Pass>),
}

/// Why a rehearsal cannot be, or go on.
#[derive(Debug, thiserror::Error)]
pub enum RehearsalError {
    /// The ledger knows the future already.
    #[error(
        "the ledger has round {newest}, which is later than {days}: a rehearsal goes forward, in a ledger of its own \
         (another validator.data_dir)"
    )]
    Later {
        /// The newest round.
        newest: RoundId,
        /// The days that were asked for.
        days: PastDays,
    },
    /// Where batches come from.
    #[error(transparent)]
    Sot(#[from] SotError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] StorageError),
    /// It was told to stop.
    #[error("told to stop; the same command goes on with {0}")]
    Stopped(NaiveDate),
    /// A day went wrong; those after it would build on that.
    #[error("{date}: {why}; the same command goes on there")]
    Day {
        /// The day.
        date: NaiveDate,
        /// What went wrong.
        why: String,
    },
}

impl Rehearsal<'_> {
    /// Runs the rounds of these days one after the other, and tells `say` of each.
    ///
    /// # Errors
    /// The first trouble; the same call goes on where it stopped.
    pub async fn run(
        &self,
        days: PastDays,
        stop: &CancellationToken,
        mut say: impl FnMut(&PastDay),
    ) -> Result<(), RehearsalError> {
        let newest = self.newest().await?;
        if let Some(newest) = newest.as_ref().map(|round| round.id).filter(|id| id.date > days.last) {
            return Err(RehearsalError::Later { newest, days });
        }
        for date in days.each() {
            let began = Instant::now();
            let came = self.day(date, newest.as_ref(), stop).await?;
            say(&PastDay { date, came, took: began.elapsed() });
        }
        Ok(())
    }

    /// The newest round of the ledger.
    async fn newest(&self) -> Result<Option<Round>, StorageError> {
        Ok(self.validator.world.ledger.rounds(self.validator.netuid, 1, None).await?.pop())
    }

    async fn day(
        &self,
        date: NaiveDate,
        newest: Option<&Round>,
        stop: &CancellationToken,
    ) -> Result<Came, RehearsalError> {
        if stop.is_cancelled() {
            return Err(RehearsalError::Stopped(date));
        }
        // Of days before the newest round nothing is left to do; the newest one may have been broken off.
        let over = |round: &Round| date < round.id.date || (date == round.id.date && round.step >= Step::Published);
        if newest.is_some_and(over) {
            return Ok(Came::Before);
        }
        self.clock.turn_to(date);
        let Some(Found { date, window_days }) = self.sot.on(date).await? else { return Ok(Came::NoBatch) };
        let id = RoundId { netuid: self.validator.netuid, date, window_days };
        let pass = self.validator.once_for(id, stop).await;
        if stop.is_cancelled() {
            return Err(RehearsalError::Stopped(date));
        }
        match pass.errors.first() {
            Some(why) => Err(RehearsalError::Day { date, why: why.clone() }),
            None => Ok(Came::Ran(Box::new(pass))),
        }
    }
}

#[cfg(test)]
mod tests {
    use aml_miner::clock::Clock as _;

    use super::{NotDays, PastClock, PastDays, noon};

    #[test]
    fn days_are_read_as_they_are_written() {
        let days: PastDays = "2026-02-27..2026-03-01".parse().unwrap();
        assert_eq!(days.to_string(), "2026-02-27..2026-03-01");
        let each: Vec<String> = days.each().map(|day| day.to_string()).collect();
        assert_eq!(each, ["2026-02-27", "2026-02-28", "2026-03-01"]);
        assert_eq!("2026-01-05..2026-01-05".parse::<PastDays>().unwrap().each().count(), 1);
        for text in
            ["", "2026-01-05", "2026-01-05..", "..2026-01-05", "2026-1-5..2026-1-6", "a..b", "2026-01-05...2026-01-06"]
        {
            assert_eq!(text.parse::<PastDays>(), Err(NotDays::Form(text.to_owned())));
        }
        assert!(matches!("2026-01-05..2026-01-04".parse::<PastDays>(), Err(NotDays::Backwards { .. })));
        assert!(matches!("1026-01-05..2026-01-04".parse::<PastDays>(), Err(NotDays::TooMany(_))));
    }

    #[test]
    fn the_clock_goes_forward_only() {
        let [first, second] = ["2026-01-05", "2026-01-06"].map(|day| day.parse().unwrap());
        let clock = PastClock::new(first);
        assert!(clock.now() >= noon(first) && clock.now() < noon(second));
        clock.turn_to(second);
        let then = clock.now();
        clock.turn_to(first);
        clock.turn_to(second);
        assert!(clock.now() >= then && then >= noon(second));
    }
}
