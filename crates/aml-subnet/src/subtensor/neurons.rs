//! The shapes in which runtimes hand out neurons.
//!
//! Newer runtimes give typed answers, of which only the named fields are taken. Runtimes of early 2025 give bytes
//! within bytes, without their types in the metadata: those layouts are written down here and never change.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use parity_scale_codec::{Compact, Decode, Error as CodecError};
use scale_decode::DecodeAsType;
use subxt::utils::AccountId32;

use crate::chain::types::{Axon, Block};

/// An announced axon, as stored.
#[derive(Clone, Debug, DecodeAsType)]
pub(super) struct AxonInfo {
    pub(super) block: u64,
    pub(super) version: u32,
    pub(super) ip: u128,
    pub(super) port: u16,
    pub(super) ip_type: u8,
    pub(super) protocol: u8,
}

impl AxonInfo {
    /// The axon, unless the entry stands for "not serving".
    pub(super) fn axon(&self) -> Option<Axon> {
        if self.ip == 0 {
            return None;
        }
        Some(Axon {
            block: Block(self.block),
            version: self.version,
            ip: address(self.ip, self.ip_type),
            port: self.port,
            protocol: self.protocol,
        })
    }
}

/// Type 4 is the low 32 bits, everything else all 128.
fn address(ip: u128, ip_type: u8) -> IpAddr {
    match u32::try_from(ip) {
        Ok(low) if ip_type == 4 => IpAddr::V4(Ipv4Addr::from(low)),
        _ => IpAddr::V6(Ipv6Addr::from(ip)),
    }
}

/// An address as the chain stores it: number and type.
pub(super) fn number(ip: IpAddr) -> (u128, u8) {
    match ip {
        IpAddr::V4(ip) => (u32::from(ip).into(), 4),
        IpAddr::V6(ip) => (ip.into(), 6),
    }
}

/// `SubnetInfoRuntimeApi_get_metagraph`, all by uid.
#[derive(Clone, Debug, DecodeAsType)]
pub(super) struct FullMetagraph {
    pub(super) hotkeys: Vec<AccountId32>,
    pub(super) coldkeys: Vec<AccountId32>,
    pub(super) axons: Vec<AxonInfo>,
    pub(super) active: Vec<bool>,
    pub(super) validator_permit: Vec<bool>,
    pub(super) last_update: Vec<u64>,
    pub(super) incentives: Vec<u16>,
    pub(super) dividends: Vec<u16>,
    pub(super) total_stake: Vec<u64>,
}

/// `SubnetInfoRuntimeApi_get_subnet_state`: what is needed of it.
#[derive(Clone, Debug, DecodeAsType)]
pub(super) struct SubnetState {
    pub(super) hotkeys: Vec<AccountId32>,
    pub(super) total_stake: Vec<u64>,
}

/// One of `NeuronInfoRuntimeApi_get_neurons_lite`.
#[derive(Clone, Debug, DecodeAsType)]
pub(super) struct NeuronLite {
    pub(super) hotkey: AccountId32,
    pub(super) coldkey: AccountId32,
    pub(super) uid: u16,
    pub(super) active: bool,
    pub(super) axon_info: AxonInfo,
    pub(super) incentive: u16,
    pub(super) dividends: u16,
    pub(super) last_update: u64,
    pub(super) validator_permit: bool,
}

#[derive(Decode)]
struct OldAxon {
    block: u64,
    version: u32,
    ip: u128,
    port: u16,
    ip_type: u8,
    protocol: u8,
    _placeholders: [u8; 2],
}

impl From<OldAxon> for AxonInfo {
    fn from(OldAxon { block, version, ip, port, ip_type, protocol, _placeholders: _ }: OldAxon) -> Self {
        Self { block, version, ip, port, ip_type, protocol }
    }
}

#[derive(Decode)]
struct OldPrometheus {
    _block: u64,
    _version: u32,
    _ip: u128,
    _port: u16,
    _ip_type: u8,
}

/// The layout of spec 218 and its contemporaries.
#[derive(Decode)]
struct OldNeuronLite {
    hotkey: [u8; 32],
    coldkey: [u8; 32],
    uid: Compact<u16>,
    _netuid: Compact<u16>,
    active: bool,
    axon_info: OldAxon,
    _prometheus: OldPrometheus,
    _stake: Vec<([u8; 32], Compact<u64>)>,
    _rank: Compact<u16>,
    _emission: Compact<u64>,
    incentive: Compact<u16>,
    _consensus: Compact<u16>,
    _trust: Compact<u16>,
    _validator_trust: Compact<u16>,
    dividends: Compact<u16>,
    last_update: Compact<u64>,
    validator_permit: bool,
    _pruning_score: Compact<u16>,
}

/// The layout of spec 218 and its contemporaries, up to the last field that is used.
#[derive(Decode)]
struct OldSubnetState {
    _netuid: Compact<u16>,
    hotkeys: Vec<[u8; 32]>,
    _coldkeys: Vec<[u8; 32]>,
    _active: Vec<bool>,
    _validator_permit: Vec<bool>,
    _pruning_score: Vec<Compact<u16>>,
    _last_update: Vec<Compact<u64>>,
    _emission: Vec<Compact<u64>>,
    _dividends: Vec<Compact<u16>>,
    _incentives: Vec<Compact<u16>>,
    _consensus: Vec<Compact<u16>>,
    _trust: Vec<Compact<u16>>,
    _rank: Vec<Compact<u16>>,
    _block_at_registration: Vec<Compact<u64>>,
    _alpha_stake: Vec<Compact<u64>>,
    _tao_stake: Vec<Compact<u64>>,
    total_stake: Vec<Compact<u64>>,
}

/// Neurons from the bytes of an old runtime.
pub(super) fn old_neurons(input: &mut &[u8]) -> Result<Vec<NeuronLite>, CodecError> {
    let neurons = Vec::<OldNeuronLite>::decode(input)?;
    Ok(neurons.into_iter().map(NeuronLite::from).collect())
}

/// The state of a subnet from the bytes of an old runtime.
pub(super) fn old_state(input: &mut &[u8]) -> Result<Option<SubnetState>, CodecError> {
    let state = Option::<OldSubnetState>::decode(input)?;
    Ok(state.map(|state| SubnetState {
        hotkeys: state.hotkeys.into_iter().map(AccountId32).collect(),
        total_stake: state.total_stake.into_iter().map(|stake| stake.0).collect(),
    }))
}

/// Old runtimes have no metagraph call.
pub(super) fn no_old_metagraph(_: &mut &[u8]) -> Result<Option<FullMetagraph>, CodecError> {
    Err("a metagraph as untyped bytes".into())
}

impl From<OldNeuronLite> for NeuronLite {
    fn from(old: OldNeuronLite) -> Self {
        Self {
            hotkey: AccountId32(old.hotkey),
            coldkey: AccountId32(old.coldkey),
            uid: old.uid.0,
            active: old.active,
            axon_info: old.axon_info.into(),
            incentive: old.incentive.0,
            dividends: old.dividends.0,
            last_update: old.last_update.0,
            validator_permit: old.validator_permit,
        }
    }
}
