//! The ledger as rules v2 use it: columns, outcomes, standings, shares.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use futures_util::future::BoxFuture;

use crate::readers::calibration::Calibration;
use crate::readers::reasons::Reasons;
use crate::store::records::{
    Canonical, ColumnDigests, ColumnName, Counts, KnownOutcome, OutcomesChange, RoundId, Shares, StandingRecord,
    StoredColumn,
};
use crate::store::{
    Before, Conduct, InForce, KnownShare, Ledger, Merged, OutcomesHeld, PackedColumn, RecordError, StorageError,
};
use crate::wallet::Hotkey;

/// What rules v2 keep of rounds. Every method means what [`Ledger`]'s of the same name does.
pub trait InformationLog: Send + Sync {
    /// What is in force for a round from its task on, once; what is recorded comes back.
    fn record_in_force<'a>(&'a self, id: RoundId, given: &'a InForce) -> BoxFuture<'a, Result<InForce, RecordError>>;

    /// What is in force for a round.
    fn in_force(&self, id: RoundId) -> BoxFuture<'_, Result<Option<InForce>, StorageError>>;

    /// The newest standing of a round.
    fn standing(&self, id: RoundId) -> BoxFuture<'_, Result<Option<StandingRecord>, StorageError>>;

    /// Keeps columns of a round.
    fn record_columns<'a>(&'a self, id: RoundId, columns: &'a [StoredColumn])
    -> BoxFuture<'a, Result<(), RecordError>>;

    /// Names and digests of a round's columns.
    fn column_digests(&self, id: RoundId) -> BoxFuture<'_, Result<BTreeMap<ColumnName, ColumnDigests>, StorageError>>;

    /// The columns of a round that are kept, by name.
    fn packed_columns(&self, id: RoundId) -> BoxFuture<'_, Result<Vec<PackedColumn>, StorageError>>;

    /// The scores of a round's columns that are kept, by name.
    fn packed_scores(&self, id: RoundId) -> BoxFuture<'_, Result<Vec<PackedColumn>, StorageError>>;

    /// Judged → merged, with all that rules v2 make of the answers.
    fn record_merged<'a>(&'a self, id: RoundId, merged: Merged<'a>) -> BoxFuture<'a, Result<(), RecordError>>;

    /// The canonical scores that other rules would have made.
    fn canonical_beside(&self, id: RoundId) -> BoxFuture<'_, Result<Option<Canonical>, StorageError>>;

    /// The newest shares of a round.
    fn shares(&self, id: RoundId) -> BoxFuture<'_, Result<Option<Shares>, StorageError>>;

