//! Asking: every miner of the task gets exactly one recorded answer or outcome.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{Parts, RoundError, Rounds, TaskMaker, observe};
use crate::neurons::validator::query::{Asking, Bodies, Delivered, Peer};
use crate::store::records::{Answer, Dormancy, Form, Reply, Round, RoundId, Step, Task};
use crate::wallet::Hotkey;

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
    ) -> Result<Round, RoundError> {
        if round.step != Step::Tasked {
            return Ok(round);
        }
        let task = self.parts.ledger.task(round.id).await?.ok_or(RoundError::Gone(round.id))?;
        let open = self.open(round.id, &task).await?;
        if !open.is_empty() && self.now_ms() < task.deadline_ms {
            let (asks, deadline_ms) = (task.asks.clone(), task.deadline_ms);
            let maker = match maker {
                Some(maker) => maker,
                None => self.resume(&round, task.clone()).await?,
            };
            let peers = Peer::all(&asks).into_iter().filter(|peer| open.contains(&peer.hotkey)).collect();
            self.ask_open(round.id, (peers, deadline_ms), maker, stop).await?;
        }
        self.give_up(round.id, &task).await?;
        self.parts.ledger.finish_asking(round.id).await?;
        observe::asked(round.id, task.asks.len());
        self.again(round.id).await
    }

    /// Asks, and records each answer as it comes.
    async fn ask_open(
        &self,
        round: RoundId,
        (peers, until_ms): (Vec<Peer>, i64),
        maker: Arc<TaskMaker>,
        stop: &CancellationToken,
    ) -> Result<(), RoundError> {
        let dormancy = self.parts.ledger.dormancy().await?;
        let asking = Asking { peers, until_ms, dormancy: dormancy.clone(), bodies: bodies(maker) };
        let mut replies = self.parts.asker.ask_all(asking, stop);
        let mut trouble = None;
        while let Some(delivered) = replies.next().await {
            match delivered {
                Ok(delivered) => self.keep(round, delivered, &dormancy).await?,
                // The others are heard nevertheless.
                Err(failure) => trouble = trouble.or(Some(failure)),
            }
        }
        match trouble {
            Some(failure) => Err(failure.into()),
            None if replies.is_complete() => Ok(()),
            None => Err(RoundError::Stopped),
        }
    }

    async fn keep(
        &self,
        round: RoundId,
        delivered: Delivered,
        before: &BTreeMap<Hotkey, Dormancy>,
    ) -> Result<(), RoundError> {
        let Delivered { answer, body, dormancy } = delivered;
        self.parts.ledger.record_answer(round, &answer, body.as_deref()).await?;
        if before.get(&answer.hotkey) != dormancy.as_ref() {
            self.parts.ledger.set_dormancy(&answer.hotkey, dormancy).await?;
        }
        Ok(())
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
