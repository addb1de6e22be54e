//! Why weights could not be seen through, in classes that a counter can carry.

use super::due::{Because, Due};
use crate::chain::standing::Preflight;
use crate::subtensor::{PoolError, ReadError, RevealError, SetWeightsError, SubmitError};
use crate::validator::world::{LogError, NoEntropy};

/// Tempos without new weights after which even "too soon" is no longer benign.
pub(super) const PROLONGED: f64 = 3.0;

/// Why a turn of the payer came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum PayError {
    /// Our own store.
    #[error(transparent)]
    Log(#[from] LogError),
    /// No salt.
    #[error(transparent)]
    Salt(#[from] NoEntropy),
    /// The chain could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Weights were not set, as far as is known.
    #[error(transparent)]
    Set(#[from] SetWeightsError),
    /// A commit was not revealed.
    #[error(transparent)]
    Reveal(#[from] RevealError),
}

/// What kind of trouble it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trouble {
    /// Within a rate limit: benign, unless it goes on.
    TooSoon,
    /// No endpoint, or no sensible answer.
    Rpc,
    /// Sent, and its end is not known: looked up before anything is sent again.
    Uncertain,
    /// Another process signs with the hotkey.
    Contention,
    /// Not registered, no permit, too little stake, an old version: the operator's to mend.
    Standing,
    /// The pool does not take it.
    Pool,
    /// The chain executed it and said no.
    Refused,
    /// The weights do not fit the subnet's rules.
    Weights,
    /// Our own store.
    Ledger,
    /// The runtime or the machine lacks something.
    Software,
}

impl Trouble {
    /// As a label.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::TooSoon => "too_soon",
            Self::Rpc => "rpc",
            Self::Uncertain => "uncertain",
            Self::Contention => "contention",
            Self::Standing => "standing",
            Self::Pool => "pool",
            Self::Refused => "refused",
            Self::Weights => "weights",
            Self::Ledger => "ledger",
            Self::Software => "software",
        }
    }
}

impl PayError {
    /// How long to wait, where waiting is all that is needed and the weights on chain are not old yet.
    #[must_use]
    pub fn benign_wait(&self, age_tempos: f64) -> Option<Due> {
        let blocks = match self {
            Self::Set(error) => error.blocks_to_wait(),
            _ => None,
        };
        let because = Because::RateLimit;
        blocks.filter(|_| age_tempos < PROLONGED).map(|blocks| Due::Later { blocks, because })
    }

    /// Its class.
    #[must_use]
    pub fn trouble(&self) -> Trouble {
        match self {
            Self::Log(_) => Trouble::Ledger,
            Self::Salt(_) => Trouble::Software,
            Self::Read(_) => Trouble::Rpc,
            Self::Set(error) => of_set(error),
            Self::Reveal(error) => of_reveal(error),
        }
    }
}

fn of_set(error: &SetWeightsError) -> Trouble {
    if error.blocks_to_wait().is_some() {
        return Trouble::TooSoon;
    }
    match error {
        SetWeightsError::Conform(_) => Trouble::Weights,
        SetWeightsError::Preflight(refusal) => of_preflight(refusal),
        SetWeightsError::Read(_) => Trouble::Rpc,
        SetWeightsError::Submit(error) => of_submit(error),
        SetWeightsError::NotThere(_) => Trouble::Refused,
        SetWeightsError::Route(_) | SetWeightsError::Round(_) | SetWeightsError::Seal(_) => Trouble::Software,
    }
}

const fn of_preflight(refusal: &Preflight) -> Trouble {
    match refusal {
        Preflight::TooFast { .. } => Trouble::TooSoon,
        Preflight::InvalidUid { .. } => Trouble::Weights,
        _ => Trouble::Standing,
    }
}

fn of_reveal(error: &RevealError) -> Trouble {
    match error {
        RevealError::TooEarly { .. } => Trouble::TooSoon,
        RevealError::Expired { .. } | RevealError::NotFound | RevealError::NotThere => Trouble::Refused,
        RevealError::Read(_) => Trouble::Rpc,
        RevealError::Submit(error) => of_submit(error),
        RevealError::Preflight(refusal) => of_preflight(refusal),
    }
}

fn of_submit(error: &SubmitError) -> Trouble {
    match error {
        SubmitError::Refused(refusal) if refusal.is_too_soon() => Trouble::TooSoon,
        SubmitError::Refused(_) => Trouble::Refused,
        SubmitError::Pool(error) => of_pool(error),
        SubmitError::Nonce(crate::subtensor::NonceError::Read(_)) | SubmitError::Read(_) => Trouble::Rpc,
        SubmitError::Nonce(_) | SubmitError::Key(_) => Trouble::Contention,
        SubmitError::Build(_) => Trouble::Software,
        SubmitError::Unsettled { .. } | SubmitError::Expired { .. } => Trouble::Uncertain,
    }
}

const fn of_pool(error: &PoolError) -> Trouble {
    if error.is_contention() { Trouble::Contention } else { Trouble::Pool }
}
