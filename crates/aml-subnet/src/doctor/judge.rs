//! From facts to findings. Pure.

use std::net::SocketAddr;
use std::time::Duration;

use super::beacon::{self, BeaconFacts};
pub use super::costs::Others;
pub use super::facts::{ApiFacts, HeadFacts, PortFacts, Times, WalletFacts};
use super::{Class, Finding, Report, State, costs, finding, ok, prospects};
use crate::chain::{collateral::Collateral, outlook::Outlook, types::Neuron};
use crate::miner::verdicts::Verdicts;
use crate::validation::rules::RulesVersion;

/// HTTP dates have whole seconds, and an answer takes its time; less than this is no skew.
const DATE_SLACK: Duration = Duration::from_millis(1500);
/// A finalised block is up to three blocks old, more on a slow network; older tells of our clock, or of a halted chain.
const OLDEST_HEAD: Duration = Duration::from_secs(120);

/// What a neuron is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Role {
    /// Answers.
    Miner,
    /// Asks.
    Validator,
}

/// Everything that was found out. An `Err` holds the reason in words.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Which neuron this is to be.
    pub role: Role,
    /// The subnet.
    pub netuid: u16,
    /// Most that a nonce may lie ahead: more skew than this and we are refused.
    pub max_skew: Duration,
    /// The opened hotkey.
    pub wallet: Result<WalletFacts, String>,
    /// The chain's last finalised block.
    pub head: Result<HeadFacts, String>,
    /// The time by an HTTP server's `Date`, and ours at that moment.
    pub date: Option<Times>,
    /// Our neuron, if the subnet could be read.
    pub neuron: Result<Option<Neuron>, String>,
    /// Whom it has to do with, if the subnet could be read.
    pub others: Option<Others>,
    /// Where the axon should be reached, and whether it was.
    pub port: Option<PortFacts>,
    /// The inference API.
    pub api: Option<ApiFacts>,
    /// What is wrong with cached batches and temporary files; of a validator.
    pub disk: Option<Vec<String>>,
    /// A validator's rules of today, and what the subnet's weights version says of the others'.
    pub rules: Option<RulesFacts>,
    /// The beacon, where answers are sealed.
    pub beacon: Option<BeaconFacts>,
    /// How near a miner is to losing its place.
    pub outlook: Option<Outlook>,
    /// What it has locked, where the chain knows of such.
    pub collateral: Option<Collateral>,
    /// What validators made of its answers, by their URLs.
    pub rounds: Vec<(String, Result<Verdicts, String>)>,
}

/// Rules here and there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RulesFacts {
    /// In force today by the settings.
    pub ours: RulesVersion,
    /// The subnet's weights version.
    pub key: u64,
}

/// Judges all facts.
#[must_use]
pub fn judge(facts: &Facts) -> Report {
    let one = |class: Class| match class {
        Class::Wallet => Some(wallet(facts)),
        Class::KeyPermissions => permissions(facts),
        Class::EndpointDown => Some(endpoint(facts)),
        Class::ClockSkew => Some(clock(facts)),
        Class::Unregistered => Some(registered(facts)),
        Class::NoPermit => permit(facts),
        Class::PortClosed => port(facts),
        Class::ApiDown => facts.api.as_ref().map(api),
        Class::VersionMismatch => facts.api.as_ref().map(version).or_else(|| facts.rules.and_then(rules)),
        Class::Disk => facts.disk.as_deref().map(disk),
        Class::Place => facts.outlook.as_ref().map(prospects::place),
        Class::Beacon => facts.beacon.as_ref().map(beacon::judge),
        Class::Rounds => None,
    };
    let collateral = facts.collateral.as_ref().map(prospects::collateral);
    let rounds = facts.rounds.iter().map(prospects::rounds);
    let costs = facts.others.map(|others| costs::expected(facts.role, others));
    Report { findings: Class::ALL.into_iter().filter_map(one).chain(collateral).chain(rounds).chain(costs).collect() }
}

fn disk(problems: &[String]) -> Finding {
    if problems.is_empty() {
        return ok(Class::Disk, "cached batches can be read, and there is room for answers");
    }
    let advice = "the source no longer has these bytes, or the disk fails or is full: rounds need both";
    finding(Class::Disk, State::Failed, problems.join("; "), advice)
}

fn wallet(facts: &Facts) -> Finding {
    match &facts.wallet {
        Ok(wallet) => ok(Class::Wallet, format!("hotkey {} opens", wallet.hotkey)),
        Err(reason) => finding(
            Class::Wallet,
            State::Failed,
            format!("the hotkey does not open: {reason}"),
            "check --wallet.name, --wallet.hotkey and --wallet.path; make a hotkey with `btcli wallet new_hotkey`",
        ),
    }
}

fn permissions(facts: &Facts) -> Option<Finding> {
    let wallet = facts.wallet.as_ref().ok()?;
    Some(match &wallet.permissions {
        None => ok(Class::KeyPermissions, "only you can read the hotkey"),
        Some(problem) => finding(
            Class::KeyPermissions,
            State::Failed,
            problem.clone(),
            "whoever has the hotkey can answer and set weights in your name",
        ),
    })
}

fn endpoint(facts: &Facts) -> Finding {
    match &facts.head {
        Ok(head) => ok(Class::EndpointDown, format!("{} answers, block {} is final", head.endpoint, head.block)),
        Err(reason) => finding(
            Class::EndpointDown,
            State::Failed,
            format!("no chain endpoint answers: {reason}"),
            "check --subtensor.network or --subtensor.chain_endpoint, and whether outgoing WebSockets are allowed",
        ),
    }
}

