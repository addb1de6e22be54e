//! Weights on chain: when they are due, what they are, and what became of them.
//!
//! A submission is recorded, with the digest of its vector, before anything is signed: one vector per epoch. From then
//! on every instant can be the last: the next turn, of this process or of another, finds the record, asks the chain what
//! it shows, and only then sends the same vector again, or goes on with what is there:
//!
//! ```text
//! planned ──► (submitted, in a block, finalised) ──► confirmed                     plain
//!                                               ├──► committed  ──► revealed by us ──► confirmed
//!                                               └──► timelocked ──► revealed by the chain ──► confirmed
//! ```
//!
//! `confirmed` is written only of weights that a finalised block shows.

mod due;
mod errors;
mod ledger;
mod observe;
mod outcome;
mod pace;
mod preview;
mod resume;
mod worth;

use std::collections::BTreeMap;
use std::sync::Arc;

use aml_miner::clock::Clock;
use aml_miner::digest::Digest;
use tokio::sync::Mutex;

pub use due::{Because, Due, WeightsAge, due, is_open, weights_since};
pub use errors::{PayError, Trouble};
pub use outcome::PayOutcome;
pub use preview::{Dropped, Preview, Row};
pub use worth::{Withheld, Worth};

pub use super::world::{LogError, WeightsLog, WeightsTarget};

use crate::chain::commit::fresh_salt;
use crate::chain::epoch::Epoch;
use crate::chain::metagraph::{Cache, Kept};
use crate::chain::plan::{WeightsPlan, WeightsRequest};
use crate::chain::standing::{WeightsStanding, version_key};
use crate::chain::types::Uid;
use crate::chain::weights::ChainWeights;
use crate::config::Unearned;
use crate::store::records::{WeightsRecord, WeightsState};
use crate::subtensor::ReadError;
use crate::validation::weights::{Share, divided, shares};
use crate::validator::world::{Entropy, WeightsChain};
use crate::wallet::{Hotkey, Signer};

/// Submissions that are looked at: those of some days.
pub const RECORDS: u32 = 64;

/// What a payer works with.
pub struct PayerParts {
    /// The chain.
    pub chain: Arc<dyn WeightsChain>,
    /// Where submissions are written down.
    pub log: Arc<dyn WeightsLog>,
    /// The hotkey.
    pub signer: Signer,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where salts come from.
    pub entropy: Arc<dyn Entropy>,
    /// Subnet and mechanism.
    pub target: WeightsTarget,
    /// Fewest days with rounds that count, before weights are set at all.
    pub min_rounds: usize,
}

/// Sets weights when they are due, once per epoch, and sees them through.
pub struct Payer {
    parts: PayerParts,
    unearned: Unearned,
    metagraph: Cache,
    /// The version that weights carry, where it is configured.
    version: Option<u64>,
    pace: pace::Pace,
    /// One turn at a time.
    turn: Mutex<()>,
}

/// What the chain and the records say at one moment.
struct Moment {
    standing: WeightsStanding,
    epoch: Epoch,
    records: Vec<WeightsRecord>,
}

impl Payer {
    /// A payer. It reads and writes nothing before its first turn.
    #[must_use]
    pub fn new(parts: PayerParts) -> Self {
        let (metagraph, pace, turn) = (Cache::default(), pace::Pace::default(), Mutex::new(()));
        Self { parts, unearned: Unearned::Owner, metagraph, version: None, pace, turn }
    }

    /// The same; weights carry `version` instead of the one that follows from rules and subnet.
    #[must_use]
    pub fn carrying(self, version: Option<u64>) -> Self {
        Self { version, ..self }
    }

    /// What nobody earned under rules v2 goes there, instead of to the subnet's owner.
    #[must_use]
    pub fn leaving(self, unearned: Unearned) -> Self {
        Self { unearned, ..self }
    }

    /// How long an epoch lasts by our clock, as far as is known.
    #[must_use]
    pub fn epoch_lasts(&self) -> Option<std::time::Duration> {
        self.pace.epoch()
    }

