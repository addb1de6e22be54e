//! What we give to a runtime when it is tried: calls, keys and arguments with values at the edges of what we ever send.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use scale_encode::EncodeAsType as _;
use scale_info::PortableRegistry;
use scale_value::{Composite, Value};

use super::super::calls::{self, Args, Names};
use super::super::extrinsic::Call;
use super::need::{Edge, Key};
use crate::chain::announce::Announcement;
use crate::chain::commit::PendingReveal;
use crate::chain::weights::ChainWeights;

/// Weights, with everything that belongs to them.
fn content(edge: Edge) -> PendingReveal {
    let most = edge == Edge::Greatest;
    let short = if most { u16::MAX } else { 0 };
    PendingReveal {
        netuid: short,
        mechanism: if most { u8::MAX } else { 0 },
        weights: ChainWeights { uids: vec![0, short], values: vec![u16::MAX, short] },
        salt: vec![short; 8],
        version_key: if most { u64::MAX } else { 0 },
    }
}

/// A call about weights, in its form for mechanism 0 or in the general one.
pub(super) fn about_weights(names: Names, of_main: bool, edge: Edge) -> Call {
    let content = content(edge);
    let args: Args = match names.main {
        main if main == calls::SET.main => calls::weights(&content),
        main if main == calls::COMMIT.main => calls::commit([7; 32]),
        main if main == calls::REVEAL.main => calls::reveal(&content),
        _ if edge == Edge::Greatest => calls::timelocked(&[7; 2000], u64::MAX, u16::MAX),
        _ => calls::timelocked(&[7], 0, 0),
    };
    names.call(of_main, &content, args)
}

/// The announcement of an axon.
pub(super) fn announcement(edge: Edge) -> Call {
    let most = edge == Edge::Greatest;
    let ip = if most { IpAddr::V6(Ipv6Addr::from(u128::MAX)) } else { IpAddr::V4(Ipv4Addr::UNSPECIFIED) };
    let (short, version) = if most { (u16::MAX, u32::MAX) } else { (0, 0) };
    calls::serve_axon(&Announcement { netuid: short, ip, port: short, version })
}

/// The names of a call's arguments.
pub(super) fn names(call: &Call) -> Vec<String> {
    match call.call_data() {
        Composite::Named(fields) => fields.iter().map(|(name, _)| name.clone()).collect(),
        Composite::Unnamed(_) => Vec::new(),
    }
}

/// A key as a type of the runtime.
pub(super) fn encoded(key: Key, edge: Edge, ty: u32, types: &PortableRegistry) -> Result<Vec<u8>, scale_encode::Error> {
    let value = match key {
        Key::Account => Value::from_bytes([7; 32]),
        Key::Number(most) => Value::u128(if edge == Edge::Greatest { most.into() } else { 0 }),
    };
    value.encode_as_type(ty, types)
}
