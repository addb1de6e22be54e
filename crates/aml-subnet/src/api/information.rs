//! Why a miner is paid what it is paid under rules v2, from the newest round that is.

use super::error::{ApiError, ledger_error};
use super::state::ApiState;
use super::views::{Heard, MinerInformation, MinerRound};
use crate::store::Ledger;
use crate::store::StorageError;
use crate::store::records::{RoundId, ShareOf, Shares, StandingRecord, Step};
use crate::validation::v2::constants::Constants;
use crate::validation::v2::explain::{Facts, Window};
use crate::validation::v2::record::Tiers;
use crate::validation::v2::standing::Standing;
use crate::validation::v2::voice::Muted;
use crate::wallet::Hotkey;

/// Rounds that are looked through for the newest one that is paid.
const ROUNDS: u32 = 16;

/// The pay of a round under rules v2, and what it rests on.
#[derive(Clone, Debug)]
pub struct Informed {
    /// The round.
    pub round: RoundId,
    /// Its constants.
    pub constants: &'static Constants,
    /// Where everybody stands.
    pub standing: StandingRecord,
    /// What everybody is paid.
    pub shares: Shares,
}

impl Informed {
    /// That of the newest published round that counts; `None` when it is under other rules.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn newest(ledger: &Ledger, netuid: u16) -> Result<Option<Self>, StorageError> {
        let rounds = ledger.rounds(netuid, ROUNDS, None).await?;
        let newest = rounds.into_iter().find(|round| round.step >= Step::Published && round.marks.counts());
        let Some((round, constants)) = newest.and_then(|round| Some((round.id, round.rules.information()?))) else {
            return Ok(None);
        };
        let (standing, shares) = (ledger.standing(round).await?, ledger.shares(round).await?);
        Ok(standing.zip(shares).map(|(standing, shares)| Self { round, constants, standing, shares }))
    }

    /// The parts of a miner's pay. `missed`: rounds of the last thirty days in which its answer did not count.
    #[must_use]
    pub fn of(&self, hotkey: &Hotkey, missed: usize) -> Option<MinerInformation> {
        let (standing, share) = (self.standing.miners.get(hotkey)?, self.shares.miners.get(hotkey)?);
        Some(self.told(standing, share, missed))
    }

    fn told(&self, standing: &Standing, of: &ShareOf, missed: usize) -> MinerInformation {
        let tiers = Tiers { tier1: of.tier1, traps: of.traps, lately: of.lately };
        let StandingRecord { known, number, illicit, .. } = self.standing;
        let window = Window { known, outcomes: number, illicit };
        let facts = Facts { standing, tiers: &tiers, share: of.share, newcomer: of.newcomer, missed, window };
        let muted = of.muted.map(|muted| name(muted).to_owned());
        let heard = Heard { round: self.round.to_string(), voice: of.voice, muted };
        MinerInformation::of(self.constants, &facts, heard)
    }
}

/// As it is shown.
const fn name(muted: Muted) -> &'static str {
    match muted {
        Muted::Unknown => "unknown",
        Muted::Lifeless => "lifeless",
        Muted::Level => "level",
        Muted::Unsteady => "unsteady",
    }
}

/// What the API says of a miner's pay; `rounds`: how it fared in the newest ones.
pub(super) async fn information(
    api: &ApiState,
    hotkey: &Hotkey,
    rounds: &[MinerRound],
) -> Result<Option<MinerInformation>, ApiError> {
    use super::views::MinerOutcome::{Accepted, NotAsked};
    let informed = Informed::newest(&api.ledger, api.netuid).await.map_err(ledger_error)?;
    let missed = rounds.iter().filter(|round| !matches!(round.brief.outcome, Accepted | NotAsked)).count();
    Ok(informed.and_then(|informed| informed.of(hotkey, missed)))
}