    /// Whether weights are due now, or when. Changes nothing.
    ///
    /// # Errors
    /// [`PayError`] when the chain or the records cannot be read.
    pub async fn due(&self) -> Result<Due, PayError> {
        let Moment { standing, epoch, records } = self.moment().await?;
        Ok(due(&standing, &epoch, &records))
    }

    /// One turn: sees through what is open, and sets weights when they are due. May be called at any time, and
    /// again after any error.
    ///
    /// # Errors
    /// [`PayError`]; whatever it is, the records say how far the submission came.
    pub async fn pay(&self, worth: &Worth) -> Result<PayOutcome, PayError> {
        let _turn = self.turn.lock().await;
        let target = self.parts.target;
        let mut age = observe::Age::default();
        let outcome = self.take_turn(worth, &mut age).await;
        match outcome {
            Ok(outcome) => {
                observe::ended(target, &outcome);
                Ok(outcome)
            }
            Err(error) => {
                observe::troubled(target, &error, age);
                error.benign_wait(age.tempos).map_or(Err(error), |due| Ok(PayOutcome::NotDue(due)))
            }
        }
    }

    async fn take_turn(&self, worth: &Worth, age: &mut observe::Age) -> Result<PayOutcome, PayError> {
        let before = self.moment().await?;
        *age = self.report_age(&before);
        let open = before.records.iter().any(|record| is_open(&record.state));
        let mut trouble = self.advance(&before, worth).await.err();
        let Moment { standing, epoch, records } = if open { self.moment().await? } else { before };
        let due = due(&standing, &epoch, &records);
        if due != Due::Now {
            return trouble.take().map_or(Ok(PayOutcome::NotDue(due)), Err);
        }
        let moment = Moment { standing, epoch, records };
        if let Some(error) = trouble {
            // An older submission is in trouble; this epoch's does not wait for it.
            observe::troubled(self.parts.target, &error, *age);
        }
        let shares = match self.shares(worth, &moment.records).await? {
            Ok(shares) => shares,
            Err(withheld) => return Ok(PayOutcome::Withheld(withheld)),
        };
        let record = self.plan(&shares, &moment, worth).await?;
        let given = &record.plan.content.weights.values;
        let (epoch, receivers) = (record.epoch, given.iter().filter(|value| **value > 0).count());
        let state = self.carry_out(&record).await?;
        self.write(&record, &state).await?;
        Ok(PayOutcome::Recorded { epoch, state, receivers })
    }

    async fn moment(&self) -> Result<Moment, PayError> {
        let PayerParts { chain, log, signer, target, .. } = &self.parts;
        let (epoch, standing) = chain.occasion(signer.hotkey(), *target).await?;
        let records = log.newest(*target, RECORDS).await?;
        let blocks = epoch.next.0.saturating_sub(epoch.first.0);
        self.pace.saw(standing.block.0, blocks, self.parts.clock.now());
        Ok(Moment { standing, epoch, records })
    }

    /// Everyone's share against the metagraph of this moment.
    async fn shares(
        &self,
        worth: &Worth,
        records: &[WeightsRecord],
    ) -> Result<Result<Vec<Share>, Withheld>, ReadError> {
        if let Some(withheld) = worth.withheld(self.parts.min_rounds) {
            return Ok(Err(withheld));
        }
        let metagraph = self.parts.chain.metagraph(self.parts.target.netuid).await?;
        let neurons = metagraph.neurons.len();
        // The first read of a process is held against the receivers of the last vector.
        self.metagraph.expect(records.first().map_or(0, |record| record.plan.content.weights.uids.len()));
        if self.metagraph.put(metagraph.clone(), self.parts.clock.now()) == Kept::Doubted {
            return Ok(Err(Withheld::MetagraphDoubted { neurons }));
        }
        let registered = metagraph.hotkeys();
        if let Some(unearned) = worth.unearned {
            return self.divided(worth, unearned, &registered).await;
        }
        let shares = shares(&worth.performance, &registered);
        Ok(if shares.is_empty() { Err(Withheld::NobodyRegistered) } else { Ok(shares) })
    }

