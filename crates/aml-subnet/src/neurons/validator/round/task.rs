//! From a batch and the subnet of this moment to the task of a round; after a restart, the same task's bodies.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use aml_miner::data::Manifest;
use aml_miner::data::batch_dir::file_name;
use aml_miner::digest::Digest;
use aml_miner::wire::Batch;
use aml_miner::wire::spec::ALERTS;

use super::{Parts, RoundError, Rounds, TaskMaker, millis, observe};
use crate::chain::types::Metagraph;
use crate::neurons::validator::standing::day_ms;
use crate::neurons::validator::task::{NewTask, Peer, TrapList};
use crate::neurons::validator::traps::TrapPool;
use crate::store::records::{Round, Step, Task};
use crate::wallet::Hotkey;

/// How soon an implausible metagraph is read again: half a block, so that another endpoint may be asked.
pub(super) const READ_AGAIN: Duration = Duration::from_secs(6);

impl Rounds {
    /// Fetched → tasked. With the maker of the bodies, where the task was made just now.
    pub(super) async fn task(&self, round: Round) -> Result<(Round, Option<Arc<TaskMaker>>), RoundError> {
        if round.step != Step::Fetched {
            return Ok((round, None));
        }
        let batch = self.batch(&round).await?;
        let peers = self.peers(&self.parts.ledger.receipt_keys().await?).await?;
        let salt = self.parts.secret.salt(round.id);
        let new = NewTask {
            round: round.id,
            salt,
            deadline_ms: self.now_ms().saturating_add(millis(self.parts.settings.deadline)),
            plan: self.parts.settings.traps,
        };
        if batch.alerts.rows() == 0 {
            return Ok((self.nothing_to_ask(&round, &new).await?, None));
        }
        let pool = self.parts.sot.pool(&self.parts.ledger, round.id, &salt, self.parts.clock.now()).await?;
        let maker = tokio::task::spawn_blocking(move || TaskMaker::new(new, &batch, pool, &peers)).await??;
        self.record(&round, maker.task()).await?;
        Ok((self.again(round.id).await?, Some(Arc::new(maker))))
    }

    /// The maker of a stored task: the same bodies as before the restart.
    pub(super) async fn resume(&self, round: &Round, task: Task) -> Result<Arc<TaskMaker>, RoundError> {
        let batch = self.batch(round).await?;
        let pool = match task.traps {
            Some(_) => self.parts.sot.pool(&self.parts.ledger, round.id, &task.salt, self.parts.clock.now()).await?,
            None => TrapPool::empty(),
        };
        let id = round.id;
        let maker = tokio::task::spawn_blocking(move || TaskMaker::resume(id, task, &batch, pool)).await??;
        Ok(Arc::new(maker))
    }

    async fn record(&self, round: &Round, task: &Task) -> Result<(), RoundError> {
        let hotkeys: Vec<Hotkey> = task.asks.keys().copied().collect();
        // Before the task, so that a hotkey with a verdict was always seen.
        self.parts.ledger.note_seen(&hotkeys, day_ms(round.id.date)).await?;
        let commitment = TrapList::of(task).commitment(&task.salt);
        self.parts.ledger.record_task(round.id, task, commitment).await?;
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
        };
        self.record(round, &task).await?;
        self.again(round.id).await
    }

    /// The round's batch, verified.
    async fn batch(&self, round: &Round) -> Result<Batch, RoundError> {
        let local = self.parts.sot.fetch(round.id.date, round.id.window_days).await?;
        if local.digest != round.batch {
            return Err(RoundError::OtherBatch { round: round.id, expected: round.batch, actual: local.digest });
        }
        Ok(tokio::task::spawn_blocking(move || local.dir.load()).await??.batch)
    }

    /// Everybody but us, and but validators that serve nothing.
    async fn peers(&self, receipt_keys: &BTreeMap<Hotkey, Digest>) -> Result<Vec<Peer>, RoundError> {
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
        };
        Ok(asked.map(peer).collect())
    }

    /// The subnet; one that lost most neurons since the last round is read twice: a partial answer of an endpoint must
    /// not look like mass deregistration.
    async fn metagraph(&self) -> Result<Metagraph, RoundError> {
        let Parts { ledger, neurons, netuid, .. } = &self.parts;
        let last = ledger.rounds(*netuid, 2, None).await?.into_iter().find(|round| round.step > Step::Fetched);
        let before = match last {
            Some(round) => ledger.task(round.id).await?.map_or(0, |task| task.asks.len()),
            None => 0,
        };
        let first = neurons.metagraph().await?;
        if first.neurons.len() * 2 >= before {
            return Ok(first);
        }
        observe::doubted(first.neurons.len(), before);
        tokio::time::sleep(self.read_again).await;
        Ok(neurons.metagraph().await?)
    }
}

/// Rows of the alerts, as the manifest says.
pub(super) fn alerts_of(manifest: &Manifest) -> u64 {
    manifest.files.get(&file_name(&ALERTS)).map_or(0, |entry| entry.rows)
}