fn clock(facts: &Facts) -> Finding {
    const ADVICE: &str =
        "set the clock by NTP (`timedatectl set-ntp true`): signed requests are refused when clocks differ";
    let wrong = |text: String| finding(Class::ClockSkew, State::Failed, text, ADVICE);
    if let Some(Times { theirs, ours }) = facts.date {
        let (skew, side) = if ours >= theirs { (ours - theirs, "ahead") } else { (theirs - ours, "behind") };
        // A date has whole seconds: it may be almost one second older than it looks.
        if skew > facts.max_skew + DATE_SLACK {
            return wrong(format!("your clock is {:.1} s {side}", skew.as_secs_f64()));
        }
        return ok(Class::ClockSkew, format!("your clock agrees with the network within {:.1} s", skew.as_secs_f64()));
    }
    let Some(Times { theirs, ours }) = facts.head.as_ref().ok().and_then(|head| head.times) else {
        let text = "the clock could not be compared: neither a date nor a block's time was to be had";
        return finding(Class::ClockSkew, State::Skipped, text, "");
    };
    if theirs > ours + facts.max_skew {
        return wrong(format!("your clock is at least {:.1} s behind the chain", (theirs - ours).as_secs_f64()));
    }
    if ours > theirs + OLDEST_HEAD {
        let age = (ours - theirs).as_secs();
        return wrong(format!(
            "the last final block is {age} s old by your clock: the clock is ahead, or the chain halts"
        ));
    }
    ok(Class::ClockSkew, "your clock fits the chain's (only roughly known)")
}

fn registered(facts: &Facts) -> Finding {
    match &facts.neuron {
        Ok(Some(neuron)) => {
            ok(Class::Unregistered, format!("registered on subnet {} as uid {}", facts.netuid, neuron.uid.0))
        }
        Ok(None) => finding(
            Class::Unregistered,
            State::Failed,
            format!("the hotkey is not registered on subnet {}", facts.netuid),
            "register it: `btcli subnets register --netuid N`; check --netuid and the network",
        ),
        Err(reason) => {
            finding(Class::Unregistered, State::Skipped, format!("registration could not be checked: {reason}"), "")
        }
    }
}

fn permit(facts: &Facts) -> Option<Finding> {
    let neuron = facts.neuron.as_ref().ok()?.as_ref()?;
    if facts.role == Role::Miner {
        return None;
    }
    Some(if neuron.validator_permit {
        ok(Class::NoPermit, "the hotkey has a validator permit")
    } else {
        finding(
            Class::NoPermit,
            State::Failed,
            "the hotkey has no validator permit: miners will refuse it, and the chain its weights",
            "permits go to the hotkeys with most stake at the end of an epoch: add stake, then wait for one",
        )
    })
}

fn port(facts: &Facts) -> Option<Finding> {
    let port = facts.port.as_ref()?;
    if let Err(reason) = &port.reached {
        return Some(finding(
            Class::PortClosed,
            State::Failed,
            format!("{} cannot be reached: {reason}", port.place),
            "is the miner running? open the port in the firewall, or map it in the router (axon.external_port)",
        ));
    }
    let neuron = facts.neuron.as_ref().ok().and_then(Option::as_ref);
    let announced = neuron.and_then(|neuron| neuron.axon).map(|axon| SocketAddr::new(axon.ip, axon.port));
    Some(match announced {
        Some(place) if place == port.place => ok(Class::PortClosed, format!("{place} answers, and the chain names it")),
        Some(place) => finding(
            Class::PortClosed,
            State::Warning,
            format!("{} answers, but the chain names {place}: validators go there", port.place),
            "set axon.external_ip and axon.external_port and start the miner: it announces them",
        ),
        None if neuron.is_some() => finding(
            Class::PortClosed,
            State::Warning,
            format!("{} answers, but the chain names no axon: validators cannot find it", port.place),
            "set axon.external_ip and start the miner: it announces it",
        ),
        None => ok(Class::PortClosed, format!("{} answers", port.place)),
    })
}

fn api(api: &ApiFacts) -> Finding {
    match &api.ready {
        Ok(()) => ok(Class::ApiDown, format!("the inference API at {} is ready", api.url)),
        Err(reason) => finding(
            Class::ApiDown,
            State::Failed,
            format!("the inference API at {} is not ready: {reason}", api.url),
            "start `aml-miner-serve`, or set --miner.api_url; its own log says which model is missing",
        ),
    }
}

/// Validators of a subnet use one version of the rules; numbers from a million on are those of the SDK, and say nothing of it.
fn rules(RulesFacts { ours, key }: RulesFacts) -> Option<Finding> {
    const ADVICE: &str = "validators of a subnet use one list of rules: compare validator.rules with the owner's";
    let (class, theirs, ours) = (Class::VersionMismatch, RulesVersion::of_number(key)?.name(), ours.name());
    if theirs == ours {
        return Some(ok(class, format!("the subnet and this validator are under rules {ours}")));
    }
    let text = format!("the subnet's weights version says rules {theirs}, your list says {ours} today");
    Some(finding(class, State::Warning, text, ADVICE))
}

fn version(api: &ApiFacts) -> Finding {
    let ours = env!("CARGO_PKG_VERSION");
    let line = |version: &str| version.split('.').take(2).collect::<Vec<_>>().join(".");
    match &api.version {
        None => finding(Class::VersionMismatch, State::Skipped, "the inference API does not tell its version", ""),
        Some(theirs) if line(theirs) == line(ours) => {
            ok(Class::VersionMismatch, format!("proxy {ours} and API {theirs} belong together"))
        }
        Some(theirs) => finding(
            Class::VersionMismatch,
            State::Failed,
            format!("the proxy is {ours}, the inference API {theirs}"),
            "install both from the same release",
        ),
    }
}
