//! The ledger of a simulation as rounds and settlements use it.

use std::collections::BTreeMap;
use std::sync::Arc;

use aml_miner::digest::{Digest, Hashed};
use chrono::NaiveDate;
use futures_util::future::BoxFuture;

use super::ledger::{SimLedger, nothing};
use super::plan::Flaw;
use super::promises::Promises;
use crate::store::records::{
    Answer, Canonical, Dormancy, FormBytes, Mark, MarkKind, Round, RoundId, Settled, Step, Task, Verdict,
};
use crate::store::{PackedBody, RecordError, Retention, StorageError, Swept};
use crate::validation::performance::RoundScore;
use crate::validator::world::RoundLog;
use crate::wallet::Hotkey;

impl RoundLog for SimLedger {
    fn begin<'a>(&'a self, round: &'a Round) -> BoxFuture<'a, Result<Round, RecordError>> {
        self.write("begin", self.ledger.begin(round), nothing)
    }

    fn round(&self, id: RoundId) -> BoxFuture<'_, Result<Option<Round>, StorageError>> {
        self.done("round", self.ledger.round(id))
    }

    fn rounds(
        &self,
        netuid: u16,
        limit: u32,
        before: Option<NaiveDate>,
    ) -> BoxFuture<'_, Result<Vec<Round>, StorageError>> {
        self.done("rounds", self.ledger.rounds(netuid, limit, before))
    }

    fn unfinished(&self, netuid: u16) -> BoxFuture<'_, Result<Vec<Round>, StorageError>> {
        self.done("unfinished", self.ledger.unfinished(netuid))
    }

    fn record_task_and_forms<'a>(
        &'a self,
        id: RoundId,
        task: &'a Task,
        commitment: Digest,
        forms: FormBytes<'a>,
    ) -> BoxFuture<'a, Result<(), RecordError>> {
        self.stage.tasked(id, task.deadline_ms);
        let recorded = self.ledger.record_task_and_forms(id, task, commitment, forms);
        self.write("record_task", recorded, move |(), all| all.step(id, Step::Tasked))
    }

    fn file<'a>(&'a self, id: RoundId, name: &'a str) -> BoxFuture<'a, Result<Option<Vec<u8>>, StorageError>> {
        self.done("file", self.ledger.file(id, name))
    }

    fn task(&self, id: RoundId) -> BoxFuture<'_, Result<Option<Task>, StorageError>> {
        self.done("task", self.ledger.task(id))
    }

    fn record_answer<'a>(
        &'a self,
        id: RoundId,
        answer: &'a Answer,
        body: Option<&'a Arc<Hashed>>,
    ) -> BoxFuture<'a, Result<bool, RecordError>> {
        let promised = move |first: &bool, all: &mut Promises| {
            if *first {
                all.answer(id, answer);
            }
        };
        if self.stage.plan.flaw == Some(Flaw::LosesAnswers) {
            return self.write("record_answer", async { Ok(true) }, promised);
        }
        if self.is_gone() {
            let gone = || StorageError::unavailable("record_answer").into();
            return self.done("record_answer: no answer", async move { Err(gone()) });
        }
        self.write("record_answer", self.ledger.record_answer(id, answer, body), promised)
    }

    fn answers(&self, id: RoundId) -> BoxFuture<'_, Result<Vec<Answer>, StorageError>> {
        self.done("answers", self.ledger.answers(id))
    }

    fn packed_body<'a>(&'a self, digest: &'a Digest) -> BoxFuture<'a, Result<Option<PackedBody>, StorageError>> {
        self.done("packed_body", self.ledger.packed_body(digest))
    }

    fn mark_round<'a>(
        &'a self,
        id: RoundId,
        kind: MarkKind,
        mark: Option<&'a Mark>,
    ) -> BoxFuture<'a, Result<(), RecordError>> {
        self.write("mark_round", self.ledger.mark_round(id, kind, mark), move |(), all| all.mark(id, kind, mark))
    }

    fn extend_deadline(&self, id: RoundId, deadline_ms: i64, at_ms: i64) -> BoxFuture<'_, Result<bool, RecordError>> {
        self.write("extend_deadline", self.ledger.extend_deadline(id, deadline_ms, at_ms), nothing)
    }

    fn finish_asking(&self, id: RoundId) -> BoxFuture<'_, Result<(), RecordError>> {
        self.write("finish_asking", self.ledger.finish_asking(id), move |(), all| all.step(id, Step::Asked))
    }

    fn record_verdicts<'a>(&'a self, id: RoundId, verdicts: &'a [Verdict]) -> BoxFuture<'a, Result<(), RecordError>> {
        self.write("record_verdicts", self.ledger.record_verdicts(id, verdicts), move |(), all| {
            all.step(id, Step::Judged)
        })
    }

    fn verdicts(&self, id: RoundId) -> BoxFuture<'_, Result<Vec<Verdict>, StorageError>> {
        self.done("verdicts", self.ledger.verdicts(id))
    }

    fn record_canonical<'a>(
        &'a self,
        id: RoundId,
        canonical: Option<&'a Canonical>,
    ) -> BoxFuture<'a, Result<(), RecordError>> {
        self.write("record_canonical", self.ledger.record_canonical(id, canonical), move |(), all| {
            all.step(id, Step::Merged)
        })
    }

    fn canonical(&self, id: RoundId) -> BoxFuture<'_, Result<Option<Canonical>, StorageError>> {
        self.done("canonical", self.ledger.canonical(id))
    }

    fn publish(&self, id: RoundId, at_ms: i64) -> BoxFuture<'_, Result<(), RecordError>> {
        if self.stage.plan.flaw == Some(Flaw::LosesPublications) {
            return self.done("publish", async { Ok(()) });
        }
        self.write("publish", self.ledger.publish(id, at_ms), move |(), all| {
            all.step(id, Step::Published);
            self.stage.is_published(id);
        })
    }

    fn record_settled<'a>(
        &'a self,
        id: RoundId,
        settled: &'a Settled,
        at_ms: i64,
    ) -> BoxFuture<'a, Result<(), RecordError>> {
        self.write("record_settled", self.ledger.record_settled(id, settled, at_ms), move |(), all| {
            all.step(id, Step::Settled)
        })
    }

    fn settled(&self, id: RoundId) -> BoxFuture<'_, Result<Option<Settled>, StorageError>> {
        self.done("settled", self.ledger.settled(id))
    }

    fn history(
        &self,
        netuid: u16,
        since: NaiveDate,
    ) -> BoxFuture<'_, Result<BTreeMap<Hotkey, Vec<RoundScore>>, StorageError>> {
        self.done("history", self.ledger.history(netuid, since))
    }

    fn first_seen(&self) -> BoxFuture<'_, Result<BTreeMap<Hotkey, i64>, StorageError>> {
        self.done("first_seen", self.ledger.first_seen())
    }

    fn note_seen<'a>(&'a self, hotkeys: &'a [Hotkey], at_ms: i64) -> BoxFuture<'a, Result<(), StorageError>> {
        self.write("note_seen", self.ledger.note_seen(hotkeys, at_ms), nothing)
    }

    fn receipt_keys(&self) -> BoxFuture<'_, Result<BTreeMap<Hotkey, Digest>, StorageError>> {
        self.done("receipt_keys", self.ledger.receipt_keys())
    }

    fn dormancy(&self) -> BoxFuture<'_, Result<BTreeMap<Hotkey, Dormancy>, StorageError>> {
        self.done("dormancy", self.ledger.dormancy())
    }

    fn set_dormancy<'a>(
        &'a self,
        hotkey: &'a Hotkey,
        dormancy: Option<Dormancy>,
    ) -> BoxFuture<'a, Result<(), StorageError>> {
        self.write("set_dormancy", self.ledger.set_dormancy(hotkey, dormancy), nothing)
    }

    fn sweep<'a>(&'a self, now_ms: i64, retention: &'a Retention) -> BoxFuture<'a, Result<Swept, StorageError>> {
        self.write("sweep", self.ledger.sweep(now_ms, retention), nothing)
    }
}
