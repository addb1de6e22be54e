//! `[axon]`: where a miner listens, and what the chain says of that.

use std::net::{IpAddr, Ipv4Addr};

use serde::{Deserialize, Serialize};

/// `[axon]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AxonSettings {
    /// Address to listen on.
    pub ip: IpAddr,
    /// Port to listen on.
    pub port: u16,
    /// Address that the chain tells validators; without one nothing is announced.
    pub external_ip: Option<IpAddr>,
    /// Port that the chain tells validators, where it differs.
    pub external_port: Option<u16>,
}

impl Default for AxonSettings {
    fn default() -> Self {
        Self { ip: IpAddr::V4(Ipv4Addr::UNSPECIFIED), port: 8091, external_ip: None, external_port: None }
    }
}
