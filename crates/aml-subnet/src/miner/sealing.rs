//! Answers of the second form: sealed where the validator named an opening, and kept in plain for whoever was answered.
//!
//! Compression, encryption and files are work for threads that may block. Nothing leaves before the day's opening is on
//! disk; that an answer could not be kept is logged, and costs only the help when the beacon stays away.

use std::sync::Arc;

use aml_miner::digest::Digest;
use aml_miner::receipt;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};

use super::failure::Failure;
use super::forward::Answer;
use super::kept::{Kept, KeptAnswers};
use super::openings::{NoOpening, Openings, Wish};
use crate::beacon::Beacon;
use crate::config::{OpenRequests, Settings};
use crate::http::spool::{Spool, SpoolLimits, Spooled};
use crate::protocol::answer::Asked;
use crate::protocol::sealed::{Packed, Parties, Plain, seal, unpack};
use crate::protocol::second_answer::{Encoding, Stated};
use crate::protocol::terms::{Opening, Terms};
use crate::wallet::Hotkey;

/// What a sealed answer says that it is.
pub(super) const MEDIA: &str = "application/vnd.aml.sealed";
/// A plain answer is given so long after its opening, in seconds: our clock may be ahead.
const AFTER_S: u64 = 60;

/// Seals answers.
pub(super) struct Sealer {
    beacon: Beacon,
    open: OpenRequests,
    openings: Arc<Openings>,
    kept: Arc<KeptAnswers>,
    spool: SpoolLimits,
}

/// An answer that is to be sealed.
struct Job {
    receipt: Option<String>,
    body: Vec<u8>,
    plain: Digest,
    opening: Opening,
    parties: Parties,
    now_s: u64,
}

impl Sealer {
    /// Nothing is read or written before the first sealed answer.
    pub(super) fn of(settings: &Settings, spool: SpoolLimits) -> Self {
        let folder = &settings.miner.data_dir;
        Self {
            beacon: settings.sealing.beacon,
            open: settings.miner.open_requests,
            openings: Arc::new(Openings::of(folder.clone())),
            kept: Arc::new(KeptAnswers::of(folder.clone(), settings.miner.kept_answers_bytes)),
            spool,
        }
    }

    /// Whether a request that names no opening is answered.
    pub(super) async fn allows_open(&self, now_s: u64) -> Result<(), Failure> {
        let sealed = match self.open {
            OpenRequests::Answer => false,
            OpenRequests::Refuse => true,
            OpenRequests::Auto => {
                let openings = Arc::clone(&self.openings);
                let any = tokio::task::spawn_blocking(move || openings.any(now_s)).await;
                any.map_err(|_| Failure::Internal)?.map_err(|error| unpromised(&error))?
            }
        };
        if sealed { Err(Failure::SealedOnly) } else { Ok(()) }
    }

    /// The opening that an answer to these terms is sealed to; `None` where it is to be sent open.
    pub(super) async fn promise(&self, terms: &Terms, by: Hotkey, now_s: u64) -> Result<Option<Opening>, Failure> {
        let Some(opening) = terms.opening else { return Ok(None) };
        if opening.beacon != self.beacon {
            return Err(Failure::Beacon(self.beacon));
        }
        let (openings, wish) = (Arc::clone(&self.openings), Wish { day: terms.day, opening, by, now_s });
        let promised = tokio::task::spawn_blocking(move || openings.promise(&wish)).await;
        let promised = promised.map_err(|_| Failure::Internal)?;
        promised.map(Some).map_err(|error| unpromised(&error))
    }

