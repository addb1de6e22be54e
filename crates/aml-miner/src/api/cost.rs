//! Refuses an explanation that cannot end in time, before it is begun.

use std::time::{Duration, Instant};

use super::error::{ApiError, ErrorCode};

/// Seconds that a step of an explanation takes at least on one thread: the fastest processors measured need more. What
/// passes may still be too slow; what is refused would have been.
const LEAST_SECONDS_PER_STEP: f64 = 0.15e-9;

/// An explanation that is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Explained {
    pub(super) rows: usize,
    /// Steps of one row.
    pub(super) steps: u64,
    /// Threads that it is spread over.
    pub(super) threads: usize,
}

impl Explained {
    /// The seconds that it takes at least.
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn seconds(self) -> f64 {
        self.rows as f64 * self.steps as f64 * LEAST_SECONDS_PER_STEP / self.threads.max(1) as f64
    }

    /// Rows that would end within `time`.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below the rows asked for")]
    fn rows_within(self, time: Duration) -> usize {
        let share = time.as_secs_f64() / self.seconds();
        (self.rows as f64 * share.clamp(0.0, 1.0)) as usize
    }

    /// Whether it can end before `patience` is over for a request that arrived at `arrived`.
    pub(super) fn in_time(self, arrived: Instant, patience: Duration) -> Result<(), ApiError> {
        let seconds = self.seconds();
        let left = patience.saturating_sub(arrived.elapsed());
        if seconds <= left.as_secs_f64() {
            return Ok(());
        }
        let what = format!("Explaining {} rows with this model takes {seconds:.0} s or more", self.rows);
        if seconds > patience.as_secs_f64() {
            let detail = format!(
                "{what}, and a request has {} s: send at most {} rows, or ask for explain=none",
                patience.as_secs(),
                self.rows_within(patience)
            );
            return Err(ApiError::new(ErrorCode::TooLarge, detail));
        }
        let detail = format!("{what}, and {} s are left of this request's time; try again", left.as_secs());
        Err(ApiError::new(ErrorCode::Busy, detail))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::Explained;
    use crate::api::error::ErrorCode;

    const PATIENCE: Duration = Duration::from_secs(120);

    fn refusal(explained: Explained, arrived: Instant) -> Option<ErrorCode> {
        explained.in_time(arrived, PATIENCE).err().map(|error| error.code)
    }

    #[test]
    fn what_fits_is_taken_and_what_cannot_fit_is_told_how_many_rows_would() {
        let steps = 200_000_000;
        let many = Explained { rows: 10_000, steps, threads: 2 };
        assert_eq!(refusal(many, Instant::now()), Some(ErrorCode::TooLarge));
        let few = Explained { rows: many.rows_within(PATIENCE), ..many };
        assert!(few.rows > 1_000, "{few:?}");
        assert_eq!(refusal(Explained { rows: few.rows - 10, ..few }, Instant::now()), None);
        assert_eq!(refusal(Explained { steps: 300_000, ..many }, Instant::now()), None);
        assert_eq!(refusal(Explained { rows: 0, ..many }, Instant::now()), None);
    }

    #[test]
    fn what_would_have_fitted_earlier_may_come_again() {
        let half = Explained { rows: 4_000, steps: 200_000_000, threads: 1 };
        let Some(earlier) = Instant::now().checked_sub(Duration::from_secs(60)) else { return };
        assert_eq!(refusal(Explained { rows: 3_000, ..half }, earlier), Some(ErrorCode::Busy));
        assert_eq!(refusal(Explained { rows: 1_000, ..half }, earlier), None);
    }
}
