//! Between asking and judging: sealed answers wait for their opening, are opened with the beacon's signature, and recorded
//! one by one.
//!
//! Each beacon round is read once and checked once, by one check of two pairings; it is recorded before anything is opened
//! with it. What is wrong with an answer is written down in its record and costs nobody but its sender. A process that dies
//! in between goes on with the answers that are not opened yet; the same bytes open to the same answer. A beacon that is late
//! holds the round, and after a day miners are asked for the plain answers whose digests they signed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aml_miner::digest::Hashed;
use futures_util::{TryStreamExt as _, stream};
use tokio_util::sync::CancellationToken;

use super::{RoundError, Rounds, observe};
use crate::beacon::{BeaconRound, Pulse};
use crate::calendar::start_ms;
use crate::failpoint;
use crate::protocol::sealed::{Parties, Plain, Sealed, Spoiled};
use crate::store::records::{
    Answer, Mark, MarkKind, Pulses, Reply, Round, SealedAnswer, SealedState, Sealing, Step, Task,
};
use crate::validation::v2::standing::Standing;
use crate::validator::query::Peer;
use crate::validator::world::World;
use crate::wallet::Hotkey;

/// A beacon that is later than this holds the round, in milliseconds.
const LATE_MS: i64 = 60_000;
/// A beacon that is away for so long does not come any more: miners are asked, in milliseconds.
const AWAY_MS: i64 = 86_400_000;

/// Whether a round is open.
pub(super) enum Opened {
    /// It may be judged.
    Yes(Round),
    /// It waits: for its opening, or for the beacon.
    Waits(Round),
}

/// What answers are opened with.
struct Opener<'a> {
    round: &'a Round,
    task: &'a Task,
    sealing: Sealing,
    pulses: BTreeMap<BeaconRound, Pulse>,
    /// Beacon rounds that did not come; of these miners are asked.
    away: BTreeSet<BeaconRound>,
}

impl Rounds {
    /// Opens the answers of a round that was asked; at once where they are open.
    pub(super) async fn unseal(&self, round: Round, stop: &CancellationToken) -> Result<Opened, RoundError> {
        let waits = round.step == Step::Asked && round.marks.opening_ms.is_some();
        let Some(opening_ms) = round.marks.opening_ms.filter(|_| waits) else { return Ok(Opened::Yes(round)) };
        let now_ms = self.now_ms();
        if now_ms < opening_ms {
            self.look_again_at(opening_ms);
            return Ok(Opened::Waits(round));
        }
        let ledger = &self.parts.world.ledger;
        let task = Arc::new(ledger.task(round.id).await?.ok_or(RoundError::Gone(round.id))?);
        let sealing = task.sealing.ok_or(RoundError::Gone(round.id))?;
        let answers = ledger.answers(round.id).await?;
        let mut opener = Opener { round: &round, task: &task, sealing, pulses: BTreeMap::new(), away: BTreeSet::new() };
        let late = self.is_late(&opener, &answers).await?;
        let wanted: BTreeSet<BeaconRound> = answers.iter().filter_map(|answer| opener.wanted(answer, late)).collect();
        if let Some(why) = self.pulses(&mut opener, &wanted).await? {
            let again_ms = i64::try_from(sealing.beacon.beacon.period_s().saturating_mul(2000)).unwrap_or(i64::MAX);
            self.look_again_at(now_ms.saturating_add(again_ms));
            return self.holds(&round, opening_ms, why).await;
        }
        let (opener, at_once) = (&opener, self.parts.world.workers.threads() + 1);
        let each = stream::iter(answers.into_iter().map(Ok::<_, RoundError>));
        each.try_for_each_concurrent(at_once, |answer| async move {
            if stop.is_cancelled() {
                return Err(RoundError::Stopped);
            }
            self.open_one(opener, answer, late).await?;
            failpoint::hit!("round.one_opened");
            Ok(())
        })
        .await?;
        if late {
            let why = "most voices name an opening that had passed when they were asked".to_owned();
            observe::late(round.id, &why);
            ledger.mark_round(round.id, MarkKind::Late, Some(&Mark { at_ms: now_ms, why })).await?;
        }
        if round.marks.held.is_some() {
            ledger.mark_round(round.id, MarkKind::Held, None).await?;
        }
        observe::opened(round.id, now_ms.saturating_sub(opening_ms));
        Ok(Opened::Yes(self.again(round.id).await?))
    }

