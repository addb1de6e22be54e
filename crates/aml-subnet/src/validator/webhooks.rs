//! Webhooks: readers are told when a round is published, when outcomes are added, when it is settled, and when it is void.
//!
//! What there is to tell is the difference between the ledger and a small file of what was told already, one per endpoint, so that
//! nothing is lost with the process: every message is sent until it is taken, at least once, and bears the same id each time. One
//! that is refused again and again is put aside. An endpoint is told of what comes after it was set up. Endpoints have turns of
//! their own beside the validator's, and hold up nobody.

mod deliver;
mod due;
mod seal;
mod told;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aml_miner::error_chain::with_causes;
use tokio_util::sync::CancellationToken;

use self::deliver::{Courier, NotTaken};
use self::due::{Fact, due};
use self::told::{Lost, Told};
use super::world::Time;
use crate::config::{WebhookEvent, WebhookSettings};
use crate::store::records::{OutcomeVersion, Round, Step};
use crate::store::{Ledger, StorageError};
use crate::wallet::Signer;

pub use self::seal::{BadSecret, Secret};

/// Rounds that are looked at: three months of daily ones.
const ROUNDS: u32 = 100;
/// How often the ledger is compared with what was told.
const INTERVAL: Duration = Duration::from_secs(15);
/// After a failure the next attempt comes so soon, then twice as late each time.
const RETRY: Duration = Duration::from_secs(15);
/// And no later than this.
const LATEST: Duration = Duration::from_secs(3600);
/// A message that is refused so often is put aside, so that the next ones get their turn. By the pauses above that takes a day, in
/// which somebody can mend an endpoint that refuses everything.
const REFUSALS: u32 = 30;

/// What endpoints are told with.
#[derive(Clone)]
pub struct WebhookParts {
    /// Where rounds are.
    pub ledger: Ledger,
    /// The subnet.
    pub netuid: u16,
    /// Who tells.
    pub signer: Signer,
    /// Clock and timers.
    pub time: Arc<dyn Time>,
}

/// One endpoint.
pub struct Webhook {
    parts: WebhookParts,
    courier: Courier,
    events: Vec<WebhookEvent>,
    told: Told,
    failures: u32,
}

/// What one turn came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// Messages that were taken.
    pub delivered: usize,
    /// Messages that wait.
    pub waiting: usize,
    /// Messages that were given up.
    pub dropped: usize,
}

/// Why an endpoint cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] StorageError),
    /// What was told cannot be kept: it would be told again and again.
    #[error("cannot keep what was told: {0}")]
    Told(#[from] std::io::Error),
    /// It did not take a message.
    #[error("{0}")]
    Refused(String),
}

impl Webhook {
    /// An endpoint with what it was told so far, which is kept below `folder`.
    ///
    /// # Errors
    /// When its secret cannot be used, or there can be no HTTP client.
    pub fn open(
        settings: &WebhookSettings,
        secret: Option<Secret>,
        folder: &Path,
        parts: WebhookParts,
    ) -> Result<Self, reqwest::Error> {
        let courier = Courier::new(settings.url.clone(), secret, parts.signer.clone())?;
        let told = Told::at(folder.join(format!("{}.json", courier.name())));
        Ok(Self { parts, courier, events: settings.events.clone(), told, failures: 0 })
    }