    /// Records that a round's pay was made again.
    fn amend_shares<'a>(
        &'a self,
        id: RoundId,
        standing: &'a StandingRecord,
        shares: &'a Shares,
    ) -> BoxFuture<'a, Result<(), RecordError>>;

    /// Compares what the source says now with what was said before, and keeps what is new.
    fn record_outcomes<'a>(
        &'a self,
        id: RoundId,
        now: &'a [KnownOutcome],
        at_ms: i64,
    ) -> BoxFuture<'a, Result<OutcomesChange, RecordError>>;

    /// Keeps outcomes as they are while something is made of them.
    fn hold_outcomes(&self) -> BoxFuture<'_, OutcomesHeld>;

    /// All versions of a round's outcomes.
    fn outcomes(&self, id: RoundId) -> BoxFuture<'_, Result<Vec<KnownOutcome>, StorageError>>;

    /// Replaces the counts of a round.
    fn record_counts<'a>(
        &'a self,
        id: RoundId,
        counts: &'a BTreeMap<Hotkey, Counts>,
    ) -> BoxFuture<'a, Result<(), RecordError>>;

    /// The counts of a round; empty when they have to be made.
    fn counts(&self, id: RoundId) -> BoxFuture<'_, Result<BTreeMap<Hotkey, Counts>, StorageError>>;

    /// How all hotkeys did in the judged rounds up to a round.
    fn conduct(&self, before: Before) -> BoxFuture<'_, Result<Vec<Conduct>, StorageError>>;

    /// The newest canonical score of each address.
    fn newest_scores<'a>(
        &'a self,
        before: Before,
        addresses: &'a [&'a str],
    ) -> BoxFuture<'a, Result<HashMap<String, f64>, StorageError>>;

    /// The newest outcome of each address.
    fn newest_outcomes<'a>(
        &'a self,
        before: Before,
        addresses: &'a [&'a str],
    ) -> BoxFuture<'a, Result<HashMap<String, bool>, StorageError>>;

    /// How many outcomes are known.
    fn known_share(&self, before: Before) -> BoxFuture<'_, Result<KnownShare, StorageError>>;

    /// Fills in how submissions of an older program's round did on its traps.
    fn record_advantages<'a>(
        &'a self,
        id: RoundId,
        given: &'a BTreeMap<Hotkey, f64>,
    ) -> BoxFuture<'a, Result<(), RecordError>>;

    /// Drops the columns of rounds of days before `before`.
    fn sweep_columns(&self, before: NaiveDate, now_ms: i64) -> BoxFuture<'_, Result<u64, StorageError>>;

    /// Keeps the calibration of a round; the first one counts, and comes back.
    fn record_calibration<'a>(
        &'a self,
        id: RoundId,
        given: &'a Calibration,
    ) -> BoxFuture<'a, Result<Calibration, RecordError>>;

    /// The calibration of a round.
    fn calibration(&self, id: RoundId) -> BoxFuture<'_, Result<Option<Calibration>, StorageError>>;

    /// Keeps the reasons of a round; the first ones count, and come back.
    fn record_reasons<'a>(&'a self, id: RoundId, given: &'a Reasons) -> BoxFuture<'a, Result<Reasons, RecordError>>;

    /// The reasons of a round; `None` of one that was published without.
    fn reasons(&self, id: RoundId) -> BoxFuture<'_, Result<Option<Reasons>, StorageError>>;

    /// The rows of a round in a table, one per line of JSON.
    fn round_rows<'a>(&'a self, id: RoundId, table: &'a str) -> BoxFuture<'a, Result<Vec<u8>, StorageError>>;
}

impl InformationLog for Ledger {
    fn record_in_force<'a>(&'a self, id: RoundId, given: &'a InForce) -> BoxFuture<'a, Result<InForce, RecordError>> {
        Box::pin(Self::record_in_force(self, id, given))
    }

