//! Resumes submissions of weights whose end is not known: nothing is sent before the chain was asked.

use super::due::is_open;
use super::errors::PayError;
use super::{Moment, Payer, Worth};
use crate::chain::outcome::{RevealFate, Sighting, TimelockedAt, Trace, WeightsOutcome};
use crate::chain::refusal::ChainRefusal;
use crate::chain::standing::{Preflight, WeightsStanding};
use crate::chain::types::{Block, Uid};
use crate::store::records::{WeightsRecord, WeightsState};
use crate::subtensor::{ERA_BLOCKS, RevealError, SetWeightsError, SubmitError};
use crate::validator::world::WeightsTarget;

impl Payer {
    /// Takes every open submission as far as it goes; the first error is reported after all had their turn.
    pub(super) async fn advance(&self, moment: &Moment, worth: &Worth) -> Result<(), PayError> {
        let mut first = Ok(());
        for record in moment.records.iter().rev().filter(|record| is_open(&record.state)) {
            let moved = match &record.state {
                WeightsState::Planned => self.resume(record, moment, worth).await,
                WeightsState::Committed { block } => self.reveal(record, *block).await,
                WeightsState::Timelocked { block, reveal_from, .. } => {
                    let at = TimelockedAt { block: Block(*block), reveal_from: Block(*reveal_from) };
                    self.watch(record, at).await
                }
                WeightsState::Confirmed { .. } | WeightsState::Failed { .. } => Ok(None),
            };
            let written = match moved {
                Ok(Some(state)) => self.write(record, &state).await,
                Ok(None) => Ok(()),
                Err(error) => Err(error),
            };
            first = first.and(written);
        }
        first
    }

    /// A plan of which it is not known whether it was carried out.
    async fn resume(
        &self,
        record: &WeightsRecord,
        moment: &Moment,
        worth: &Worth,
    ) -> Result<Option<WeightsState>, PayError> {
        let chain = &self.parts.chain;
        let since = Block(record.epoch);
        match chain.trace(&self.parts.signer, &record.plan, since).await? {
            Trace::Final(sighting) => match whose(record, &sighting, moment) {
                Whose::Ours => Ok(Some(self.seen(sighting).await?)),
                Whose::Later(why) => Ok(Some(failed(why.to_owned()))),
                Whose::Unknown => Ok(None),
            },
            Trace::Unsettled => Ok(None),
            Trace::Nothing if record.epoch == moment.epoch.first.0 => {
                if let Some(uid) = self.newcomer(record, worth).await? {
                    return Ok(Some(failed(format!("uid {} was given to another hotkey since the plan", uid.0))));
                }
                self.carry_out(record).await.map(Some)
            }
            Trace::Nothing if is_over(record, moment) => {
                Ok(Some(failed("nothing of it was on chain when its epoch was over".to_owned())))
            }
            Trace::Nothing => Ok(None),
        }
    }

    /// A receiver of the plan that is now somebody who came in this epoch and has earned nothing.
    async fn newcomer(&self, record: &WeightsRecord, worth: &Worth) -> Result<Option<Uid>, PayError> {
        let chain = &self.parts.chain;
        let replaced = chain.replaced_since(&record.plan.content, Block(record.epoch)).await?;
        if replaced.is_empty() {
            return Ok(None);
        }
        let metagraph = chain.metagraph(self.parts.target.netuid).await?;
        let earned = |uid: &Uid| {
            let holder = metagraph.neurons.iter().find(|neuron| neuron.uid == *uid);
            holder.is_some_and(|neuron| worth.performance.get(&neuron.hotkey).is_some_and(|worth| *worth > 0.0))
        };
        Ok(replaced.into_iter().find(|uid| !earned(uid)))
    }

    async fn seen(&self, sighting: Sighting) -> Result<WeightsState, PayError> {
        Ok(match sighting {
            Sighting::Shown { block } => WeightsState::Confirmed { block: block.0 },
            Sighting::Committed { block } => WeightsState::Committed { block: block.0 },
            Sighting::Timelocked { block, round } => {
                let reveal_from = self.parts.chain.reveals_from(self.parts.target.netuid, block).await?.0;
                WeightsState::Timelocked { block: block.0, round, reveal_from }
            }
        })
    }

    /// Sends a recorded plan. What can succeed later in the same epoch is an error, and the record stays planned.
    pub(super) async fn carry_out(&self, record: &WeightsRecord) -> Result<WeightsState, PayError> {
        let content = &record.plan.content;
        let (chain, signer) = (&self.parts.chain, &self.parts.signer);
        let target = WeightsTarget { netuid: content.netuid, mechanism: content.mechanism };
        let standing: WeightsStanding = chain.standing(signer.hotkey(), target).await?;
        if let Err(refusal) = standing.check(content.mechanism, &content.weights, content.version_key) {
            return match refusal {
                Preflight::InvalidUid { .. } => Ok(failed(refusal.to_string())),
                refusal => Err(SetWeightsError::from(refusal).into()),
            };
        }
        match chain.set(signer, &record.plan).await {
            Ok(WeightsOutcome::Set(included)) => Ok(WeightsState::Confirmed { block: included.block.0 }),
            Ok(WeightsOutcome::Committed(included)) => Ok(WeightsState::Committed { block: included.block.0 }),
            Ok(WeightsOutcome::Timelocked { included, round, reveal_from }) => {
                Ok(WeightsState::Timelocked { block: included.block.0, round, reveal_from: reveal_from.0 })
            }
            Err(error) if is_final(&error) => Ok(failed(error.to_string())),
            Err(error) => Err(error.into()),
        }
    }

