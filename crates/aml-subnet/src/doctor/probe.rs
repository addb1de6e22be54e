//! Collects facts: opens the key, asks the chain, a clock, the port and the API. Every look has a deadline, and a failure is a fact.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use aml_miner::clock::Clock;
use aml_miner::error_chain::with_causes;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::beacon;
use super::judge::{ApiFacts, Facts, HeadFacts, Others, PortFacts, Role, RulesFacts, Times, WalletFacts};
use crate::calendar::{date_of, day_at};
use crate::chain::collateral::Collateral;
use crate::chain::outlook::Outlook;
use crate::chain::types::{Metagraph, Neuron};
use crate::config::Settings;
use crate::miner::verdicts::{self, Verdicts};
use crate::subtensor::{Subtensor, Timing};
use crate::validator::sot::{Sot, SotSettings};
use crate::wallet::{Hotkey, WalletArgs};

/// How long one look may take.
const LOOK: Duration = Duration::from_secs(5);
/// How long the chain may take: several endpoints may have to be tried.
const CHAIN: Duration = Duration::from_secs(30);
/// More of an answer than this is not read.
const MAX_ANSWER: usize = 64 * 1024;

/// What to look at.
pub struct Patient<'a> {
    /// The settings.
    pub settings: &'a Settings,
    /// Which hotkey.
    pub wallet: WalletArgs,
    /// What for.
    pub role: Role,
    /// Our clock.
    pub clock: Arc<dyn Clock>,
}

/// Answers of a round wait in temporary files.
const LEAST_TEMPORARY: u64 = 512 << 20;

/// Collects all facts.
pub async fn probe(patient: &Patient<'_>) -> Facts {
    let Patient { settings, role, clock, .. } = patient;
    let http = client();
    let wallet = open(patient.wallet.clone()).await;
    let (head, chain) = head(settings, clock).await;
    let subnet = match &chain {
        Some(chain) => subnet(chain, settings.netuid).await,
        None => Err("no chain endpoint answers".to_owned()),
    };
    let others = subnet.as_ref().ok().map(|subnet| others(&subnet.neurons));
    let neuron = match (subnet, &wallet) {
        (Ok(subnet), Ok(wallet)) => Ok(subnet.by_hotkey(&wallet.hotkey).cloned()),
        (Err(reason), _) => Err(reason),
        (_, Err(_)) => Err("the hotkey does not open".to_owned()),
    };
    let date = date(http.as_ref(), settings, &**clock).await;
    let rules = match (&chain, &wallet) {
        (Some(chain), Ok(wallet)) if *role == Role::Validator => rules(chain, settings, &wallet.hotkey, &**clock).await,
        _ => None,
    };
    let is_miner = *role == Role::Miner;
    let outlook = match (&chain, &wallet) {
        (Some(chain), Ok(wallet)) if is_miner => outlook(chain, settings.netuid, &wallet.hotkey).await,
        _ => None,
    };
    let collateral = match (&chain, &wallet) {
        (Some(chain), Ok(wallet)) if is_miner => collateral(chain, settings.netuid, &wallet.hotkey).await,
        _ => None,
    };
    let rounds = match &wallet {
        Ok(wallet) if is_miner => rounds(&settings.miner.validators, &wallet.hotkey).await,
        _ => Vec::new(),
    };
    let beacon = match &chain {
        Some(chain) => beacon::look(settings, *role, chain, clock.now()).await,
        None => None,
    };
    Facts {
        role: *role,
        netuid: settings.netuid,
        max_skew: settings.protocol.max_skew,
        wallet,
        head,
        date,
        neuron,
        others,
        port: if is_miner { Some(port(settings).await) } else { None },
        api: if is_miner { Some(api(http.as_ref(), &settings.miner.api_url).await) } else { None },
        rules,
        disk: if is_miner { None } else { disk(settings).await },
        beacon,
        outlook,
        collateral,
        rounds,
    }
}

/// What is wrong with this machine's disks; `None` where there is no cache yet, so that nothing is made here.
async fn disk(settings: &Settings) -> Option<Vec<String>> {
    let own = &settings.validator;
    if !own.data_dir.join("batches").is_dir() {
        return None;
    }
    let sot = Sot::open(SotSettings::new(own.sot.clone(), own.data_dir.clone())).ok()?;
    let mut problems = sot.look_over().await;
    let temporary = std::env::temp_dir();
    let room = rustix::fs::statvfs(&temporary).ok().map(|of| of.f_bavail.saturating_mul(of.f_frsize));
    if room.is_some_and(|free| free < LEAST_TEMPORARY) {
        problems.push(format!("less than {} MB are free in {}", LEAST_TEMPORARY >> 20, temporary.display()));
    }
    Some(problems)
}

fn client() -> Option<reqwest::Client> {
    reqwest::Client::builder().timeout(LOOK).redirect(reqwest::redirect::Policy::none()).build().ok()
}

async fn open(args: WalletArgs) -> Result<WalletFacts, String> {
    let environment = |name: &str| -> Option<OsString> { std::env::var_os(name) };
    let opened = tokio::task::spawn_blocking(move || args.locate(environment)?.open(environment)).await;
    let opened = opened.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
    Ok(WalletFacts { hotkey: opened.signer.hotkey(), permissions: opened.warning })
}

