//! What every listener and every outgoing request of this crate share: bounded connections, bodies and rates.
//!
//! | side | files |
//! |---|---|
//! | serving | [`listen`] (heads within a time, connections per address, peers that take nothing), `doors`, [`known`], [`rate`], [`share`] |
//! | asking | [`client`] (one exchange over one connection to a checked address), [`fetch`] (one object from a URL that a stranger names), [`address`], [`body`], [`lanes`] |
//! | both | [`spool`]: bodies in memory up to a size, in anonymous files beyond it |

pub mod address;
pub mod body;
pub mod client;
mod doors;
pub mod fetch;
pub mod known;
pub mod lanes;
pub mod listen;
pub mod rate;
pub mod share;
pub mod spool;
