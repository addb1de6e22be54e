//! `aml-subnet localnet miners`: many stand-ins for miners in one process, behind one line of a given speed.
//!
//! They are for measuring what a round costs a validator (`scripts/round_load.sh`). Each has a key that everybody knows, is
//! registered and announced on the development chain, and answers every task: signed, sealed where that is asked for, explained
//! as the request says, with scores of its own that mean nothing. They prove nothing of who asks.

mod link;
mod serve;
mod sheet;

use std::io::BufRead as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use aml_miner::clock::SystemClock;
use anyhow::Context as _;
use clap::Args;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jsonrpsee::core::client::ClientT as _;
use jsonrpsee::http_client::{HttpClient, HttpClientBuilder};
use jsonrpsee::rpc_params;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::TIMEOUT;
use super::asks::At;
use crate::chain::announce::Announcement;
use crate::chain::endpoints::Endpoints;
use crate::subtensor::{Subtensor, Timing};
use crate::wallet::{Scheme, Signer};
use link::Link;
use serve::StandIn;
use sheet::Sheets;

/// Announcements that wait for a block at the same time.
const AT_ONCE: usize = 32;

/// Arguments of `localnet miners`.
#[derive(Debug, Args)]
pub(super) struct MinersArgs {
    #[command(flatten)]
    at: At,
    /// Number of the subnet
    #[arg(long, default_value_t = 1)]
    netuid: u16,
    /// How many
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u16).range(1..=4096))]
    count: u16,
    /// Address that they listen on; the chain takes no 127.0.0.1
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2)))]
    host: IpAddr,
    /// Millions of bits a second that the line carries in each direction, for all of them together; 0 for any number
    #[arg(long, default_value_t = 1000)]
    mbit: u32,
}

/// Serves until it is interrupted. Says `{"ready": N}` once all are announced, and for every line of standard input what went
/// over the line so far.
pub(super) async fn run(args: MinersArgs) -> anyhow::Result<()> {
    let link = Arc::new(Link::of(u64::from(args.mbit) * 1_000_000));
    let sheets = Arc::new(Sheets::default());
    let client = HttpClientBuilder::default().request_timeout(TIMEOUT).build(&args.at.url)?;
    let url = args.at.url.replacen("http", "ws", 1);
    let chain = Subtensor::new(Endpoints::resolve(&url, None)?, Timing::default(), Arc::new(SystemClock));
    let most = json!({ "netuid": args.netuid, "name": "max_allowed_uids", "value": u32::from(args.count) + 16 });
    asked(&client, "localnet_setHyperparameter", most).await?;
    let each = stream::iter((1..=args.count).map(|number| {
        let (client, chain, link, sheets) = (&client, &chain, Arc::clone(&link), Arc::clone(&sheets));
        let (netuid, host) = (args.netuid, args.host);
        async move {
            let signer = Signer::from_uri(&format!("//StandIn{number}"), Scheme::Sr25519)?;
            let hotkey = signer.hotkey();
            asked(client, "localnet_register", json!({ "netuid": netuid, "hotkey": hotkey.to_string() })).await?;
            let listener = TcpListener::bind(SocketAddr::new(host, 0)).await.context("cannot listen")?;
            let place = listener.local_addr()?;
            let axon = Announcement { netuid, ip: place.ip(), port: place.port(), version: 1 };
            chain.announce(&signer, &axon).await?;
            tokio::spawn(Arc::new(StandIn { signer, number, link, sheets }).serve(listener));
            anyhow::Ok(())
        }
    }));
    each.buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await?;
    asked(&client, "localnet_runEpoch", json!(args.netuid)).await?;
    println!("{}", json!({ "ready": args.count }));
    tell(link);
    super::wait_for_signal().await
}

/// One wish to the chain.
async fn asked(client: &HttpClient, method: &str, wish: Value) -> anyhow::Result<Value> {
    client.request(method, rpc_params![wish]).await.with_context(|| format!("the localnet refuses {method}"))
}

/// Answers each line of standard input with what went over the line.
fn tell(link: Arc<Link>) {
    std::thread::spawn(move || {
        for _ in std::io::stdin().lock().lines().map_while(Result::ok) {
            let link::Told { to_miners, to_validator, requests, fetched } = link.told();
            println!(
                "{}",
                json!({ "to_miners": to_miners, "to_validator": to_validator, "requests": requests, "fetched": fetched })
            );
        }
    });
}
