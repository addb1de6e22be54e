//! Errors while a miner is asked: those of the connection and of time count as the miner's, all others as ours.

use crate::http::client::ExchangeError;
use crate::validator::world::BrokeOff;
use crate::wallet::Hotkey;

/// Why nothing came of a miner.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// The exchange failed, and not by our fault.
    #[error(transparent)]
    Exchange(ExchangeError),
    /// The deadline passed.
    #[error("no complete answer before the deadline")]
    TimedOut,
    /// The round's deadline passed before anything was sent.
    #[error("the round ended before it was this miner's turn")]
    NoTurn,
    /// Ours, not the miner's.
    #[error(transparent)]
    Own(#[from] OwnFailure),
}

impl From<ExchangeError> for Trouble {
    fn from(error: ExchangeError) -> Self {
        match error {
            ExchangeError::Disk(error) => Self::Own(OwnFailure::Disk(error)),
            other => Self::Exchange(other),
        }
    }
}

/// What goes wrong on our side while miners are asked.
#[derive(Debug, thiserror::Error)]
pub enum OwnFailure {
    /// There is nothing to send.
    #[error("cannot make the request body for {hotkey}: {source}")]
    Body {
        /// For whom.
        hotkey: Hotkey,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An answer cannot be kept.
    #[error("cannot keep an answer in a temporary file: {0}")]
    Disk(#[source] std::io::Error),
    /// A defect of this program.
    #[error("asking a miner ended in a panic: {0}")]
    Panicked(#[from] BrokeOff),
}
