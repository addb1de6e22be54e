//! The ledger of a simulation: the real one, in memory, each step at an instant of virtual time.
//!
//! The driver of SQLite works on a thread of its own, whose pace no seed decides. So a step is done while the simulation's
//! only thread waits for it: it takes no virtual time, and nothing happens beside it. The time that a step takes in the
//! world is drawn and passes before and after it; at either instant the process may die, so that a step is there or is not.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aml_miner::digest::{Digest, Hashed};
use chrono::NaiveDate;
use futures_util::future::BoxFuture;
use tokio::runtime::Runtime;

use super::plan::{Flaw, Trouble};
use super::stage::Stage;
use crate::store::records::{
    Answer, Canonical, Dormancy, Mark, MarkKind, Pulses, Round, RoundId, Settled, Task, Verdict, WeightsRecord,
    WeightsState,
};
use crate::store::{Ledger, OpenLedgerError, Opening, PackedBody, RecordError, Retention, StorageError, Swept};
use crate::validation::performance::RoundScore;
use crate::validator::world::{LogError, OpeningLog, RoundLog, Time as _, WeightsLog, WeightsTarget};
use crate::wallet::Hotkey;

/// How long a step takes at most, when nothing is wrong.
const QUICK: Duration = Duration::from_millis(5);

/// The ledger of a simulated validator. It outlives the validator's processes, and is not to be dropped by one.
pub(super) struct SimLedger {
    stage: Arc<Stage>,
    pub(super) ledger: Ledger,
    /// Where the driver's own tasks run, while a step is done.
    runtime: Runtime,
    slowest: Duration,
    /// For how long no answer is taken, from the first one on.
    gone: Duration,
    first: OnceLock<Duration>,
}

impl SimLedger {
    /// An empty one.
    pub(super) fn open(stage: Arc<Stage>) -> Result<Self, OpenLedgerError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("the system has a few descriptors left");
        let opening = Opening { holder: "a simulation".to_owned(), read_only: false };
        let ledger = runtime.block_on(Ledger::open("sqlite::memory:", &opening))?;
        let slow = |trouble: &Trouble| if let Trouble::SlowLedger(most) = trouble { Some(*most) } else { None };
        let slowest = stage.plan.troubles.iter().find_map(slow).unwrap_or(QUICK);
        let gone = |trouble: &Trouble| if let Trouble::LedgerGone(span) = trouble { Some(*span) } else { None };
        let gone = stage.plan.troubles.iter().find_map(gone).unwrap_or_default();
        Ok(Self { stage, ledger, runtime, slowest, gone, first: OnceLock::new() })
    }

    /// What `look` sees, outside of the simulation.
    pub(super) fn look<T>(&self, look: impl AsyncFnOnce(&Ledger) -> T) -> T {
        self.runtime.block_on(look(&self.ledger))
    }

    /// A step, whole, in the middle of the time that it takes.
    pub(super) fn done<'a, T: Send + 'a>(
        &'a self,
        what: &'static str,
        step: impl Future<Output = T> + Send + 'a,
    ) -> BoxFuture<'a, T> {
        Box::pin(async move {
            self.stage.instant().await;
            self.stage.pause(self.slowest).await;
            self.stage.instant().await;
            self.stage.note("ledger", what);
            let done = std::thread::scope(|scope| scope.spawn(|| self.runtime.block_on(step)).join());
            self.stage.instant().await;
            self.stage.pause(self.slowest).await;
            done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }
}

impl Drop for SimLedger {
    fn drop(&mut self) {
        // The driver lets go of its connection where its tasks run.
        self.runtime.block_on(self.ledger.close());
    }
}

