//! Rounds that wait for their opening: when they are worth another look.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Validator;
use super::turns::unless_stopped;
use crate::store::records::{Round, Step};
use crate::validator::round::RoundError;

/// One round is waited for that opens within this.
const NEAR: Duration = Duration::from_secs(60);

impl Validator {
    /// A turn of rounds, and more of them while the newest round opens soon.
    pub(super) async fn opened_turn(&self, stop: &CancellationToken) -> Result<Option<Round>, RoundError> {
        let time = &*self.world.time;
        let patient = time.uptime() + NEAR;
        let mut turn = self.round_turn(stop).await;
        while let Some(pause) = self.opens_soon(&turn, patient) {
            if unless_stopped(time, stop, time.sleep(pause)).await.is_none() {
                break;
            }
            turn = self.round_turn(stop).await;
        }
        turn
    }

    /// How soon rounds are looked at again: when one that waits for its opening may open.
    pub(super) fn rounds_pause(&self) -> Duration {
        let usual = self.settings.interval;
        self.rounds.opens_in().map_or(usual, |opens| usual.min(opens))
    }

    /// How long to wait for the opening of a round that was asked, where that is before `patient`.
    fn opens_soon(&self, turn: &Result<Option<Round>, RoundError>, patient: Duration) -> Option<Duration> {
        let waits = |round: &Round| round.step == Step::Asked && round.marks.opening_ms.is_some();
        let opens =
            self.rounds.opens_in().filter(|_| turn.as_ref().is_ok_and(|round| round.as_ref().is_some_and(waits)))?;
        (self.world.time.uptime() + opens < patient).then_some(opens)
    }
}
