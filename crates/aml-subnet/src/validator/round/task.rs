//! From a batch and the subnet of this moment to the task of a round; after a restart, the same task's bodies.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use aml_miner::wire::Batch;

use super::{RoundError, Rounds, RoundsParts, TaskMaker, millis, observe};
use crate::beacon::BeaconRound;
use crate::calendar::start_ms;
use crate::chain::metagraph::is_plausible;
use crate::chain::types::Metagraph;
use crate::config::Answers;
use crate::store::records::{EncodedTask, FormBytes, ReferencedTask, Reply, Round, RoundId, Sealing, Step, Task};
use crate::validator::sot::{Found, Gathering};
use crate::validator::task::{NewTask, Peer, TaskForm, commitment_of};
use crate::validator::traps::TrapPool;
use crate::validator::world::{Fetched, World, within};
use crate::wallet::Hotkey;

/// How long a round waits for outcomes of past days, beside its batch and its miners.
const LOOK_BACK: Duration = Duration::from_secs(20);

/// Rounds in which a miner's last answer is looked for.
const ROUNDS_BACK: u32 = 8;

/// Which forms of a task a miner takes.
#[derive(Clone, Copy)]
struct Takes {
    arrow: bool,
    references: bool,
}

impl Rounds {
    /// Fetched → tasked. With the maker of the bodies, where the task was made just now.
    pub(super) async fn task(&self, round: Round) -> Result<(Round, Option<Arc<TaskMaker>>), RoundError> {
        if round.step != Step::Fetched {
            return Ok((round, None));
        }
        let World { workers, .. } = &self.parts.world;
        let needed = async {
            let batch = self.batch(&round).await?;
            Ok::<_, RoundError>((batch, self.peers(&round).await?))
        };
        let (needed, ()) = tokio::join!(needed, self.look_back(round.id));
        let (batch, peers) = needed?;
        let asked: Vec<Hotkey> = peers.iter().map(|peer| peer.hotkey).collect();
        let fetchers = peers.iter().filter(|peer| peer.takes_references).map(|peer| peer.hotkey).collect();
        self.put_in_force(&round, &asked).await?;
        let salt = self.parts.secret.salt(round.id);
        let new = NewTask {
            round: round.id,
            salt,
            deadline_ms: 0,
            plan: self.parts.settings.traps.into(),
            form: TaskForm::of(round.rules, self.parts.settings.accept_unsigned),
        };
        if batch.alerts.rows() == 0 {
            let new = NewTask { deadline_ms: self.deadline_ms(), ..new };
            return Ok((self.nothing_to_ask(&round, &new).await?, None));
        }
        let pool = self.pool(round.id, salt).await?;
        let maker = workers.compute(move || TaskMaker::new(new, &batch, pool, &peers)).await??;
        let maker = self.by_reference(round.id, maker, fetchers).await?;
        // Only now: whatever the task took to make, miners have their full time.
        let maker = maker.due(self.deadline_ms()).sealed(self.sealing(&round)?);
        self.record(&round, maker.task(), maker.forms()).await?;
        Ok((self.again(round.id).await?, Some(Arc::new(maker))))
    }

    /// The maker of a stored task: the same bodies as before the restart.
    pub(super) async fn resume(&self, round: &Round, task: Task) -> Result<Arc<TaskMaker>, RoundError> {
        let batch = self.batch(round).await?;
        let pool = match task.traps {
            Some(_) => self.pool(round.id, task.salt).await?,
            None => TrapPool::empty(),
        };
        let id = round.id;
        let ledger = &self.parts.world.ledger;
        let arrow = match task.arrow {
            Some(_) => ledger.file(id, EncodedTask::FILE).await?,
            None => None,
        };
        let reference = match task.reference {
            Some(_) => ledger.file(id, ReferencedTask::FILE).await?,
            None => None,
        };
        let make = move || TaskMaker::resume(id, task, &batch, pool).map(|maker| maker.kept(arrow, reference));
        Ok(Arc::new(self.parts.world.workers.compute(make).await??))
    }

    /// Puts the task's object where miners fetch it, and describes it to those who do; unchanged where nobody does, or no place
    /// takes it.
    async fn by_reference(
        &self,
        round: RoundId,
        maker: TaskMaker,
        to: BTreeSet<Hotkey>,
    ) -> Result<TaskMaker, RoundError> {
        let World { mirrors, workers, .. } = &self.parts.world;
        if to.is_empty() {
            return Ok(maker);
        }
        let secret = self.parts.secret.clone();
        let encrypt = move || (maker.object(|sent| secret.object_key(round, sent)), maker);
        let (object, maker) = workers.compute(encrypt).await?;
        let Some(object) = object else { return Ok(maker) };
        let places = mirrors.put(object.digest, object.bytes.clone()).await;
        observe::put_out(round, &object.digest, &places);
        Ok(maker.referenced(&object, places, to))
    }

    async fn record(&self, round: &Round, task: &Task, forms: FormBytes<'_>) -> Result<(), RoundError> {
        let hotkeys: Vec<Hotkey> = task.asks.keys().copied().collect();
        // Before the task, so that a hotkey with a verdict was always seen; on the round's day, whatever the machine's clock
        // says.
        self.parts.world.ledger.note_seen(&hotkeys, start_ms(round.id.date)).await?;
        let commitment = commitment_of(task);
        self.parts.world.ledger.record_task_and_forms(round.id, task, commitment, forms).await?;
        observe::tasked(round.id, task, &commitment);
        Ok(())
    }

