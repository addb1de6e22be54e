//! What is asked for below a miner's address, and of whom less is asked.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use aml_miner::wire::Explain;
use http::StatusCode;
use http::uri::PathAndQuery;

use crate::wallet::Hotkey;

/// The targets of a subnet.
#[derive(Debug)]
pub(super) struct Targets {
    /// With as much of an explanation as the settings say.
    usual: PathAndQuery,
    /// For miners that refuse to explain a share: five features of every alert, as they always were asked for.
    plain: PathAndQuery,
    /// Whether a share is asked for at all.
    share: bool,
    /// Who has refused.
    refused: Mutex<HashSet<Hotkey>>,
}

impl Targets {
    /// Of subnet `netuid`.
    pub(super) fn new(netuid: u16, explain: Explain) -> Self {
        let target = |explain: Explain| {
            let target = format!("/{netuid}/score/alerts?explain={explain}");
            target.parse().expect("digits, lower-case letters and a colon are a valid path")
        };
        let share = matches!(explain, Explain::Share(_));
        Self { usual: target(explain), plain: target(Explain::Top), share, refused: Mutex::default() }
    }

    /// What this miner is asked for.
    pub(super) fn of(&self, hotkey: &Hotkey) -> PathAndQuery {
        let plainly = self.refused.lock().unwrap_or_else(PoisonError::into_inner).contains(hotkey);
        if plainly { self.plain.clone() } else { self.usual.clone() }
    }

    /// Whether a miner that answered with `status` may know nothing of shares, and is asked again for all: once until the program ends.
    pub(super) fn is_refused(&self, hotkey: Hotkey, status: StatusCode) -> bool {
        self.share
            && status == StatusCode::UNPROCESSABLE_ENTITY
            && self.refused.lock().unwrap_or_else(PoisonError::into_inner).insert(hotkey)
    }
}
