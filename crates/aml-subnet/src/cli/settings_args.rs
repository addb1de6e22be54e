//! The flags and variables that people know from the public SDKs, on top of the configuration file.

use std::path::PathBuf;

use aml_miner::secret_url::hide;
use clap::Args;

use crate::config::{ConfigError, Override, Settings, load};
use crate::wallet::WalletArgs;

/// Flags of everything that runs as a neuron.
#[derive(Clone, Debug, Default, Args)]
pub struct SettingsArgs {
    /// Configuration file (TOML)
    #[arg(id = "config", long = "config", env = "AML_SUBNET_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    wallet: WalletArgs,
    /// Subnet
    #[arg(id = "netuid", long = "netuid", env = "NETUID", value_name = "N")]
    netuid: Option<String>,
    /// finney, test, local, or a WebSocket URL; wins over endpoints of the environment and the file
    /// [env: BT_NETWORK or BT_SUBTENSOR_NETWORK]
    #[arg(
        id = "subtensor.network",
        long = "subtensor.network",
        visible_alias = "network",
        short = 'n',
        hide_env_values = true,
        value_name = "NAME"
    )]
    network: Option<String>,
    /// WebSocket URLs in order of preference, separated by commas; they win over the network
    /// [env: BT_SUBTENSOR_CHAIN_ENDPOINT]
    #[arg(id = "subtensor.chain_endpoint", long = "subtensor.chain_endpoint", value_name = "URLS")]
    chain_endpoint: Option<String>,
    /// The beacon that answers are sealed to: quicknet, or development on a development chain
    #[arg(id = "sealing.beacon", long = "sealing.beacon", env = "AML_BEACON", value_name = "NAME")]
    beacon: Option<String>,
    /// Log filter, as in `info` or `aml_subnet=debug,info`
    #[arg(id = "log_level", long = "log-level", env = "LOG_LEVEL", value_name = "FILTER")]
    log_level: Option<String>,
}

/// Flags of the miner's own.
#[derive(Clone, Debug, Default, Args)]
pub struct AxonArgs {
    /// Address to listen on
    #[arg(id = "axon.ip", long = "axon.ip", env = "BT_AXON_IP", value_name = "IP")]
    ip: Option<String>,
    /// Port to listen on
    #[arg(id = "axon.port", long = "axon.port", env = "BT_AXON_PORT", value_name = "PORT")]
    port: Option<String>,
    /// Address to announce on chain
    #[arg(id = "axon.external_ip", long = "axon.external_ip", env = "BT_AXON_EXTERNAL_IP", value_name = "IP")]
    external_ip: Option<String>,
    /// Port to announce on chain
    #[arg(id = "axon.external_port", long = "axon.external_port", env = "BT_AXON_EXTERNAL_PORT", value_name = "PORT")]
    external_port: Option<String>,
    /// URL of the inference API
    #[arg(
        id = "miner.api_url",
        long = "miner.api_url",
        env = "MINER_API_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    api_url: Option<String>,
    /// Public key of the inference API's receipts, in hex: the hotkey vouches for it, so that validators take it in the place
    /// of the one they know
    #[arg(id = "miner.receipt_key", long = "miner.receipt_key", env = "MINER_RECEIPT_KEY", value_name = "KEY")]
    receipt_key: Option<String>,
    /// Where health, readiness and metrics of the miner are served
    #[arg(
        id = "miner.status_listen",
        long = "miner.status_listen",
        env = "MINER_STATUS_LISTEN",
        value_name = "IP:PORT"
    )]
    status_listen: Option<String>,
    /// Folder for sealed answers in plain, and for the openings that were promised
    #[arg(id = "miner.data_dir", long = "miner.data_dir", env = "MINER_DATA_DIR", value_name = "DIR")]
    data_dir: Option<String>,
}

/// Flags of the validator's own.
#[derive(Clone, Debug, Default, Args)]
pub struct ValidatorArgs {
    /// Where batches come from: a directory, an http(s) URL, or s3://bucket/prefix
    #[arg(
        id = "validator.sot",
        long = "validator.sot",
        env = "VALIDATOR_SOT",
        hide_env_values = true,
        value_name = "SOURCE"
    )]
    sot: Option<String>,
    /// Folder for downloaded batches, published files, and the ledger when it is SQLite
    #[arg(id = "validator.data_dir", long = "validator.data_dir", env = "VALIDATOR_DATA_DIR", value_name = "DIR")]
    data_dir: Option<String>,
    /// Folder that a standby on another machine sees as well: the secret of salts, pools of traps, published files
    #[arg(
        id = "validator.shared_dir",
        long = "validator.shared_dir",
        env = "VALIDATOR_SHARED_DIR",
        value_name = "DIR"
    )]
    shared_dir: Option<String>,
    /// The ledger: sqlite://FILE or postgres://USER@HOST/NAME [default: ledger.sqlite in the data folder]
    #[arg(
        id = "validator.database_url",
        long = "validator.database_url",
        visible_alias = "database-url",
        env = "DATABASE_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    database_url: Option<String>,
    /// Where the read API and the pages are served
    #[arg(id = "validator.listen", long = "validator.listen", env = "VALIDATOR_LISTEN", value_name = "IP:PORT")]
    listen: Option<String>,
    /// How often a new batch is looked for, as in 10m
    #[arg(id = "validator.interval", long = "validator.interval", env = "VALIDATOR_INTERVAL", value_name = "TIME")]
    interval: Option<String>,
    /// How long the miners of a round have, all together, as in 15m
    #[arg(id = "validator.deadline", long = "validator.deadline", env = "VALIDATOR_DEADLINE", value_name = "TIME")]
    deadline: Option<String>,
    /// Whether answers are sealed until their round opens, under rules v2: sealed or open
    #[arg(id = "validator.answers", long = "validator.answers", env = "VALIDATOR_ANSWERS", value_name = "HOW")]
    answers: Option<String>,
    /// Whether miners at private addresses are called (true or false): for development chains only
    #[arg(
        id = "validator.allow_private_ips",
        long = "validator.allow_private_ips",
        env = "VALIDATOR_ALLOW_PRIVATE_IPS",
        value_name = "BOOL",
        num_args = 0..=1,
        default_missing_value = "true"
    )]
    allow_private_ips: Option<String>,
}

