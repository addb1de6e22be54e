//! What a neuron works with, in one line: chain, endpoints, subnet, ledger, folders. No secrets.

use aml_miner::secret_url::shown;

use super::Settings;

impl Settings {
    /// Chain, hosts of the endpoints and subnet.
    #[must_use]
    pub fn chain_summary(&self) -> String {
        let hosts = match self.subtensor.endpoints() {
            Ok(endpoints) => endpoints.list().iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
            Err(error) => error.to_string(),
        };
        let chain =
            if self.subtensor.chain_endpoint.is_empty() { self.subtensor.network.as_str() } else { "by endpoint" };
        format!("chain {chain} ({hosts}), netuid {}", self.netuid)
    }

    /// Source of batches, ledger and data folder of the validator.
    #[must_use]
    pub fn validator_summary(&self) -> String {
        let own = &self.validator;
        let (batches, ledger) = (place(&own.sot), place(&own.ledger_url()));
        format!("batches {batches}, ledger {ledger}, data folder {}", own.data_dir.display())
    }
}

/// A folder or a file as it is; of anything else scheme and host.
fn place(source: &str) -> String {
    let local = !source.contains("://") || source.starts_with("sqlite:");
    if local { source.to_owned() } else { shown(source) }
}

#[cfg(test)]
mod tests {
    use aml_miner::secret_url::SecretUrl;

    use super::*;

    #[test]
    fn no_secret_is_told() {
        let mut settings = Settings::default();
        settings.validator.database_url = Some(SecretUrl::new("postgres://aml:hunter2@db:5432/aml?sslpassword=x"));
        settings.validator.sot = "https://me:hunter3@sot.example/batches?key=hunter4".to_owned();
        settings.subtensor.chain_endpoint =
            vec![SecretUrl::new("wss://u:hunter5@node.example:443/hunter7?token=hunter6")];
        let told = format!("{} {}", settings.chain_summary(), settings.validator_summary());
        assert!(!told.contains("hunter") && !told.contains("sslpassword"), "{told}");
        for part in ["node.example", "netuid 1", "postgres://db:5432", "https://sot.example", "validator-data"] {
            assert!(told.contains(part), "{part} in {told}");
        }
    }
}
