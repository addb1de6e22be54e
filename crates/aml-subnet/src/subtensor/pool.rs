//! What a node's transaction pool says no with.
//!
//! Pure: classification of JSON-RPC errors and of the states of a watched transaction. Numbers of the runtime's own
//! refusals (`Custom`) differ between runtimes, so they are shown, and never interpreted.

use serde_json::Value as Json;

/// Why a transaction is not, or no longer, in the pool.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    /// The nonce is used up.
    #[error("the transaction is outdated (its nonce is used up)")]
    Stale,
    /// The nonce is ahead.
    #[error("the transaction lies in the future (its nonce is ahead)")]
    Future,
    /// Signature, genesis or runtime version do not fit.
    #[error("the signature does not fit (another runtime version, chain or key)")]
    BadProof,
    /// Its era is over.
    #[error("the transaction's era is over")]
    AncientBirthBlock,
    /// The account cannot pay.
    #[error("the account cannot pay the fee")]
    Payment,
    /// The call is not taken.
    #[error("the runtime does not take this call")]
    Call,
    /// The block is full.
    #[error("the block is full")]
    ExhaustsResources,
    /// A refusal of the runtime with a number of its own.
    #[error("the runtime refuses it with code {0}")]
    Custom(u8),
    /// Sent too often.
    #[error("the transaction is temporarily banned by the node")]
    Banned,
    /// Sent already.
    #[error("the transaction is in the pool already")]
    AlreadyImported,
    /// Another with the same nonce is in the pool.
    #[error("another transaction with the same nonce and no lower priority is in the pool")]
    LowPriority,
    /// No room.
    #[error("the pool is full")]
    ImmediatelyDropped,
    /// Replaced by another with the same nonce.
    #[error("the transaction was replaced by another with the same nonce")]
    Usurped,
    /// Thrown out for lack of room.
    #[error("the transaction was dropped from the pool")]
    Dropped,
    /// Became invalid in the pool.
    #[error("the transaction became invalid in the pool")]
    Invalid,
    /// Anything else.
    #[error("the node refuses the transaction: {0}")]
    Other(String),
}

impl PoolError {
    /// From the error of a submission.
    #[must_use]
    pub fn from_rpc(code: i32, message: &str, data: Option<&str>) -> Self {
        if let Some(known) = structured(message) {
            return known;
        }
        let text = format!("{message} {}", data.unwrap_or_default());
        match code {
            1012 => Self::Banned,
            1013 => Self::AlreadyImported,
            1014 => Self::LowPriority,
            1016 => Self::ImmediatelyDropped,
            _ => by_text(&text).unwrap_or_else(|| Self::Other(format!("{} (code {code})", text.trim()))),
        }
    }

    /// Whether building and signing it anew is worth a try: the view it was built on is gone.
    #[must_use]
    pub const fn is_stale_view(&self) -> bool {
        matches!(self, Self::Stale | Self::BadProof | Self::AncientBirthBlock | Self::Invalid)
    }

    /// Whether another process signs with the same key.
    #[must_use]
    pub const fn is_contention(&self) -> bool {
        matches!(self, Self::Usurped | Self::LowPriority | Self::Future)
    }
}

/// The texts that nodes put into the data of error 1010 and 1011.
fn by_text(text: &str) -> Option<PoolError> {
    let known = [
        ("outdated", PoolError::Stale),
        ("valid in the future", PoolError::Future),
        ("bad signature", PoolError::BadProof),
        ("ancient birth block", PoolError::AncientBirthBlock),
        ("Inability to pay", PoolError::Payment),
        ("call is not expected", PoolError::Call),
        ("exhaust the resources", PoolError::ExhaustsResources),
        ("temporarily banned", PoolError::Banned),
        ("Immediately Dropped", PoolError::ImmediatelyDropped),
        ("Priority is too low", PoolError::LowPriority),
    ];
    if let Some(code) = text.split("Custom error: ").nth(1) {
        let digits: String = code.chars().take_while(char::is_ascii_digit).collect();
        return digits.parse().ok().map(PoolError::Custom);
    }
    known.into_iter().find(|(part, _)| text.contains(part)).map(|(_, error)| error)
}

/// The form `{"invalid":{"stale":null}}`, which Chopsticks uses.
fn structured(text: &str) -> Option<PoolError> {
    let json: Json = serde_json::from_str(text.get(text.find('{')?..)?).ok()?;
    invalid_of(json.get("invalid")?)
}

fn invalid_of(reason: &Json) -> Option<PoolError> {
    let (name, value) = match reason {
        Json::Object(fields) => fields.iter().next().map(|(name, value)| (name.as_str(), value))?,
        Json::String(name) => (name.as_str(), &Json::Null),
        _ => return None,
    };
    Some(match name.to_ascii_lowercase().as_str() {
        "stale" => PoolError::Stale,
        "future" => PoolError::Future,
        "badproof" => PoolError::BadProof,
        "ancientbirthblock" => PoolError::AncientBirthBlock,
        "payment" => PoolError::Payment,
        "call" => PoolError::Call,
        "exhaustsresources" => PoolError::ExhaustsResources,
        "custom" => PoolError::Custom(value.as_u64().and_then(|code| u8::try_from(code).ok())?),
        other => PoolError::Other(other.to_owned()),
    })
}

/// What became of a watched transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Still on its way.
    Waiting,
    /// In a block that may yet be dropped.
    InBlock(String),
    /// That block was dropped.
    Retracted,
    /// In a block that stays.
    Finalised(String),
    /// Nobody knows: the node stopped watching.
    Unwatched,
    /// It will not get into a block.
    Gone(PoolError),
}

impl Progress {
    /// From a notification of a watched transaction.
    #[must_use]
    pub fn from_status(status: &Json) -> Self {
        let (name, value) = match status {
            Json::String(name) => (name.as_str(), &Json::Null),
            Json::Object(fields) => match fields.iter().next() {
                Some((name, value)) => (name.as_str(), value),
                None => return Self::Waiting,
            },
            _ => return Self::Waiting,
        };
        let hash = || value.as_str().unwrap_or_default().to_owned();
        match name {
            "inBlock" => Self::InBlock(hash()),
            "finalized" => Self::Finalised(hash()),
            "retracted" => Self::Retracted,
            "finalityTimeout" => Self::Unwatched,
            "usurped" => Self::Gone(PoolError::Usurped),
            "dropped" => Self::Gone(PoolError::Dropped),
            "invalid" => Self::Gone(invalid_of(value).unwrap_or(PoolError::Invalid)),
            _ => Self::Waiting,
        }
    }
}
