//! One miner: whether it is called at all, and the conversation with it within its deadline.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use aml_miner::digest::Digest;
use http::HeaderMap;

use super::again::Passing;
use super::native::{Heard, Question};
use super::trouble::{OwnFailure, Trouble};
use super::turn::left;
use super::{Asking, EncodedParts, Inner, Peer, RoundTerms, dormancy, encoded, legacy, native, observe};
use crate::http::address;
use crate::http::body::RequestBody;
use crate::http::client::ExchangeError;
use crate::protocol::synapse::dendrite::Receiver;
use crate::protocol::terms::Terms;
use crate::store::records::{BodyForm, Form, Reply};
use crate::validator::world;
use crate::wallet::Hotkey;

/// A connection that takes longer is none.
const CONNECT: Duration = Duration::from_secs(5);
/// A connection that lay idle for so long, while a body was made, is made anew: servers wait some seconds for a head.
const STALE: Duration = Duration::from_secs(3);

/// What came of one miner.
pub(super) struct Told {
    /// How it was asked.
    pub(super) form: Form,
    /// Digest of what was sent, where something was.
    pub(super) request: Option<Digest>,
    /// In which form of the task.
    pub(super) request_form: BodyForm,
    /// Which forms the next task may have.
    pub(super) takes: Takes,
    /// When sending began, or the attempt to connect.
    pub(super) asked_ms: i64,
    /// How long it took from then.
    pub(super) took: Duration,
    /// Length of the body that was made for it.
    pub(super) length: u64,
    /// Whether anybody was called.
    pub(super) called: bool,
    /// Whether it may go otherwise the next time.
    pub(super) passing: Option<Passing>,
    /// An answer, or why there is none.
    pub(super) came: Result<Heard, Reply>,
}

/// Which forms of a task a miner takes, beside JSON.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Takes {
    /// As Arrow, packed.
    pub(super) arrow: bool,
    /// The same by reference.
    pub(super) references: bool,
}

/// What is written down while a miner is called.
struct Notes {
    form: Form,
    request: Option<Digest>,
    request_form: BodyForm,
    length: u64,
    asked_ms: i64,
    /// By the time since start.
    since: Duration,
}

/// Bytes of bodies that went out to one miner.
type Sent = Arc<AtomicU64>;

/// One call.
#[derive(Clone, Copy)]
struct Call<'a> {
    asking: &'a Asking,
    receiver: Receiver,
    sent: &'a Sent,
}

/// What came of the first form, where the old one may be tried.
struct First {
    body: RequestBody,
    heard: Heard,
}

/// What a miner is sent.
struct Ready {
    body: RequestBody,
    /// SHA-256 of the body.
    digest: Digest,
    /// What the body is, where it is not JSON.
    media: HeaderMap,
    form: BodyForm,
    /// SHA-256 of the task as JSON.
    task: Digest,
    /// SHA-256 of the body once it is unpacked, where it is packed.
    decoded: Option<Digest>,
}

impl Inner {
    /// Asks one miner. Errors are ours, never the miner's.
    pub(super) async fn ask_one(&self, asking: &Asking, peer: &Peer, sent: &Sent) -> Result<Told, OwnFailure> {
        let now_ms = self.now_ms();
        let since = self.time.uptime();
        let (form, request_form) = (Form::Btauth, BodyForm::Json);
        let mut notes = Notes { form, request: None, request_form, length: 0, asked_ms: now_ms, since };
        let (called, passing, came) = match self.callable(asking, peer, now_ms) {
            Err(reply) => (false, None, Err(reply)),
            Ok(address) => {
                let receiver = Receiver { hotkey: peer.hotkey, address };
                match self.call(Call { asking, receiver, sent }, &mut notes).await {
                    Err(Trouble::Own(failure)) => return Err(failure),
                    Err(Trouble::NoTurn) => (false, None, Err(Reply::TimedOut)),
                    Err(trouble) => (true, Passing::of_trouble(&trouble), Err(reply(trouble))),
                    Ok(heard) => (true, Passing::of_heard(&heard, self.time.now()), Ok(heard)),
                }
            }
        };
        let Notes { form, request, request_form, length, asked_ms, since } = notes;
        let took = self.time.uptime().saturating_sub(since);
        // A place that could not be reached may be there tomorrow: only whoever does not know a form is not sent it again.
        let refused = |form| asking.encoded.as_ref().is_some_and(|encoded| encoded.was_refused(&peer.hotkey, form));
        let says = |takes: fn(&HeaderMap) -> bool| came.as_ref().is_ok_and(|heard| takes(&heard.headers));
        let takes_arrow = !refused(BodyForm::Arrow) && says(encoded::takes_arrow);
        let takes_references = takes_arrow && says(encoded::takes_references);
        let takes = Takes { arrow: takes_arrow, references: takes_references };
        Ok(Told { form, request, request_form, takes, asked_ms, took, length, called, passing, came })
    }

