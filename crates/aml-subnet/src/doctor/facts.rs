//! What is found out of a set-up, one struct for each thing that is looked at.

use std::net::SocketAddr;
use std::time::Duration;

use crate::wallet::Hotkey;

/// An opened hotkey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalletFacts {
    /// Its address.
    pub hotkey: Hotkey,
    /// What is wrong with the file's permissions.
    pub permissions: Option<String>,
}

/// The chain's last finalised block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadFacts {
    /// Its number.
    pub block: u64,
    /// Who said so.
    pub endpoint: String,
    /// Its time and ours, where the runtime keeps time.
    pub times: Option<Times>,
}

/// Two clocks at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// Somebody else's.
    pub theirs: Duration,
    /// Ours.
    pub ours: Duration,
}

/// The axon's port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortFacts {
    /// Where it should be, by the settings.
    pub place: SocketAddr,
    /// Whether a connection was made, else why not.
    pub reached: Result<(), String>,
}

/// The inference API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiFacts {
    /// Where.
    pub url: String,
    /// Whether it says that it is ready, else what it said.
    pub ready: Result<(), String>,
    /// Its version, where it tells.
    pub version: Option<String>,
}
