//! What the settings of an installed neuron say, as far as an upgrade has to know. The neuron's own command tells it
//! (`aml-subnet validator --facts`), with the unit's arguments, environment and user.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::systemd::Role;
use crate::config::Settings;
use crate::store::{Address, Glimpse, Ledger, OpenLedgerError};

/// What is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Where `/health` and `/ready` are.
    pub status: String,
    /// A validator's ledger.
    pub ledger: Option<LedgerFacts>,
}

/// A ledger, without its password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerFacts {
    /// The file of a SQLite ledger; `None` for a server's.
    pub file: Option<PathBuf>,
    /// What is in it.
    pub glimpse: Glimpse,
}

impl Facts {
    /// The facts of these settings.
    ///
    /// # Errors
    /// When the ledger is there and cannot be read.
    pub async fn of(settings: &Settings, role: Role) -> Result<Self, OpenLedgerError> {
        if role == Role::Miner {
            // Its readiness includes that of the inference API.
            return Ok(Self { status: base(settings.miner.status_listen), ledger: None });
        }
        let url = settings.validator.ledger_url();
        let glimpse = Ledger::glimpse(&url).await?;
        let file = match url.parse::<Address>()? {
            Address::File(path) => Some(std::path::absolute(&path).unwrap_or(path)),
            Address::Memory | Address::Postgres(_) => None,
        };
        let ledger = Some(LedgerFacts { file, glimpse });
        Ok(Self { status: base(settings.validator.listen), ledger })
    }
}

/// Where this machine reaches what listens there.
fn base(listen: SocketAddr) -> String {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(ip, listen.port()))
}

#[cfg(test)]
mod tests {
    use super::base;

    #[test]
    fn what_listens_everywhere_is_asked_here() {
        assert_eq!(base("0.0.0.0:8100".parse().unwrap()), "http://127.0.0.1:8100");
        assert_eq!(base("[::]:8100".parse().unwrap()), "http://[::1]:8100");
        assert_eq!(base("10.0.0.7:1".parse().unwrap()), "http://10.0.0.7:1");
    }
}
