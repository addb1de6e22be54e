//! The beacon of a simulation: the development beacon under the subnet's rule of openings, as the time has it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::stage::Stage;
use super::troubles::Trouble;
use crate::beacon::{Beacon, BeaconRound, OpeningRule, Pulse};
use crate::validator::world::BeaconSource;

/// How long a relay takes at most.
const TAKES: Duration = Duration::from_secs(2);

/// The development beacon.
pub(super) struct SimBeacon {
    pub(super) stage: Arc<Stage>,
}

impl BeaconSource for SimBeacon {
    fn beacon(&self) -> Option<(Beacon, OpeningRule)> {
        self.stage.plan.sealed.then_some((Beacon::Development, OpeningRule::SUBNET))
    }

    fn pulse(&self, round: BeaconRound) -> BoxFuture<'_, Result<Pulse, String>> {
        Box::pin(async move {
            let stage = &self.stage;
            stage.instant().await;
            stage.note("beacon", format_args!("round {round}"));
            stage.pause(TAKES).await;
            stage.instant().await;
            let late = |trouble: &Trouble| if let Trouble::BeaconLate(span) = trouble { Some(*span) } else { None };
            let due = round.beacon == Beacon::Development && round.time_s() <= stage.time.real().as_secs();
            if stage.is_cut() || stage.suffers(late) || !due {
                return Err(format!("nobody has round {round}"));
            }
            Pulse::of_development(round.round).ok_or_else(|| "there is no such round".to_owned())
        })
    }
}