    /// The version that weights carry.
    fn version_key(&self, standing: &WeightsStanding, worth: &Worth) -> u64 {
        version_key(self.version, worth.rules.number(), standing.rules.weights_version)
    }

    /// A day's shares under rules v2, and what nobody earned where the settings say. Everybody else has a weight of 0, which
    /// fills up a vector that is too short for the chain.
    async fn divided(
        &self,
        worth: &Worth,
        unearned: f64,
        registered: &BTreeMap<u16, Hotkey>,
    ) -> Result<Result<Vec<Share>, Withheld>, ReadError> {
        let (to, nobody) = match self.unearned {
            Unearned::Withhold => (None, "`unearned` says that it is withheld"),
            Unearned::Uid(uid) => (Some(uid), "the uid that `unearned` names is not registered"),
            Unearned::Owner => {
                let owner = self.parts.chain.owner(self.parts.target.netuid).await?;
                let uid = registered.iter().find(|(_, hotkey)| Some(**hotkey) == owner).map(|(uid, _)| *uid);
                (uid, "the subnet's owner has no uid")
            }
        };
        let Some(mut shares) = divided(&worth.performance, unearned, registered, to) else {
            return Ok(Err(Withheld::Unearned(nobody)));
        };
        let has = |uid: &u16| shares.iter().any(|share| share.uid == *uid);
        let others: Vec<Share> = registered
            .iter()
            .filter(|(uid, _)| !has(uid))
            .map(|(uid, hotkey)| Share { uid: *uid, hotkey: *hotkey, share: 0.0 })
            .collect();
        shares.extend(others);
        shares.sort_by_key(|share| share.uid);
        Ok(Ok(shares))
    }

    /// Brings shares into the chain's form, and writes them down.
    async fn plan(&self, shares: &[Share], moment: &Moment, worth: &Worth) -> Result<WeightsRecord, PayError> {
        let PayerParts { chain, log, signer, clock, entropy, target, .. } = &self.parts;
        let WeightsTarget { netuid, mechanism } = *target;
        let salt = fresh_salt(&**entropy)?;
        let version_key = Some(self.version_key(&moment.standing, worth));
        let wanted = WeightsRequest { netuid, mechanism, weights: wanted(shares), version_key, salt };
        let plan: WeightsPlan = chain.plan(signer.hotkey(), &wanted).await?;
        let vector = vector_digest(*target, &plan.content.weights);
        let made_ms = clock.now_ms();
        let epoch = moment.epoch.first.0;
        let record = WeightsRecord { epoch, vector, plan, state: WeightsState::Planned, made_ms };
        log.plan(*target, &record).await?;
        observe::moved(*target, &record, &record.state);
        Ok(record)
    }

    async fn write(&self, record: &WeightsRecord, state: &WeightsState) -> Result<(), PayError> {
        self.parts.log.state(self.parts.target, record.epoch, state).await?;
        observe::moved(self.parts.target, record, state);
        Ok(())
    }

    fn report_age(&self, moment: &Moment) -> observe::Age {
        let Some(age) = WeightsAge::of(&moment.standing, &moment.records) else { return observe::Age::default() };
        let age = observe::Age { last_block: age.since.0, tempos: age.tempos };
        observe::age(self.parts.target, age);
        age
    }
}

/// What each neuron should get.
fn wanted(shares: &[Share]) -> Vec<(Uid, f64)> {
    shares.iter().map(|share| (Uid(share.uid), share.share)).collect()
}

/// SHA-256 over one line `uid value` for each receiver, after a line `netuid mechanism`.
#[must_use]
pub fn vector_digest(target: WeightsTarget, weights: &ChainWeights) -> Digest {
    use std::fmt::Write as _;

    let mut text = format!("{} {}\n", target.netuid, target.mechanism);
    for (uid, value) in weights.uids.iter().zip(&weights.values) {
        let _ = writeln!(text, "{uid} {value}");
    }
    Digest::of(text.as_bytes())
}
