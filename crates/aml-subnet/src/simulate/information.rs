//! The ledger of a simulation as rules v2 use it.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use futures_util::future::BoxFuture;

use super::ledger::{SimLedger, nothing};
use crate::readers::calibration::Calibration;
use crate::readers::reasons::Reasons;
use crate::store::records::{
    Canonical, ColumnDigests, ColumnName, Counts, KnownOutcome, OutcomesChange, RoundId, Shares, StandingRecord, Step,
    StoredColumn,
};
use crate::store::{
    Before, Conduct, InForce, KnownShare, Merged, OutcomesHeld, PackedColumn, RecordError, StorageError,
};
use crate::validator::world::InformationLog;
use crate::wallet::Hotkey;

impl InformationLog for SimLedger {
    fn record_in_force<'a>(&'a self, id: RoundId, given: &'a InForce) -> BoxFuture<'a, Result<InForce, RecordError>> {
        self.write("record_in_force", self.ledger.record_in_force(id, given), nothing)
    }

    fn in_force(&self, id: RoundId) -> BoxFuture<'_, Result<Option<InForce>, StorageError>> {
        self.done("in_force", self.ledger.in_force(id))
    }

    fn standing(&self, id: RoundId) -> BoxFuture<'_, Result<Option<StandingRecord>, StorageError>> {
        self.done("standing", self.ledger.standing(id))
    }

    fn record_columns<'a>(
        &'a self,
        id: RoundId,
        columns: &'a [StoredColumn],
    ) -> BoxFuture<'a, Result<(), RecordError>> {
        self.write("record_columns", self.ledger.record_columns(id, columns), nothing)
    }

    fn column_digests(&self, id: RoundId) -> BoxFuture<'_, Result<BTreeMap<ColumnName, ColumnDigests>, StorageError>> {
        self.done("column_digests", self.ledger.column_digests(id))
    }

    fn packed_columns(&self, id: RoundId) -> BoxFuture<'_, Result<Vec<PackedColumn>, StorageError>> {
        self.done("packed_columns", self.ledger.packed_columns(id))
    }

    fn packed_scores(&self, id: RoundId) -> BoxFuture<'_, Result<Vec<PackedColumn>, StorageError>> {
        self.done("packed_scores", self.ledger.packed_scores(id))
    }

    fn record_merged<'a>(&'a self, id: RoundId, merged: Merged<'a>) -> BoxFuture<'a, Result<(), RecordError>> {
        self.write("record_merged", self.ledger.record_merged(id, merged), move |(), all| all.step(id, Step::Merged))
    }

    fn canonical_beside(&self, id: RoundId) -> BoxFuture<'_, Result<Option<Canonical>, StorageError>> {
        self.done("canonical_beside", self.ledger.canonical_beside(id))
    }

    fn shares(&self, id: RoundId) -> BoxFuture<'_, Result<Option<Shares>, StorageError>> {
        self.done("shares", self.ledger.shares(id))
    }

    fn amend_shares<'a>(
        &'a self,
        id: RoundId,
        standing: &'a StandingRecord,
        shares: &'a Shares,
    ) -> BoxFuture<'a, Result<(), RecordError>> {
        self.write("amend_shares", self.ledger.amend_shares(id, standing, shares), nothing)
    }

    fn record_outcomes<'a>(
        &'a self,
        id: RoundId,
        now: &'a [KnownOutcome],
        at_ms: i64,
    ) -> BoxFuture<'a, Result<OutcomesChange, RecordError>> {
        self.write_outcomes("record_outcomes", self.ledger.record_outcomes(id, now, at_ms))
    }

    fn hold_outcomes(&self) -> BoxFuture<'_, OutcomesHeld> {
        Box::pin(self.ledger.hold_outcomes())
    }

    fn outcomes(&self, id: RoundId) -> BoxFuture<'_, Result<Vec<KnownOutcome>, StorageError>> {
        self.done("outcomes", self.ledger.outcomes(id))
    }

    fn record_counts<'a>(
        &'a self,
        id: RoundId,
        counts: &'a BTreeMap<Hotkey, Counts>,
    ) -> BoxFuture<'a, Result<(), RecordError>> {
        self.write("record_counts", self.ledger.record_counts(id, counts), nothing)
    }

    fn counts(&self, id: RoundId) -> BoxFuture<'_, Result<BTreeMap<Hotkey, Counts>, StorageError>> {
        self.done("counts", self.ledger.counts(id))
    }

    fn conduct(&self, before: Before) -> BoxFuture<'_, Result<Vec<Conduct>, StorageError>> {
        self.done("conduct", self.ledger.conduct(before))
    }

    fn newest_scores<'a>(
        &'a self,
        before: Before,
        addresses: &'a [&'a str],
    ) -> BoxFuture<'a, Result<HashMap<String, f64>, StorageError>> {
        self.done("newest_scores", self.ledger.newest_scores(before, addresses))
    }

    fn newest_outcomes<'a>(
        &'a self,
        before: Before,
        addresses: &'a [&'a str],
    ) -> BoxFuture<'a, Result<HashMap<String, bool>, StorageError>> {
        self.done("newest_outcomes", self.ledger.newest_outcomes(before, addresses))
    }

    fn known_share(&self, before: Before) -> BoxFuture<'_, Result<KnownShare, StorageError>> {
        self.done("known_share", self.ledger.known_share(before))
    }

    fn record_advantages<'a>(
        &'a self,
        id: RoundId,
        given: &'a BTreeMap<Hotkey, f64>,
    ) -> BoxFuture<'a, Result<(), RecordError>> {
        self.write("record_advantages", self.ledger.record_advantages(id, given), nothing)
    }

    fn sweep_columns(&self, before: NaiveDate, now_ms: i64) -> BoxFuture<'_, Result<u64, StorageError>> {
        self.write("sweep_columns", self.ledger.sweep_columns(before, now_ms), nothing)
    }

    fn record_calibration<'a>(
        &'a self,
        id: RoundId,
        given: &'a Calibration,
    ) -> BoxFuture<'a, Result<Calibration, RecordError>> {
        self.write("record_calibration", self.ledger.record_calibration(id, given), nothing)
    }

    fn calibration(&self, id: RoundId) -> BoxFuture<'_, Result<Option<Calibration>, StorageError>> {
        self.done("calibration", self.ledger.calibration(id))
    }

    fn record_reasons<'a>(&'a self, id: RoundId, given: &'a Reasons) -> BoxFuture<'a, Result<Reasons, RecordError>> {
        self.write("record_reasons", self.ledger.record_reasons(id, given), nothing)
    }

    fn reasons(&self, id: RoundId) -> BoxFuture<'_, Result<Option<Reasons>, StorageError>> {
        self.done("reasons", self.ledger.reasons(id))
    }

    fn round_rows<'a>(&'a self, id: RoundId, table: &'a str) -> BoxFuture<'a, Result<Vec<u8>, StorageError>> {
        self.done("round_rows", self.ledger.round_rows(id, table))
    }
}