    /// The signatures of all rounds that answers name, checked and recorded; or why they have to be waited for.
    async fn pulses(
        &self,
        opener: &mut Opener<'_>,
        wanted: &BTreeSet<BeaconRound>,
    ) -> Result<Option<String>, RoundError> {
        let World { ledger, beacon, workers, .. } = &self.parts.world;
        let mut kept = ledger.pulses(opener.round.id).await?;
        let mut new = false;
        for round in wanted {
            let stored = kept.signatures.get(&round.to_string()).and_then(|text| hex::decode(text).ok());
            let known = match stored {
                Some(signature) => {
                    let round = *round;
                    workers.compute(move || Pulse::checked(round, &signature).ok()).await?
                }
                None => None,
            };
            let pulse = match known {
                Some(pulse) => Ok(pulse),
                None => beacon.pulse(*round).await,
            };
            match pulse {
                Ok(pulse) => {
                    new |= kept.signatures.insert(round.to_string(), hex::encode(pulse.signature())).is_none();
                    opener.pulses.insert(*round, pulse);
                }
                Err(_) if self.now_ms() >= due_ms(*round).saturating_add(AWAY_MS) => {
                    opener.away.insert(*round);
                }
                Err(why) => return Ok(Some(why)),
            }
        }
        if new {
            ledger.record_pulses(opener.round.id, &Pulses { signatures: kept.signatures }).await?;
            failpoint::hit!("round.pulses_recorded");
        }
        Ok(None)
    }

    /// The beacon is late.
    async fn holds(&self, round: &Round, opening_ms: i64, why: String) -> Result<Opened, RoundError> {
        let now_ms = self.now_ms();
        let by_ms = now_ms.saturating_sub(opening_ms);
        observe::beacon_late(round.id, by_ms, &why);
        if by_ms >= LATE_MS && round.marks.held.is_none() {
            let why = format!("the beacon is late: {why}");
            observe::held_by_the_beacon(round.id, &why);
            let mark = Mark { at_ms: now_ms, why };
            self.parts.world.ledger.mark_round(round.id, MarkKind::Held, Some(&mark)).await?;
        }
        Ok(Opened::Waits(self.again(round.id).await?))
    }

    /// Opens one answer and records what came of it.
    async fn open_one(&self, opener: &Opener<'_>, answer: Answer, late: bool) -> Result<(), RoundError> {
        let Some(sealed) = answer.sealed.clone().filter(|sealed| sealed.state == SealedState::Waits) else {
            return Ok(());
        };
        let (hotkey, ledger) = (answer.hotkey, &self.parts.world.ledger);
        let (mut by_miner, mut opened) = (false, opener.may_open(&answer, &sealed, late).map(|()| None));
        if opened.is_ok() {
            opened = match opener.pulses.get(&sealed.beacon) {
                Some(pulse) => self.unsealed(opener.task, &answer, &sealed, pulse).await?.map(Some),
                None => {
                    by_miner = true;
                    Ok(self.given(opener, &sealed, hotkey).await)
                }
            };
        }
        let mut record = Answer { sealed: None, ..answer };
        let (state, body) = match opened {
            Ok(Some((receipt, body))) => {
                (record.receipt, record.bytes) = (receipt, body.bytes().len() as u64);
                record.body = Some(body.digest());
                (SealedState::Opened { by_miner }, Some(Arc::new(body)))
            }
            Ok(None) => (spoiled("beacon_away", "the beacon stayed away, and the miner did not give the answer"), None),
            Err(spoilt) => (spoiled(spoilt.code(), &spoilt.to_string()), None),
        };
        observe::answer_opened(opener.round.id, &hotkey, &state);
        record.sealed = Some(SealedAnswer { state, ..sealed });
        ledger.record_opened(opener.round.id, &record, body.as_ref()).await?;
        Ok(())
    }

    /// Opens what arrived, on a thread that may take its time.
    async fn unsealed(
        &self,
        task: &Task,
        answer: &Answer,
        sealed: &SealedAnswer,
        pulse: &Pulse,
    ) -> Result<Result<(Option<String>, Hashed), Spoiled>, RoundError> {
        let World { ledger, workers, .. } = &self.parts.world;
        // Where it is not known what was sent, nothing was.
        let (Some(packed), Some(task)) = (ledger.packed_body(&sealed.cipher).await?, task.answered(answer)) else {
            return Ok(Err(Spoiled::Truncated));
        };
        let parties = Parties { miner: answer.hotkey, validator: self.parts.signer.hotkey(), task };
        let (beacon, plain, pulse) = (sealed.beacon, sealed.plain, pulse.clone());
        let most = self.parts.settings.max_answer_bytes;
        let work = move || -> Result<Result<(Option<String>, Hashed), Spoiled>, crate::store::StorageError> {
            let cipher = packed.unpack()?;
            let opened = Sealed::read(cipher.bytes(), beacon).and_then(|sealed| sealed.open(&pulse, &parties, most));
            Ok(opened.and_then(|Plain { receipt, body }| {
                let body = Hashed::of(body);
                if body.digest() == plain { Ok((receipt, body)) } else { Err(Spoiled::OtherPlain) }
            }))
        };
        Ok(workers.compute(work).await??)
    }

