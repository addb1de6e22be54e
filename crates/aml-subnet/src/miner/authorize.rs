//! Decides which hotkeys may ask this miner. Pure: a snapshot, a policy and a hotkey give the answer.

use std::time::Duration;

use crate::chain::metagraph::Snapshot;
use crate::chain::types::Uid;
use crate::wallet::Hotkey;

/// What a caller must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// A validator permit.
    pub require_permit: bool,
    /// This much stake, in rao.
    pub min_stake: u64,
    /// A metagraph older than this vouches for nobody.
    pub max_age: Duration,
}

/// A welcome caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authorized {
    /// Its key.
    pub hotkey: Hotkey,
    /// Its place in the subnet.
    pub uid: Uid,
    /// Its stake in rao: its priority when we are busy.
    pub stake: u64,
}

/// Why a caller is not welcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unwelcome {
    /// We do not know the subnet (yet, or any more).
    #[error("this miner has no current metagraph; try again later")]
    NotReady,
    /// Not in the subnet.
    #[error("this hotkey is not registered on the subnet")]
    Unregistered,
    /// In the subnet, but no validator.
    #[error("this hotkey has no validator permit")]
    NoPermit,
    /// Too little stake.
    #[error("stake is {has} rao, this miner asks for {needs}")]
    LowStake {
        /// What the chain says.
        has: u64,
        /// What we ask.
        needs: u64,
    },
}

/// Whether `hotkey` may ask, by what the chain said last.
///
/// # Errors
/// [`Unwelcome`], the first reason that applies.
pub fn authorize(
    snapshot: Option<&Snapshot>,
    policy: &Policy,
    hotkey: &Hotkey,
    now: Duration,
) -> Result<Authorized, Unwelcome> {
    let snapshot = snapshot
        .filter(|snapshot| now.saturating_sub(snapshot.read_at) <= policy.max_age)
        .ok_or(Unwelcome::NotReady)?;
    let neuron = snapshot.neuron(hotkey).ok_or(Unwelcome::Unregistered)?;
    if policy.require_permit && !neuron.validator_permit {
        return Err(Unwelcome::NoPermit);
    }
    if neuron.stake < policy.min_stake {
        return Err(Unwelcome::LowStake { has: neuron.stake, needs: policy.min_stake });
    }
    Ok(Authorized { hotkey: *hotkey, uid: neuron.uid, stake: neuron.stake })
}
