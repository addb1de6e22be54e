//! The miners of a simulation, and the line to them: messages take their time, come twice, break off, and some never come.
//!
//! Each verifies a request as a miner's proxy does, so that whoever asks wrongly, or twice, is refused here too.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::{HeaderMap, StatusCode};

use super::answers::{self, Given, Request};
use super::cast::Miner;
use super::laws::Broken;
use super::plan::Kind;
use super::stage::Stage;
use super::troubles::Trouble;
use crate::http::client::{ExchangeError, Posting, Received};
use crate::http::spool::{Spool, SpoolError, SpoolLimits};
use crate::protocol::answer::Asked;
use crate::protocol::signed_request::{Claim, Target};
use crate::protocol::terms::Terms;
use crate::protocol::{Refusal, Window};
use crate::validator::world::{Line, Talk, Time as _};
use crate::wallet::Scheme;

/// How long a message is on its way at most.
const TRAVELS: Duration = Duration::from_millis(300);
/// The same of a request when messages are slow: miners refuse what was signed ten seconds ago.
const CRAWLS: Duration = Duration::from_secs(7);
/// The same of an answer.
const DRAGS: Duration = Duration::from_secs(80);
/// How long an honest miner thinks at most.
const THINKS: Duration = Duration::from_secs(5);
/// How long a slow one does; a validator waits for two minutes.
const DAWDLES: Duration = Duration::from_secs(240);
/// A late one thinks at least so long.
const SLEEPS: Duration = Duration::from_secs(125);
/// Who reads nothing holds a lane for so long.
const STALLS: Duration = Duration::from_secs(5);
/// So many connections of a day to one miner come to nothing at most: five attempts are made.
const FAILURES: u32 = 2;

/// The way to all miners.
pub(super) struct Miners {
    pub(super) stage: Arc<Stage>,
    pub(super) all: Vec<Arc<Miner>>,
}

fn is_lossy(stage: &Stage) -> bool {
    stage.suffers(|trouble| if let Trouble::Lossy(span) = trouble { Some(*span) } else { None })
}

fn is_slow(stage: &Stage) -> bool {
    stage.suffers(|trouble| if let Trouble::Delays(span) = trouble { Some(*span) } else { None })
}

impl Miners {
    /// Why a connection to a miner that is there comes to nothing.
    fn fails(&self, miner: &Miner) -> Option<&'static str> {
        let (stage, day) = (&self.stage, self.stage.day());
        let failed = miner.day(day).failed;
        if miner.kind == Kind::Refusing && failed == 0 {
            miner.befalls(day, |day| day.failed += 1);
            return Some("connection refused");
        }
        if is_lossy(stage) && failed < FAILURES && stage.below(3) == 0 {
            miner.befalls(day, |day| day.failed += 1);
            return Some("connection reset");
        }
        None
    }
}

impl Talk for Miners {
    fn connect(&self, address: SocketAddr, limit: Duration) -> BoxFuture<'_, Result<Box<dyn Line>, ExchangeError>> {
        Box::pin(async move {
            let stage = &self.stage;
            stage.instant().await;
            let nobody = || ExchangeError::Connect("connection refused".to_owned());
            let miner = self.all.iter().find(|miner| miner.address == address).ok_or_else(nobody)?;
            stage.note("talk", format_args!("connect to {}", miner.name));
            let cut = stage.is_cut();
            if cut || (miner.kind == Kind::Silent && stage.below(2) == 0) {
                stage.time.sleep(limit).await;
                stage.instant().await;
                miner.befalls(stage.day(), |day| day.cut |= cut);
                return Err(ExchangeError::Connect(format!("none within {} s", limit.as_secs_f64())));
            }
            stage.pause(TRAVELS).await;
            stage.instant().await;
            if let Some(why) = self.fails(miner) {
                stage.note("talk", format_args!("{}: {why}", miner.name));
                return Err(ExchangeError::Connect(why.to_owned()));
            }
            Ok(Box::new(SimLine { stage: Arc::clone(stage), miner: Arc::clone(miner) }) as Box<dyn Line>)
        })
    }
}

/// A connection to a miner.
struct SimLine {
    stage: Arc<Stage>,
    miner: Arc<Miner>,
}