    /// What the miner gives itself.
    async fn given(
        &self,
        opener: &Opener<'_>,
        sealed: &SealedAnswer,
        hotkey: Hotkey,
    ) -> Option<(Option<String>, Hashed)> {
        let ask = opener.task.asks.get(&hotkey)?;
        let peer = Peer { hotkey, uid: ask.uid, axon: ask.axon };
        let given = self.parts.asker.plain(&peer, sealed.plain).await?;
        Some((given.receipt, given.body))
    }

    /// Whether miners who together hold more than half of the voices name an opening that had passed before this validator
    /// had asked everybody. Junk has no voice, and so no say.
    async fn is_late(&self, opener: &Opener<'_>, answers: &[Answer]) -> Result<bool, RoundError> {
        if opener.round.rules.information().is_none() {
            return Ok(false);
        }
        let Some(in_force) = self.parts.world.ledger.in_force(opener.round.id).await? else { return Ok(false) };
        let ended_ms = answers.iter().filter(|answer| answer.reply == Reply::Answered).map(Answer::arrived_ms).max();
        let Some(ended_ms) = ended_ms else { return Ok(false) };
        let voice = |hotkey: &Hotkey| in_force.standing.miners.get(hotkey).map_or(0.0, Standing::strength);
        let passed = |answer: &&Answer| {
            let opening_ms = answer.sealed.as_ref().and_then(|sealed| opener.opening_ms(sealed.beacon));
            opening_ms.is_some_and(|opening_ms| opening_ms < ended_ms)
        };
        let all: f64 = opener.task.asks.keys().map(voice).sum();
        let early: f64 = answers.iter().filter(passed).map(|answer| voice(&answer.hotkey)).sum();
        Ok(early * 2.0 > all)
    }
}

impl Opener<'_> {
    /// The beacon's round that an answer which waits can be opened with.
    fn wanted(&self, answer: &Answer, late: bool) -> Option<BeaconRound> {
        let sealed = answer.sealed.as_ref().filter(|sealed| sealed.state == SealedState::Waits)?;
        self.may_open(answer, sealed, late).ok().map(|()| sealed.beacon)
    }

    /// The opening of a beacon's round, where a round of this day can have it.
    fn opening_ms(&self, beacon: BeaconRound) -> Option<i64> {
        let ours = beacon.beacon == self.sealing.beacon.beacon;
        let day_s = u64::try_from(start_ms(self.round.id.date) / 1000).unwrap_or(0);
        let opening_s = self.sealing.rule.opening_of(day_s, beacon).filter(|_| ours)?;
        i64::try_from(opening_s.saturating_mul(1000)).ok()
    }

    /// Whether an answer may be opened at all.
    fn may_open(&self, answer: &Answer, sealed: &SealedAnswer, late: bool) -> Result<(), Spoiled> {
        if sealed.beacon.beacon != self.sealing.beacon.beacon {
            return Err(Spoiled::OtherBeacon);
        }
        if sealed.beacon.round > self.sealing.beacon.round {
            return Err(Spoiled::TooLate);
        }
        let opening_ms = self.opening_ms(sealed.beacon).ok_or(Spoiled::NoOpening)?;
        let margin_ms = i64::try_from(self.sealing.rule.margin_s.saturating_mul(1000)).unwrap_or(i64::MAX);
        let readable = answer.arrived_ms().saturating_add(margin_ms) > opening_ms;
        // In a late round everybody's could be read.
        if readable && !late { Err(Spoiled::OpenAlready) } else { Ok(()) }
    }
}

fn due_ms(round: BeaconRound) -> i64 {
    i64::try_from(round.time_s().saturating_mul(1000)).unwrap_or(i64::MAX)
}

fn spoiled(code: &str, why: &str) -> SealedState {
    SealedState::Spoiled { code: code.to_owned(), why: why.to_owned() }
}