impl ValidatorArgs {
    /// What they override.
    #[must_use]
    pub fn overrides(&self) -> Vec<Override> {
        collect(&[
            ("validator.sot", "--validator.sot", &self.sot),
            ("validator.data_dir", "--validator.data_dir", &self.data_dir),
            ("validator.shared_dir", "--validator.shared_dir", &self.shared_dir),
            ("validator.database_url", "DATABASE_URL", &self.database_url),
            ("validator.listen", "--validator.listen", &self.listen),
            ("validator.interval", "--validator.interval", &self.interval),
            ("validator.deadline", "--validator.deadline", &self.deadline),
            ("validator.answers", "--validator.answers", &self.answers),
            ("validator.allow_private_ips", "--validator.allow_private_ips", &self.allow_private_ips),
        ])
    }
}

impl AxonArgs {
    /// What they override.
    #[must_use]
    pub fn overrides(&self) -> Vec<Override> {
        collect(&[
            ("axon.ip", "--axon.ip", &self.ip),
            ("axon.port", "--axon.port", &self.port),
            ("axon.external_ip", "--axon.external_ip", &self.external_ip),
            ("axon.external_port", "--axon.external_port", &self.external_port),
            ("miner.api_url", "--miner.api_url", &self.api_url),
            ("miner.receipt_key", "--miner.receipt_key", &self.receipt_key),
            ("miner.status_listen", "--miner.status_listen", &self.status_listen),
            ("miner.data_dir", "--miner.data_dir", &self.data_dir),
        ])
    }
}

impl SettingsArgs {
    /// Whether a flag or the environment names a subnet.
    #[must_use]
    pub fn names_subnet(&self) -> bool {
        self.netuid.is_some()
    }

    /// The settings, with `more` flags on top.
    ///
    /// # Errors
    /// All problems at once.
    pub fn load(&self, more: &[Override]) -> Result<Settings, ConfigError> {
        self.load_in(more, |name| std::env::var(name).ok())
    }

    fn load_in(
        &self,
        more: &[Override],
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Settings, ConfigError> {
        let endpoint = environment("BT_SUBTENSOR_CHAIN_ENDPOINT").filter(|text| !text.is_empty());
        // What a flag says is not contradicted by variables that contradict each other.
        let network = if self.network.is_some() { None } else { network_of(environment)? };
        let mut overrides = collect(&[
            ("subtensor.network", "BT_SUBTENSOR_NETWORK", &network),
            ("subtensor.chain_endpoint", "BT_SUBTENSOR_CHAIN_ENDPOINT", &endpoint),
            ("netuid", "--netuid", &self.netuid),
            ("subtensor.network", "--subtensor.network", &self.network),
            ("subtensor.chain_endpoint", "--subtensor.chain_endpoint", &self.chain_endpoint),
            ("sealing.beacon", "--sealing.beacon", &self.beacon),
            ("log_level", "--log-level", &self.log_level),
        ]);
        overrides.extend_from_slice(more);
        load(self.config.as_deref(), &overrides)
    }

    /// Which hotkey: flags and variables before the file.
    #[must_use]
    pub fn wallet(&self, settings: &Settings) -> WalletArgs {
        let (args, file) = (self.wallet.clone(), settings.wallet.clone());
        WalletArgs {
            name: args.name.or(file.name),
            hotkey: args.hotkey.or(file.hotkey),
            path: args.path.or(file.path),
            password_file: args.password_file.or(file.password_file),
        }
    }
}

/// The network that the environment names: by today's variable, or by the one before. One of two that contradict each
/// other may be of the wrong chain.
fn network_of(environment: impl Fn(&str) -> Option<String>) -> Result<Option<String>, ConfigError> {
    let [new, old] = ["BT_NETWORK", "BT_SUBTENSOR_NETWORK"]
        .map(|name| environment(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()));
    match (new, old) {
        (Some(new), Some(old)) if new != old => Err(ConfigError::Problems(vec![format!(
            "BT_NETWORK says `{}`, BT_SUBTENSOR_NETWORK says `{}`: unset one of them",
            hide(&new),
            hide(&old)
        )])),
        (new, old) => Ok(new.or(old)),
    }
}

fn collect(values: &[(&'static str, &'static str, &Option<String>)]) -> Vec<Override> {
    let given = |(key, source, text): &(&'static str, &'static str, &Option<String>)| {
        text.as_ref().map(|text| Override { key, text: text.clone(), source })
    };
    values.iter().filter_map(given).collect()
}