    /// A hash commit on chain.
    async fn reveal(&self, record: &WeightsRecord, committed: u64) -> Result<Option<WeightsState>, PayError> {
        let (chain, content) = (&self.parts.chain, &record.plan.content);
        let head = chain.finalised().await?.0;
        if head < committed {
            // This node has not seen the commit yet: what it lacks says nothing.
            return Ok(None);
        }
        match chain.reveal(&self.parts.signer, content).await {
            Ok(Some(included)) => Ok(Some(WeightsState::Confirmed { block: included.block.0 })),
            Ok(None) => Ok(Some(WeightsState::Confirmed { block: head })),
            Err(RevealError::TooEarly { .. }) => Ok(None),
            Err(error) if is_lost(&error) => Ok(Some(failed(error.to_string()))),
            Err(error) => Err(error.into()),
        }
    }

    /// A timelocked commit on chain.
    async fn watch(&self, record: &WeightsRecord, at: TimelockedAt) -> Result<Option<WeightsState>, PayError> {
        let hotkey = self.parts.signer.hotkey();
        Ok(match self.parts.chain.reveal_fate(hotkey, &record.plan.content, at).await? {
            RevealFate::Waiting { .. } => None,
            RevealFate::Revealed { block } => Some(WeightsState::Confirmed { block: block.0 }),
            RevealFate::Lost { opened: true } => {
                Some(failed("the chain has revealed the commit, but then showed other weights".to_owned()))
            }
            RevealFate::Lost { opened: false } => Some(failed(
                "the chain has dropped the commit and shows other weights: at the reveal the hotkey's permit or stake, \
                 the version key or a uid no longer fitted, or weights set since have replaced it"
                    .to_owned(),
            )),
        })
    }
}

const fn failed(why: String) -> WeightsState {
    WeightsState::Failed { why }
}

/// Whose submission it is that the chain shows.
enum Whose {
    /// That of the record.
    Ours,
    /// That of a later epoch.
    Later(&'static str),
    /// Perhaps that of a later epoch, whose record is asked about next.
    Unknown,
}

/// A hash commit is known by its digest, weights by what they are. A timelocked commit is known by nothing but its block, so that
/// one of a later epoch belongs to the record that has it, or may yet have it.
fn whose(record: &WeightsRecord, sighting: &Sighting, moment: &Moment) -> Whose {
    match sighting {
        Sighting::Shown { block } if is_of_a_later(record, *block, moment) => Whose::Later(
            "the chain shows a later submission of the same weights; whether this one was sent is not known",
        ),
        Sighting::Timelocked { block, .. } => {
            let later = || moment.records.iter().filter(|other| other.epoch > record.epoch && other.epoch <= block.0);
            let has = |other: &WeightsRecord| matches!(&other.state, WeightsState::Timelocked { block: own, .. } if *own == block.0);
            if later().any(has) {
                Whose::Later("the chain has the commit of a later submission; whether this one was sent is not known")
            } else if later().any(|other| other.state == WeightsState::Planned) {
                Whose::Unknown
            } else {
                Whose::Ours
            }
        }
        Sighting::Shown { .. } | Sighting::Committed { .. } => Whose::Ours,
    }
}

/// Whether weights that took effect at `block` are those of a later epoch with the same vector.
fn is_of_a_later(record: &WeightsRecord, block: Block, moment: &Moment) -> bool {
    let later = moment.records.iter().filter(|other| other.epoch > record.epoch && other.epoch <= block.0);
    let same =
        |other: &WeightsRecord| other.vector == record.vector && !matches!(other.state, WeightsState::Failed { .. });
    later.into_iter().any(same)
}

/// Whether an older epoch's transaction, if there ever was one, is certainly dead: its lifetime began in its epoch.
fn is_over(record: &WeightsRecord, moment: &Moment) -> bool {
    let epoch = moment.epoch.next.0.saturating_sub(moment.epoch.first.0);
    moment.epoch.block.0 > record.epoch.saturating_add(epoch).saturating_add(ERA_BLOCKS)
}

/// Whether the same vector cannot succeed in this epoch any more.
fn is_final(error: &SetWeightsError) -> bool {
    match error {
        SetWeightsError::Submit(SubmitError::Refused(refusal)) => !refusal.is_too_soon(),
        SetWeightsError::NotThere(_) | SetWeightsError::Preflight(Preflight::InvalidUid { .. }) => true,
        _ => false,
    }
}

/// Whether a hash commit can never be revealed any more.
const fn is_lost(error: &RevealError) -> bool {
    match error {
        RevealError::Expired { .. } | RevealError::NotFound | RevealError::NotThere => true,
        RevealError::Submit(SubmitError::Refused(refusal)) => matches!(
            refusal,
            ChainRefusal::ExpiredWeightCommit
                | ChainRefusal::NoWeightsCommitFound
                | ChainRefusal::InvalidRevealCommitHashNotMatch
                | ChainRefusal::CommitRevealDisabled
        ),
        _ => false,
    }
}