    /// Tells what there is to tell, again and again until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let time = Arc::clone(&self.parts.time);
        while !stop.is_cancelled() {
            let turn = tokio::select! {
                // What is under way may be sent again after the next start: it has the same id then.
                () = stop.cancelled() => return,
                turn = self.turn() => turn,
            };
            if let Err(error) = turn {
                let (endpoint, failures) = (self.courier.shown(), self.failures);
                tracing::warn!(
                    endpoint,
                    failures,
                    error = with_causes(&error),
                    "a webhook could not be told; it is tried again"
                );
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = time.sleep(self.pause()) => {}
            }
        }
    }

    /// How long to wait for the next turn.
    fn pause(&self) -> Duration {
        match self.failures {
            0 => INTERVAL,
            failures => RETRY.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1).min(10))).min(LATEST),
        }
    }

    /// Tells what there is to tell, oldest first, up to the first message that is not taken.
    ///
    /// # Errors
    /// When the ledger cannot be read, a message is not taken, or what was told cannot be kept.
    pub async fn turn(&mut self) -> Result<Turn, WebhookError> {
        let facts = self.facts().await?;
        if self.told.is_new().await? {
            // What was there before the endpoint is not told.
            self.told.start(&facts).await?;
        }
        let waiting = self.waiting(&facts);
        let mut turn = Turn { waiting: waiting.len(), dropped: self.lost(&facts, &waiting), ..Turn::default() };
        self.told.keep().await?;
        self.courier.waits(turn.waiting);
        for (fact, event) in waiting {
            let taken = self.tell(fact, event).await?;
            turn.delivered += usize::from(taken);
            turn.dropped += usize::from(!taken);
            turn.waiting -= 1;
            self.courier.waits(turn.waiting);
        }
        self.told.forget_but(&facts);
        self.told.keep().await?;
        Ok(turn)
    }

    /// The messages that wait, oldest first.
    fn waiting<'a>(&mut self, facts: &'a [Fact]) -> Vec<(&'a Fact, WebhookEvent)> {
        let mut waiting = Vec::new();
        for fact in facts {
            for event in due(&self.told.of(fact.round.id), fact) {
                if self.events.contains(&event) {
                    waiting.push((fact, event));
                } else {
                    self.told.note(fact, event);
                }
            }
        }
        waiting
    }

    /// Remembers what waits; counts what waited until its round was looked at no more.
    fn lost(&mut self, facts: &[Fact], waiting: &[(&Fact, WebhookEvent)]) -> usize {
        let mut lost = 0;
        for Lost { round, messages } in self.told.wait(facts, waiting) {
            let endpoint = self.courier.shown();
            tracing::error!(
                endpoint,
                round.id = round,
                messages,
                "messages of a webhook are given up: they waited too long"
            );
            self.courier.drops(messages);
            lost += messages;
        }
        lost
    }

    /// Sends a message; `false` when it is put aside for good.
    async fn tell(&mut self, fact: &Fact, event: WebhookEvent) -> Result<bool, WebhookError> {
        self.told.attempt(fact);
        self.told.keep().await?;
        let now = self.parts.time.now().as_secs();
        let taken = match self.courier.deliver(fact, event, now).await {
            Ok(()) => {
                self.failures = 0;
                true
            }
            Err(NotTaken { why, refused }) => {
                self.failures = self.failures.saturating_add(1);
                if !refused || self.told.refuse(fact, event) < REFUSALS {
                    self.told.keep().await?;
                    return Err(WebhookError::Refused(why));
                }
                let (endpoint, event) = (self.courier.shown(), event.name());
                tracing::error!(endpoint, round.id = %fact.round.id, event, why, "a message of a webhook is given up");
                self.courier.drops(1);
                false
            }
        };
        self.told.settle(fact, event);
        self.told.keep().await?;
        Ok(taken)
    }

    /// The published rounds as the ledger has them, oldest first, but for those that were taken over from another validator.
    async fn facts(&self) -> Result<Vec<Fact>, StorageError> {
        let mut rounds = self.parts.ledger.rounds(self.parts.netuid, ROUNDS, None).await?;
        rounds.retain(|round| round.step >= Step::Published && round.marks.adopted.is_none());
        rounds.reverse();
        let mut facts = Vec::with_capacity(rounds.len());
        for round in rounds {
            let outcomes = self.outcomes(&round).await?;
            facts.push(Fact { round, outcomes });
        }
        Ok(facts)
    }

    /// How much is known of a round; not read again while nobody has looked for more.
    async fn outcomes(&self, round: &Round) -> Result<OutcomeVersion, StorageError> {
        match self.told.looked(round) {
            Some(known) => Ok(known),
            None => {
                let known = self.parts.ledger.outcome_version(round.id).await?;
                self.told.look(round, known);
                Ok(known)
            }
        }
    }
}
