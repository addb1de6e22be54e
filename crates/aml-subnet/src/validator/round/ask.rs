//! Asking: every miner of the task gets exactly one recorded answer or outcome.
//!
//! An answer is judged on its own as soon as it is recorded, while others are awaited; what is judged is kept in memory
//! alone, about 400 KB for 50,000 alerts. After a restart it is judged again from what is recorded.

use std::collections::BTreeSet;
use std::sync::Arc;

use aml_miner::digest::Hashed;
use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use super::{RoundError, Rounds, TaskMaker, observe};
use crate::store::records::{Answer, Reply, Round, RoundId, Step, Task};
use crate::validation::rules::Rules;
use crate::validator::evidence::Heard;
use crate::validator::judge::{Bench, Judged};
use crate::validator::query::{Asking, Bodies, Delivered, Peer};
use crate::wallet::Hotkey;

/// Those of a round's miners that have no answer yet.
struct Open<'a> {
    round: &'a Round,
    task: Arc<Task>,
    peers: Vec<Peer>,
}

/// A hotkey that the task does not have; a defect.
#[derive(Debug, thiserror::Error)]
#[error("{0} is not part of the task")]
struct NotAsked(Hotkey);

impl Rounds {
    /// Tasked → asked. Without `maker` the bodies are made again from the stored task.
    pub(super) async fn ask(
        &self,
        round: Round,
        maker: Option<Arc<TaskMaker>>,
        stop: &CancellationToken,
    ) -> Result<(Round, Heard), RoundError> {
        if round.step != Step::Tasked {
            return Ok((round, Heard::new()));
        }
        let mut heard = Heard::new();
        let task = Arc::new(self.parts.world.ledger.task(round.id).await?.ok_or(RoundError::Gone(round.id))?);
        let open = self.open(round.id, &task).await?;
        if !open.is_empty() && self.now_ms() < task.deadline_ms {
            let maker = match maker {
                Some(maker) => maker,
                None => self.resume(&round, Task::clone(&task)).await?,
            };
            let peers = Peer::all(&task.asks).into_iter().filter(|peer| open.contains(&peer.hotkey)).collect();
            let asking = Open { round: &round, task: Arc::clone(&task), peers };
            heard = self.ask_open(asking, maker, stop).await?;
        }
        self.give_up(round.id, &task).await?;
        self.parts.world.ledger.finish_asking(round.id).await?;
        observe::asked(round.id, task.asks.len());
        Ok((self.again(round.id).await?, heard))
    }

    /// Asks, records each answer as it comes, and judges it.
    async fn ask_open(
        &self,
        open: Open<'_>,
        maker: Arc<TaskMaker>,
        stop: &CancellationToken,
    ) -> Result<Heard, RoundError> {
        let Open { round, task, peers } = open;
        let (rules, dormancy) = (round.rules.rules(), self.parts.world.ledger.dormancy().await?);
        let asking = Asking { peers, until_ms: task.deadline_ms, dormancy: dormancy.clone(), bodies: bodies(maker) };
        let mut replies = self.parts.asker.ask_all(asking, stop);
        let (mut heard, mut trouble) = (Heard::new(), None);
        while let Some(delivered) = replies.next().await {
            match delivered {
                Ok(Delivered { answer, body, dormancy: after, .. }) => {
                    let body = self.hashed(body).await?;
                    let counts = self.parts.world.ledger.record_answer(round.id, &answer, body.as_ref()).await?;
                    if dormancy.get(&answer.hotkey) != after.as_ref() {
                        self.parts.world.ledger.set_dormancy(&answer.hotkey, after).await?;
                    }
                    if counts {
                        let judged = self.judged(rules, Arc::clone(&task), answer, body).await?;
                        heard.extend(judged.map(|judged| (judged.verdict.hotkey, judged)));
                    }
                }
                // The others are heard nevertheless.
                Err(failure) => trouble = trouble.or(Some(failure)),
            }
        }
        match trouble {
            Some(failure) => Err(failure.into()),
            None if replies.is_complete() => Ok(heard),
            None => Err(RoundError::Stopped),
        }
    }

    /// Miners of the task without a record.
    async fn open(&self, round: RoundId, task: &Task) -> Result<BTreeSet<Hotkey>, RoundError> {
        let answers = self.parts.world.ledger.answers(round).await?;
        let known: BTreeSet<Hotkey> = answers.into_iter().map(|answer| answer.hotkey).collect();
        Ok(task.asks.keys().filter(|hotkey| !known.contains(hotkey)).copied().collect())
    }

    /// Whoever still has no record when the deadline is over timed out, or never served.
    async fn give_up(&self, round: RoundId, task: &Task) -> Result<(), RoundError> {
        let ledger = &self.parts.world.ledger;
        for hotkey in self.open(round, task).await? {
            let serves = task.asks[&hotkey].axon.is_some();
            let reply = if serves { Reply::TimedOut } else { Reply::NotServing };
            ledger.record_answer(round, &Answer::silence(hotkey, reply, self.now_ms()), None).await?;
        }
        Ok(())
    }

    /// A body with its digest, which both the ledger and the judge ask for.
    async fn hashed(&self, body: Option<Bytes>) -> Result<Option<Arc<Hashed>>, RoundError> {
        let Some(body) = body else { return Ok(None) };
        let hashing = self.parts.world.workers.compute(move || Hashed::of(Vec::from(body)));
        Ok(Some(Arc::new(hashing.await?)))
    }

    /// Judges an answer on its own, on a thread that may take its time.
    async fn judged(
        &self,
        rules: Rules,
        task: Arc<Task>,
        answer: Answer,
        body: Option<Arc<Hashed>>,
    ) -> Result<Option<Judged>, RoundError> {
        let judge = move || Bench { rules: &rules, task: &task }.judge(&answer, body.as_deref());
        Ok(self.parts.world.workers.compute(judge).await?)
    }
}

fn bodies(maker: Arc<TaskMaker>) -> Bodies {
    Arc::new(move |hotkey| maker.body(hotkey).ok_or_else(|| NotAsked(*hotkey).into()))
}
