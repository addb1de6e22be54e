//! Calls, events, errors and the values in storage.

use parity_scale_codec::{Decode, Encode};
use scale_info::TypeInfo;

use crate::localnet::mirror::substrate_fixed::FixedU128;
use crate::localnet::mirror::{AccountId32, BoundedVec, H256};

/// Where a neuron can be reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub(crate) struct AxonInfo {
    pub(crate) block: u64,
    pub(crate) version: u32,
    pub(crate) ip: u128,
    pub(crate) port: u16,
    pub(crate) ip_type: u8,
    pub(crate) protocol: u8,
    pub(crate) placeholder1: u8,
    pub(crate) placeholder2: u8,
}

/// Where a neuron's metrics can be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub(crate) struct PrometheusInfo {
    pub(crate) block: u64,
    pub(crate) version: u32,
    pub(crate) ip: u128,
    pub(crate) port: u16,
    pub(crate) ip_type: u8,
}

/// Key of a neuron's TLS certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub(crate) struct NeuronCertificate {
    pub(crate) public_key: BoundedVec<u8>,
    pub(crate) algorithm: u8,
}

/// What of a miner's registration is locked until it has earned its release.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub(crate) struct MinerCollateralState {
    pub(crate) locked: u64,
    pub(crate) min_locked: u64,
    pub(crate) earned: u64,
    pub(crate) drain_ratio: FixedU128,
}

/// How a subnet presents itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub(crate) struct SubnetIdentityV3 {
    pub(crate) subnet_name: Vec<u8>,
    pub(crate) github_repo: Vec<u8>,
    pub(crate) subnet_contact: Vec<u8>,
    pub(crate) subnet_url: Vec<u8>,
    pub(crate) discord: Vec<u8>,
    pub(crate) description: Vec<u8>,
    pub(crate) logo_url: Vec<u8>,
    pub(crate) additional: Vec<u8>,
}

/// How an account presents itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub(crate) struct ChainIdentityV2 {
    pub(crate) name: Vec<u8>,
    pub(crate) url: Vec<u8>,
    pub(crate) github_repo: Vec<u8>,
    pub(crate) image: Vec<u8>,
    pub(crate) discord: Vec<u8>,
    pub(crate) description: Vec<u8>,
    pub(crate) additional: Vec<u8>,
}

/// How an epoch weighs its validators; here always as Yuma.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub(crate) enum EpochConsensus {
    #[default]
    Yuma,
    Null,
}

/// What becomes of a coldkey's dividends from the root network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub(crate) enum RootClaimTypeEnum {
    /// Sold.
    #[default]
    Swap,
    /// Kept.
    Keep,
    /// Kept in these subnets.
    KeepSubnets {
        /// Which.
        subnets: std::collections::BTreeSet<u16>,
    },
}

/// A hash commit of weights: hash, block, first and last block of its reveal.
pub(crate) type WeightCommit = (H256, u64, u64, u64);
/// A timelocked commit of weights: hotkey, block, ciphertext, round of the beacon.
pub(crate) type TimelockedCommit = (AccountId32, u64, BoundedVec<u8>, u64);

