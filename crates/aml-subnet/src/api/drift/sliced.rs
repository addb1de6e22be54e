//! What the batch of a round says that its alerts are sliced by: from the file that was kept of it, else from the batch itself, of
//! which the validator keeps a file then.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use aml_miner::data::batch_dir::BatchDir;
use aml_miner::data::listing::directory_name;
use aml_miner::digest::Digest;
use aml_miner::wire::spec::{ALERTS, FEATURES};

use super::{ApiError, ApiState, Round};
use crate::calendar::{day_at_ms, day_of};
use crate::outputs::SliceFacts;
use crate::readers::drift::{age_band, volume_band};
use crate::store::records::RosterRow;

impl ApiState {
    /// The facts of a round; `None` where nothing was kept and its batch is not here.
    pub(super) async fn slice_facts(
        &self,
        round: &Round,
        roster: &[RosterRow],
    ) -> Result<Option<SliceFacts>, ApiError> {
        let (published, id, batch) = (self.published.clone(), round.id, round.batch);
        // Beside a copy nothing is written.
        let keeps = !self.readiness.mirror;
        let place = self.batches.join(directory_name(id.date, Some(id.window_days)));
        let names: Vec<(String, String)> =
            roster.iter().map(|row| (row.alert_id.clone(), row.address.clone())).collect();
        let looking = move || {
            if let Some(kept) = SliceFacts::read(&published, &id, batch, names.len()) {
                return Some(kept);
            }
            let made = of_batch(&place, batch, day_of(id.date), &names)?;
            // Where nothing can be written the batch is read again next time.
            if keeps && let Err(error) = made.keep(&published, &id) {
                tracing::debug!(round.id = %id, %error, "what its alerts are sliced by is not kept");
            }
            Some(made)
        };
        tokio::task::spawn_blocking(looking).await.map_err(ApiError::internal)
    }
}

/// From a batch; `None` where it is not here, is damaged, or another one lies in its place.
fn of_batch(place: &Path, batch: Digest, day: i64, roster: &[(String, String)]) -> Option<SliceFacts> {
    let dir = BatchDir::open(place).ok().filter(|dir| dir.manifest_sha256() == batch)?;
    let alerts = dir.table(&ALERTS).ok()??;
    let volumes: HashMap<&str, f64> = match (alerts.texts("alert_id"), alerts.numbers("volume_usd")) {
        (Some(ids), Some(volumes)) => ids.iter().zip(volumes.iter().copied()).collect(),
        _ => HashMap::new(),
    };
    let wanted: HashSet<&str> = roster.iter().map(|(_, address)| address.as_str()).collect();
    let features = dir.table(&FEATURES).ok()??;
    let first: HashMap<&str, f64> = match (features.texts("address"), features.numbers("first_activity_timestamp")) {
        (Some(addresses), Some(times)) => {
            addresses.iter().zip(times.iter().copied()).filter(|(address, _)| wanted.contains(address)).collect()
        }
        _ => HashMap::new(),
    };
    let known = |of: &HashMap<&str, f64>, name: &str| of.get(name).copied().filter(|value| value.is_finite());
    #[expect(clippy::cast_possible_truncation, reason = "`as` saturates, and times are whole numbers within 2^53")]
    let age = |address: &str| known(&first, address).map(|at| age_band(day - day_at_ms(at as i64)));
    let bands = roster.iter().map(|(id, address)| (age(address), known(&volumes, id).map(volume_band)));
    Some(SliceFacts::new(batch, &dir.manifest().network, bands))
}
