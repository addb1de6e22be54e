//! `aml-subnet ask`: asks one miner once, as a validator would, and says whether its answer counts.

use std::io::{IsTerminal as _, Read as _, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use aml_miner::clock::SystemClock;
use anyhow::Context as _;
use bytes::Bytes;
use clap::{Args, ValueEnum};
use http::HeaderMap;

use super::{SettingsArgs, chain};
use crate::http::spool::{DiskBudget, SpoolLimits};
use crate::protocol::NonceSource;
use crate::protocol::synapse::dendrite::Receiver;
use crate::validator::query::native::{Caller, Heard, Question};
use crate::validator::query::{RequestBody, legacy, native};
use crate::validator::world::{MachineEntropy, Talk as _, Threads, Wire};
use crate::wallet::{Hotkey, Signer};

/// A larger body or answer is not for a look by hand.
const MAX_BYTES: u64 = 256 << 20;
/// A larger answer waits in a temporary file.
const MEMORY: usize = 1 << 20;

/// Arguments of `ask`.
#[derive(Debug, Args)]
pub(super) struct AskArgs {
    #[command(flatten)]
    settings: SettingsArgs,
    /// Where the miner is
    #[arg(long, value_name = "IP:PORT")]
    address: SocketAddr,
    /// Its hotkey
    #[arg(long, value_name = "SS58")]
    receiver: Hotkey,
    /// How to sign
    #[arg(long, value_enum, default_value = "btauth")]
    form: Form,
    /// What to ask, below the netuid (btauth only)
    #[arg(long, default_value = "/score/alerts")]
    route: String,
    /// File with the JSON body; standard input without it
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
    /// How long to wait, in seconds
    #[arg(long, default_value_t = 30)]
    timeout: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// btauth/1
    Btauth,
    /// The axon form of SDK 10
    V10,
}

/// Asks; the answer goes to standard output, the verdict to standard error. Exits with 1 when it does not count.
pub(super) fn run(args: &AskArgs) -> anyhow::Result<ExitCode> {
    let settings = args.settings.load(&[])?;
    let file = args.settings.wallet(&settings).locate(|name| std::env::var_os(name))?;
    let signer = file.open(|name| std::env::var_os(name))?.signer;
    let body = read_body(args)?;
    let (answer, verdict) = chain::block_on(ask(args, settings.netuid, &signer, body.into()))?;
    std::io::stdout().write_all(&answer).context("standard output")?;
    Ok(match verdict {
        Ok(text) => {
            eprintln!("good: {text}");
            ExitCode::SUCCESS
        }
        Err(text) => {
            eprintln!("does not count: {text}");
            ExitCode::FAILURE
        }
    })
}

/// Why an answer counts, or why not.
type Verdict = Result<String, String>;

async fn ask(args: &AskArgs, netuid: u16, signer: &Signer, body: RequestBody) -> anyhow::Result<(Bytes, Verdict)> {
    let nonces = NonceSource::default();
    let caller = Caller { signer, nonces: &nonces, clock: &SystemClock, workers: &Threads, entropy: &MachineEntropy };
    let patience = Duration::from_secs(args.timeout.into());
    let limits =
        SpoolLimits { max_bytes: MAX_BYTES, memory_bytes: MEMORY, disk: DiskBudget::new(MAX_BYTES.saturating_mul(2)) };
    let asking = async {
        let line = Wire.connect(args.address, patience).await?;
        match args.form {
            Form::Btauth => {
                let target = format!("/{netuid}{}", args.route).parse().context("the route is no path")?;
                let (receiver, digest) = (args.receiver, body.digest());
                Ok(native::ask(
                    caller,
                    line,
                    Question { receiver, target, body, media: HeaderMap::new(), digest, lane: None, terms: None },
                    &limits,
                )
                .await?)
            }
            Form::V10 => {
                let posting =
                    legacy::wrap(caller, Receiver { hotkey: args.receiver, address: args.address }, patience, body)
                        .await?;
                Ok(legacy::ask(line, posting, &limits, &Threads).await?)
            }
        }
    };
    let heard: anyhow::Result<Heard> = tokio::time::timeout(patience, asking).await.context("no answer in time")?;
    let Heard { status, body, verdict, signed, .. } = heard?;
    let vouched = if signed { "signed by the miner" } else { "not signed" };
    let said = format!("{status}, {} bytes, {vouched}", body.len());
    Ok((body.into_bytes().await?, verdict.map(|()| said)))
}

fn read_body(args: &AskArgs) -> anyhow::Result<Bytes> {
    let source: Box<dyn std::io::Read> = match &args.body {
        Some(path) => Box::new(std::fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?),
        None => {
            if std::io::stdin().is_terminal() {
                eprintln!("waiting for the JSON body on standard input, up to its end (^D); --body FILE reads a file");
            }
            Box::new(std::io::stdin())
        }
    };
    let mut bytes = Vec::new();
    source.take(MAX_BYTES + 1).read_to_end(&mut bytes).context("cannot read the body")?;
    anyhow::ensure!(bytes.len() as u64 <= MAX_BYTES, "the body is larger than {MAX_BYTES} bytes");
    Ok(Bytes::from(bytes))
}
