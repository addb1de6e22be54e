//! Why a request does not count as its sender's. Every text may be shown to the caller: none repeats what was sent.

use std::time::Duration;

use crate::wallet::Scheme;

/// Why a signed request was refused. All are answered with 401 except [`Refusal::StoreDown`], which is ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No `X-Bittensor-Version: 1`.
    #[error("missing or unsupported X-Bittensor-Version (expected 1)")]
    Version,
    /// A required header is absent.
    #[error("missing {0}")]
    Missing(&'static str),
    /// A header that may appear once appears again.
    #[error("{0} is given more than once")]
    Repeated(&'static str),
    /// A header does not parse.
    #[error("{name} is malformed: expected {expected}")]
    Malformed {
        /// The header.
        name: &'static str,
        /// What belongs there.
        expected: &'static str,
    },
    /// The sender is known to sign with another scheme.
    #[error("this sender is expected to sign with {0}")]
    UnexpectedScheme(Scheme),
    /// Signed for somebody else, or for nobody.
    #[error("the request was not signed for this receiving hotkey")]
    WrongReceiver,
    /// Too old.
    #[error("nonce is older than {} s; check the sender's clock", .0.as_secs_f64())]
    TooOld(Duration),
    /// From the future.
    #[error("nonce is more than {} s ahead; check the sender's clock", .0.as_secs_f64())]
    TooNew(Duration),
    /// The signature does not hold.
    #[error("the signature does not verify against the claimed hotkey, method, target and body")]
    BadSignature,
    /// Accepted once already.
    #[error("this nonce was already accepted from this hotkey")]
    Replayed,
    /// Signed before we started: it may have been accepted by the process before us.
    #[error("the request was signed before this server started; sign it anew")]
    BeforeStart,
    /// So many requests that they can no longer be told from replays.
    #[error("too many requests of this hotkey within the replay window; slow down")]
    TooMany,
    /// The body names another sender than the headers.
    #[error("the body names another sender than the signed headers")]
    OtherSender,
    /// The shared store of nonces does not answer.
    #[error("replay protection is unavailable; try again later")]
    StoreDown,
}

impl Refusal {
    /// A stable code for callers and metrics.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Version
            | Self::Missing(_)
            | Self::Repeated(_)
            | Self::Malformed { .. }
            | Self::UnexpectedScheme(_)
            | Self::OtherSender => "malformed_auth",
            Self::WrongReceiver => "wrong_receiver",
            Self::TooOld(_) | Self::TooNew(_) | Self::BeforeStart => "stale_request",
            Self::BadSignature => "bad_signature",
            Self::Replayed => "replayed_request",
            Self::TooMany => "rate_limited",
            Self::StoreDown => "replay_store_down",
        }
    }
}
