//! The miners of a simulation, and the line to them: messages take their time, and some never come.
//!
//! Each verifies a request as a miner's proxy does, so that whoever asks wrongly is refused here too.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use aml_miner::clock::Clock as _;
use futures_util::future::BoxFuture;
use http::{HeaderMap, StatusCode};

use super::answers::{self, Given};
use super::cast::Miner;
use super::plan::Kind;
use super::stage::Stage;
use crate::http::client::{ExchangeError, Posting, Received};
use crate::http::spool::{Spool, SpoolError, SpoolLimits};
use crate::protocol::answer::Asked;
use crate::protocol::signed_request::{Claim, Target};
use crate::protocol::{Refusal, Window};
use crate::validator::world::{Line, Talk, Time as _};
use crate::wallet::Scheme;

/// How long a message is on its way at most.
const TRAVELS: Duration = Duration::from_millis(300);
/// How long an honest miner thinks at most.
const THINKS: Duration = Duration::from_secs(5);
/// How long a slow one does; a validator waits for two minutes.
const DAWDLES: Duration = Duration::from_secs(240);

/// The way to all miners.
pub(super) struct Miners {
    pub(super) stage: Arc<Stage>,
    pub(super) all: Vec<Arc<Miner>>,
}

impl Talk for Miners {
    fn connect(&self, address: SocketAddr, limit: Duration) -> BoxFuture<'_, Result<Box<dyn Line>, ExchangeError>> {
        Box::pin(async move {
            let stage = &self.stage;
            stage.instant().await;
            let nobody = || ExchangeError::Connect("connection refused".to_owned());
            let miner = self.all.iter().find(|miner| miner.address == address).ok_or_else(nobody)?;
            stage.note("talk", format_args!("connect to {}", miner.name));
            if miner.kind == Kind::Silent && stage.below(2) == 0 {
                stage.time.sleep(limit).await;
                stage.instant().await;
                return Err(ExchangeError::Connect(format!("none within {} s", limit.as_secs_f64())));
            }
            stage.pause(TRAVELS).await;
            stage.instant().await;
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
            stage.pause(TRAVELS).await;
            // Uploaded: the lane is free.
            drop(posting.lane.take());
            let most = match miner.kind {
                Kind::Silent => std::future::pending().await,
                Kind::Slow => DAWDLES,
                Kind::Honest | Kind::Lying(_) => THINKS,
            };
            // Verified when it arrives, answered when it is done.
            let given = reply(&miner, &posting, &stage);
            stage.pause(most).await;
            stage.pause(TRAVELS).await;
            stage.instant().await;
            stage.note("talk", format_args!("{} answers {}, {} bytes", miner.name, given.status, given.body.len()));
            received(given, limits).await
        })
    }
}

async fn received(given: Given, limits: &SpoolLimits) -> Result<Received, ExchangeError> {
    let mut spool = Spool::new(limits);
    let failed = |error: SpoolError| ExchangeError::Broken(error.to_string());
    spool.push(&given.body).await.map_err(failed)?;
    let body = spool.finish().await.map_err(failed)?;
    Ok(Received { status: given.status, headers: given.headers, body, whole: true })
}

/// What a miner says to a request that it has read whole.
fn reply(miner: &Miner, posting: &Posting, stage: &Stage) -> Given {
    match verify(miner, posting, stage) {
        Ok(asked) => answers::scored(miner, &posting.body.to_bytes(), &asked, stage.time.now()),
        Err(refusal) => Given {
            status: StatusCode::UNAUTHORIZED,
            headers: HeaderMap::new(),
            body: format!(r#"{{"code":"{}"}}"#, refusal.code()).into_bytes(),
        },
    }
}

fn verify(miner: &Miner, posting: &Posting, stage: &Stage) -> Result<Asked, Refusal> {
    let claim = Claim::parse(&posting.headers)?;
    let envelope = *claim.envelope();
    claim.expect(Scheme::Ed25519, &miner.hotkey(), Window::default(), stage.time.now())?;
    let body = posting.body.digest();
    claim.verify(&Target { method: "POST", path_and_query: posting.target.as_str(), body })?;
    Ok(Asked { nonce: envelope.nonce, validator: envelope.sender, body })
}