impl RoundLog for SimLedger {
    fn begin<'a>(&'a self, round: &'a Round) -> BoxFuture<'a, Result<Round, RecordError>> {
        self.done("begin", self.ledger.begin(round))
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

    fn record_task<'a>(
        &'a self,
        id: RoundId,
        task: &'a Task,
        commitment: Digest,
    ) -> BoxFuture<'a, Result<(), RecordError>> {
        self.done("record_task", self.ledger.record_task(id, task, commitment))
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
        if self.stage.plan.flaw == Some(Flaw::LosesAnswers) {
            return self.done("record_answer", async { Ok(true) });
        }
        let now = self.stage.time.uptime();
        if now.saturating_sub(*self.first.get_or_init(|| now)) < self.gone {
            let gone = || StorageError::unavailable("record_answer").into();
            return self.done("record_answer: no answer", async move { Err(gone()) });
        }
        self.done("record_answer", self.ledger.record_answer(id, answer, body))
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
        self.done("mark_round", self.ledger.mark_round(id, kind, mark))
    }

    fn extend_deadline(&self, id: RoundId, deadline_ms: i64, at_ms: i64) -> BoxFuture<'_, Result<bool, RecordError>> {
        self.done("extend_deadline", self.ledger.extend_deadline(id, deadline_ms, at_ms))
    }

    fn finish_asking(&self, id: RoundId) -> BoxFuture<'_, Result<(), RecordError>> {
        self.done("finish_asking", self.ledger.finish_asking(id))
    }

    fn record_verdicts<'a>(&'a self, id: RoundId, verdicts: &'a [Verdict]) -> BoxFuture<'a, Result<(), RecordError>> {
        self.done("record_verdicts", self.ledger.record_verdicts(id, verdicts))
    }

    fn verdicts(&self, id: RoundId) -> BoxFuture<'_, Result<Vec<Verdict>, StorageError>> {
        self.done("verdicts", self.ledger.verdicts(id))
    }

    fn record_canonical<'a>(
        &'a self,
        id: RoundId,
        canonical: Option<&'a Canonical>,
    ) -> BoxFuture<'a, Result<(), RecordError>> {
        self.done("record_canonical", self.ledger.record_canonical(id, canonical))
    }

    fn canonical(&self, id: RoundId) -> BoxFuture<'_, Result<Option<Canonical>, StorageError>> {
        self.done("canonical", self.ledger.canonical(id))
    }

    fn publish(&self, id: RoundId, at_ms: i64) -> BoxFuture<'_, Result<(), RecordError>> {
        if self.stage.plan.flaw == Some(Flaw::LosesPublications) {
            return self.done("publish", async { Ok(()) });
        }
        Box::pin(async move {
            self.done("publish", self.ledger.publish(id, at_ms)).await?;
            self.stage.published.cancel();
            Ok(())
        })
    }

    fn record_settled<'a>(
        &'a self,
        id: RoundId,
        settled: &'a Settled,
        at_ms: i64,
    ) -> BoxFuture<'a, Result<(), RecordError>> {
        self.done("record_settled", self.ledger.record_settled(id, settled, at_ms))
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
        self.done("note_seen", self.ledger.note_seen(hotkeys, at_ms))
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
        self.done("set_dormancy", self.ledger.set_dormancy(hotkey, dormancy))
    }

    fn sweep<'a>(&'a self, now_ms: i64, retention: &'a Retention) -> BoxFuture<'a, Result<Swept, StorageError>> {
        self.done("sweep", self.ledger.sweep(now_ms, retention))
    }
}

impl OpeningLog for SimLedger {
    fn record_opened<'a>(
        &'a self,
        id: RoundId,
        answer: &'a Answer,
        body: Option<&'a Arc<Hashed>>,
    ) -> BoxFuture<'a, Result<(), RecordError>> {
        self.done("record_opened", self.ledger.record_opened(id, answer, body))
    }

    fn record_pulses<'a>(&'a self, id: RoundId, pulses: &'a Pulses) -> BoxFuture<'a, Result<(), RecordError>> {
        self.done("record_pulses", self.ledger.record_pulses(id, pulses))
    }

    fn pulses(&self, id: RoundId) -> BoxFuture<'_, Result<Pulses, StorageError>> {
        self.done("pulses", self.ledger.pulses(id))
    }
}

impl WeightsLog for SimLedger {
    fn plan<'a>(&'a self, target: WeightsTarget, record: &'a WeightsRecord) -> BoxFuture<'a, Result<(), LogError>> {
        if self.stage.plan.flaw == Some(Flaw::LosesWeights) {
            return self.done("plan weights", async { Ok(()) });
        }
        self.done("plan weights", WeightsLog::plan(&self.ledger, target, record))
    }

    fn state<'a>(
        &'a self,
        target: WeightsTarget,
        epoch: u64,
        state: &'a WeightsState,
    ) -> BoxFuture<'a, Result<(), LogError>> {
        if self.stage.plan.flaw == Some(Flaw::LosesWeights) {
            return self.done("state of weights", async { Ok(()) });
        }
        self.done("state of weights", WeightsLog::state(&self.ledger, target, epoch, state))
    }

    fn newest(&self, target: WeightsTarget, limit: u32) -> BoxFuture<'_, Result<Vec<WeightsRecord>, LogError>> {
        self.done("weights", WeightsLog::newest(&self.ledger, target, limit))
    }
}
