//! Asking: every miner of the task gets exactly one recorded answer or outcome.
//!
//! An answer is judged on its own as soon as it is recorded, while others are awaited; what is judged is kept in memory
//! alone, about 400 KB for 50,000 alerts. After a restart it is judged again from what is recorded.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use aml_miner::digest::Hashed;
use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use super::hold::Holding;
use super::{RoundError, Rounds, TaskMaker, observe};
use crate::protocol::terms::{Day, Opening};
use crate::store::RecordError;
use crate::store::records::{Answer, Dormancy, Reply, Round, RoundId, Sealing, Step, Task};
use crate::validation::rules::Rules;
use crate::validator::evidence::Heard;
use crate::validator::judge::{Bench, Judged};
use crate::validator::query::{Asking, Bodies, Delivered, Peer, RoundTerms};
use crate::validator::world::World;
use crate::wallet::Hotkey;

/// Those of a round's miners that have no answer yet.
struct Open<'a> {
    round: &'a Round,
    task: Arc<Task>,
    peers: Vec<Peer>,
    /// When answers stop to count.
    until_ms: i64,
}

/// Somebody who could not be reached, and what is remembered of that.
pub(super) struct Unreached {
    pub(super) answer: Answer,
    after: Option<Dormancy>,
}

/// Whether a miner was called and could not be reached.
fn is_unreached(answer: &Answer) -> bool {
    matches!(answer.reply, Reply::Unreachable(_))
}

/// What answers are taken with.
struct Taking {
    round: RoundId,
    rules: Rules,
    task: Arc<Task>,
    dormancy: BTreeMap<Hotkey, Dormancy>,
    /// By the time since start: until then the ledger is not asked again.
    down_until: Duration,
}

