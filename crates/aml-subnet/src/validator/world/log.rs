//! The ledger as rounds and settlements use it.

use std::collections::BTreeMap;
use std::sync::Arc;

use aml_miner::digest::{Digest, Hashed};
use chrono::NaiveDate;
use futures_util::future::BoxFuture;

use super::{InformationLog, OpeningLog};
use crate::store::records::{
    Answer, Canonical, Dormancy, FormBytes, Mark, MarkKind, Round, RoundId, Settled, Task, Verdict,
};
use crate::store::{Ledger, PackedBody, RecordError, Retention, StorageError, Swept};
use crate::validation::performance::RoundScore;
use crate::wallet::Hotkey;

/// Where every step of a round is recorded before the next begins, with what is remembered of miners across rounds.
///
/// Every method means what [`Ledger`]'s of the same name does: what it reports as done survives a crash, and a step that
/// is not due is refused.
pub trait RoundLog: InformationLog + OpeningLog {
    /// Begins a round, or returns the one that was begun before.
    fn begin<'a>(&'a self, round: &'a Round) -> BoxFuture<'a, Result<Round, RecordError>>;

    /// A round.
    fn round(&self, id: RoundId) -> BoxFuture<'_, Result<Option<Round>, StorageError>>;

    /// Rounds of a subnet, newest first, those of days before `before` only.
    fn rounds(
        &self,
        netuid: u16,
        limit: u32,
        before: Option<NaiveDate>,
    ) -> BoxFuture<'_, Result<Vec<Round>, StorageError>>;

    /// Rounds of a subnet that are not published yet, oldest first.
    fn unfinished(&self, netuid: u16) -> BoxFuture<'_, Result<Vec<Round>, StorageError>>;

    /// Fetched → tasked, with the bytes of the task's encoded forms, where it has any.
    fn record_task_and_forms<'a>(
        &'a self,
        id: RoundId,
        task: &'a Task,
        commitment: Digest,
        forms: FormBytes<'a>,
    ) -> BoxFuture<'a, Result<(), RecordError>>;

    /// A file of a round.
    fn file<'a>(&'a self, id: RoundId, name: &'a str) -> BoxFuture<'a, Result<Option<Vec<u8>>, StorageError>>;

    /// What the miners of a round are asked.
    fn task(&self, id: RoundId) -> BoxFuture<'_, Result<Option<Task>, StorageError>>;

    /// Records an answer; says whether it was the miner's first, which counts.
    fn record_answer<'a>(
        &'a self,
        id: RoundId,
        answer: &'a Answer,
        body: Option<&'a Arc<Hashed>>,
    ) -> BoxFuture<'a, Result<bool, RecordError>>;

    /// The answers of a round, by hotkey.
    fn answers(&self, id: RoundId) -> BoxFuture<'_, Result<Vec<Answer>, StorageError>>;

    /// The body of a digest; `None` when it was never kept, or was swept.
    fn packed_body<'a>(&'a self, digest: &'a Digest) -> BoxFuture<'a, Result<Option<PackedBody>, StorageError>>;

    /// Says something of a round, or takes back that it is held.
    fn mark_round<'a>(
        &'a self,
        id: RoundId,
        kind: MarkKind,
        mark: Option<&'a Mark>,
    ) -> BoxFuture<'a, Result<(), RecordError>>;

    /// Gives a round that is being asked a later deadline, once; says whether it did.
    fn extend_deadline(&self, id: RoundId, deadline_ms: i64, at_ms: i64) -> BoxFuture<'_, Result<bool, RecordError>>;

    /// Tasked → asked.
    fn finish_asking(&self, id: RoundId) -> BoxFuture<'_, Result<(), RecordError>>;

    /// Asked → judged.
    fn record_verdicts<'a>(&'a self, id: RoundId, verdicts: &'a [Verdict]) -> BoxFuture<'a, Result<(), RecordError>>;

    /// The verdicts of a round, by hotkey.
    fn verdicts(&self, id: RoundId) -> BoxFuture<'_, Result<Vec<Verdict>, StorageError>>;

    /// Judged → merged; `None` when no submission was accepted.
    fn record_canonical<'a>(
        &'a self,
        id: RoundId,
        canonical: Option<&'a Canonical>,
    ) -> BoxFuture<'a, Result<(), RecordError>>;

    /// The canonical scores of a round.
    fn canonical(&self, id: RoundId) -> BoxFuture<'_, Result<Option<Canonical>, StorageError>>;

    /// Merged → published.
    fn publish(&self, id: RoundId, at_ms: i64) -> BoxFuture<'_, Result<(), RecordError>>;

    /// Published → settled.
    fn record_settled<'a>(
        &'a self,
        id: RoundId,
        settled: &'a Settled,
        at_ms: i64,
    ) -> BoxFuture<'a, Result<(), RecordError>>;

    /// The settlement of a round.
    fn settled(&self, id: RoundId) -> BoxFuture<'_, Result<Option<Settled>, StorageError>>;

    /// How each hotkey did in the published rounds from `since` on.
    fn history(
        &self,
        netuid: u16,
        since: NaiveDate,
    ) -> BoxFuture<'_, Result<BTreeMap<Hotkey, Vec<RoundScore>>, StorageError>>;

    /// When each hotkey was first seen.
    fn first_seen(&self) -> BoxFuture<'_, Result<BTreeMap<Hotkey, i64>, StorageError>>;

    /// Notes hotkeys; the first time counts.
    fn note_seen<'a>(&'a self, hotkeys: &'a [Hotkey], at_ms: i64) -> BoxFuture<'a, Result<(), StorageError>>;

    /// The first receipt key of each hotkey.
    fn receipt_keys(&self) -> BoxFuture<'_, Result<BTreeMap<Hotkey, Digest>, StorageError>>;

    /// The hotkeys that are left alone for now.
    fn dormancy(&self) -> BoxFuture<'_, Result<BTreeMap<Hotkey, Dormancy>, StorageError>>;

    /// Leaves a hotkey alone for a while, or no longer.
    fn set_dormancy<'a>(
        &'a self,
        hotkey: &'a Hotkey,
        dormancy: Option<Dormancy>,
    ) -> BoxFuture<'a, Result<(), StorageError>>;

    /// Drops raw answers that need not be kept.
    fn sweep<'a>(&'a self, now_ms: i64, retention: &'a Retention) -> BoxFuture<'a, Result<Swept, StorageError>>;
}