async fn head(settings: &Settings, clock: &Arc<dyn Clock>) -> (Result<HeadFacts, String>, Option<Subtensor>) {
    let endpoints = match settings.subtensor.endpoints() {
        Ok(endpoints) => endpoints,
        Err(error) => return (Err(error.to_string()), None),
    };
    let timing = Timing { connect: LOOK, request: LOOK, ..Timing::default() };
    let chain = Subtensor::new(endpoints, timing, Arc::clone(clock));
    let head = match timeout(CHAIN, chain.head()).await {
        Ok(Ok(head)) => head,
        Ok(Err(error)) => return (Err(with_causes(&error)), None),
        Err(_) => return (Err(format!("no answer within {} s", CHAIN.as_secs())), None),
    };
    let theirs = timeout(LOOK, chain.time()).await.ok().and_then(Result::ok).flatten();
    let times = theirs.map(|theirs| Times { theirs, ours: clock.now() });
    (Ok(HeadFacts { block: head.block.0, endpoint: head.endpoint, times }), Some(chain))
}

async fn subnet(chain: &Subtensor, netuid: u16) -> Result<Metagraph, String> {
    match timeout(CHAIN, chain.metagraph(netuid)).await {
        Ok(Ok(metagraph)) => Ok(metagraph),
        Ok(Err(error)) => Err(with_causes(&error)),
        Err(_) => Err(format!("no answer within {} s", CHAIN.as_secs())),
    }
}

/// Who is asked, and who asks.
fn others(neurons: &[Neuron]) -> Others {
    let count = |is: fn(&Neuron) -> bool| neurons.iter().filter(|neuron| is(neuron)).fold(0, |sum, _| sum + 1);
    Others { serving: count(|neuron| neuron.axon.is_some()), permitted: count(|neuron| neuron.validator_permit) }
}

/// The rules of today by the settings, beside the subnet's weights version; nothing where the settings name none.
async fn rules(chain: &Subtensor, settings: &Settings, hotkey: &Hotkey, clock: &dyn Clock) -> Option<RulesFacts> {
    let ours = settings.validator.rules.as_ref()?.on(date_of(day_at(clock.now())));
    let standing = chain.standing(*hotkey, settings.netuid, settings.validator.mechanism);
    let standing = timeout(CHAIN, standing).await.ok()?.ok()?;
    Some(RulesFacts { ours, key: standing.rules.weights_version })
}

async fn outlook(chain: &Subtensor, netuid: u16, hotkey: &Hotkey) -> Option<Outlook> {
    timeout(CHAIN, chain.outlook(*hotkey, netuid)).await.ok()?.ok().flatten()
}

async fn collateral(chain: &Subtensor, netuid: u16, hotkey: &Hotkey) -> Option<Collateral> {
    timeout(CHAIN, chain.collateral(*hotkey, netuid)).await.ok()?.ok().flatten()
}

async fn rounds(validators: &[String], hotkey: &Hotkey) -> Vec<(String, Result<Verdicts, String>)> {
    let mut all = Vec::with_capacity(validators.len());
    for url in validators {
        all.push((url.clone(), verdicts::ask(url, hotkey).await.map_err(|error| error.to_string())));
    }
    all
}

/// The `Date` of the first endpoint's web server, which is kept by NTP; local nodes share our clock and tell nothing.
async fn date(http: Option<&reqwest::Client>, settings: &Settings, clock: &dyn Clock) -> Option<Times> {
    let endpoints = settings.subtensor.endpoints().ok()?;
    let url = endpoints.list().first()?.expose().replacen("ws", "http", 1);
    let response = http?.get(url).send().await.ok()?;
    let ours = clock.now();
    let text = response.headers().get(http::header::DATE)?.to_str().ok()?;
    let theirs = chrono::DateTime::parse_from_rfc2822(text).ok()?;
    let seconds = u64::try_from(theirs.timestamp()).ok()?;
    // Whole seconds, cut: half a second is the best guess of the rest.
    Some(Times { theirs: Duration::from_secs(seconds) + Duration::from_millis(500), ours })
}

/// The place that validators will use: the announced address, or ourselves where none is set.
async fn port(settings: &Settings) -> PortFacts {
    let axon = &settings.axon;
    let local = match axon.ip {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    let place = match axon.external_ip {
        Some(ip) => SocketAddr::new(ip, axon.external_port.unwrap_or(axon.port)),
        None => SocketAddr::new(local, axon.port),
    };
    let reached = match timeout(LOOK, TcpStream::connect(place)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} s", LOOK.as_secs())),
    };
    PortFacts { place, reached }
}

async fn api(http: Option<&reqwest::Client>, url: &str) -> ApiFacts {
    let base = url.trim_end_matches('/');
    let Some(http) = http else {
        return ApiFacts { url: url.to_owned(), ready: Err("no HTTP client".to_owned()), version: None };
    };
    let ready = match http.get(format!("{base}/ready")).send().await {
        Ok(response) if response.status().is_success() => Ok(()),
        Ok(response) => Err(format!("it answers {} to /ready", response.status().as_u16())),
        Err(error) => Err(with_causes(&error)),
    };
    let version = if ready.is_ok() { version(http, base).await } else { None };
    ApiFacts { url: url.to_owned(), ready, version }
}

async fn version(http: &reqwest::Client, base: &str) -> Option<String> {
    let mut response = http.get(format!("{base}/version")).send().await.ok()?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.ok()? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_ANSWER {
            return None;
        }
    }
    let answer: serde_json::Value = serde_json::from_slice(&body).ok()?;
    Some(answer.get("api_version")?.as_str()?.chars().take(40).collect())
}
