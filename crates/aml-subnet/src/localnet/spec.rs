//! Which runtime the chain pretends to be.
//!
//! Runtimes of Subtensor differ in what they offer and in the numbers they give to the same names. Three are known here:
//! 218 (early 2025: hash commits, opaque runtime APIs), 381 (early 2026: mechanisms, timelocked commits, typed runtime
//! APIs) and 463 (late 2026: epochs that are counted, not computed). A client that addresses everything by name works
//! with all of them, and through an upgrade from one to another.

use super::mirror::node_subtensor_runtime::RuntimeCall;
use super::mirror::pallet_subtensor::pallet::Error;

/// A family of runtimes with the same calls, storage and numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum Generation {
    /// As spec 218.
    #[serde(rename = "218")]
    G218,
    /// As spec 381.
    #[serde(rename = "381")]
    G381,
    /// As spec 463, so far as the SDK 11.3 knows it.
    #[serde(rename = "463")]
    G463,
}

/// A runtime: its family and the version it reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Spec {
    /// What it offers.
    pub generation: Generation,
    /// What it reports as its version; an upgrade must change it.
    pub version: u32,
}

/// Version of the transaction format, the same in every runtime.
pub(crate) const TRANSACTION_VERSION: u32 = 1;

impl Generation {
    /// The runtime whose version names the family.
    #[must_use]
    pub fn spec(self) -> Spec {
        match self {
            Self::G218 => Spec { generation: self, version: 218 },
            Self::G381 => Spec { generation: self, version: 381 },
            Self::G463 => Spec { generation: self, version: 463 },
        }
    }
}

impl std::str::FromStr for Generation {
    type Err = UnknownGeneration;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "218" => Ok(Self::G218),
            "381" => Ok(Self::G381),
            "463" => Ok(Self::G463),
            _ => Err(UnknownGeneration(text.to_owned())),
        }
    }
}

/// A runtime that is not known here.
#[derive(Debug, thiserror::Error)]
#[error("no runtime {0:?}: there are 218, 381 and 463")]
pub struct UnknownGeneration(String);

impl Spec {
    /// Index of an error in this runtime.
    pub(crate) fn error_index(self, error: Error) -> Option<u8> {
        let row = ERRORS.iter().find(|row| row.0 == error)?;
        match self.generation {
            Generation::G218 => row.1[0],
            Generation::G381 => row.1[1],
            Generation::G463 => row.1[2],
        }
    }

    /// Whether this runtime has the call.
    pub(crate) fn offers(self, call: &RuntimeCall) -> bool {
        match call {
            RuntimeCall::SubtensorModule(call) => self.lists_call("pallet_subtensor", &name_of(call)),
            RuntimeCall::AdminUtils(call) => self.lists_call("pallet_admin_utils", &name_of(call)),
            RuntimeCall::MevShield(_) => self.has_shield(),
            _ => true,
        }
    }

    /// Whether transactions may be encrypted until a block carries them out.
    pub(crate) fn has_shield(self) -> bool {
        self.generation >= Generation::G463
    }

    /// Whether the metadata of this runtime has a call of this name in this pallet.
    pub(crate) fn lists_call(self, pallet: &str, name: &str) -> bool {
        let new = self.generation >= Generation::G381;
        match (pallet, name) {
            (
                "pallet_subtensor",
                "commit_timelocked_weights"
                | "commit_mechanism_weights"
                | "reveal_mechanism_weights"
                | "commit_timelocked_mechanism_weights"
                | "set_mechanism_weights"
                | "add_stake_limit"
                | "start_call"
                | "register_network",
            )
            | (
                "pallet_admin_utils",
                "sudo_set_stake_threshold" | "sudo_set_commit_reveal_version" | "sudo_set_mechanism_count",
            ) => new,
            ("pallet_subtensor", "register_limit") => self.generation >= Generation::G463,
            ("pallet_admin_utils", "sudo_set_max_weight_limit") => !new,
            _ => true,
        }
    }

    /// Names of the transaction extensions between the nonce's and the metadata hash's: all without data.
    pub(crate) fn own_extensions(self) -> &'static [&'static str] {
        match self.generation {
            Generation::G218 => &["SubtensorSignedExtension", "CommitmentsSignedExtension"],
            Generation::G381 => &["SudoTransactionExtension", "SubtensorTransactionExtension", "DrandPriority"],
            Generation::G463 => &[
                "SudoTransactionExtension",
                "CheckShieldedTxValidity",
                "SubtensorTransactionExtension",
                "DrandPriority",
            ],
        }
    }
}

impl Error {
    /// Every error that this chain can answer.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        ERRORS.iter().map(|row| row.0)
    }
}