    /// Where to call, or what is said of a miner that is not called.
    fn callable(&self, asking: &Asking, peer: &Peer, now_ms: i64) -> Result<SocketAddr, Reply> {
        let address = peer.axon.ok_or(Reply::NotServing)?;
        address::check(address, self.settings.allow_private_ips).map_err(|why| Reply::Unreachable(why.to_string()))?;
        if dormancy::is_asleep(asking.dormancy.get(&peer.hotkey), now_ms) {
            return Err(Reply::NotServing);
        }
        if now_ms >= asking.until_ms { Err(Reply::TimedOut) } else { Ok(address) }
    }

    /// Connects before anything else, so that a dead miner costs no body.
    async fn call(&self, call: Call<'_>, notes: &mut Notes) -> Result<Heard, Trouble> {
        let Call { asking, receiver, sent } = call;
        let limit = CONNECT.min(self.patience(asking, notes.asked_ms));
        let line = self.talk.connect(receiver.address, limit).await?;
        let (line, lane) = match self.lanes.try_take() {
            Some(lane) => (Some(line), lane),
            None => {
                drop(line);
                let lane = world::within(&*self.time, self.end(asking), self.lanes.take()).await.flatten();
                (None, lane.ok_or(Trouble::NoTurn)?)
            }
        };
        let since = self.time.uptime();
        let Ready { body, digest, media, form, task, decoded } = self.make(asking, receiver.hotkey).await?;
        let body = body.metered(Arc::clone(sent));
        notes.length = body.len();
        let line = match line.filter(|_| self.time.uptime().saturating_sub(since) <= STALE) {
            Some(line) => line,
            None => self.talk.connect(receiver.address, limit).await?,
        };
        let kept = (form.is_usual() && self.settings.v10_fallback).then(|| body.clone());
        let (hotkey, target) = (receiver.hotkey, self.targets.of(&receiver.hotkey));
        let terms = asking.terms.map(|RoundTerms { commitment, day, opening }| Terms {
            task,
            commitment,
            day,
            opening,
            decoded,
        });
        let question = Question { receiver: hotkey, target, body, media, digest, lane: Some(lane), terms };
        *notes = Notes { request_form: form, ..self.notes(Form::Btauth, digest, question.body.len()) };
        let end = notes.since + self.patience(asking, notes.asked_ms);
        let heard = self.within(end, native::ask(self.caller(), line, question, &self.limits)).await?;
        if self.asks_otherwise(asking, hotkey, form, &heard) {
            return Box::pin(self.call(call, notes)).await;
        }
        if !(self.settings.v10_fallback && heard.knows_no_route()) {
            return Ok(heard);
        }
        let body = match kept {
            Some(body) => body,
            None => self.json(asking, hotkey).await?.body,
        };
        self.call_again(call, First { body, heard }, notes).await
    }

