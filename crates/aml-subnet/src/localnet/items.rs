//! Everything in storage, by pallet. `?` marks items without a default; numbers are the defaults.

pub(crate) mod system {
    //! Blocks and accounts.
    use crate::localnet::item::items;
    use crate::localnet::mirror::frame_system::{AccountInfo, EventRecord, LastRuntimeUpgradeInfo};
    use crate::localnet::mirror::sp_runtime::generic::digest::Digest;
    use crate::localnet::mirror::{AccountId32, H256};

    items! { "System";
        ACCOUNT "Account" [Blake AccountId32] : AccountInfo;
        BLOCK_HASH "BlockHash" [Twox u32] : H256;
        NUMBER "Number" [] : u32;
        PARENT_HASH "ParentHash" [] : H256;
        DIGEST "Digest" [] : Digest;
        EVENTS "Events" [] : Vec<EventRecord>;
        EVENT_COUNT "EventCount" [] : u32;
        EXTRINSIC_COUNT "ExtrinsicCount" [] ? u32;
        LAST_RUNTIME_UPGRADE "LastRuntimeUpgrade" [] ? LastRuntimeUpgradeInfo;
    }
}

pub(crate) mod timestamp {
    //! The time of the block.
    use crate::localnet::item::items;

    items! { "Timestamp";
        NOW "Now" [] : u64;
    }
}

pub(crate) mod balances {
    //! Sums of balances; an account's own balance is in `System.Account`.
    use crate::localnet::item::items;

    items! { "Balances";
        TOTAL_ISSUANCE "TotalIssuance" [] : u64;
    }
}

pub(crate) mod sudo {
    //! The key that may do everything.
    use crate::localnet::item::items;
    use crate::localnet::mirror::AccountId32;

    items! { "Sudo";
        KEY "Key" [] ? AccountId32;
    }
}

pub(crate) mod drand {
    //! Rounds of the beacon that the chain knows.
    use crate::localnet::item::items;
    use crate::localnet::mirror::pallet_drand::types::Pulse;

    items! { "Drand";
        PULSES "Pulses" [Blake u64] ? Pulse;
        LAST_STORED_ROUND "LastStoredRound" [] : u64;
    }
}

pub(crate) mod swap {
    //! Prices: none are kept here.
    use crate::localnet::item::items;

    items! { "Swap";
        FEE_RATE "FeeRate" [Twox u16] : u16;
    }
}

pub(crate) mod shield {
    //! The key that clients encrypt transactions to.
    use crate::localnet::item::items;
    use crate::localnet::mirror::BoundedVec;

    items! { "MevShield";
        @G463 NEXT_KEY "NextKey" [] ? BoundedVec<u8>;
    }
}

pub(crate) mod commitments {
    //! Public notes of neurons: none are kept here.
    use crate::localnet::item::items;
    use crate::localnet::mirror::AccountId32;
    use crate::localnet::mirror::pallet_commitments::types::Registration;

    items! { "Commitments";
        COMMITMENT_OF "CommitmentOf" [Id u16, Twox AccountId32] ? Registration;
        REVEALED_COMMITMENTS "RevealedCommitments" [Id u16, Twox AccountId32] ? Vec<(Vec<u8>, u64)>;
    }
}

pub(crate) mod subtensor {
    //! Subnets, neurons, stakes and weights.
    use crate::localnet::item::items;
    use crate::localnet::mirror::AccountId32;
    use crate::localnet::mirror::pallet_subtensor::pallet::{
        AxonInfo, ChainIdentityV2, EpochConsensus, MinerCollateralState, NeuronCertificate, PrometheusInfo,
        RootClaimTypeEnum, SubnetIdentityV3, TimelockedCommit, WeightCommit,
    };
    use crate::localnet::mirror::substrate_fixed::{FixedI128, FixedU128};

