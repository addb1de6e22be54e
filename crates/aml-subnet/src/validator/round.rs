//! A round: a batch, what was asked about it, what was answered, and what is made of that.
//!
//! Each step is recorded in the ledger before the next begins, and each may be repeated: a process that is killed at any
//! instant goes on where the ledger is, and ends in the same state. Answers are recorded one by one; after a restart
//! only those miners are asked that have none, and only while the deadline is ahead.

mod ask;
mod error;
mod files;
mod hold;
mod information;
mod observe;
mod opening;
mod secret;
mod task;

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use aml_miner::clock::millis;
use tokio_util::sync::CancellationToken;

use super::evidence::{Archive, Heard};
use super::merge::merge;
use super::query::Asker;
use super::rulebook;
use super::sot::Found;
use super::standing::{History, Lookback};
use super::task::TaskMaker;
use super::world::World;
use crate::config::ValidatorSettings;
use crate::failpoint;
use crate::store::records::{Marks, Round, RoundId, Step};
use crate::wallet::Signer;

use information::Answers;
use opening::Opened;

pub use error::RoundError;
pub use observe::step_done;
pub use secret::{Secret, SecretError};

/// How soon an implausible metagraph is read again: half a block, so that another endpoint may be asked.
const READ_AGAIN: Duration = Duration::from_secs(6);

/// What rounds work with.
pub struct RoundsParts {
    /// Ledger, source, chain, clock: all that lies outside.
    pub world: World,
    /// Asks miners.
    pub asker: Asker,
    /// The validator's hotkey; signs what is published.
    pub signer: Signer,
    /// What salts are derived from.
    pub secret: Secret,
    /// The subnet.
    pub netuid: u16,
    /// The rest.
    pub settings: ValidatorSettings,
}

/// Runs rounds, one at a time.
pub struct Rounds {
    parts: RoundsParts,
    /// How soon an implausible metagraph is read again.
    read_again: Duration,
    /// How often our own side is probed while a round is held.
    probe_every: Duration,
    /// When a round that waits is worth another look; `i64::MAX` while none waits.
    look_again_ms: AtomicI64,
}

impl Rounds {
    /// The validator's hotkey, which signs what is published.
    #[must_use]
    pub const fn signer(&self) -> &Signer {
        &self.parts.signer
    }

    /// Nothing is read or written before the first round.
    #[must_use]
    pub fn new(parts: RoundsParts) -> Self {
        let look_again_ms = AtomicI64::new(i64::MAX);
        Self { parts, read_again: READ_AGAIN, probe_every: hold::PROBE_EVERY, look_again_ms }
    }

    /// Probes our own side every so often while a round is held, instead of every minute.
    #[must_use]
    pub fn probing_every(self, pause: Duration) -> Self {
        Self { probe_every: pause, ..self }
    }

    /// Reads an implausible metagraph again after `pause`, instead of after half a block.
    #[must_use]
    pub fn reading_again_after(self, pause: Duration) -> Self {
        Self { read_again: pause, ..self }
    }

    /// Carries a round as far as it can go now: to its publication, unless that has to wait.
    ///
    /// # Errors
    /// What went wrong on our side; a repetition goes on where it stopped. A miner's failure is never an error.
    pub async fn advance(&self, round: Round, stop: &CancellationToken) -> Result<Round, RoundError> {
        if round.marks.void.is_some() {
            return Ok(round);
        }
        let mut watch = observe::Watch::new(round.step);
        let (round, maker) = self.task(round).await?;
        watch.lap(round.step);
        let (round, heard) = self.ask(round, maker, stop).await?;
        watch.lap(round.step);
        if round.marks.void.is_some() {
            return Ok(round);
        }
        let round = match self.unseal(round, stop).await? {
            Opened::Yes(round) => round,
            Opened::Waits(round) => return Ok(round),
        };
        watch = observe::Watch::new(round.step);
        let (round, answers) = self.judge(round, heard).await?;
        watch.lap(round.step);
        let round = self.merge(round, answers).await?;
        watch.lap(round.step);
        let round = self.publish(round).await?;
        watch.lap(round.step);
        Ok(round)
    }

    /// How long until a round that waits for its opening, or for the beacon, is worth another look; `None` while none waits.
    #[must_use]
    pub fn opens_in(&self) -> Option<Duration> {
        let at_ms = self.look_again_ms.load(Ordering::Relaxed);
        let left = || Duration::from_millis(u64::try_from(at_ms.saturating_sub(self.now_ms())).unwrap_or(0));
        (at_ms != i64::MAX).then(left)
    }

    /// Nothing waits any more, as far as is known.
    pub(super) fn forget_openings(&self) {
        self.look_again_ms.store(i64::MAX, Ordering::Relaxed);
    }

    fn look_again_at(&self, at_ms: i64) {
        self.look_again_ms.fetch_min(at_ms, Ordering::Relaxed);
    }

