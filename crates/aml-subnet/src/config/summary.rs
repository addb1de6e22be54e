//! What a neuron works with, in one line: chain, endpoints, subnet, ledger, folders. No secrets.

use super::Settings;
use crate::chain::endpoints::Endpoints;

impl Settings {
    /// Chain, hosts of the endpoints and subnet.
    #[must_use]
    pub fn chain_summary(&self) -> String {
        let given = self.subtensor.chain_endpoint.join(",");
        let hosts = match Endpoints::resolve(&self.subtensor.network, Some(&given)) {
            // Without its path: providers put their keys there.
            Ok(endpoints) => {
                endpoints.list().iter().map(|one| place_of(&one.to_string()).0).collect::<Vec<_>>().join(", ")
            }
            Err(error) => error.to_string(),
        };
        let chain = if given.is_empty() { self.subtensor.network.as_str() } else { "by endpoint" };
        format!("chain {chain} ({hosts}), netuid {}", self.netuid)
    }

    /// Source of batches, ledger and data folder of the validator.
    #[must_use]
    pub fn validator_summary(&self) -> String {
        let own = &self.validator;
        let url = own.ledger_url();
        let ledger = if url.starts_with("sqlite:") { url } else { host_and_path(&url) };
        format!("batches {}, ledger {ledger}, data folder {}", without_secrets(&own.sot), own.data_dir.display())
    }
}

/// Scheme, host and port of a URL, and its path: who is asked, without user, password and query.
fn place_of(url: &str) -> (String, String) {
    let Ok(uri) = url.parse::<http::Uri>() else { return ("an address that cannot be read".to_owned(), String::new()) };
    let port = uri.port_u16().map_or_else(String::new, |port| format!(":{port}"));
    let path = if uri.path() == "/" { "" } else { uri.path() };
    let host = format!("{}://{}{port}", uri.scheme_str().unwrap_or_default(), uri.host().unwrap_or_default());
    (host, path.to_owned())
}

fn host_and_path(url: &str) -> String {
    let (host, path) = place_of(url);
    host + &path
}

fn without_secrets(source: &str) -> String {
    if source.contains("://") { host_and_path(source) } else { source.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_told() {
        let mut settings = Settings::default();
        settings.validator.database_url = Some("postgres://aml:hunter2@db:5432/aml?sslpassword=x".to_owned());
        settings.validator.sot = "https://me:hunter3@sot.example/batches?key=hunter4".to_owned();
        settings.subtensor.chain_endpoint = vec!["wss://u:hunter5@node.example:443/hunter7?token=hunter6".to_owned()];
        let told = format!("{} {}", settings.chain_summary(), settings.validator_summary());
        assert!(!told.contains("hunter") && !told.contains("sslpassword"), "{told}");
        for part in
            ["node.example", "netuid 1", "postgres://db:5432/aml", "https://sot.example/batches", "validator-data"]
        {
            assert!(told.contains(part), "{part} in {told}");
        }
    }
}
