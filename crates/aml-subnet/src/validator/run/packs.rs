//! Evidence packs as rounds come to their end: each is written once and kept, whatever is swept later.

use aml_miner::error_chain::with_causes;

use super::Validator;
use crate::store::StorageError;
use crate::store::records::{Round, Step};
use crate::validator::packing::{PackError, Packing, Wanted};

/// Rounds that are looked at: three months of daily ones.
const LOOKED_AT: u32 = 100;
/// Packs that are written in one turn: a ledger that comes from an older program has many.
const AT_ONCE: usize = 4;

impl Validator {
    /// Writes packs of rounds that can change no more. Where scores are gone there is none, and nothing is said.
    ///
    /// # Errors
    /// When the ledger cannot be read. Trouble with one round is listed in `errors`.
    pub(super) async fn pack_turn(&self, errors: &mut Vec<String>) -> Result<(), StorageError> {
        let rounds = self.world.ledger.rounds(self.netuid, LOOKED_AT, None).await?;
        let signer = self.rounds.signer();
        let now = self.world.time.now();
        let packing = Packing { ledger: &*self.world.ledger, workers: &*self.world.workers, signer, now };
        let wanted = |round: &&Round| {
            round.step >= Step::Settled && packing.may_be(round) && !self.world.press.has_pack(round.id)
        };
        let mut written = 0;
        for round in rounds.iter().filter(wanted) {
            if written == AT_ONCE {
                break;
            }
            match self.pack(packing, round).await {
                Ok(()) => {
                    written += 1;
                    tracing::info!(round.id = %round.id, "its evidence pack is written");
                }
                Err(PackError::Swept { .. }) => {}
                Err(error) => errors.push(format!("evidence of round {}: {}", round.id, with_causes(&error))),
            }
        }
        Ok(())
    }

    async fn pack(&self, packing: Packing<'_>, round: &Round) -> Result<(), PackError> {
        let wanted = Wanted { round: round.id, alert: None, full: false };
        let (_, bytes) = packing.write(&wanted, Vec::new()).await?;
        let (press, id) = (std::sync::Arc::clone(&self.world.press), round.id);
        let kept = self.world.workers.compute(move || press.keep_pack(id, &bytes)).await;
        Ok(kept.map_err(crate::validator::information::InformationError::from)??)
    }
}
