//! `aml-subnet localnet`: runs the development chain, or asks a running one for something.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use jsonrpsee::core::ClientError;
use jsonrpsee::core::client::ClientT;
use jsonrpsee::http_client::HttpClientBuilder;
use jsonrpsee::rpc_params;
use serde_json::{Value, json};

mod asks;
mod stand_ins;

use crate::localnet::{Config, Generation, Localnet, SubnetRules, keyring};
use crate::wallet::Hotkey;
use asks::{
    BeaconArgs, EpochArgs, FundArgs, NewBlockArgs, PulseArgs, RegisterArgs, Runs, SetArgs, StakeArgs, UpgradeArgs,
};
use stand_ins::MinersArgs;

/// How long an answer of a running chain may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Arguments of `localnet`.
#[derive(Debug, Args)]
pub(super) struct LocalnetArgs {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the chain until it is interrupted (the default)
    Run(RunArgs),
    /// Shows the accounts that have funds from the beginning
    Accounts,
    /// Gives a hotkey a place in the subnet of a running chain
    Register(RegisterArgs),
    /// Gives a registered hotkey stake, out of nothing
    Stake(StakeArgs),
    /// Gives an account funds, out of nothing
    Fund(FundArgs),
    /// Sets a rule of the subnet
    Set(SetArgs),
    /// Makes blocks now
    NewBlock(NewBlockArgs),
    /// Ends the epoch of the subnet now: permits and incentives are decided
    Epoch(EpochArgs),
    /// Tells the chain drand's signature of a round, so that it reveals what was encrypted to it
    Pulse(PulseArgs),
    /// Stops the chain's own beacon, or lets it go on
    Beacon(BeaconArgs),
    /// Lets another runtime make the next blocks
    Upgrade(UpgradeArgs),
    /// Runs many stand-ins for miners behind one line, for measuring what a round costs
    Miners(MinersArgs),
}

/// How the chain is set up.
#[derive(Clone, Debug, Args)]
struct RunArgs {
    /// Address to listen on; everyone who reaches it can do everything
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// Port to listen on; 0 for any free one
    #[arg(long, default_value_t = 9944)]
    port: u16,
    /// Number of the subnet
    #[arg(long, default_value_t = 1)]
    netuid: u16,
    /// Runtime to show: 463, 381 or 218
    #[arg(long, default_value = "463")]
    runtime: Generation,
    /// Milliseconds between blocks; 0 for blocks on demand only
    #[arg(long, default_value_t = 250)]
    block_time: u64,
    /// Directory that keeps the chain over restarts; in memory without it
    #[arg(long)]
    db: Option<PathBuf>,
    /// Blocks of an epoch, less one
    #[arg(long, default_value_t = SubnetRules::default().tempo)]
    tempo: u16,
    /// Blocks between two submissions of weights by one neuron
    #[arg(long, default_value_t = SubnetRules::default().weights_rate_limit)]
    weights_rate_limit: u64,
    /// Blocks between two announcements of one neuron
    #[arg(long, default_value_t = SubnetRules::default().serving_rate_limit)]
    serving_rate_limit: u64,
    /// Weights are committed first and revealed later
    #[arg(long)]
    commit_reveal: bool,
    /// The chain signs no rounds of a beacon of its own
    #[arg(long)]
    no_beacon: bool,
}

/// Runs the subcommand to its end.
pub(super) fn run(args: LocalnetArgs) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match args.command.unwrap_or(Command::Run(args.run)) {
            Command::Run(args) => serve(args).await,
            Command::Miners(args) => stand_ins::run(args).await,
            Command::Accounts => {
                for (uri, address) in keyring::dev_accounts() {
                    println!("{uri:<10} {address}");
                }
                Ok(())
            }
            command => ask(command).await,
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

const RAO_PER_TAO: u64 = 1_000_000_000;

/// One request to a running chain, and its answer on the standard output.
async fn ask(command: Command) -> anyhow::Result<()> {
    let text = |hotkey: &Hotkey| hotkey.to_string();
    let (at, method, params) = match command {
        Command::Run(_) | Command::Accounts | Command::Miners(_) => return Ok(()),
        Command::Register(a) => {
            let wish =
                json!({ "netuid": a.netuid, "hotkey": text(&a.hotkey), "coldkey": a.coldkey.as_ref().map(text) });
            (a.at, "localnet_register", rpc_params![wish])
        }
        Command::Stake(a) => {
            let wish = json!({ "netuid": a.netuid, "hotkey": text(&a.hotkey), "rao": u64::from(a.tao) * RAO_PER_TAO });
            (a.at, "localnet_stake", rpc_params![wish])
        }
        Command::Fund(a) => {
            let wish = json!({ "account": text(&a.account), "rao": u64::from(a.tao) * RAO_PER_TAO });
            (a.at, "localnet_fund", rpc_params![wish])
        }
        Command::Set(a) => {
            let wish = json!({ "netuid": a.netuid, "name": a.name, "value": a.value });
            (a.at, "localnet_setHyperparameter", rpc_params![wish])
        }
        Command::NewBlock(a) => (a.at, "dev_newBlock", rpc_params![json!({ "count": a.count })]),
        Command::Epoch(a) => (a.at, "localnet_runEpoch", rpc_params![a.netuid]),
        Command::Pulse(a) => {
            (a.at, "localnet_drandPulse", rpc_params![json!({ "round": a.round, "signature": a.signature })])
        }
        Command::Beacon(a) => (a.at, "localnet_setBeacon", rpc_params![a.runs == Runs::Start]),
        Command::Upgrade(a) => (a.at, "dev_upgradeRuntime", rpc_params![json!(a.runtime), a.spec_version]),
    };
    let client = HttpClientBuilder::default().request_timeout(TIMEOUT).build(&at.url)?;
    let answer: Result<Value, ClientError> = client.request(method, params).await;
    let answer = answer.map_err(|error| match error {
        ClientError::Call(refusal) => anyhow::anyhow!("{}", refusal.message()),
        other => anyhow::Error::new(other).context(format!("the localnet at {} does not answer", at.url)),
    })?;
    println!("{answer}");
    Ok(())
}

async fn serve(args: RunArgs) -> anyhow::Result<()> {
    let config = Config {
        listen: SocketAddr::new(args.host, args.port),
        generation: args.runtime,
        netuid: args.netuid,
        rules: SubnetRules {
            tempo: args.tempo,
            weights_rate_limit: args.weights_rate_limit,
            serving_rate_limit: args.serving_rate_limit,
            commit_reveal: args.commit_reveal,
            ..SubnetRules::default()
        },
        block_time: (args.block_time > 0).then(|| Duration::from_millis(args.block_time)),
        db: args.db,
        beacon: !args.no_beacon,
        ..Config::default()
    };
    let localnet = Localnet::start(config).await?;
    banner(&localnet, args.netuid);
    wait_for_signal().await?;
    localnet.shutdown().await;
    Ok(())
}

fn banner(localnet: &Localnet, netuid: u16) {
    println!("aml-subnet localnet: a development chain, NOT a node of Bittensor");
    println!("  keys of its accounts are known to everyone; whoever reaches the port can do everything");
    println!("  {} and {}, subnet {netuid}", localnet.ws_url(), localnet.http_url());
    if !localnet.address().ip().is_loopback() {
        eprintln!("warning: listening on {}, beyond this machine", localnet.address());
    }
}

async fn wait_for_signal() -> anyhow::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        interrupt = tokio::signal::ctrl_c() => interrupt?,
        _ = terminate.recv() => {}
    }
    Ok(())
}