    /// What is sent instead of a plain answer, and what is said of it.
    pub(super) async fn seal(
        &self,
        answer: Answer,
        opening: Opening,
        parties: Parties,
        now_s: u64,
    ) -> Result<(Answer, Stated), Failure> {
        if answer.headers.contains_key(CONTENT_ENCODING) {
            tracing::error!("the inference API compressed its answer, which was not asked for");
            return Err(Failure::ApiAnswer);
        }
        let Answer { status, mut headers, body } = answer;
        let receipt = headers.remove(receipt::HEADER).and_then(|value| value.to_str().ok().map(str::to_owned));
        let plain = body.digest();
        let body = body.into_bytes().await.map_err(|error| unread(&error))?.into();
        let job = Job { receipt, body, plain, opening, parties, now_s };
        let kept = Arc::clone(&self.kept);
        let sealed = tokio::task::spawn_blocking(move || job.done(&kept)).await.map_err(|_| Failure::Internal)??;
        let mut spool = Spool::new(&self.spool);
        spool.push(&sealed).await.map_err(|error| Failure::of_body(&error))?;
        let body: Spooled = spool.finish().await.map_err(|error| Failure::of_body(&error))?;
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA));
        let (sent, encoding, beacon) = (body.digest(), Encoding::Sealed, Some(opening.round()));
        metrics::counter!("aml_miner_sealed_total").increment(1);
        Ok((Answer { status, headers, body }, Stated { status, plain, sent, encoding, beacon }))
    }

    /// The plain answer that `caller` was given under this digest, once it may be read.
    pub(super) async fn plain(&self, caller: Hotkey, digest: Digest, now_s: u64) -> Result<Plain, Failure> {
        let (kept, most) = (Arc::clone(&self.kept), self.spool.max_bytes);
        let found = tokio::task::spawn_blocking(move || kept.get(&caller, &digest)).await;
        let found = found.map_err(|_| Failure::Internal)?.map_err(|error| unread(&error))?;
        let (opening_s, frame) = found.ok_or(Failure::NotKept)?;
        if now_s < opening_s.saturating_add(AFTER_S) {
            return Err(Failure::NotOpen);
        }
        let plain = tokio::task::spawn_blocking(move || unpack(&frame, most)).await;
        plain.map_err(|_| Failure::Internal)?.map_err(|_| Failure::Internal)
    }
}

impl Job {
    fn done(self, kept: &KeptAnswers) -> Result<Vec<u8>, Failure> {
        let Self { receipt, body, plain, opening, parties, now_s } = self;
        let failed = |error: &dyn std::error::Error| {
            tracing::error!(%error, "an answer cannot be sealed");
            Failure::Internal
        };
        let packed = Packed::of(receipt.as_deref(), &body).map_err(|error| failed(&error))?;
        let entry = Kept { opening_s: opening.at_s, caller: parties.validator, plain };
        match kept.put(&entry, packed.frame(), now_s) {
            Ok(true) => {}
            Ok(false) => tracing::warn!("a sealed answer is not kept in plain: the bound is reached"),
            Err(error) => tracing::error!(%error, "a sealed answer is not kept in plain"),
        }
        seal(packed, opening.round(), &parties).map_err(|error| failed(&error))
    }
}

/// What is said of an answer that is sent as it is.
pub(super) fn open(answer: &Answer) -> Stated {
    let digest = answer.body.digest();
    Stated { status: answer.status, plain: digest, sent: digest, encoding: Encoding::Identity, beacon: None }
}

/// Whether an answer is one: refusals are sent as they are.
pub(super) fn is_sealable(answer: &Answer) -> bool {
    answer.status == StatusCode::OK
}

/// Whose answer it is.
pub(super) fn parties(miner: Hotkey, asked: &Asked, terms: &Terms) -> Parties {
    Parties { miner, validator: asked.validator, task: terms.task }
}

fn unpromised(error: &NoOpening) -> Failure {
    match error {
        NoOpening::Bad(why) => Failure::Opening(why),
        NoOpening::TooMany => Failure::TooManyAtOnce,
        NoOpening::File { .. } => {
            tracing::error!(%error, "the openings that were promised cannot be kept: nothing is sealed");
            Failure::Internal
        }
    }
}

fn unread(error: &std::io::Error) -> Failure {
    tracing::error!(%error, "cannot read an answer back");
    Failure::Internal
}