/// Name of a call, as its variant is called.
fn name_of(call: &impl std::fmt::Debug) -> String {
    let text = format!("{call:?}");
    text.split([' ', '{', '(']).next().unwrap_or_default().to_owned()
}

/// Errors and their indices in 218, 381 and 463.
const ERRORS: &[(Error, [Option<u8>; 3])] = &[
    (Error::SubNetworkDoesNotExist, [Some(0), None, None]),
    (Error::MechanismDoesNotExist, [Some(88), Some(73), Some(74)]),
    (Error::SubnetNotExists, [Some(90), Some(75), Some(76)]),
    (Error::InvalidIpType, [Some(2), Some(1), Some(1)]),
    (Error::InvalidIpAddress, [Some(3), Some(2), Some(2)]),
    (Error::InvalidPort, [Some(4), Some(3), Some(3)]),
    (Error::HotKeyNotRegisteredInSubNet, [Some(5), Some(4), Some(4)]),
    (Error::HotKeyNotRegisteredInNetwork, [Some(7), Some(6), Some(6)]),
    (Error::HotKeyAccountNotExists, [Some(6), Some(5), Some(5)]),
    (Error::NonAssociatedColdKey, [Some(8), Some(7), Some(7)]),
    (Error::NotEnoughStakeToWithdraw, [Some(12), Some(9), Some(9)]),
    (Error::NotEnoughStakeToSetWeights, [Some(13), Some(10), Some(10)]),
    (Error::NotEnoughBalanceToStake, [Some(14), Some(12), Some(12)]),
    (Error::NeuronNoValidatorPermit, [Some(17), Some(15), Some(15)]),
    (Error::WeightVecNotEqualSize, [Some(18), Some(16), Some(16)]),
    (Error::DuplicateUids, [Some(19), Some(17), Some(17)]),
    (Error::UidVecContainInvalidOne, [Some(20), Some(18), Some(18)]),
    (Error::WeightVecLengthIsLow, [Some(21), Some(19), Some(19)]),
    (Error::TooManyRegistrationsThisBlock, [Some(22), Some(20), Some(20)]),
    (Error::HotKeyAlreadyRegisteredInSubNet, [Some(23), Some(21), Some(21)]),
    (Error::MaxWeightExceeded, [Some(28), Some(26), Some(27)]),
    (Error::SettingWeightsTooFast, [Some(30), Some(28), Some(29)]),
    (Error::IncorrectWeightVersionKey, [Some(31), Some(29), Some(30)]),
    (Error::ServingRateLimitExceeded, [Some(32), Some(30), Some(31)]),
    (Error::UidsLengthExceedUidsInSubNet, [Some(33), Some(31), Some(32)]),
    (Error::SubNetRegistrationDisabled, [Some(39), Some(36), Some(37)]),
    (Error::RegistrationNotPermittedOnRootSubnet, [Some(45), Some(41), Some(42)]),
    (Error::CanNotSetRootNetworkWeights, [Some(50), Some(46), Some(47)]),
    (Error::NoNeuronIdAvailable, [Some(51), Some(47), Some(48)]),
    (Error::NoWeightsCommitFound, [Some(55), Some(50), Some(51)]),
    (Error::InvalidRevealCommitHashNotMatch, [Some(56), Some(51), Some(52)]),
    (Error::CommitRevealEnabled, [Some(57), Some(52), Some(53)]),
    (Error::CommitRevealDisabled, [Some(58), Some(53), Some(54)]),
    (Error::TooManyUnrevealedCommits, [Some(92), Some(76), Some(77)]),
    (Error::ExpiredWeightCommit, [Some(93), Some(77), Some(78)]),
    (Error::RevealTooEarly, [Some(94), Some(78), Some(79)]),
    (Error::InputLengthsUnequal, [Some(95), Some(79), Some(80)]),
    (Error::CommittingWeightsTooFast, [Some(96), Some(80), Some(81)]),
    (Error::AmountTooLow, [None, Some(81), Some(82)]),
    (Error::FirstEmissionBlockNumberAlreadySet, [None, Some(87), Some(88)]),
    (Error::NotSubnetOwner, [Some(44), Some(40), Some(41)]),
    (Error::IncorrectCommitRevealVersion, [None, Some(111), Some(111)]),
    (Error::CannotAffordLockCost, [None, Some(116), Some(117)]),
    (Error::SubnetLimitReached, [None, Some(115), Some(116)]),
    (Error::RegistrationPriceLimitExceeded, [None, None, Some(136)]),
];

/// Whether an item is there: those marked with the oldest runtime are there only in it, others from theirs on.
pub(crate) fn has(generation: Generation, mark: Option<Generation>) -> bool {
    match mark {
        None => true,
        Some(Generation::G218) => generation == Generation::G218,
        Some(since) => generation >= since,
    }
}
