//! Whether now is a time to stop a validator. Pure.

use crate::store::RoundGlimpse;
use crate::store::records::Step;

/// A validator is not stopped so shortly before a deadline: a restart takes seconds, and an upgrade that is taken back minutes.
const BEFORE_DEADLINE_MS: i64 = 3_600_000;

/// Why a validator is better not stopped at `now_ms`; `None` when nothing speaks against it.
pub(super) fn not_now(rounds: &[RoundGlimpse], now_ms: i64) -> Option<String> {
    let open = rounds.iter().filter(|round| !round.void && round.step < Step::Asked);
    open.filter_map(|round| why(round, now_ms)).next()
}

fn why(round: &RoundGlimpse, now_ms: i64) -> Option<String> {
    let Some(deadline) = round.deadline_ms else {
        return Some(format!("round {} has begun and its miners are about to be asked", round.id));
    };
    let left = deadline.saturating_sub(now_ms);
    // What is past its deadline is not asked any more.
    (0..=BEFORE_DEADLINE_MS).contains(&left).then(|| {
        format!("miners of round {} are being asked, and its deadline is in {} minutes", round.id, left / 60_000)
    })
}

#[cfg(test)]
mod tests {
    use super::not_now;
    use crate::store::RoundGlimpse;
    use crate::store::records::Step;

    const NOW: i64 = 1_000_000_000;

    fn round(step: Step, minutes: Option<i64>) -> RoundGlimpse {
        let deadline_ms = minutes.map(|minutes| NOW + minutes * 60_000);
        RoundGlimpse { id: "1-2026-01-05-30".to_owned(), step, deadline_ms, void: false }
    }

    #[test]
    fn a_round_that_is_being_asked_is_not_disturbed_in_its_last_hour() {
        let asked = |minutes| not_now(&[round(Step::Tasked, Some(minutes))], NOW);
        for minutes in [0, 1, 60] {
            let why = asked(minutes).expect("not now");
            assert!(why.contains("1-2026-01-05-30") && why.contains(&format!("in {minutes} minutes")), "{why}");
        }
        assert_eq!((asked(61), asked(-1)), (None, None));
        assert!(not_now(&[round(Step::Fetched, None)], NOW).is_some(), "its deadline is not fixed yet");
    }

    #[test]
    fn what_was_asked_or_counts_nowhere_goes_on_whenever() {
        for step in [Step::Asked, Step::Judged, Step::Published, Step::Settled] {
            assert_eq!(not_now(&[round(step, Some(5))], NOW), None, "{step:?}");
        }
        assert_eq!(not_now(&[RoundGlimpse { void: true, ..round(Step::Tasked, Some(5)) }], NOW), None);
        assert_eq!(not_now(&[], NOW), None);
        let two = [round(Step::Published, None), round(Step::Tasked, Some(5))];
        assert!(not_now(&two, NOW).is_some());
    }
}
