//! The beacon: where its signatures are read. What comes is checked against the pinned key here, so that no source is
//! believed.

use std::sync::Arc;
use std::time::Duration;

use aml_miner::secret_url::{SecretUrl, shown};
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use serde::Deserialize;

use crate::beacon::{Beacon, BeaconRound, OpeningRule, Pulse};
use crate::chain::pulses::ChainPulses;
use crate::config::SealingSettings;

/// How long a relay may take.
const RELAY: Duration = Duration::from_secs(10);
/// How long the chain may take.
const CHAIN: Duration = Duration::from_secs(30);
/// A pulse has some 300 bytes.
const MAX_ANSWER: usize = 16 * 1024;

/// Reads the beacon's signatures.
pub trait BeaconSource: Send + Sync {
    /// Which beacon rounds are sealed to, and when they open; `None` where there is none.
    fn beacon(&self) -> Option<(Beacon, OpeningRule)>;

    /// The signature of a round, checked; `Err` says in words why there is none yet.
    fn pulse(&self, round: BeaconRound) -> BoxFuture<'_, Result<Pulse, String>>;
}

/// No beacon: answers cannot be sealed.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoBeacon;

impl BeaconSource for NoBeacon {
    fn beacon(&self) -> Option<(Beacon, OpeningRule)> {
        None
    }

    fn pulse(&self, round: BeaconRound) -> BoxFuture<'_, Result<Pulse, String>> {
        Box::pin(async move { Err(format!("nobody is asked for round {round}")) })
    }
}

/// The chain first, then relays in their order.
pub struct BeaconReader {
    beacon: Beacon,
    rule: OpeningRule,
    chain: Arc<dyn ChainPulses>,
    relays: Vec<SecretUrl>,
    client: Option<reqwest::Client>,
}

/// A relay's answer, as far as it is read.
#[derive(Deserialize)]
struct Relayed {
    round: u64,
    signature: String,
}

impl BeaconReader {
    /// A reader of the beacon that the settings name.
    #[must_use]
    pub fn new(settings: &SealingSettings, chain: Arc<dyn ChainPulses>) -> Self {
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(RELAY).build();
        let (beacon, rule, relays) = (settings.beacon, settings.rule(), settings.relays.clone());
        Self { beacon, rule, chain, relays, client: client.ok() }
    }

    async fn read(&self, round: BeaconRound) -> Result<Pulse, String> {
        let mut why = match tokio::time::timeout(CHAIN, self.chain.signature(round.round)).await {
            Err(_) => "the chain does not answer".to_owned(),
            Ok(Err(error)) => error.to_string(),
            Ok(Ok(None)) => format!("the chain does not have round {round}"),
            Ok(Ok(Some(signature))) => match Pulse::checked(round, &signature) {
                Ok(pulse) => return Ok(pulse),
                Err(bad) => refused("the chain", &bad.to_string()),
            },
        };
        for relay in &self.relays {
            match self.relayed(relay, round).await {
                Ok(pulse) => return Ok(pulse),
                Err(more) => why = format!("{why}; {}: {more}", shown(relay.expose())),
            }
        }
        Err(why)
    }

    async fn relayed(&self, relay: &SecretUrl, round: BeaconRound) -> Result<Pulse, String> {
        let Some(client) = &self.client else { return Err("there is no HTTP client".to_owned()) };
        let base = relay.expose().trim_end_matches('/');
        let url = format!("{base}/{}/public/{}", hex::encode(round.beacon.chain()), round.round);
        // reqwest's errors name the URL, which may hold a password.
        let failed = |error: reqwest::Error| error.without_url().to_string();
        let answer = client.get(url).send().await.map_err(failed)?;
        if !answer.status().is_success() {
            return Err(format!("status {}", answer.status().as_u16()));
        }
        let mut chunks = answer.bytes_stream();
        let mut bytes = Vec::new();
        while let Some(chunk) = chunks.next().await {
            bytes.extend_from_slice(&chunk.map_err(failed)?);
            if bytes.len() > MAX_ANSWER {
                return Err("its answer is too long".to_owned());
            }
        }
        let said: Relayed = serde_json::from_slice(&bytes).map_err(|_| "its answer is no pulse".to_owned())?;
        if said.round != round.round {
            return Err(format!("it answered with round {}", said.round));
        }
        let signature = hex::decode(&said.signature).map_err(|_| "its signature is no hex".to_owned())?;
        Pulse::checked(round, &signature).map_err(|bad| refused("a relay", &bad.to_string()))
    }
}

fn refused(whose: &'static str, why: &str) -> String {
    tracing::warn!(from = whose, why, "a pulse of the beacon is not believed");
    metrics::counter!("aml_validator_bad_pulses_total").increment(1);
    format!("{whose}: {why}")
}

impl BeaconSource for BeaconReader {
    fn beacon(&self) -> Option<(Beacon, OpeningRule)> {
        Some((self.beacon, self.rule))
    }

    fn pulse(&self, round: BeaconRound) -> BoxFuture<'_, Result<Pulse, String>> {
        Box::pin(self.read(round))
    }
}