/// How long a ledger that did not take an answer is left alone: each try may take half a minute, and answers come on.
const DOWN: Duration = Duration::from_secs(30);

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
        self.take_back(round.id).await?;
        let (mut maker, mut until_ms) = (maker, before_opening(&task, round.deadline_ms.unwrap_or(task.deadline_ms)));
        loop {
            let open = self.open(round.id, &task).await?;
            if open.is_empty() || self.now_ms() >= until_ms {
                break;
            }
            let bodies = match maker.take() {
                Some(maker) => maker,
                None => self.resume(&round, Task::clone(&task)).await?,
            };
            let peers = Peer::all(&task.asks).into_iter().filter(|peer| open.contains(&peer.hotkey)).collect();
            let asking = Open { round: &round, task: Arc::clone(&task), peers, until_ms };
            let (more, unreached) = self.ask_open(asking, Arc::clone(&bodies), stop).await?;
            heard.extend(more);
            maker = Some(bodies);
            match self.hold(&round, &unreached, stop).await? {
                Holding::Again { until_ms: later } => until_ms = before_opening(&task, later),
                Holding::Void => return Ok((self.again(round.id).await?, heard)),
                Holding::GoesOn => {
                    self.record_all(round.id, unreached).await?;
                    break;
                }
            }
        }
        if round.marks.held.is_some() && !self.open(round.id, &task).await?.is_empty() {
            self.make_void(round.id, "held when the process ended, until after its deadline".to_owned()).await?;
            return Ok((self.again(round.id).await?, heard));
        }
        self.give_up(round.id, &task).await?;
        self.parts.world.ledger.finish_asking(round.id).await?;
        observe::asked(round.id, task.asks.len());
        Ok((self.again(round.id).await?, heard))
    }

    /// Asks, records each answer as it comes, and judges it; those that could not be reached are not recorded yet.
    async fn ask_open(
        &self,
        open: Open<'_>,
        maker: Arc<TaskMaker>,
        stop: &CancellationToken,
    ) -> Result<(Heard, Vec<Unreached>), RoundError> {
        let Open { round, task, peers, until_ms } = open;
        let (rules, dormancy) = (round.rules.rules(), self.parts.world.ledger.dormancy().await?);
        let terms = terms(round, &task);
        let encoded = maker.encoded();
        let asking = Asking { peers, until_ms, dormancy: dormancy.clone(), bodies: bodies(maker), encoded, terms };
        let mut replies = self.parts.asker.ask_all(asking, stop);
        let (mut heard, mut unreached, mut trouble) = (Heard::new(), Vec::new(), None);
        let mut taking = Taking { round: round.id, rules, task, dormancy, down_until: Duration::ZERO };
        while let Some(delivered) = replies.next().await {
            match delivered {
                // Whether it was the miner's side or ours is known when all are asked.
                Ok(Delivered { answer, dormancy: after, .. }) if is_unreached(&answer) => {
                    unreached.push(Unreached { answer, after });
                }
                Ok(delivered) => {
                    let judged = self.take(&mut taking, delivered).await?;
                    heard.extend(judged.map(|judged| (judged.verdict.hotkey, judged)));
                }
                // The others are heard nevertheless.
                Err(failure) => trouble = trouble.or(Some(failure)),
            }
        }
        self.take_back(round.id).await?;
        match trouble {
            Some(failure) => Err(failure.into()),
            None if replies.is_complete() => Ok((heard, unreached)),
            None => Err(RoundError::Stopped),
        }
    }

    /// Records those that could not be reached.
    async fn record_all(&self, round: RoundId, unreached: Vec<Unreached>) -> Result<(), RoundError> {
        let ledger = &self.parts.world.ledger;
        for Unreached { answer, after } in unreached {
            ledger.record_answer(round, &answer, None).await?;
            ledger.set_dormancy(&answer.hotkey, after).await?;
        }
        Ok(())
    }

    /// Records an answer and judges it, where it is the one that counts. While the ledger does not take it, it waits on
    /// disk: no other conversation ends for that.
    async fn take(&self, taking: &mut Taking, delivered: Delivered) -> Result<Option<Judged>, RoundError> {
        let Delivered { answer, body, dormancy: after, .. } = delivered;
        let World { time, .. } = &self.parts.world;
        if time.uptime() < taking.down_until {
            self.put_aside(taking.round, answer, body).await?;
            return Ok(None);
        }
        let hashed = self.hashed(body.clone()).await?;
        match self.record_one(taking, &answer, hashed.as_ref(), after).await {
            // What is sealed is judged once it is opened.
            Ok(true) if answer.sealed.is_some() => Ok(None),
            Ok(true) => self.judged(taking.rules, Arc::clone(&taking.task), answer, hashed).await,
            Ok(false) => Ok(None),
            Err(error) if error.is_retryable() => {
                observe::put_aside(taking.round, &error);
                taking.down_until = time.uptime() + DOWN;
                self.put_aside(taking.round, answer, body).await.map(|()| None)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn record_one(
        &self,
        taking: &Taking,
        answer: &Answer,
        body: Option<&Arc<Hashed>>,
        after: Option<Dormancy>,
    ) -> Result<bool, RecordError> {
        let ledger = &self.parts.world.ledger;
        let counts = ledger.record_answer(taking.round, answer, body).await?;
        if taking.dormancy.get(&answer.hotkey) != after.as_ref() {
            ledger.set_dormancy(&answer.hotkey, after).await?;
        }
        Ok(counts)
    }

    async fn put_aside(&self, round: RoundId, answer: Answer, body: Option<Bytes>) -> Result<(), RoundError> {
        let aside = Arc::clone(&self.parts.world.aside);
        let put = move || aside.put(round, &answer, body.as_ref());
        Ok(self.parts.world.workers.compute(put).await??)
    }

    /// Records what waits on disk. What cannot be recorded now stays there.
    async fn take_back(&self, round: RoundId) -> Result<(), RoundError> {
        let World { ledger, aside, workers, .. } = &self.parts.world;
        for hotkey in aside.waiting(round)? {
            let from = Arc::clone(aside);
            let (answer, body) = workers.compute(move || from.look(round, &hotkey)).await??;
            let body = self.hashed(body).await?;
            ledger.record_answer(round, &answer, body.as_ref()).await?;
            aside.done(round, &hotkey)?;
            observe::taken_back(round, &hotkey);
        }
        Ok(())
    }

    /// Miners of the task without a record.
    async fn open(&self, round: RoundId, task: &Task) -> Result<BTreeSet<Hotkey>, RoundError> {
        let answers = self.parts.world.ledger.answers(round).await?;
        let known: BTreeSet<Hotkey> = answers.into_iter().map(|answer| answer.hotkey).collect();
        Ok(task.asks.keys().filter(|hotkey| !known.contains(hotkey)).copied().collect())
    }

    /// Whoever still has no record when the deadline is over was not asked, by a failure of ours, or never served.
    async fn give_up(&self, round: RoundId, task: &Task) -> Result<(), RoundError> {
        let ledger = &self.parts.world.ledger;
        for hotkey in self.open(round, task).await? {
            let serves = task.asks[&hotkey].axon.is_some();
            let reply = if serves { Reply::NotAsked } else { Reply::NotServing };
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

/// Until when miners are asked: the deadline, or shortly before the round opens.
fn before_opening(task: &Task, deadline_ms: i64) -> i64 {
    let last = |sealing: &Sealing| {
        i64::try_from(sealing.opening_s.saturating_sub(sealing.rule.margin_s).saturating_mul(1000)).unwrap_or(i64::MAX)
    };
    task.sealing.as_ref().map_or(deadline_ms, |sealing| deadline_ms.min(last(sealing)))
}

/// What miners are told of the round.
fn terms(round: &Round, task: &Task) -> Option<RoundTerms> {
    let day = Day { date: round.id.date, window_days: round.id.window_days };
    let opening = task.sealing.map(|sealing| Opening { at_s: sealing.opening_s, beacon: sealing.beacon.beacon });
    round.commitment.map(|commitment| RoundTerms { commitment, day, opening })
}

fn bodies(maker: Arc<TaskMaker>) -> Bodies {
    Arc::new(move |hotkey| maker.body(hotkey).ok_or_else(|| NotAsked(*hotkey).into()))
}
