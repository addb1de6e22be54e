//! `aml-subnet ask`: asks one miner once, as a validator would, and says whether its answer counts.

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use aml_miner::clock::SystemClock;
use aml_miner::digest::Digest;
use anyhow::Context as _;
use bytes::Bytes;
use clap::{Args as ClapArgs, ValueEnum};
use http::{HeaderMap, StatusCode};

use super::{SettingsArgs, chain};
use crate::protocol::answer::{Asked, verify_answer};
use crate::protocol::signed_request::{Target, sign};
use crate::protocol::synapse::{NAME, dendrite, reply};
use crate::protocol::{Nonce, NonceSource};
use crate::wallet::{Hotkey, Signer};

/// A larger body or answer is not for a look by hand.
const MAX_BYTES: usize = 256 << 20;

/// Arguments of `ask`.
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
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
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let settings = args.settings.load(&[])?;
    let file = args.settings.wallet(&settings).locate(|name| std::env::var_os(name))?;
    let signer = file.open(|name| std::env::var_os(name))?.signer;
    let body = read_body(args)?;
    let nonce = NonceSource::default().next(&SystemClock);
    let verdict = chain::block_on(async {
        match args.form {
            Form::Btauth => native(args, settings.netuid, (&signer, nonce), body).await,
            Form::V10 => old(args, (&signer, nonce), &body).await,
        }
    });
    let (answer, verdict) = verdict?;
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

async fn native(
    args: &Args,
    netuid: u16,
    (signer, nonce): (&Signer, Nonce),
    body: Bytes,
) -> anyhow::Result<(Bytes, Verdict)> {
    let target = format!("/{netuid}{}", args.route);
    let digest = Digest::of(&body);
    let sent = Target { method: "POST", path_and_query: &target, body: digest };
    let mut headers = sign(signer, &sent, Some(args.receiver), nonce);
    headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    let (status, headers, answer) = post(args, &target, headers, body).await?;
    let asked = Asked { nonce, validator: signer.hotkey(), body: digest };
    let verdict = match verify_answer(&headers, &args.receiver, (status, Digest::of(&answer)), &asked) {
        Ok(_) if status == StatusCode::OK => Ok(format!("{status}, {} bytes, signed by the miner", answer.len())),
        Ok(_) => Err(format!("{status}, signed by the miner")),
        Err(refusal) => Err(format!("{status}, and the answer is not the miner's: {refusal}")),
    };
    Ok((answer, verdict))
}

async fn old(args: &Args, (signer, nonce): (&Signer, Nonce), body: &Bytes) -> anyhow::Result<(Bytes, Verdict)> {
    let receiver = dendrite::Receiver { hotkey: args.receiver, address: args.address };
    let timeout = Duration::from_secs(args.timeout.into());
    let made = dendrite::request(signer, &receiver, nonce, timeout, body)?;
    let (status, headers, answer) = post(args, &format!("/{NAME}"), made.headers, made.body).await?;
    Ok(match reply::read(status, &headers, &answer) {
        Ok(read) => {
            let scores = read.scores.unwrap_or_else(|| Bytes::from_static(b"null"));
            (
                scores,
                Ok(format!(
                    "{status}, model {:?}, not signed (the old form has no signed answers)",
                    read.model_version
                )),
            )
        }
        Err(error) => (answer, Err(error.to_string())),
    })
}

async fn post(
    args: &Args,
    target: &str,
    headers: HeaderMap,
    body: Bytes,
) -> anyhow::Result<(StatusCode, HeaderMap, Bytes)> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(args.timeout.into()))
        .build()?;
    let url = format!("http://{}{target}", args.address);
    let mut response =
        client.post(url).headers(headers).body(body).send().await.context("the miner does not answer")?;
    let mut answer = Vec::new();
    while let Some(chunk) = response.chunk().await.context("the answer breaks off")? {
        anyhow::ensure!(answer.len() + chunk.len() <= MAX_BYTES, "the answer is larger than {MAX_BYTES} bytes");
        answer.extend_from_slice(&chunk);
    }
    Ok((response.status(), response.headers().clone(), Bytes::from(answer)))
}

fn read_body(args: &Args) -> anyhow::Result<Bytes> {
    let source: Box<dyn std::io::Read> = match &args.body {
        Some(path) => Box::new(std::fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?),
        None => Box::new(std::io::stdin()),
    };
    let mut bytes = Vec::new();
    source.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).context("cannot read the body")?;
    anyhow::ensure!(bytes.len() <= MAX_BYTES, "the body is larger than {MAX_BYTES} bytes");
    Ok(Bytes::from(bytes))
}