    /// Whether a miner is asked at once for less, or in another form, after what was heard of it.
    fn asks_otherwise(&self, asking: &Asking, hotkey: Hotkey, form: BodyForm, heard: &Heard) -> bool {
        if self.targets.is_refused(hotkey, heard.status) {
            observe::plainly(hotkey);
            return true;
        }
        let refused = !form.is_usual()
            && asking.encoded.as_ref().is_some_and(|encoded| encoded.is_refused(hotkey, form, heard.status));
        if refused {
            observe::otherwise(hotkey, form);
        }
        refused
    }

    /// Asks in the old form somebody who answered `heard` to the new one.
    async fn call_again(
        &self,
        Call { asking, receiver, sent }: Call<'_>,
        First { body, heard }: First,
        notes: &mut Notes,
    ) -> Result<Heard, Trouble> {
        let turn = world::within(&*self.time, self.end(asking), self.old_form.acquire()).await;
        let Some(Ok(_turn)) = turn else { return Ok(heard) };
        let patience = self.patience(asking, self.now_ms());
        let Ok(mut posting) = legacy::wrap(self.caller(), receiver, patience, body).await else {
            return Ok(heard);
        };
        posting.body = posting.body.metered(Arc::clone(sent));
        let line = self.talk.connect(receiver.address, CONNECT.min(patience)).await?;
        *notes = self.notes(Form::V10, posting.body.digest(), posting.body.len());
        let end = notes.since + self.patience(asking, notes.asked_ms);
        self.within(end, legacy::ask(line, posting, &self.limits, &*self.workers)).await
    }

    /// What is written down when sending begins.
    fn notes(&self, form: Form, request: Digest, length: u64) -> Notes {
        let (asked_ms, since) = (self.now_ms(), self.time.uptime());
        Notes { form, request: Some(request), request_form: BodyForm::Json, length, asked_ms, since }
    }

    /// When the round's answers stop to count, by the time since start.
    fn end(&self, asking: &Asking) -> Duration {
        self.time.uptime() + left(asking.until_ms, self.now_ms())
    }

    /// How long a miner may take that is asked now.
    fn patience(&self, asking: &Asking, now_ms: i64) -> Duration {
        self.settings.deadline.min(left(asking.until_ms, now_ms))
    }

    /// The body for one miner in the form that it takes.
    async fn make(&self, asking: &Asking, hotkey: Hotkey) -> Result<Ready, OwnFailure> {
        let Some(parts) = asking.encoded.as_ref().and_then(|encoded| encoded.to(&hotkey)) else {
            return self.json(asking, hotkey).await;
        };
        let mut media = HeaderMap::new();
        parts.name(&mut media);
        let EncodedParts { form, task, decoded, sent: digest, body, .. } = parts;
        let decoded = Some(*decoded);
        Ok(Ready { body: body.clone(), digest: *digest, media, form: *form, task: *task, decoded })
    }

    /// The body for one miner as JSON, made on a thread that may block.
    async fn json(&self, asking: &Asking, hotkey: Hotkey) -> Result<Ready, OwnFailure> {
        let bodies = asking.bodies.clone();
        let made = self.workers.compute(move || {
            let body = bodies(&hotkey)?;
            let digest = body.digest();
            let (media, form) = (HeaderMap::new(), BodyForm::Json);
            Ok(Ready { body, digest, media, form, task: digest, decoded: None })
        });
        made.await?.map_err(|source| OwnFailure::Body { hotkey, source })
    }

    async fn within<T>(&self, end: Duration, work: impl Future<Output = Result<T, Trouble>>) -> Result<T, Trouble> {
        world::within(&*self.time, end, work).await.unwrap_or(Err(Trouble::TimedOut))
    }
}

fn reply(trouble: Trouble) -> Reply {
    match trouble {
        Trouble::Exchange(ExchangeError::TooLarge) => Reply::TooLarge,
        Trouble::TimedOut | Trouble::NoTurn => Reply::TimedOut,
        Trouble::Exchange(ExchangeError::Encoded { .. }) => Reply::Refused(trouble.to_string()),
        Trouble::Exchange(_) | Trouble::Own(_) => Reply::Unreachable(trouble.to_string()),
    }
}