impl RoundLog for Ledger {
    fn mark_round<'a>(
        &'a self,
        id: RoundId,
        kind: MarkKind,
        mark: Option<&'a Mark>,
    ) -> BoxFuture<'a, Result<(), RecordError>> {
        Box::pin(Self::mark_round(self, id, kind, mark))
    }

    fn extend_deadline(&self, id: RoundId, deadline_ms: i64, at_ms: i64) -> BoxFuture<'_, Result<bool, RecordError>> {
        Box::pin(Self::extend_deadline(self, id, deadline_ms, at_ms))
    }

    fn begin<'a>(&'a self, round: &'a Round) -> BoxFuture<'a, Result<Round, RecordError>> {
        Box::pin(Self::begin(self, round))
    }

    fn round(&self, id: RoundId) -> BoxFuture<'_, Result<Option<Round>, StorageError>> {
        Box::pin(Self::round(self, id))
    }

    fn rounds(
        &self,
        netuid: u16,
        limit: u32,
        before: Option<NaiveDate>,
    ) -> BoxFuture<'_, Result<Vec<Round>, StorageError>> {
        Box::pin(Self::rounds(self, netuid, limit, before))
    }

    fn unfinished(&self, netuid: u16) -> BoxFuture<'_, Result<Vec<Round>, StorageError>> {
        Box::pin(Self::unfinished(self, netuid))
    }

    fn record_task_and_forms<'a>(
        &'a self,
        id: RoundId,
        task: &'a Task,
        commitment: Digest,
        forms: FormBytes<'a>,
    ) -> BoxFuture<'a, Result<(), RecordError>> {
        Box::pin(Self::record_task_and_forms(self, id, task, commitment, forms))
    }

    fn file<'a>(&'a self, id: RoundId, name: &'a str) -> BoxFuture<'a, Result<Option<Vec<u8>>, StorageError>> {
        Box::pin(Self::file(self, id, name))
    }

    fn task(&self, id: RoundId) -> BoxFuture<'_, Result<Option<Task>, StorageError>> {
        Box::pin(Self::task(self, id))
    }

    fn record_answer<'a>(
        &'a self,
        id: RoundId,
        answer: &'a Answer,
        body: Option<&'a Arc<Hashed>>,
    ) -> BoxFuture<'a, Result<bool, RecordError>> {
        Box::pin(Self::record_answer(self, id, answer, body))
    }

    fn answers(&self, id: RoundId) -> BoxFuture<'_, Result<Vec<Answer>, StorageError>> {
        Box::pin(Self::answers(self, id))
    }

    fn packed_body<'a>(&'a self, digest: &'a Digest) -> BoxFuture<'a, Result<Option<PackedBody>, StorageError>> {
        Box::pin(Self::packed_body(self, digest))
    }

    fn finish_asking(&self, id: RoundId) -> BoxFuture<'_, Result<(), RecordError>> {
        Box::pin(Self::finish_asking(self, id))
    }

    fn record_verdicts<'a>(&'a self, id: RoundId, verdicts: &'a [Verdict]) -> BoxFuture<'a, Result<(), RecordError>> {
        Box::pin(Self::record_verdicts(self, id, verdicts))
    }

    fn verdicts(&self, id: RoundId) -> BoxFuture<'_, Result<Vec<Verdict>, StorageError>> {
        Box::pin(Self::verdicts(self, id))
    }

    fn record_canonical<'a>(
        &'a self,
        id: RoundId,
        canonical: Option<&'a Canonical>,
    ) -> BoxFuture<'a, Result<(), RecordError>> {
        Box::pin(Self::record_canonical(self, id, canonical))
    }

    fn canonical(&self, id: RoundId) -> BoxFuture<'_, Result<Option<Canonical>, StorageError>> {
        Box::pin(Self::canonical(self, id))
    }

    fn publish(&self, id: RoundId, at_ms: i64) -> BoxFuture<'_, Result<(), RecordError>> {
        Box::pin(Self::publish(self, id, at_ms))
    }

    fn record_settled<'a>(
        &'a self,
        id: RoundId,
        settled: &'a Settled,
        at_ms: i64,
    ) -> BoxFuture<'a, Result<(), RecordError>> {
        Box::pin(Self::record_settled(self, id, settled, at_ms))
    }

    fn settled(&self, id: RoundId) -> BoxFuture<'_, Result<Option<Settled>, StorageError>> {
        Box::pin(Self::settled(self, id))
    }

    fn history(
        &self,
        netuid: u16,
        since: NaiveDate,
    ) -> BoxFuture<'_, Result<BTreeMap<Hotkey, Vec<RoundScore>>, StorageError>> {
        Box::pin(Self::history(self, netuid, since))
    }

    fn first_seen(&self) -> BoxFuture<'_, Result<BTreeMap<Hotkey, i64>, StorageError>> {
        Box::pin(Self::first_seen(self))
    }

    fn note_seen<'a>(&'a self, hotkeys: &'a [Hotkey], at_ms: i64) -> BoxFuture<'a, Result<(), StorageError>> {
        Box::pin(Self::note_seen(self, hotkeys, at_ms))
    }

    fn receipt_keys(&self) -> BoxFuture<'_, Result<BTreeMap<Hotkey, Digest>, StorageError>> {
        Box::pin(Self::receipt_keys(self))
    }

    fn dormancy(&self) -> BoxFuture<'_, Result<BTreeMap<Hotkey, Dormancy>, StorageError>> {
        Box::pin(Self::dormancy(self))
    }

    fn set_dormancy<'a>(
        &'a self,
        hotkey: &'a Hotkey,
        dormancy: Option<Dormancy>,
    ) -> BoxFuture<'a, Result<(), StorageError>> {
        Box::pin(Self::set_dormancy(self, hotkey, dormancy))
    }

    fn sweep<'a>(&'a self, now_ms: i64, retention: &'a Retention) -> BoxFuture<'a, Result<Swept, StorageError>> {
        Box::pin(Self::sweep(self, now_ms, retention))
    }
}