    /// The round of the newest batch, begun now or before; `None` when the source has no batch.
    ///
    /// # Errors
    /// When the source, or the ledger, cannot be used.
    pub async fn newest(&self) -> Result<Option<Round>, RoundError> {
        let World { source, time, .. } = &self.parts.world;
        let Some(found) = source.newest(time.now()).await? else { return Ok(None) };
        let id = RoundId { netuid: self.parts.netuid, date: found.date, window_days: found.window_days };
        self.of(id).await.map(Some)
    }

    /// A round, begun now or before.
    ///
    /// # Errors
    /// When its batch cannot be had, or the ledger cannot be used.
    pub async fn of(&self, id: RoundId) -> Result<Round, RoundError> {
        match self.parts.world.ledger.round(id).await? {
            Some(begun) => Ok(begun),
            None => self.begin(id).await,
        }
    }

    /// Rounds that are on their way, oldest first. One that asked nobody before a newer batch came never will: by now
    /// outcomes of its alerts may be known to some.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn unfinished(&self) -> Result<Vec<Round>, RoundError> {
        let all = self.parts.world.ledger.unfinished(self.parts.netuid).await?;
        Ok(all.into_iter().filter(|round| round.step > Step::Fetched).collect())
    }

    async fn judge(&self, round: Round, heard: Heard) -> Result<(Round, Option<Answers>), RoundError> {
        if round.step > Step::Judged {
            return Ok((round, None));
        }
        let (archive, rules) = (Archive::of(&self.parts.world), round.rules.rules());
        let task = archive.task(round.id).await?;
        let judged = archive.judged_beside(&round, &task, rules, heard).await?;
        let answers = self.told(&round, &task, judged).await?;
        let verdicts: Vec<_> = answers.judged.iter().map(|one| one.verdict.clone()).collect();
        self.parts.world.ledger.record_verdicts(round.id, &verdicts).await?;
        observe::judged(round.id, &verdicts);
        Ok((self.again(round.id).await?, Some(answers)))
    }

    async fn merge(&self, round: Round, answers: Option<Answers>) -> Result<Round, RoundError> {
        let Some(answers) = answers.filter(|_| round.step == Step::Judged) else { return Ok(round) };
        let Answers { judged, told } = answers;
        if let Some(told) = told {
            self.merge_information(&round, judged, told).await?;
            return self.again(round.id).await;
        }
        let RoundsParts { world: World { ledger, workers, .. }, netuid, settings, .. } = &self.parts;
        let rules = round.rules.rules();
        let days = Lookback { netuid: *netuid, grace: settings.grace };
        let history = History::until(&**ledger, days, round.id.date, &rules).await?;
        let worth = history.performance(&rules);
        let canonical = workers.compute(move || merge(&rules, &judged, worth)).await?;
        ledger.record_canonical(round.id, canonical.as_ref()).await?;
        observe::merged(round.id, canonical.as_ref());
        self.again(round.id).await
    }

    async fn publish(&self, round: Round) -> Result<Round, RoundError> {
        let RoundsParts { world: World { ledger, .. }, settings, .. } = &self.parts;
        let delay = millis(settings.publish_delay);
        // Without a delay a clock that was set back delays nothing.
        let early = delay > 0 && self.now_ms() < round.opened_ms.saturating_add(delay);
        if round.step != Step::Merged || early {
            return Ok(round);
        }
        // First the files: what the ledger calls published can be read.
        files::write(&self.parts, &round).await?;
        failpoint::hit!("round.files_written");
        ledger.publish(round.id, self.now_ms()).await?;
        observe::published(round.id);
        self.again(round.id).await
    }

    async fn begin(&self, id: RoundId) -> Result<Round, RoundError> {
        let found = Found { date: id.date, window_days: id.window_days };
        let batch = self.parts.world.source.fetch(found).await?;
        let list = rulebook::list(&*self.parts.world.ledger, &self.parts.settings, self.parts.netuid).await?;
        let round = Round {
            id,
            step: Step::Fetched,
            rules: list.on(id.date),
            shadow: self.parts.settings.shadow,
            batch: batch.digest,
            alerts: batch.alerts,
            opened_ms: self.now_ms(),
            deadline_ms: None,
            commitment: None,
            published_ms: None,
            settled_ms: None,
            list: Some(list),
            marks: Marks::default(),
        };
        let begun = self.parts.world.ledger.begin(&round).await?;
        observe::fetched(&begun);
        Ok(begun)
    }

    /// The round as the ledger has it now.
    async fn again(&self, id: RoundId) -> Result<Round, RoundError> {
        self.parts.world.ledger.round(id).await?.ok_or(RoundError::Gone(id))
    }

    fn now_ms(&self) -> i64 {
        self.parts.world.time.now_ms()
    }
}
