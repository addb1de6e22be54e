//! What goes wrong on our side while a round runs. Whatever it is, the ledger knows how far the round came.

use aml_miner::data::ReadBatchError;
use aml_miner::digest::Digest;

use crate::chain::metagraph::SourceError;
use crate::outputs::PublishError;
use crate::store::records::RoundId;
use crate::store::{RecordError, StorageError};
use crate::validator::calibrating::CalibratingError;
use crate::validator::evidence::EvidenceError;
use crate::validator::information::InformationError;
use crate::validator::query::OwnFailure;
use crate::validator::reasoning::ReasoningError;
use crate::validator::sot::SotError;
use crate::validator::task::{MakeTaskError, ResumeTaskError};
use crate::validator::world::{AsideError, BrokeOff};

/// Why a round did not get further.
#[derive(Debug, thiserror::Error)]
pub enum RoundError {
    /// The process was told to stop.
    #[error("told to stop; the round goes on with the next start")]
    Stopped,
    /// Nobody to open sealed answers.
    #[error("validator.answers is sealed, but there is no beacon to seal them to")]
    NoBeacon,
    /// Where batches come from.
    #[error(transparent)]
    Sot(#[from] SotError),
    /// A batch that cannot be read.
    #[error(transparent)]
    Batch(#[from] ReadBatchError),
    /// The source has replaced the batch since the round began.
    #[error(
        "round {round} began with batch {expected}, the source now has {actual}; what was asked stays as it is, and a \
         batch is not asked about twice"
    )]
    OtherBatch {
        /// The round.
        round: RoundId,
        /// The batch it began with.
        expected: Digest,
        /// What the source has.
        actual: Digest,
    },
    /// The chain.
    #[error(transparent)]
    Neurons(#[from] SourceError),
    /// No task.
    #[error(transparent)]
    Task(#[from] MakeTaskError),
    /// The stored task does not go with batch and traps.
    #[error(transparent)]
    Resume(#[from] ResumeTaskError),
    /// Our side of asking.
    #[error(transparent)]
    Ask(#[from] OwnFailure),
    /// An answer that the ledger did not take cannot wait.
    #[error(transparent)]
    Aside(#[from] AsideError),
    /// What was recorded cannot be judged.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// Rules v2 came to no result.
    #[error(transparent)]
    Information(#[from] InformationError),
    /// Probabilities cannot be made.
    #[error(transparent)]
    Calibrating(#[from] CalibratingError),
    /// Reasons cannot be merged.
    #[error(transparent)]
    Reasoning(#[from] ReasoningError),
    /// Canonical scores cannot be written as files.
    #[error(transparent)]
    Files(#[from] PublishError),
    /// A step that cannot be recorded.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] StorageError),
    /// A round that was there is not.
    #[error("round {0} is not in the ledger any more, or lacks what its step says it has")]
    Gone(RoundId),
    /// A defect of ours.
    #[error("a step broke off")]
    Broken(#[from] BrokeOff),
}