/// Calls.
#[expect(non_camel_case_types, reason = "names on the wire")]
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub(crate) enum Call {
    #[codec(index = 0)]
    set_weights { netuid: u16, dests: Vec<u16>, weights: Vec<u16>, version_key: u64 },
    #[codec(index = 2)]
    add_stake { hotkey: AccountId32, netuid: u16, amount_staked: u64 },
    #[codec(index = 3)]
    remove_stake { hotkey: AccountId32, netuid: u16, amount_unstaked: u64 },
    #[codec(index = 4)]
    serve_axon {
        netuid: u16,
        version: u32,
        ip: u128,
        port: u16,
        ip_type: u8,
        protocol: u8,
        placeholder1: u8,
        placeholder2: u8,
    },
    #[codec(index = 5)]
    serve_prometheus { netuid: u16, version: u32, ip: u128, port: u16, ip_type: u8 },
    #[codec(index = 7)]
    burned_register { netuid: u16, hotkey: AccountId32 },
    #[codec(index = 40)]
    serve_axon_tls {
        netuid: u16,
        version: u32,
        ip: u128,
        port: u16,
        ip_type: u8,
        protocol: u8,
        placeholder1: u8,
        placeholder2: u8,
        certificate: Vec<u8>,
    },
    #[codec(index = 59)]
    register_network { hotkey: AccountId32 },
    #[codec(index = 62)]
    root_register { hotkey: AccountId32 },
    #[codec(index = 88)]
    add_stake_limit { hotkey: AccountId32, netuid: u16, amount_staked: u64, limit_price: u64, allow_partial: bool },
    #[codec(index = 92)]
    start_call { netuid: u16 },
    #[codec(index = 140)]
    register_limit { netuid: u16, hotkey: AccountId32, limit_price: u64 },
    #[codec(index = 96)]
    commit_weights { netuid: u16, commit_hash: H256 },
    #[codec(index = 97)]
    reveal_weights { netuid: u16, uids: Vec<u16>, values: Vec<u16>, salt: Vec<u16>, version_key: u64 },
    #[codec(index = 113)]
    commit_timelocked_weights { netuid: u16, commit: BoundedVec<u8>, reveal_round: u64, commit_reveal_version: u16 },
    #[codec(index = 115)]
    commit_mechanism_weights { netuid: u16, mecid: u8, commit_hash: H256 },
    #[codec(index = 116)]
    reveal_mechanism_weights {
        netuid: u16,
        mecid: u8,
        uids: Vec<u16>,
        values: Vec<u16>,
        salt: Vec<u16>,
        version_key: u64,
    },
    #[codec(index = 118)]
    commit_timelocked_mechanism_weights {
        netuid: u16,
        mecid: u8,
        commit: BoundedVec<u8>,
        reveal_round: u64,
        commit_reveal_version: u16,
    },
    #[codec(index = 119)]
    set_mechanism_weights { netuid: u16, mecid: u8, dests: Vec<u16>, weights: Vec<u16>, version_key: u64 },
}

/// Events.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub(crate) enum Event {
    #[codec(index = 0)]
    NetworkAdded(u16, u16),
    #[codec(index = 2)]
    StakeAdded(AccountId32, AccountId32, u64, u64, u16, u64),
    #[codec(index = 3)]
    StakeRemoved(AccountId32, AccountId32, u64, u64, u16, u64),
    #[codec(index = 5)]
    WeightsSet(u16, u16),
    #[codec(index = 6)]
    NeuronRegistered(u16, u16, AccountId32),
    #[codec(index = 28)]
    AxonServed(u16, AccountId32),
    #[codec(index = 29)]
    PrometheusServed(u16, AccountId32),
    #[codec(index = 83)]
    WeightsCommitted(AccountId32, u16, H256),
    #[codec(index = 84)]
    WeightsRevealed(AccountId32, u16, H256),
    #[codec(index = 93)]
    FirstEmissionBlockNumberSet(u16, u64),
    #[codec(index = 99)]
    CommitRevealEnabled(u16, bool),
    #[codec(index = 105)]
    TimelockedWeightsCommitted(AccountId32, u16, H256, u64),
    #[codec(index = 106)]
    TimelockedWeightsRevealed(u16, AccountId32),
}

/// Errors; their indices depend on the runtime (see `Spec::error_index`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub(crate) enum Error {
    SubNetworkDoesNotExist,
    MechanismDoesNotExist,
    SubnetNotExists,
    InvalidIpType,
    InvalidIpAddress,
    InvalidPort,
    HotKeyNotRegisteredInSubNet,
    HotKeyNotRegisteredInNetwork,
    HotKeyAccountNotExists,
    NonAssociatedColdKey,
    NotEnoughStakeToWithdraw,
    NotEnoughStakeToSetWeights,
    NotEnoughBalanceToStake,
    NeuronNoValidatorPermit,
    WeightVecNotEqualSize,
    DuplicateUids,
    UidVecContainInvalidOne,
    WeightVecLengthIsLow,
    TooManyRegistrationsThisBlock,
    HotKeyAlreadyRegisteredInSubNet,
    MaxWeightExceeded,
    SettingWeightsTooFast,
    IncorrectWeightVersionKey,
    ServingRateLimitExceeded,
    UidsLengthExceedUidsInSubNet,
    SubNetRegistrationDisabled,
    RegistrationNotPermittedOnRootSubnet,
    CanNotSetRootNetworkWeights,
    NoNeuronIdAvailable,
    NoWeightsCommitFound,
    InvalidRevealCommitHashNotMatch,
    CommitRevealEnabled,
    CommitRevealDisabled,
    TooManyUnrevealedCommits,
    ExpiredWeightCommit,
    RevealTooEarly,
    InputLengthsUnequal,
    CommittingWeightsTooFast,
    AmountTooLow,
    FirstEmissionBlockNumberAlreadySet,
    NotSubnetOwner,
    IncorrectCommitRevealVersion,
    CannotAffordLockCost,
    SubnetLimitReached,
    RegistrationPriceLimitExceeded,
}
