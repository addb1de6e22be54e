//! What the chain would refuse, found out before anything is signed, under the chain's own names.
//!
//! The rules are pure; a [`WeightsStanding`] is what was read.

use super::refusal::ChainRefusal;
use super::types::{Block, Hyperparameters, Uid};
use super::weights::{ChainWeights, WeightRules};

/// A hotkey's standing in a subnet, at one block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeightsStanding {
    /// The block it was read at.
    pub block: Block,
    /// Its place; `None` when it is not registered.
    pub uid: Option<Uid>,
    /// Neurons of the subnet.
    pub neurons: u16,
    /// Mechanisms of the subnet.
    pub mechanisms: u8,
    /// Block of its last weights, commit or registration; 0 when there was none.
    pub last_update: Block,
    /// Whether it may set weights on others.
    pub permit: bool,
    /// Whether it is the subnet owner's hotkey, which newer runtimes exempt from the permit.
    pub is_owner: bool,
    /// The stake that counts.
    pub stake: u64,
    /// The subnet's rules.
    pub rules: Hyperparameters,
}

/// Keys from here on follow the numbering of the SDK (1.2.3 is 1,002,003), which says nothing of rules.
const SDK_NUMBERS: u64 = 1_000_000;

/// The version that weights carry: what is `configured`, else the version of the `rules` by which they were made. A subnet
/// whose key is 0 or follows the SDK's numbering asks for no rules, and gets its own key.
#[must_use]
pub const fn version_key(configured: Option<u64>, rules: u64, required: u64) -> u64 {
    match configured {
        Some(version) => version,
        None if required == 0 || required >= SDK_NUMBERS => required,
        None => rules,
    }
}

/// A refusal foreseen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Preflight {
    /// No such mechanism.
    #[error("MechanismDoesNotExist: the subnet has {mechanisms} mechanisms, not one of number {mechanism}")]
    Mechanism {
        /// Asked for.
        mechanism: u8,
        /// There are.
        mechanisms: u8,
    },
    /// Not a neuron of the subnet.
    #[error("HotKeyNotRegisteredInSubNet: the hotkey is not registered in this subnet: register it")]
    NotRegistered,
    /// Too little stake.
    #[error("NotEnoughStakeToSetWeights: the hotkey's stake is {stake} rao, the chain wants {threshold}")]
    Stake {
        /// It has.
        stake: u64,
        /// It needs.
        threshold: u64,
    },
    /// Too old a version.
    #[error(
        "IncorrectWeightVersionKey: the subnet wants weights of version {required} at least, these carry {ours}: update this \
         software (or, if you know better, set validator.weights_version)"
    )]
    Version {
        /// Carried.
        ours: u64,
        /// Wanted.
        required: u64,
    },
    /// Within the rate limit.
    #[error("{}: wait {blocks} more blocks", .name.name())]
    TooFast {
        /// The chain's name for it.
        name: ChainRefusal,
        /// Blocks to wait.
        blocks: u64,
    },
    /// Not a validator.
    #[error("NeuronNoValidatorPermit: uid {0} has no validator permit: only a single weight on itself is allowed")]
    NoPermit(u16),
    /// A receiver that does not exist.
    #[error("UidVecContainInvalidOne: there is no uid {uid}, the subnet has {neurons} neurons")]
    InvalidUid {
        /// Asked for.
        uid: u16,
        /// There are.
        neurons: u16,
    },
}

impl Preflight {
    /// The chain's name.
    #[must_use]
    pub fn refusal(&self) -> ChainRefusal {
        match self {
            Self::Mechanism { .. } => ChainRefusal::MechanismDoesNotExist,
            Self::NotRegistered => ChainRefusal::HotKeyNotRegisteredInSubNet,
            Self::Stake { .. } => ChainRefusal::NotEnoughStakeToSetWeights,
            Self::Version { .. } => ChainRefusal::IncorrectWeightVersionKey,
            Self::TooFast { name, .. } => name.clone(),
            Self::NoPermit(_) => ChainRefusal::NeuronNoValidatorPermit,
            Self::InvalidUid { .. } => ChainRefusal::UidVecContainInvalidOne,
        }
    }

    /// Blocks to wait, where waiting is all that is needed.
    #[must_use]
    pub const fn blocks_to_wait(&self) -> Option<u64> {
        match self {
            Self::TooFast { blocks, .. } => Some(*blocks),
            _ => None,
        }
    }
}

impl WeightsStanding {
    /// The rules for the vector itself.
    #[must_use]
    pub const fn weight_rules(&self) -> WeightRules {
        // The chain wants no more weights than there are neurons.
        let min_allowed =
            if self.rules.min_allowed_weights > self.neurons { self.neurons } else { self.rules.min_allowed_weights };
        WeightRules { min_allowed, max_limit: self.rules.max_weight_limit, own_uid: self.uid }
    }

    /// Blocks until weights may be set again; they land in the next block at the earliest.
    #[must_use]
    pub const fn blocks_to_wait(&self) -> u64 {
        if self.last_update.0 == 0 {
            return 0;
        }
        let free_at = self.last_update.0.saturating_add(self.rules.weights_rate_limit);
        free_at.saturating_sub(self.block.0 + 1)
    }

    /// Why the chain takes no weights of this hotkey on others, whatever they are and whenever they come.
    #[must_use]
    pub fn stopped(&self, mechanism: u8) -> Option<Preflight> {
        let patient = Self { last_update: Block(0), ..self.clone() };
        let none = ChainWeights { uids: Vec::new(), values: Vec::new() };
        patient.check(mechanism, &none, u64::MAX).err()
    }

    /// Whether the chain would take these weights now; in the order in which the chain checks.
    ///
    /// # Errors
    /// The first [`Preflight`] refusal.
    pub fn check(&self, mechanism: u8, weights: &ChainWeights, version_key: u64) -> Result<(), Preflight> {
        if mechanism >= self.mechanisms {
            return Err(Preflight::Mechanism { mechanism, mechanisms: self.mechanisms });
        }
        let uid = self.uid.ok_or(Preflight::NotRegistered)?;
        let (stake, threshold) = (self.stake, self.rules.stake_threshold);
        if stake < threshold {
            return Err(Preflight::Stake { stake, threshold });
        }
        let required = self.rules.weights_version;
        if version_key < required {
            return Err(Preflight::Version { ours: version_key, required });
        }
        let blocks = self.blocks_to_wait();
        if blocks > 0 {
            let commits = self.rules.commit_reveal;
            let name =
                if commits { ChainRefusal::CommittingWeightsTooFast } else { ChainRefusal::SettingWeightsTooFast };
            return Err(Preflight::TooFast { name, blocks });
        }
        let only_self = weights.uids == [uid.0];
        if !self.permit && !self.is_owner && !only_self {
            return Err(Preflight::NoPermit(uid.0));
        }
        match weights.uids.iter().find(|uid| **uid >= self.neurons) {
            Some(uid) => Err(Preflight::InvalidUid { uid: *uid, neurons: self.neurons }),
            None => Ok(()),
        }
    }
}
