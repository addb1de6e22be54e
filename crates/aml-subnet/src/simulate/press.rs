//! What a simulated validator publishes: digests alone, so that what is published twice can be compared.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use aml_miner::digest::Digest;

use super::laws::Broken;
use super::stage::Stage;
use crate::outputs::PublishError;
use crate::store::records::RoundId;
use crate::validator::world::{Edition, Press};

/// A shelf that remembers what stood on it.
pub(super) struct SimPress {
    stage: Arc<Stage>,
    published: Mutex<BTreeMap<RoundId, Digest>>,
}

impl SimPress {
    pub(super) fn new(stage: Arc<Stage>) -> Self {
        Self { stage, published: Mutex::default() }
    }
}

impl Press for SimPress {
    fn publish(&self, edition: &Edition<'_>) -> Result<(), PublishError> {
        if self.stage.is_full() {
            let full = serde_json::Error::io(std::io::Error::from(std::io::ErrorKind::StorageFull));
            return Err(PublishError::Manifest(full));
        }
        let Edition { round, canonical, calibration, reasons, .. } = edition;
        self.stage.note("press", format_args!("{} scores", canonical.scores.len()));
        let digest = Digest::of(format!("{canonical:?}{calibration:?}{reasons:?}").as_bytes());
        let before = self.published.lock().unwrap_or_else(PoisonError::into_inner).insert(round.id, digest);
        if before.is_some_and(|before| before != digest) {
            self.stage.breaks(Broken::Reprinted { round: round.id });
        }
        Ok(())
    }

    /// Nobody reads them here.
    fn has_pack(&self, _round: RoundId) -> bool {
        true
    }

    fn keep_pack(&self, _round: RoundId, _bytes: &[u8]) -> std::io::Result<()> {
        Ok(())
    }
}
