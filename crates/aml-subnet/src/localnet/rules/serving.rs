//! Neurons say where they can be reached.

use crate::localnet::exec::{Exec, Fault};
use crate::localnet::item::Read;
use crate::localnet::items::subtensor::{
    AXONS, IS_NETWORK_MEMBER, NEURON_CERTIFICATES, PROMETHEUS, SERVING_RATE_LIMIT,
};
use crate::localnet::mirror::pallet_subtensor::pallet::{AxonInfo, Error, Event, NeuronCertificate, PrometheusInfo};
use crate::localnet::mirror::{AccountId32, BoundedVec};
use crate::localnet::rules::commits::Moment;
use crate::localnet::rules::subnets;
use crate::localnet::spec::{Generation, Spec};

/// Longest key in a certificate, after the byte that names its algorithm.
const MAX_CERTIFICATE_KEY: usize = 64;

/// Whether the chain takes the announcement; the transaction pool asks the same.
pub(crate) fn check_axon(
    db: &impl Read,
    Moment { spec, block }: Moment,
    hotkey: AccountId32,
    netuid: u16,
    axon: &AxonInfo,
) -> Result<(), Error> {
    check_member(db, spec, hotkey, netuid)?;
    check_address(axon.ip_type, axon.ip, spec.generation != Generation::G218)?;
    let last = AXONS.find(db, (netuid, hotkey)).map_or(0, |axon| axon.block);
    check_rate(db, netuid, last, block)?;
    if axon.port == 0 { Err(Error::InvalidPort) } else { Ok(()) }
}

fn check_member(db: &impl Read, spec: Spec, hotkey: AccountId32, netuid: u16) -> Result<(), Error> {
    let member = match spec.generation {
        Generation::G218 => subnets::is_member_anywhere(db, hotkey),
        Generation::G381 | Generation::G463 => IS_NETWORK_MEMBER.get(db, (hotkey, netuid)),
    };
    if member { Ok(()) } else { Err(Error::HotKeyNotRegisteredInNetwork) }
}

fn check_address(ip_type: u8, ip: u128, zero_allowed: bool) -> Result<(), Error> {
    let (loopback, last) = match ip_type {
        4 => (0x7f00_0001, u128::from(u32::MAX)),
        6 => (1, u128::MAX),
        _ => return Err(Error::InvalidIpType),
    };
    let refused = ip == loopback || ip >= last || (ip == 0 && !zero_allowed);
    if refused { Err(Error::InvalidIpAddress) } else { Ok(()) }
}

fn check_rate(db: &impl Read, netuid: u16, last: u64, block: u64) -> Result<(), Error> {
    let limit = SERVING_RATE_LIMIT.get(db, (netuid,));
    let passes = limit == 0 || last == 0 || block.saturating_sub(last) >= limit;
    if passes { Ok(()) } else { Err(Error::ServingRateLimitExceeded) }
}

/// `serve_axon` and `serve_axon_tls`.
pub(crate) fn serve_axon(
    exec: &mut Exec<'_>,
    hotkey: AccountId32,
    netuid: u16,
    axon: AxonInfo,
    certificate: Option<&[u8]>,
) -> Result<(), Fault> {
    check_axon(&exec.db, exec.moment(), hotkey, netuid, &axon)?;
    let parts = certificate.and_then(<[u8]>::split_first).filter(|(_, key)| key.len() <= MAX_CERTIFICATE_KEY);
    if let Some((algorithm, key)) = parts {
        let stored = NeuronCertificate { public_key: BoundedVec(key.to_vec()), algorithm: *algorithm };
        NEURON_CERTIFICATES.put(&mut exec.db, (netuid, hotkey), &stored);
    }
    AXONS.put(&mut exec.db, (netuid, hotkey), &AxonInfo { block: exec.block, ..axon });
    exec.emit_subtensor(Event::AxonServed(netuid, hotkey));
    Ok(())
}

/// `serve_prometheus`.
pub(crate) fn serve_prometheus(
    exec: &mut Exec<'_>,
    hotkey: AccountId32,
    netuid: u16,
    info: PrometheusInfo,
) -> Result<(), Fault> {
    check_member(&exec.db, exec.spec, hotkey, netuid)?;
    check_address(info.ip_type, info.ip, false)?;
    let last = PROMETHEUS.find(&exec.db, (netuid, hotkey)).map_or(0, |info| info.block);
    check_rate(&exec.db, netuid, last, exec.block)?;
    if info.port == 0 {
        return Err(Error::InvalidPort.into());
    }
    PROMETHEUS.put(&mut exec.db, (netuid, hotkey), &PrometheusInfo { block: exec.block, ..info });
    exec.emit_subtensor(Event::PrometheusServed(netuid, hotkey));
    Ok(())
}