    /// A batch without alerts has a task that asks nobody.
    async fn nothing_to_ask(&self, round: &Round, new: &NewTask) -> Result<Round, RoundError> {
        let task = Task {
            salt: new.salt,
            deadline_ms: new.deadline_ms,
            traps: None,
            roster: Vec::new(),
            asks: BTreeMap::new(),
            common: None,
            sealing: None,
            arrow: None,
            reference: None,
        };
        self.record(round, &task, FormBytes::default()).await?;
        self.again(round.id).await
    }

    /// The round's batch, verified.
    async fn batch(&self, round: &Round) -> Result<Batch, RoundError> {
        let World { source, workers, .. } = &self.parts.world;
        let found = Found { date: round.id.date, window_days: round.id.window_days };
        let Fetched { digest, rows, .. } = source.fetch(found).await?;
        if digest != round.batch {
            return Err(RoundError::OtherBatch { round: round.id, expected: round.batch, actual: digest });
        }
        Ok(workers.compute(move || rows.read()).await??)
    }

    /// When the answers of a round are opened, by the rule; `None` where they are open.
    fn sealing(&self, round: &Round) -> Result<Option<Sealing>, RoundError> {
        if self.parts.settings.answers == Answers::Open || round.rules.information().is_none() {
            return Ok(None);
        }
        let (beacon, rule) = self.parts.world.beacon.beacon().ok_or(RoundError::NoBeacon)?;
        let seconds = |millis: i64| u64::try_from(millis / 1000).unwrap_or(0);
        // To the next whole second, so that the opening is as far away as the rule says.
        let opening_s = rule.opening_s(seconds(start_ms(round.id.date)), seconds(self.now_ms()).saturating_add(1));
        Ok(Some(Sealing { rule, opening_s, beacon: BeaconRound::opening_at(beacon, opening_s) }))
    }

    fn deadline_ms(&self) -> i64 {
        self.now_ms().saturating_add(millis(self.parts.settings.deadline))
    }

    /// Asks for what has become known of past days, beside the round and never in its way.
    async fn look_back(&self, round: RoundId) {
        let World { ledger, source, time, workers, .. } = &self.parts.world;
        let gathering = Gathering { source: &**source, ledger: &**ledger, workers: &**workers, now: time.now() };
        match within(&**time, time.uptime() + LOOK_BACK, gathering.refresh(round, &**time)).await {
            Some(Ok(())) => {}
            Some(Err(error)) => tracing::warn!(%error, "past days are not looked at; what is kept of them is used"),
            None => tracing::warn!("the source is slow about past days; what is kept of them is used"),
        }
    }

    /// The round's pool of traps.
    async fn pool(&self, round: RoundId, salt: [u8; 32]) -> Result<TrapPool, RoundError> {
        let World { ledger, source, time, workers, .. } = &self.parts.world;
        let gathering = Gathering { source: &**source, ledger: &**ledger, workers: &**workers, now: time.now() };
        Ok(gathering.pool(round, &salt).await?)
    }

    /// Everybody but us, and but validators that serve nothing.
    async fn peers(&self, round: &Round) -> Result<Vec<Peer>, RoundError> {
        let receipt_keys = self.parts.world.ledger.receipt_keys().await?;
        let takers = self.takers(round).await?;
        let metagraph = self.metagraph().await?;
        let own = self.parts.signer.hotkey();
        let asked = metagraph
            .neurons
            .iter()
            .filter(|neuron| neuron.hotkey != own && (neuron.axon.is_some() || !neuron.validator_permit));
        let peer = |neuron: &crate::chain::types::Neuron| Peer {
            hotkey: neuron.hotkey,
            uid: neuron.uid.0,
            axon: neuron.axon.map(|axon| SocketAddr::new(axon.ip, axon.port)),
            receipt_key: receipt_keys.get(&neuron.hotkey).copied(),
            takes_arrow: takers.get(&neuron.hotkey).is_some_and(|takes| takes.arrow),
            takes_references: takers.get(&neuron.hotkey).is_some_and(|takes| takes.references),
        };
        Ok(asked.map(peer).collect())
    }

    /// Which forms miners said that they take, the last time that they answered.
    async fn takers(&self, round: &Round) -> Result<BTreeMap<Hotkey, Takes>, RoundError> {
        let RoundsParts { world: World { ledger, mirrors, .. }, netuid, settings, .. } = &self.parts;
        let mut said = BTreeMap::new();
        if !settings.arrow_tasks || round.rules.information().is_none() {
            return Ok(said);
        }
        let by_reference = mirrors.are_there();
        for before in ledger.rounds(*netuid, ROUNDS_BACK, None).await? {
            if before.id == round.id || before.step < Step::Asked {
                continue;
            }
            let answers = ledger.answers(before.id).await?.into_iter();
            for answer in answers.filter(|answer| answer.reply == Reply::Answered) {
                let references = answer.takes_references && by_reference;
                said.entry(answer.hotkey).or_insert(Takes { arrow: answer.takes_arrow, references });
            }
        }
        Ok(said)
    }

    /// The subnet; one that lost most neurons since the last round is read twice: a partial answer of an endpoint must
    /// not look like mass deregistration.
    async fn metagraph(&self) -> Result<Metagraph, RoundError> {
        let RoundsParts { world: World { ledger, neurons, time, .. }, netuid, .. } = &self.parts;
        let last = ledger.rounds(*netuid, 2, None).await?.into_iter().find(|round| round.step > Step::Fetched);
        let before = match last {
            Some(round) => ledger.task(round.id).await?.map_or(0, |task| task.asks.len()),
            None => 0,
        };
        let first = neurons.metagraph().await?;
        if is_plausible(first.neurons.len(), before) {
            return Ok(first);
        }
        observe::doubted(first.neurons.len(), before);
        time.sleep(self.read_again).await;
        Ok(neurons.metagraph().await?)
    }
}