    fn in_force(&self, id: RoundId) -> BoxFuture<'_, Result<Option<InForce>, StorageError>> {
        Box::pin(Self::in_force(self, id))
    }

    fn standing(&self, id: RoundId) -> BoxFuture<'_, Result<Option<StandingRecord>, StorageError>> {
        Box::pin(Self::standing(self, id))
    }

    fn record_columns<'a>(
        &'a self,
        id: RoundId,
        columns: &'a [StoredColumn],
    ) -> BoxFuture<'a, Result<(), RecordError>> {
        Box::pin(Self::record_columns(self, id, columns))
    }

    fn column_digests(&self, id: RoundId) -> BoxFuture<'_, Result<BTreeMap<ColumnName, ColumnDigests>, StorageError>> {
        Box::pin(Self::column_digests(self, id))
    }

    fn packed_columns(&self, id: RoundId) -> BoxFuture<'_, Result<Vec<PackedColumn>, StorageError>> {
        Box::pin(Self::packed_columns(self, id))
    }

    fn packed_scores(&self, id: RoundId) -> BoxFuture<'_, Result<Vec<PackedColumn>, StorageError>> {
        Box::pin(Self::packed_scores(self, id))
    }

    fn record_merged<'a>(&'a self, id: RoundId, merged: Merged<'a>) -> BoxFuture<'a, Result<(), RecordError>> {
        Box::pin(Self::record_merged(self, id, merged))
    }

    fn canonical_beside(&self, id: RoundId) -> BoxFuture<'_, Result<Option<Canonical>, StorageError>> {
        Box::pin(Self::canonical_beside(self, id))
    }

    fn shares(&self, id: RoundId) -> BoxFuture<'_, Result<Option<Shares>, StorageError>> {
        Box::pin(Self::shares(self, id))
    }

    fn amend_shares<'a>(
        &'a self,
        id: RoundId,
        standing: &'a StandingRecord,
        shares: &'a Shares,
    ) -> BoxFuture<'a, Result<(), RecordError>> {
        Box::pin(Self::amend_shares(self, id, standing, shares))
    }

    fn record_outcomes<'a>(
        &'a self,
        id: RoundId,
        now: &'a [KnownOutcome],
        at_ms: i64,
    ) -> BoxFuture<'a, Result<OutcomesChange, RecordError>> {
        Box::pin(Self::record_outcomes(self, id, now, at_ms))
    }

    fn hold_outcomes(&self) -> BoxFuture<'_, OutcomesHeld> {
        Box::pin(Self::hold_outcomes(self))
    }

    fn outcomes(&self, id: RoundId) -> BoxFuture<'_, Result<Vec<KnownOutcome>, StorageError>> {
        Box::pin(Self::outcomes(self, id))
    }

    fn record_counts<'a>(
        &'a self,
        id: RoundId,
        counts: &'a BTreeMap<Hotkey, Counts>,
    ) -> BoxFuture<'a, Result<(), RecordError>> {
        Box::pin(Self::record_counts(self, id, counts))
    }

    fn counts(&self, id: RoundId) -> BoxFuture<'_, Result<BTreeMap<Hotkey, Counts>, StorageError>> {
        Box::pin(Self::counts(self, id))
    }

    fn conduct(&self, before: Before) -> BoxFuture<'_, Result<Vec<Conduct>, StorageError>> {
        Box::pin(Self::conduct(self, before))
    }

    fn newest_scores<'a>(
        &'a self,
        before: Before,
        addresses: &'a [&'a str],
    ) -> BoxFuture<'a, Result<HashMap<String, f64>, StorageError>> {
        Box::pin(Self::newest_scores(self, before, addresses))
    }

    fn newest_outcomes<'a>(
        &'a self,
        before: Before,
        addresses: &'a [&'a str],
    ) -> BoxFuture<'a, Result<HashMap<String, bool>, StorageError>> {
        Box::pin(Self::newest_outcomes(self, before, addresses))
    }

    fn known_share(&self, before: Before) -> BoxFuture<'_, Result<KnownShare, StorageError>> {
        Box::pin(Self::known_share(self, before))
    }

    fn record_advantages<'a>(
        &'a self,
        id: RoundId,
        given: &'a BTreeMap<Hotkey, f64>,
    ) -> BoxFuture<'a, Result<(), RecordError>> {
        Box::pin(Self::record_advantages(self, id, given))
    }

    fn sweep_columns(&self, before: NaiveDate, now_ms: i64) -> BoxFuture<'_, Result<u64, StorageError>> {
        Box::pin(Self::sweep_columns(self, before, now_ms))
    }

    fn record_calibration<'a>(
        &'a self,
        id: RoundId,
        given: &'a Calibration,
    ) -> BoxFuture<'a, Result<Calibration, RecordError>> {
        Box::pin(Self::record_calibration(self, id, given))
    }

    fn calibration(&self, id: RoundId) -> BoxFuture<'_, Result<Option<Calibration>, StorageError>> {
        Box::pin(Self::calibration(self, id))
    }

    fn record_reasons<'a>(&'a self, id: RoundId, given: &'a Reasons) -> BoxFuture<'a, Result<Reasons, RecordError>> {
        Box::pin(Self::record_reasons(self, id, given))
    }

    fn reasons(&self, id: RoundId) -> BoxFuture<'_, Result<Option<Reasons>, StorageError>> {
        Box::pin(Self::reasons(self, id))
    }

    fn round_rows<'a>(&'a self, id: RoundId, table: &'a str) -> BoxFuture<'a, Result<Vec<u8>, StorageError>> {
        Box::pin(Self::round_rows(self, id, table))
    }
}
