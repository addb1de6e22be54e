//! The names under which the chain refuses a transaction.
//!
//! Indexes of errors move between runtimes, names do not: a name comes from the metadata of the block that refused.

use std::fmt;

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident: $advice:literal,)*) => {
        /// A refusal of the Subtensor pallet.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum ChainRefusal {
            $($(#[$doc])* $name,)*
            /// One that has no consequence of its own here, as `Pallet::Name`.
            Other(String),
        }

        impl ChainRefusal {
            /// All names that are known here.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name)),*];

            /// The refusal of this name.
            #[must_use]
            pub fn from_name(pallet: &str, name: &str) -> Self {
                match name {
                    $(stringify!($name) if pallet == PALLET => Self::$name,)*
                    _ => Self::Other(format!("{pallet}::{name}")),
                }
            }

            /// The name in the runtime's metadata.
            #[must_use]
            pub fn name(&self) -> &str {
                match self {
                    $(Self::$name => stringify!($name),)*
                    Self::Other(name) => name,
                }
            }

            /// What an operator can do about it.
            #[must_use]
            pub const fn advice(&self) -> &'static str {
                match self {
                    $(Self::$name => $advice,)*
                    Self::Other(_) => "see the pallet's documentation",
                }
            }
        }
    };
}

/// The pallet whose refusals have names here.
pub const PALLET: &str = "SubtensorModule";

refusals! {
    /// The hotkey has no uid in this subnet.
    HotKeyNotRegisteredInSubNet: "register the hotkey in this subnet",
    /// The hotkey has no uid in any subnet.
    HotKeyNotRegisteredInNetwork: "register the hotkey",
    /// Too little stake behind the hotkey.
    NotEnoughStakeToSetWeights: "add stake to the hotkey",
    /// The hotkey is not among the validators.
    NeuronNoValidatorPermit: "get a validator permit: it goes to the largest stakes",
    /// Within the rate limit.
    SettingWeightsTooFast: "wait for the rate limit to pass",
    /// The subnet asks for weights made by newer rules.
    IncorrectWeightVersionKey: "update this software: the subnet demands weights of newer rules",
    /// As many weights as uids are wanted.
    WeightVecNotEqualSize: "report this as a bug",
    /// A uid twice.
    DuplicateUids: "report this as a bug",
    /// A uid that nobody has.
    UidVecContainInvalidOne: "refresh the metagraph: a neuron was removed",
    /// Fewer weights than allowed.
    WeightVecLengthIsLow: "give weight to more neurons",
    /// A share beyond the limit.
    MaxWeightExceeded: "report this as a bug",
    /// More weights than neurons.
    UidsLengthExceedUidsInSubNet: "refresh the metagraph: a neuron was removed",
    /// Weights must be committed first.
    CommitRevealEnabled: "the subnet has just switched to commit-reveal: try again",
    /// Weights must be set directly.
    CommitRevealDisabled: "the subnet has just switched commit-reveal off: try again",
    /// A commit within the rate limit.
    CommittingWeightsTooFast: "wait for the rate limit to pass",
    /// Ten commits are open.
    TooManyUnrevealedCommits: "wait until earlier commits are revealed or expired",
    /// The window has not begun.
    RevealTooEarly: "wait for the reveal window",
    /// The window is over.
    ExpiredWeightCommit: "the commit is lost: commit again",
    /// Other weights, salt or version than committed.
    InvalidRevealCommitHashNotMatch: "the stored salt or weights differ from the commit: commit again",
    /// Nothing to reveal.
    NoWeightsCommitFound: "nothing is committed: commit again",
    /// Another scheme of commits.
    IncorrectCommitRevealVersion: "this software does not know the subnet's commit scheme: update it",
    /// An axon was announced a short while ago.
    ServingRateLimitExceeded: "wait for the serving rate limit to pass",
    /// Neither 4 nor 6.
    InvalidIpType: "report this as a bug",
    /// An address that the chain does not take.
    InvalidIpAddress: "announce an address that others can reach",
    /// Port 0.
    InvalidPort: "announce a port other than 0",
    /// The root network takes no such weights.
    CanNotSetRootNetworkWeights: "use a subnet other than 0",
    /// No such subnet, in older runtimes.
    SubNetworkDoesNotExist: "check the netuid",
    /// No such subnet.
    SubnetNotExists: "check the netuid",
    /// No such mechanism.
    MechanismDoesNotExist: "check the mechanism",
    /// Already has a uid.
    HotKeyAlreadyRegisteredInSubNet: "nothing to do: it is registered",
}

impl ChainRefusal {
    /// Whether waiting is all that is needed.
    #[must_use]
    pub const fn is_too_soon(&self) -> bool {
        matches!(
            self,
            Self::SettingWeightsTooFast
                | Self::CommittingWeightsTooFast
                | Self::ServingRateLimitExceeded
                | Self::RevealTooEarly
                | Self::TooManyUnrevealedCommits
        )
    }

    /// Whether reading the chain again and building the call anew may help.
    #[must_use]
    pub const fn is_stale_view(&self) -> bool {
        matches!(
            self,
            Self::CommitRevealEnabled
                | Self::CommitRevealDisabled
                | Self::UidVecContainInvalidOne
                | Self::UidsLengthExceedUidsInSubNet
        )
    }
}

impl fmt::Display for ChainRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name(), self.advice())
    }
}
