//! A miner asked by btauth/1: signed for it alone, under a nonce of its own, and its answer's signature checked before
//! anything of it is read.

use aml_miner::clock::Clock;
use aml_miner::digest::Digest;
use http::uri::PathAndQuery;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use super::trouble::{OwnFailure, Trouble};
use crate::http::body::RequestBody;
use crate::http::client::{ExchangeError, MAX_REFUSAL, Posting, Received, printable};
use crate::http::lanes::Lane;
use crate::http::spool::{SpoolLimits, Spooled};
use crate::protocol::answer::{Answered, Asked, verify_answer};
use crate::protocol::second_answer::{self, Came, Encoding, Stated, Subject, is_second};
use crate::protocol::signed_request::{Target, sign};
use crate::protocol::terms::Terms;
use crate::protocol::{NonceSource, Refusal, content_digest};
use crate::validator::world::{Entropy, Line, Workers};
use crate::wallet::{Hotkey, Signer};

/// Who asks. All requests of one hotkey share one source of nonces.
#[derive(Clone, Copy)]
pub(crate) struct Caller<'a> {
    /// Our key.
    pub(crate) signer: &'a Signer,
    /// Never gives one twice.
    pub(crate) nonces: &'a NonceSource,
    /// The time.
    pub(crate) clock: &'a dyn Clock,
    /// Where a body is wrapped for the old form.
    pub(crate) workers: &'a dyn Workers,
    /// Where UUIDs come from.
    pub(crate) entropy: &'a dyn Entropy,
}

/// What is asked of whom.
#[derive(Debug)]
pub(crate) struct Question {
    /// Whom.
    pub(crate) receiver: Hotkey,
    /// Below its address.
    pub(crate) target: PathAndQuery,
    /// The body.
    pub(crate) body: RequestBody,
    /// What the body is, where it is not JSON.
    pub(crate) media: HeaderMap,
    /// SHA-256 of the body.
    pub(crate) digest: Digest,
    /// The lane to send it on, where lanes are few.
    pub(crate) lane: Option<Lane>,
    /// What is said of the round; an answer of the second form is asked for with it.
    pub(crate) terms: Option<Terms>,
}

/// A complete answer, and whether it counts.
#[derive(Debug)]
pub(crate) struct Heard {
    /// Status.
    pub(crate) status: StatusCode,
    /// Headers.
    pub(crate) headers: HeaderMap,
    /// Body.
    pub(crate) body: Spooled,
    /// Whether the body is all that was sent.
    pub(crate) whole: bool,
    /// `Ok` when it counts, else why not.
    pub(crate) verdict: Result<(), String>,
    /// Whether the miner vouches for it.
    pub(crate) signed: bool,
    /// What the miner says of it, in an answer of the second form.
    pub(crate) stated: Option<Stated>,
}

impl Heard {
    /// Whether somebody answered who does not know the native route.
    pub(crate) fn knows_no_route(&self) -> bool {
        !self.signed && matches!(self.status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED)
    }
}

/// Asks over `line`.
pub(crate) async fn ask(
    caller: Caller<'_>,
    line: Box<dyn Line>,
    question: Question,
    limits: &SpoolLimits,
) -> Result<Heard, Trouble> {
    let Question { receiver, target, body, media, digest, lane, terms } = question;
    let target = match &terms {
        Some(terms) => {
            terms.behind(target.as_str()).parse().map_err(|_| ExchangeError::Broken("no target".to_owned()))?
        }
        None => target,
    };
    let nonce = caller.nonces.next(caller.clock);
    let signed = Target { method: "POST", path_and_query: target.as_str(), body: digest };
    let mut headers = sign(caller.signer, &signed, Some(receiver), nonce);
    headers.insert(content_digest::HEADER, content_digest::announce(digest));
    headers.extend(media);
    let asked = Asked { nonce, validator: caller.signer.hotkey(), body: digest };
    let Received { status, headers, body, whole } = line.post(Posting { target, headers, body, lane }, limits).await?;
    let proof = proven(&headers, &receiver, Answered { status, body: body.digest() }, (&asked, terms.as_ref()));
    let signed = whole && proof.is_ok();
    let stated = proof.as_ref().ok().copied().flatten();
    let (body, verdict) = match (status, proof) {
        (StatusCode::OK, Ok(stated)) => (body, asked_for(stated, terms.as_ref())),
        (StatusCode::OK, Err(refusal)) => {
            (body, Err(format!("status 200, but the answer is not this miner's: {refusal}")))
        }
        _ => {
            let (body, words) = words(body).await?;
            (body, Err(format!("status {}{words}", status.as_u16())))
        }
    };
    Ok(Heard { status, headers, body, whole, verdict, signed, stated })
}

/// Checks an answer of either form; of the second one what it says.
fn proven(
    headers: &HeaderMap,
    miner: &Hotkey,
    answered: Answered,
    (asked, terms): (&Asked, Option<&Terms>),
) -> Result<Option<Stated>, Refusal> {
    let Some(terms) = terms.filter(|_| is_second(headers)) else {
        return verify_answer(headers, miner, answered, asked).map(|_| None);
    };
    let decoded = terms.decoded.unwrap_or(asked.body);
    let subject = Subject { task: terms.task, commitment: terms.commitment, decoded };
    let came = Came { status: answered.status, sent: answered.body };
    second_answer::verify_answer(headers, miner, came, asked, &subject).map(|(_, stated)| Some(stated))
}

/// Sealed answers are sent to whoever names an opening.
fn asked_for(stated: Option<Stated>, terms: Option<&Terms>) -> Result<(), String> {
    let sealed = stated.is_some_and(|stated| stated.encoding == Encoding::Sealed);
    let wanted = terms.is_some_and(|terms| terms.opening.is_some());
    if sealed && !wanted { Err("the answer is sealed, which was not asked for".to_owned()) } else { Ok(()) }
}

/// What a refusal says of itself, for whoever reads the log; nothing depends on it.
async fn words(body: Spooled) -> Result<(Spooled, String), Trouble> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Words {
        code: Option<String>,
        detail: Option<String>,
        message: Option<String>,
    }
    if body.is_empty() || body.len() > MAX_REFUSAL {
        return Ok((body, String::new()));
    }
    let look = |reader: &mut dyn std::io::Read| serde_json::from_reader::<_, Words>(reader).unwrap_or_default();
    let (body, words) = body.inspect(look).await.map_err(OwnFailure::Disk)?;
    let said = [words.code, words.detail.or(words.message)].into_iter().flatten();
    let said: String = said.map(|text| format!(": {}", printable(&text, 200))).collect();
    Ok((body, said))
}