impl Line for SimLine {
    fn post<'a>(
        self: Box<Self>,
        mut posting: Posting,
        limits: &'a SpoolLimits,
    ) -> BoxFuture<'a, Result<Received, ExchangeError>> {
        Box::pin(async move {
            let Self { stage, miner } = *self;
            stage.note("talk", format_args!("{} bytes to {}", posting.body.len(), miner.name));
            stage.pause(if is_slow(&stage) { CRAWLS } else { TRAVELS }).await;
            if miner.kind == Kind::Stalled {
                stage.time.sleep(STALLS).await;
            }
            // Uploaded, or given up: the lane is free.
            drop(posting.lane.take());
            let given = respond(&stage, &miner, &posting).await?;
            stage.pause(if is_slow(&stage) { DRAGS } else { TRAVELS }).await;
            arrives(&stage, &miner).await?;
            stage.instant().await;
            stage.note("talk", format_args!("{} answers {}, {} bytes", miner.name, given.status, given.body.len()));
            received(given, limits).await
        })
    }
}

/// What a miner makes of a request that has arrived.
async fn respond(stage: &Stage, miner: &Miner, posting: &Posting) -> Result<Given, ExchangeError> {
    let most = match miner.kind {
        Kind::Silent | Kind::Stalled => std::future::pending().await,
        Kind::HangingUp => {
            stage.pause(THINKS).await;
            return Err(ExchangeError::Reset("connection closed before message completed".to_owned()));
        }
        Kind::Slow | Kind::Late => DAWDLES,
        _ => THINKS,
    };
    // Verified when it arrives, answered when it is done.
    let given = reply(miner, posting, stage);
    if given.status == StatusCode::OK && is_lossy(stage) && stage.below(3) == 0 {
        comes_twice(stage, miner, posting);
    }
    stage.pause(most).await;
    if miner.kind == Kind::Late {
        stage.time.sleep(SLEEPS).await;
    }
    Ok(given)
}

/// Whether the answer gets to the validator.
async fn arrives(stage: &Stage, miner: &Miner) -> Result<(), ExchangeError> {
    let day = stage.day();
    if is_lossy(stage) && miner.day(day).broken == 0 && stage.below(4) == 0 {
        miner.befalls(day, |day| day.broken += 1);
        stage.note("talk", format_args!("the answer of {} breaks off", miner.name));
        return Err(ExchangeError::BrokeOff("connection reset".to_owned()));
    }
    if stage.is_cut() {
        // Whether it comes in time after all is up to the network alone.
        miner.befalls(day, |day| day.excused = true);
        while stage.is_cut() {
            stage.time.sleep(STALLS).await;
        }
    }
    Ok(())
}

/// A network delivers a request again: no proxy may take it for a new one.
fn comes_twice(stage: &Stage, miner: &Miner, posting: &Posting) {
    if let Ok(asked) = verify(miner, posting, stage) {
        stage.breaks(Broken::Replayed { miner: miner.hotkey().to_string(), nonce: asked.nonce.nanoseconds() });
    }
}

async fn received(given: Given, limits: &SpoolLimits) -> Result<Received, ExchangeError> {
    let mut spool = Spool::new(limits);
    let failed = |error: SpoolError| match error {
        SpoolError::TooLarge(_) => ExchangeError::TooLarge,
        other => ExchangeError::Broken(other.to_string()),
    };
    spool.push(&given.body).await.map_err(failed)?;
    let body = spool.finish().await.map_err(failed)?;
    Ok(Received { status: given.status, headers: given.headers, body, whole: true })
}

/// What a miner says to a request that it has read whole.
fn reply(miner: &Miner, posting: &Posting, stage: &Stage) -> Given {
    let refused = |refusal: &Refusal| Given {
        status: StatusCode::UNAUTHORIZED,
        headers: HeaderMap::new(),
        body: format!(r#"{{"code":"{}"}}"#, refusal.code()).into_bytes(),
    };
    if miner.kind == Kind::Closed {
        return Given { status: StatusCode::FORBIDDEN, headers: HeaderMap::new(), body: b"{}".to_vec() };
    }
    let query = posting.target.query();
    match verify(miner, posting, stage).and_then(|asked| Ok((asked, Terms::of_query(query)?.0))) {
        Ok((asked, terms)) => {
            let body = posting.body.to_bytes();
            answers::scored(miner, &Request { body: &body, asked, terms, now: stage.time.real() })
        }
        Err(refusal) => {
            stage.note("talk", format_args!("{} refuses: {}", miner.name, refusal.code()));
            refused(&refusal)
        }
    }
}

fn verify(miner: &Miner, posting: &Posting, stage: &Stage) -> Result<Asked, Refusal> {
    let now = stage.time.real();
    let claim = Claim::parse(&posting.headers)?;
    let envelope = *claim.envelope();
    claim.expect(Scheme::Ed25519, &miner.hotkey(), Window::default(), now)?;
    let body = posting.body.digest();
    claim.verify(&Target { method: "POST", path_and_query: posting.target.as_str(), body })?;
    miner.nonces.record(envelope.sender, envelope.nonce, now)?;
    Ok(Asked { nonce: envelope.nonce, validator: envelope.sender, body })
}