    items! { "SubtensorModule";
        // the network
        TOTAL_NETWORKS "TotalNetworks" [] : u16;
        NETWORKS_ADDED "NetworksAdded" [Id u16] : bool;
        SUBNET_LIMIT "SubnetLimit" [] : u16 = 128;
        TOTAL_ISSUANCE "TotalIssuance" [] : u64;
        TOTAL_STAKE "TotalStake" [] : u64;
        TX_RATE_LIMIT "TxRateLimit" [] : u64;
        @G381 TAO_WEIGHT "TaoWeight" [] : u64 = 971_718_665_099_567_868;
        @G218 TAO_WEIGHT_218 "TaoWeight" [Id u16] : u64 = 3_320_413_933_267_719_290;
        @G381 STAKE_THRESHOLD "StakeThreshold" [] : u64;
        @G218 WEIGHTS_MIN_STAKE "WeightsMinStake" [] : u64;
        @G381 COMMIT_REVEAL_VERSION "CommitRevealWeightsVersion" [] : u16 = 4;
        @G381 ADMIN_FREEZE_WINDOW "AdminFreezeWindow" [] : u16 = 10;
        NETWORK_MIN_LOCK_COST "NetworkMinLockCost" [] : u64 = 1_000_000_000_000;
        NETWORK_RATE_LIMIT "NetworkRateLimit" [] : u64;

        // a subnet
        NETWORK_REGISTERED_AT "NetworkRegisteredAt" [Id u16] : u64;
        @G381 FIRST_EMISSION_BLOCK_NUMBER "FirstEmissionBlockNumber" [Id u16] ? u64;
        @G381 SUBTOKEN_ENABLED "SubtokenEnabled" [Id u16] : bool;
        SUBNET_MECHANISM "SubnetMechanism" [Id u16] : u16;
        @G463 LAST_EPOCH_BLOCK "LastEpochBlock" [Id u16] : u64;
        @G463 PENDING_EPOCH_AT "PendingEpochAt" [Id u16] : u64;
        @G463 SUBNET_EPOCH_INDEX "SubnetEpochIndex" [Id u16] : u64;
        @G463 SUBNET_EPOCH_CONSENSUS "SubnetEpochConsensus" [Id u16] : EpochConsensus;
        @G381 MECHANISM_COUNT_CURRENT "MechanismCountCurrent" [Twox u16] : u8 = 1;
        SUBNET_OWNER "SubnetOwner" [Id u16] : AccountId32;
        SUBNET_OWNER_HOTKEY "SubnetOwnerHotkey" [Id u16] : AccountId32;
        TOKEN_SYMBOL "TokenSymbol" [Id u16] : Vec<u8> = "\u{3b1}".as_bytes().to_vec();
        @G381 SUBNET_IDENTITIES "SubnetIdentitiesV3" [Blake u16] ? SubnetIdentityV3;
        @G381 IDENTITIES "IdentitiesV2" [Blake AccountId32] ? ChainIdentityV2;
        SUBNETWORK_N "SubnetworkN" [Id u16] : u16;
        SUBNET_TAO "SubnetTAO" [Id u16] : u64;
        SUBNET_ALPHA_IN "SubnetAlphaIn" [Id u16] : u64;
        SUBNET_ALPHA_OUT "SubnetAlphaOut" [Id u16] : u64;
        @G381 SUBNET_MOVING_PRICE "SubnetMovingPrice" [Id u16] : FixedI128;
        BLOCKS_SINCE_LAST_STEP "BlocksSinceLastStep" [Id u16] : u64;
        LAST_STEP_BLOCK "LastMechansimStepBlock" [Id u16] : u64;

        // its rules
        TEMPO "Tempo" [Id u16] : u16 = 10;
        NETWORK_REGISTRATION_ALLOWED "NetworkRegistrationAllowed" [Id u16] : bool = true;
        NETWORK_POW_REGISTRATION_ALLOWED "NetworkPowRegistrationAllowed" [Id u16] : bool;
        SERVING_RATE_LIMIT "ServingRateLimit" [Id u16] : u64 = 50;
        RHO "Rho" [Id u16] : u16 = 10;
        KAPPA "Kappa" [Id u16] : u16 = 32_767;
        MAX_ALLOWED_UIDS "MaxAllowedUids" [Id u16] : u16 = 256;
        IMMUNITY_PERIOD "ImmunityPeriod" [Id u16] : u16 = 4096;
        ACTIVITY_CUTOFF "ActivityCutoff" [Id u16] : u16 = 5000;
        @G463 ACTIVITY_CUTOFF_FACTOR "ActivityCutoffFactorMilli" [Id u16] : u32 = 13_889;
        MAX_WEIGHTS_LIMIT "MaxWeightsLimit" [Id u16] : u16 = 65_535;
        WEIGHTS_VERSION_KEY "WeightsVersionKey" [Id u16] : u64;
        MIN_ALLOWED_WEIGHTS "MinAllowedWeights" [Id u16] : u16 = 1024;
        MAX_ALLOWED_VALIDATORS "MaxAllowedValidators" [Id u16] : u16 = 128;
        ADJUSTMENT_INTERVAL "AdjustmentInterval" [Id u16] : u16 = 100;
        BONDS_MOVING_AVERAGE "BondsMovingAverage" [Id u16] : u64 = 900_000;
        WEIGHTS_SET_RATE_LIMIT "WeightsSetRateLimit" [Id u16] : u64 = 100;
        TARGET_REGISTRATIONS "TargetRegistrationsPerInterval" [Id u16] : u16 = 2;
        ADJUSTMENT_ALPHA "AdjustmentAlpha" [Id u16] : u64;
        @G381 COMMIT_REVEAL_WEIGHTS_ENABLED "CommitRevealWeightsEnabled" [Id u16] : bool = true;
        @G218 COMMIT_REVEAL_WEIGHTS_ENABLED_218 "CommitRevealWeightsEnabled" [Id u16] : bool;
        REVEAL_PERIOD_EPOCHS "RevealPeriodEpochs" [Twox u16] : u64 = 1;
        BURN "Burn" [Id u16] : u64 = 100_000_000;
        @G463 COLLATERAL_LOCK_SHARE "CollateralLockShare" [Id u16] : u16;
        @G463 COLLATERAL_DRAIN_RATIO "CollateralDrainRatio" [Id u16] : FixedU128;
        DIFFICULTY "Difficulty" [Id u16] : u64 = 10_000_000;
        MIN_BURN "MinBurn" [Id u16] : u64 = 500_000;
        MAX_BURN "MaxBurn" [Id u16] : u64 = 100_000_000_000;
        MIN_DIFFICULTY "MinDifficulty" [Id u16] : u64 = 10_000_000;
        MAX_DIFFICULTY "MaxDifficulty" [Id u16] : u64 = 4_611_686_018_427_387_903;
        MAX_REGISTRATIONS_PER_BLOCK "MaxRegistrationsPerBlock" [Id u16] : u16 = 1;
        REGISTRATIONS_THIS_BLOCK "RegistrationsThisBlock" [Id u16] : u16;
        REGISTRATIONS_THIS_INTERVAL "RegistrationsThisInterval" [Id u16] : u16;
        LAST_ADJUSTMENT_BLOCK "LastAdjustmentBlock" [Id u16] : u64;
        ALPHA_VALUES "AlphaValues" [Id u16] : (u16, u16) = (45_875, 58_982);
        LIQUID_ALPHA_ON "LiquidAlphaOn" [Blake u16] : bool;

        // neurons
        UIDS "Uids" [Id u16, Blake AccountId32] ? u16;
        KEYS "Keys" [Id u16, Id u16] : AccountId32;
        IS_NETWORK_MEMBER "IsNetworkMember" [Blake AccountId32, Id u16] : bool;
        BLOCK_AT_REGISTRATION "BlockAtRegistration" [Id u16, Id u16] : u64;
        AXONS "Axons" [Id u16, Blake AccountId32] ? AxonInfo;
        NEURON_CERTIFICATES "NeuronCertificates" [Id u16, Blake AccountId32] ? NeuronCertificate;
        PROMETHEUS "Prometheus" [Id u16, Blake AccountId32] ? PrometheusInfo;
        ACTIVE "Active" [Id u16] : Vec<bool>;
        RANK "Rank" [Id u16] : Vec<u16>;
        TRUST "Trust" [Id u16] : Vec<u16>;
        CONSENSUS "Consensus" [Id u16] : Vec<u16>;
        INCENTIVE "Incentive" [Id u16] : Vec<u16>;
        DIVIDENDS "Dividends" [Id u16] : Vec<u16>;
        EMISSION "Emission" [Id u16] : Vec<u64>;
        LAST_UPDATE "LastUpdate" [Id u16] : Vec<u64>;
        VALIDATOR_TRUST "ValidatorTrust" [Id u16] : Vec<u16>;
        PRUNING_SCORES "PruningScores" [Id u16] : Vec<u16>;
        VALIDATOR_PERMIT "ValidatorPermit" [Id u16] : Vec<bool>;
        STAKE_WEIGHT "StakeWeight" [Id u16] : Vec<u16>;
        WEIGHTS "Weights" [Id u16, Id u16] : Vec<(u16, u16)>;
        BONDS "Bonds" [Id u16, Id u16] : Vec<(u16, u16)>;

        // keys and stakes
        OWNER "Owner" [Blake AccountId32] : AccountId32;
        OWNED_HOTKEYS "OwnedHotkeys" [Blake AccountId32] : Vec<AccountId32>;
        STAKING_HOTKEYS "StakingHotkeys" [Blake AccountId32] : Vec<AccountId32>;
        DELEGATES "Delegates" [Blake AccountId32] : u16 = 11_796;
        @G381 ROOT_CLAIM_TYPE "RootClaimType" [Blake AccountId32] : RootClaimTypeEnum;
        TOTAL_HOTKEY_ALPHA "TotalHotkeyAlpha" [Blake AccountId32, Id u16] : u64;
        @G463 MINER_COLLATERAL "MinerCollateral" [Id u16, Blake AccountId32, Blake AccountId32] ? MinerCollateralState;
        @G381 STAKE_OF "Alpha" [Blake AccountId32, Blake AccountId32, Id u16] : FixedU128;

        // commits
        WEIGHT_COMMITS "WeightCommits" [Twox u16, Twox AccountId32] ? Vec<WeightCommit>;
        @G381 TIMELOCKED_WEIGHT_COMMITS "TimelockedWeightCommits" [Twox u16, Twox u64] : Vec<TimelockedCommit>;
    }
}
