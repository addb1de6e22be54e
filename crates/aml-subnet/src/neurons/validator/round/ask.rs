//! Asking: every miner of the task gets exactly one recorded answer or outcome.
//!
//! An answer is judged on its own as soon as it is recorded, while others are awaited; what is judged is kept in memory
//! alone, about 400 KB for 50,000 alerts. After a restart it is judged again from what is recorded.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aml_miner::digest::Hashed;
use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use super::{Parts, RoundError, Rounds, TaskMaker, observe};
use crate::neurons::validator::evidence::Heard;
use crate::neurons::validator::judge::{Bench, Judged};
use crate::neurons::validator::query::{Asking, Bodies, Delivered, Peer};
use crate::store::records::{Answer, Dormancy, Form, Reply, Round, RoundId, Step, Task};
use crate::validation::rules::Rules;
use crate::wallet::Hotkey;

/// Those of a round's miners that have no answer yet.
struct Open<'a> {
    round: &'a Round,
    task: Arc<Task>,
    peers: Vec<Peer>,
    deadline_ms: i64,
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
        let task = self.parts.ledger.task(round.id).await?.ok_or(RoundError::Gone(round.id))?;
        let open = self.open(round.id, &task).await?;
        if !open.is_empty() && self.now_ms() < task.deadline_ms {
            let (asks, deadline_ms) = (task.asks.clone(), task.deadline_ms);
            let maker = match maker {
                Some(maker) => maker,
                None => self.resume(&round, task.clone()).await?,
            };
            let peers = Peer::all(&asks).into_iter().filter(|peer| open.contains(&peer.hotkey)).collect();
            let asking = Open { round: &round, task: Arc::new(task.clone()), peers, deadline_ms };
            heard = self.ask_open(asking, maker, stop).await?;
        }
        self.give_up(round.id, &task).await?;
        self.parts.ledger.finish_asking(round.id).await?;
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
        let Open { round, task, peers, deadline_ms } = open;
        let dormancy = self.parts.ledger.dormancy().await?;
        let asking = Asking { peers, until_ms: deadline_ms, dormancy: dormancy.clone(), bodies: bodies(maker) };
        let mut replies = self.parts.asker.ask_all(asking, stop);
        let (mut heard, mut trouble) = (Heard::new(), None);
        while let Some(delivered) = replies.next().await {
            match delivered {
                Ok(delivered) => {
                    let (answer, body) = (delivered.answer.clone(), delivered.body.clone());
                    if self.keep(round.id, delivered, &dormancy).await? {
                        let judged = judge(round.rules.rules(), Arc::clone(&task), answer, body).await?;
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

    /// Says whether it is the answer that counts.
    async fn keep(
        &self,
        round: RoundId,
        delivered: Delivered,
        before: &BTreeMap<Hotkey, Dormancy>,
    ) -> Result<bool, RoundError> {
        let Delivered { answer, body, dormancy } = delivered;
        let counts = self.parts.ledger.record_answer(round, &answer, body.as_deref()).await?;
        if before.get(&answer.hotkey) != dormancy.as_ref() {
            self.parts.ledger.set_dormancy(&answer.hotkey, dormancy).await?;
        }
        Ok(counts)
    }

    /// Miners of the task without a record.
    async fn open(&self, round: RoundId, task: &Task) -> Result<BTreeSet<Hotkey>, RoundError> {
        let answers = self.parts.ledger.answers(round).await?;
        let known: BTreeSet<Hotkey> = answers.into_iter().map(|answer| answer.hotkey).collect();
        Ok(task.asks.keys().filter(|hotkey| !known.contains(hotkey)).copied().collect())
    }

    /// Whoever still has no record when the deadline is over timed out, or never served.
    async fn give_up(&self, round: RoundId, task: &Task) -> Result<(), RoundError> {
        let Parts { ledger, .. } = &self.parts;
        for hotkey in self.open(round, task).await? {
            let serves = task.asks[&hotkey].axon.is_some();
            let reply = if serves { Reply::TimedOut } else { Reply::NotServing };
            ledger.record_answer(round, &silence(hotkey, reply, self.now_ms()), None).await?;
        }
        Ok(())
    }
}

/// Judges an answer on its own, on a thread that may take its time.
async fn judge(
    rules: Rules,
    task: Arc<Task>,
    answer: Answer,
    body: Option<Bytes>,
) -> Result<Option<Judged>, RoundError> {
    let judge = move || {
        let body = body.map(|body| Hashed::of(Vec::from(body)));
        Bench { rules: &rules, task: &task }.judge(&answer, body.as_ref())
    };
    Ok(tokio::task::spawn_blocking(judge).await?)
}

fn bodies(maker: Arc<TaskMaker>) -> Bodies {
    Arc::new(move |hotkey| maker.body(hotkey).ok_or_else(|| NotAsked(*hotkey).into()))
}

fn silence(hotkey: Hotkey, reply: Reply, at_ms: i64) -> Answer {
    Answer {
        hotkey,
        reply,
        form: Form::Btauth,
        request: None,
        status: None,
        receipt: None,
        headers: BTreeMap::new(),
        body: None,
        bytes: 0,
        asked_ms: at_ms,
        took_ms: 0,
        in_time: false,
    }
}
