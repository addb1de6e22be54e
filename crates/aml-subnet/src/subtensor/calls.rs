//! The calls that are sent, with their arguments by name. Pure: what a call says is told apart from when it is sent, so
//! that a runtime can be asked whether it would take it.

use scale_value::Value;

use super::extrinsic::{Call, call};
use super::neurons::number;
use crate::chain::announce::Announcement;
use crate::chain::commit::PendingReveal;

/// The protocol number that the SDKs send.
pub(super) const PROTOCOL: u8 = 4;

/// A call of mechanism 0, and the same for any mechanism.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names {
    pub(super) main: &'static str,
    pub(super) general: &'static str,
}

/// Weights in the clear.
pub(super) const SET: Names = Names { main: "set_weights", general: "set_mechanism_weights" };
/// The digest of weights.
pub(super) const COMMIT: Names = Names { main: "commit_weights", general: "commit_mechanism_weights" };
/// What belongs to a digest.
pub(super) const REVEAL: Names = Names { main: "reveal_weights", general: "reveal_mechanism_weights" };
/// Encrypted weights.
pub(super) const TIMELOCK: Names =
    Names { main: "commit_timelocked_weights", general: "commit_timelocked_mechanism_weights" };
/// The address of a neuron.
pub(super) const SERVE_AXON: &str = "serve_axon";

/// Arguments after subnet and mechanism.
pub(super) type Args = Vec<(&'static str, Value)>;

impl Names {
    /// The call about a mechanism: under the name that is of mechanism 0 alone, or under the general one, which names it.
    pub(super) fn call(self, of_main: bool, content: &PendingReveal, args: Args) -> Call {
        let mut all = vec![("netuid", Value::u128(content.netuid.into()))];
        if !of_main {
            all.push(("mecid", Value::u128(content.mechanism.into())));
        }
        all.extend(args);
        call(if of_main { self.main } else { self.general }, all)
    }
}

/// Of [`SET`].
pub(super) fn weights(content: &PendingReveal) -> Args {
    vec![
        ("dests", numbers(&content.weights.uids)),
        ("weights", numbers(&content.weights.values)),
        ("version_key", Value::u128(content.version_key.into())),
    ]
}

/// Of [`COMMIT`].
pub(super) fn commit(hash: [u8; 32]) -> Args {
    vec![("commit_hash", Value::from_bytes(hash))]
}

/// Of [`REVEAL`].
pub(super) fn reveal(content: &PendingReveal) -> Args {
    vec![
        ("uids", numbers(&content.weights.uids)),
        ("values", numbers(&content.weights.values)),
        ("salt", numbers(&content.salt)),
        ("version_key", Value::u128(content.version_key.into())),
    ]
}

/// Of [`TIMELOCK`].
pub(super) fn timelocked(bytes: &[u8], round: u64, version: u16) -> Args {
    vec![
        ("commit", Value::from_bytes(bytes)),
        ("reveal_round", Value::u128(round.into())),
        ("commit_reveal_version", Value::u128(version.into())),
    ]
}

/// The call of [`SERVE_AXON`].
pub(super) fn serve_axon(axon: &Announcement) -> Call {
    let (ip, ip_type) = number(axon.ip);
    let number = |value: u128| Value::u128(value);
    call(
        SERVE_AXON,
        vec![
            ("netuid", number(axon.netuid.into())),
            ("version", number(axon.version.into())),
            ("ip", number(ip)),
            ("port", number(axon.port.into())),
            ("ip_type", number(ip_type.into())),
            ("protocol", number(PROTOCOL.into())),
            ("placeholder1", number(0)),
            ("placeholder2", number(0)),
        ],
    )
}

/// Numbers as an argument.
fn numbers(values: &[u16]) -> Value {
    Value::unnamed_composite(values.iter().map(|value| Value::u128((*value).into())))
}
