//! `[subtensor]`: which chain, over which endpoints, and how long it may be silent.

use std::time::Duration;

use aml_miner::secret_url::SecretUrl;
use serde::{Deserialize, Serialize};

use crate::chain::endpoints::{EndpointError, Endpoints};

/// `[subtensor]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SubtensorSettings {
    /// `finney`, `test`, `local`, or a WebSocket URL.
    pub network: String,
    /// WebSocket URLs in order of preference; they win over `network`.
    pub chain_endpoint: Vec<SecretUrl>,
    /// A neuron ends with an error when no block was finalised for so long.
    #[serde(with = "humantime_serde")]
    pub stalled_after: Duration,
}

impl Default for SubtensorSettings {
    fn default() -> Self {
        Self { network: "finney".to_owned(), chain_endpoint: Vec::new(), stalled_after: Duration::from_secs(15 * 60) }
    }
}

impl SubtensorSettings {
    /// The endpoints that these settings name.
    ///
    /// # Errors
    /// When a name or a URL is none, or there are too many.
    pub fn endpoints(&self) -> Result<Endpoints, EndpointError> {
        let given: Vec<&str> = self.chain_endpoint.iter().map(SecretUrl::expose).collect();
        Endpoints::resolve(&self.network, Some(&given.join(",")))
    }
}
