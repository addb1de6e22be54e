//! Which call sets weights: chosen by what the runtime has and what the subnet demands.
//!
//! Pure. The runtime's version number plays no part.

/// The scheme of timelocked commits that this software writes.
const TIMELOCK_VERSION: u16 = 4;

/// What the runtime's metadata offers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Abilities {
    /// `set_weights`.
    pub set: bool,
    /// `set_mechanism_weights`.
    pub set_mechanism: bool,
    /// `commit_weights` and `reveal_weights`.
    pub commit: bool,
    /// `commit_mechanism_weights` and `reveal_mechanism_weights`.
    pub commit_mechanism: bool,
    /// `commit_timelocked_weights`.
    pub timelocked: bool,
    /// `commit_timelocked_mechanism_weights`.
    pub timelocked_mechanism: bool,
}

/// How weights get on chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Route {
    /// At once, in the clear.
    Plain,
    /// A digest first; we reveal later.
    HashCommit,
    /// Encrypted to a future round; the chain reveals by itself.
    Timelocked {
        /// Version of the scheme.
        version: u16,
    },
}

/// The runtime has no call for what the subnet demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRoute {
    /// No call for this mechanism.
    #[error("the runtime has no call to set weights for mechanism {0}")]
    Mechanism(u8),
    /// The subnet wants commits, the runtime has no call for them.
    #[error("the subnet demands commit-reveal, but the runtime has no call for it")]
    Commit,
    /// Commits in a scheme we do not write.
    #[error(
        "IncorrectCommitRevealVersion: the subnet demands commit-reveal version {0}, this software writes \
         {TIMELOCK_VERSION}: update it"
    )]
    Version(u16),
}

impl Abilities {
    /// The route for a mechanism of a subnet, and whether its call names the mechanism.
    ///
    /// # Errors
    /// [`NoRoute`] when the runtime lacks the call, or wants a scheme that is unknown here.
    pub fn route(&self, commit_reveal: bool, version: Option<u16>, mechanism: u8) -> Result<Route, NoRoute> {
        let main = mechanism == 0;
        let has = |plain: bool, of_mechanism: bool| (plain && main) || of_mechanism;
        if !commit_reveal {
            let possible = has(self.set, self.set_mechanism);
            return possible.then_some(Route::Plain).ok_or(NoRoute::Mechanism(mechanism));
        }
        let hash = has(self.commit, self.commit_mechanism);
        match version {
            Some(version) if has(self.timelocked, self.timelocked_mechanism) => match version {
                TIMELOCK_VERSION => Ok(Route::Timelocked { version }),
                other => Err(NoRoute::Version(other)),
            },
            _ if hash => Ok(Route::HashCommit),
            _ if main || !(self.commit || self.timelocked) => Err(NoRoute::Commit),
            _ => Err(NoRoute::Mechanism(mechanism)),
        }
    }
}
